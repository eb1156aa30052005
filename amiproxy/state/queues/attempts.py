# SPDX-License-Identifier: GPL-2.0-or-later
"""Attempts: which caller of a queue each member rings for, or talks to."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.queues.member import Attempt, Member

if TYPE_CHECKING:
    from typing import Callable


class Attempts:
    """All attempts of one server, by the unique ids of both channels."""

    def __init__(self, touch: Callable[[Member], None]) -> None:
        """Make an empty one; *touch* is called with members whose row may have changed."""
        self._touch = touch
        self._of: dict[str, list[Attempt]] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def of(self, member: Member, caller: str, now: float) -> Attempt:
        """Return the attempt of *member* for *caller*, a new one if there is none."""
        attempt = member.attempts.get(caller)
        self._touch(member)
        if attempt is None:
            attempt = member.attempts[caller] = Attempt(member, caller, now)
            self._of.setdefault(caller, []).append(attempt)
            self._count += 1
        return attempt

    def set_dest(self, attempt: Attempt, dest: str | None) -> None:
        """Note that the member's own channel is *dest*, if it is known."""
        if dest and dest != attempt.dest:
            if attempt.dest:
                self._forget(attempt.dest, attempt)
            attempt.dest = dest
            self._of.setdefault(dest, []).append(attempt)

    def end(self, attempt: Attempt, now: float) -> None:
        """End *attempt*: no answer, completed, or a channel is gone."""
        member = attempt.member
        if member.attempts.pop(attempt.caller, None) is None:
            return
        self._count -= 1
        self._touch(member)
        member.freed = now
        if attempt.connected:
            member.ended = now
        self._forget(attempt.caller, attempt)
        if attempt.dest:
            self._forget(attempt.dest, attempt)

    def stop_ringing(self, caller: str, now: float) -> None:
        """End what still rings for *caller*, who waits no longer."""
        for attempt in tuple(self._of.get(caller, ())):
            if not attempt.connected and attempt.caller == caller:
                self.end(attempt, now)

    def hang_up(self, uniqueid: str, now: float) -> None:
        """End all attempts of the channel *uniqueid*, on either side.

        A Local channel may be optimised away: who talks goes on without it.
        """
        found = self._of.get(uniqueid)
        if found:
            for attempt in tuple(found):
                if not (attempt.connected and attempt.dest == uniqueid and attempt.is_local()):
                    self.end(attempt, now)

    def end_all_of(self, member: Member, now: float) -> None:
        """End all attempts of *member*, who is no member any more."""
        for attempt in tuple(member.attempts.values()):
            self.end(attempt, now)

    def clear(self) -> None:
        """Forget all."""
        self._of.clear()
        self._count = 0

    def _forget(self, uniqueid: str, attempt: Attempt) -> None:
        found = self._of.get(uniqueid)
        if found is not None and attempt in found:
            found.remove(attempt)
            if not found:
                del self._of[uniqueid]
