# SPDX-License-Identifier: GPL-2.0-or-later
"""OutStream: one stream that the outbox adds to: its IDs, what is trimmed, when it expires.

For the outbox' thread only.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from amiproxy.bus import resp
from amiproxy.bus.respreader import RespError
from amiproxy.bus.trail import Trail

if TYPE_CHECKING:
    from amiproxy.bus.respreader import Reply

#: A command that goes along, and what is done with its reply.
Along = tuple[bytes, Callable[["Reply"], object]]

#: Streams of what is asked and answered go when nobody has added anything for so long, seconds.
TALK_SECONDS = 120
#: And those of events: of a server that nobody has any more.
EVENTS_SECONDS = 7 * 24 * 3600


class OutStream:
    """The stream *key*, which may have *budget* bytes.

    *epoch* is that of the tenure whose IDs it gets, -1: Redis gives the IDs.  With *keeps* its
    entries are for all who come later, not for one who waits.
    """

    def __init__(self, key: bytes, budget: int, *, keeps: bool) -> None:
        self.key = key
        self.epoch = -1
        self.trail = Trail(budget)
        self.used = 0.0  # when it was added to last, in monotonic seconds
        self._seconds = EVENTS_SECONDS if keeps else TALK_SECONDS
        self._refreshed = -float(self._seconds)
        # Entries that were there when this tenure began; None: not known yet.
        self._found: int | None = None

    def begin(self, epoch: int) -> bool:
        """Go on with the tenure *epoch*; return False if a later one has begun here."""
        if epoch > self.epoch:
            self.epoch, self._found = epoch, None
            self.trail = Trail(self.trail.budget)
        return epoch == self.epoch

    def before(self) -> list[Along]:
        """Return what to send before the first entry of a flight: how much there is, trimming.

        Trimming by count is for those of other tenures, which are all older: no other proxy may
        be adding at the same time.
        """
        if self.epoch < 0:
            return []
        if self._found is None:
            return [
                (resp.command(b"XLEN", self.key), self._note_length),
                (resp.command(b"MEMORY", b"USAGE", self.key), self._note_size),
            ]
        keep = self.trail.cut_old()
        if keep is None:
            return []
        words = b"XTRIM", self.key, b"MAXLEN", b"=", b"%d" % keep
        return [(resp.command(*words), _ignored)]

    def _note_length(self, reply: Reply) -> None:
        self._found = max(0, reply - self.trail.count) if isinstance(reply, int) else 0

    def _note_size(self, reply: Reply) -> None:
        # Where that may not be asked it is taken for full, so that it is trimmed all the more.
        size = reply if isinstance(reply, int) else self.trail.budget
        if self._found:
            self.trail.inherit(self._found, size)

    def first(self, entry_id: bytes, body: bytes) -> bytes:
        """Return the command that adds the first entry of a flight, and removes the oldest."""
        return resp.xadd(self.key, entry_id, body, self.trail.cut())

    def after(self, now: float) -> list[Along]:
        """Return what to send behind an entry at *now*, monotonic seconds: when it expires."""
        self.used = now
        if now - self._refreshed < self._seconds / 8:
            return []
        self._refreshed = now
        words = b"PEXPIRE", self.key, b"%d" % (self._seconds * 1000)
        return [(resp.command(*words), _ignored)]


def _ignored(reply: Reply) -> None:
    """Do nothing: without it the stream is larger, or stays longer."""
    del reply


def is_superseded(reply: Reply) -> bool:
    """Return whether Redis refuses an ID since the stream has that one, or a greater one."""
    return isinstance(reply, RespError) and "equal or smaller" in str(reply)
