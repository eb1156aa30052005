# SPDX-License-Identifier: GPL-2.0-or-later
"""Backlog: the bytes that a socket did not take, and how long they may lie there."""

from __future__ import annotations

import math
import threading
import time
from collections import deque
from typing import Callable, TypeVar, Union

#: What is sent: of a piece that has gone in part, a view of the rest.
Data = Union[bytes, memoryview]

Error = TypeVar("Error", bound=Exception)

#: Seconds in which a client with more than its limit waiting must take something, ...
_MOVES_IN = 1.0

#: ... and in which it must take as many bytes as its limit.
_TAKES_LIMIT_IN = 60.0

#: How many times its limit may come for all clients while one does not take its oldest message.
_MAY_LAG = 16

#: How many of the pieces of memory that were kept last are known again.
_RECENT = 8


class Tally:
    """How many bytes were kept for slow clients: a batch that many leave lying counts once.

    Any thread may call.  So a client finds out how much memory it holds for longer than
    others do, without a look at theirs.
    """

    def __init__(self) -> None:
        # Guards kept and _recent; held for two look-ups.  Taken inside a transport's lock.
        self._lock = threading.Lock()
        #: Bytes kept since the start; it never falls.
        self.kept = 0
        # Ids and sizes of the last ones.  One that was let go may leave its id to another of
        # its size, which then takes its place in memory, too.
        self._recent: deque[tuple[int, int]] = deque(maxlen=_RECENT)

    def add(self, data: Data) -> int:
        """Count *data*, unless it was just counted; return ``kept`` as it is then."""
        # Of a piece that has gone in part the rest differs from client to client.
        whole = data.obj if isinstance(data, memoryview) else data
        size = memoryview(whole).nbytes
        key = (id(whole), size)
        with self._lock:
            if key not in self._recent:
                self._recent.append(key)
                self.kept += size
            return self.kept


class Backlog:
    """Bytes that wait to be sent, oldest first.  The transport's lock guards it.

    More than *limit* bytes may wait, since one answer may be larger, as long as the other
    side goes on taking them; ``problem`` says when it does not.
    """

    __slots__ = ("_gone", "_limit", "_over_since", "_parts", "_taken", "_tally", "_unsent",
                 "moved", "size")  # fmt: skip

    def __init__(self, limit: int, tally: Tally) -> None:
        self._limit = limit
        self._tally = tally
        # Each part with the tally when it was kept.
        self._parts: deque[tuple[Data, int]] = deque()
        self._unsent = 0  # when somebody looked last
        self._gone = 0  # bytes of the oldest part that were sent: it is in memory whole
        #: How many bytes wait.
        self.size = 0
        #: When the other side took something last, or began not to, in monotonic seconds.
        self.moved = time.monotonic()
        # While more than the limit waits: since when what it takes is counted, and how much.
        self._over_since = math.inf
        self._taken = 0

    def append(self, data: Data) -> None:
        """Have *data* wait behind the others."""
        if not data:
            return  # flush would take it for a full socket
        self._parts.append((data, self._tally.add(data)))
        self.size += len(data)
        if self.size > self._limit and self._over_since == math.inf:
            self._over_since, self._taken = time.monotonic(), 0

    def flush(self, send_now: Callable[[Data], int], most: int) -> bool:
        """Give *send_now* what waits until it takes nothing; return whether all has gone.

        *send_now* returns how many bytes it took.  What it raises ends the connection.
        Ends early after *most* bytes: others have their turn.
        """
        parts = self._parts
        turn = most
        while parts and turn > 0:
            part, kept = parts[0]
            sent = send_now(part[:turn])
            if not sent:
                break
            turn -= sent
            self.size -= sent
            if sent < len(part):
                parts[0] = memoryview(part)[sent:], kept  # there may be room again: ask once more
                self._gone += sent
            else:
                parts.popleft()
                self._gone = 0
        if turn < most:
            self._note_progress(most - turn)
        return not parts

    def ending(self, words: bytes) -> Backlog:
        """Return the rest of what was sent in part, with *words* behind it, and nothing else."""
        short = Backlog(self._limit, self._tally)
        first = self._parts[0][0] if self._parts else b""
        short.append(first if isinstance(first, memoryview) else b"")
        short.append(words)
        return short

    def look(self, unsent: int) -> None:
        """Note that the system has *unsent* bytes still to send, 0 if it does not say.

        A full socket shows room only when a good part of it is free: over a slow line that
        takes longer than the other side may be silent.
        """
        if unsent < self._unsent:
            self.moved = time.monotonic()
        self._unsent = unsent

    def _note_progress(self, taken: int) -> None:
        self.moved = time.monotonic()
        self._taken += taken
        if self.size + self._gone <= self._limit:
            self._over_since = math.inf
        elif self._taken >= self._limit:
            self._over_since, self._taken = self.moved, 0

    def deadline(self, write_timeout: float) -> float:
        """Return when ``problem`` is to be asked, in monotonic seconds."""
        if self._over_since == math.inf:
            return self.moved + write_timeout
        return min(self.moved + _MOVES_IN, self._over_since + _TAKES_LIMIT_IN)

    @property
    def lags(self) -> bool:
        """Whether too much has come since the oldest part, which is not taken yet."""
        return (
            self._over_since != math.inf
            and self._tally.kept - self._parts[0][1] > _MAY_LAG * self._limit
        )

    def problem(self, write_timeout: float) -> str:
        """Return why the other side is too slow, "" if it is not.

        It may take nothing for *write_timeout* seconds, while more than its limit waits for
        _MOVES_IN: to read much takes time, and costs memory here.
        """
        now = time.monotonic()
        if self.lags:
            came = self._tally.kept - self._parts[0][1]
            return f"leaves {self.size} bytes unread while {came} more came (clientbacklog)"
        if now < self.deadline(write_timeout):
            return ""
        unread = f"{self.size} bytes wait"
        if self._over_since == math.inf:
            return f"took nothing for {write_timeout * 1000:.0f} ms, {unread}"
        if now >= self._over_since + _TAKES_LIMIT_IN:
            return f"took {self._taken} bytes in {_TAKES_LIMIT_IN:.0f} s, {unread} (clientbacklog)"
        return f"took nothing for {_MOVES_IN * 1000:.0f} ms, {unread} (clientbacklog)"


def cut_short(
    backlog: Backlog | None, words: Callable[[Error], bytes] | None, error: Error
) -> Backlog | None:
    """Return what is left to be sent of *backlog* where the connection ends for *error*.

    Nothing, but where *words* for it are to be said: then they, and what they must stand behind.
    """
    return backlog.ending(words(error)) if backlog is not None and words is not None else None
