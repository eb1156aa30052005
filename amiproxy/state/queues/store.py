# SPDX-License-Identifier: GPL-2.0-or-later
"""QueueStore: the queues of one server, with members, callers and who rings for whom."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.basics.bounded import BoundedDict
from amiproxy.state.queues.attempts import Attempts
from amiproxy.state.queues.member import Member
from amiproxy.state.queues.queue import Caller, Queue
from amiproxy.state.values import key_of

if TYPE_CHECKING:
    from amiproxy.state.table import Standing

#: So many callers are remembered whose Leave has not come.
MOST_AHEAD = 1000


class QueueStore:
    """What a QueueTable has.  Events and the list change it by these functions alone."""

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self.queues: dict[str, Queue] = {}
        #: Who waits, by unique id: in one queue at a time.
        self.waiting: dict[str, Caller] = {}
        #: Whom a list lacks, though no event has said so: it is still on its way.
        self.ahead: BoundedDict[str, Caller] = BoundedDict(MOST_AHEAD)
        self.attempts = Attempts(self.touch)
        self._member_count = 0

    def __len__(self) -> int:
        return len(self.queues) + self._member_count + len(self.waiting) + len(self.attempts)

    def clear(self) -> None:
        """Forget all."""
        self.queues.clear()
        self.waiting.clear()
        self.ahead.clear()
        self.attempts.clear()
        self._member_count = 0

    # -- which rows may have changed -----------------------------------------------------------

    def touch(self, member: Member) -> None:
        """Note that the row of *member* may have changed, and with it that of its queue."""
        touched = self._standing.touched
        if touched is not None:
            touched.add("members", key_of(member.queue, member.interface))
            touched.add("queues", member.queue)

    def touch_callers(self, queue: Queue, begin: int = 0) -> None:
        """Note that those who wait in *queue* may have changed, from the place *begin* on."""
        touched = self._standing.touched
        if touched is not None:
            touched.add("queues", queue.name)
            for caller in queue.callers[begin:]:
                touched.add("callers", key_of(queue.name, caller.uniqueid))

    # -- what changes --------------------------------------------------------------------------

    def add_caller(self, queue: Queue, uniqueid: str) -> Caller:
        """Return the new caller *uniqueid* of *queue*, who has no place in it yet."""
        self.ahead.pop(uniqueid, None)
        caller = self.waiting[uniqueid] = Caller(queue, uniqueid)
        return caller

    def leaving(self, uniqueid: str) -> Caller | None:
        """Return the caller *uniqueid*, who waits, or does so no more as a list has told."""
        return self.waiting.get(uniqueid) or self.ahead.get(uniqueid)

    def queue(self, name: str) -> Queue:
        """Return the queue *name*, made if it is not known."""
        queue = self.queues.get(name)
        if queue is None:
            queue = self.queues[name] = Queue(name)
            self._standing.touch("queues", name)
        return queue

    def add_member(self, queue: Queue, interface: str) -> Member:
        """Return the member *interface* of *queue*, made if it is not known."""
        member = queue.members.get(interface)
        if member is None:
            member = queue.members[interface] = Member(queue.name, interface)
            self._member_count += 1
            self.touch(member)
        return member

    def drop_member(self, queue: Queue, interface: str, now: float) -> None:
        """Take the member *interface* out of *queue*."""
        member = queue.members.pop(interface, None)
        if member is not None:
            self._member_count -= 1
            self.touch(member)
            self.attempts.end_all_of(member, now)

    def drop_caller(self, caller: Caller, now: float) -> None:
        """Take *caller* out of the queue; those behind move up."""
        self.waiting.pop(caller.uniqueid, None)
        self.ahead.pop(caller.uniqueid, None)
        callers = caller.queue.callers
        if caller in callers:
            place = callers.index(caller)
            self.touch_callers(caller.queue, place)
            del callers[place]
        self.attempts.stop_ringing(caller.uniqueid, now)

    def drop_queue(self, name: str, now: float) -> None:
        """Take the queue *name* out, with its members and callers."""
        queue = self.queues[name]
        for caller in tuple(queue.callers):
            self.drop_caller(caller, now)
        for interface in tuple(queue.members):
            self.drop_member(queue, interface, now)
        del self.queues[name]
        self._standing.touch("queues", name)
