# SPDX-License-Identifier: GPL-2.0-or-later
"""Paper: keeps what a client of its own connection would be sent, for one answer of HTTP."""

from __future__ import annotations

import errno
import threading
import time
from typing import TYPE_CHECKING, Callable

from amiproxy.errors import PeerError, PeerGone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.basics.deadline import Deadline

#: Bytes of documents that one answer may have.
_MOST_BYTES = 4 * 1024 * 1024

#: How often who waits looks whether there is any use in it, in seconds.
_LOOK = 0.5


class _NoSocket:
    """Tells nothing: what the connection has moved is counted once, and not here."""

    def getsockopt(self, *_: int) -> bytes:
        """Raise OSError."""
        raise OSError(errno.ENOTCONN, "no socket")

    def getsockname(self) -> str:
        """Raise OSError."""
        raise OSError(errno.ENOTCONN, "no socket")


class Paper:
    """Stands in the place of a Transport; each line that it is sent is one document.

    It is full with *most* documents: then it is over for who would send more.
    """

    tls_version = ""
    counted = True  # its bytes are those of the connection
    write_timeout = 1.0
    max_backlog = _MOST_BYTES
    backlog = 0
    last_words: Callable[[PeerError], bytes] | None = None
    wake: Callable[[], object] | None = None

    def __init__(self, peer: str, most: int) -> None:
        self.peer, self._most = peer, most
        self.sock = _NoSocket()
        # Guards _lines, _size, is_full and end_reason; it is the lock of the session, too.
        self.lock = threading.Lock()
        self._lines: list[bytes] = []
        self._size = 0
        self.is_full = False
        self.end_reason: PeerError | None = None
        self.heard = time.monotonic()
        self._come = threading.Event()

    def send(self, data: bytes | memoryview) -> None:
        """Keep *data*, unless it is full.  The caller holds ``lock``."""
        assert self.lock.locked()
        if self.is_full or self.end_reason is not None or not data:
            return
        self._lines += bytes(data).splitlines()
        self._size += len(data)
        self.is_full = len(self._lines) >= self._most or self._size >= _MOST_BYTES
        self._come.set()

    def taken(self) -> tuple[Sequence[bytes], bool]:
        """Return the documents, and whether there are more.  The caller holds ``lock``."""
        assert self.lock.locked()
        return self._lines[: self._most], self.is_full

    def wait(self, deadline: Deadline, gone: Callable[[], bool]) -> None:
        """Wait until there is a document, or *deadline*, or nobody wants any: *gone*."""
        while not (self._come.wait(min(deadline.left(), _LOOK)) or deadline.over or gone()):
            if self.end_reason is not None:
                return

    def check(self) -> None:
        """Find out whether more is wanted.

        Raises:
            PeerGone: it is over, or full.

        """
        if self.end_reason is not None:
            raise self.end_reason
        if self.is_full:
            raise PeerGone(f"{self.peer}: has enough")

    def flush(self) -> bool:
        """Nothing waits."""
        return True

    def end_for(self, error: PeerError, *, wake: bool = True) -> bool:
        """End it for *error*.  The caller holds ``lock``."""
        del wake
        assert self.lock.locked()
        is_first = self.end_reason is None
        self.end_reason = self.end_reason or error
        self._come.set()
        return is_first

    def abort(self, error: PeerError) -> None:
        """End it for *error*.  The caller holds ``lock``."""
        self.end_for(error)

    def lose(self, error: Exception) -> None:
        """End it for *error*, whatever it is.  The caller holds ``lock``."""
        self.end_for(error if isinstance(error, PeerError) else PeerGone(f"{self.peer}: {error}"))

    def finish(self, reason: str) -> None:
        """End it for *reason*."""
        with self.lock:
            self.end_for(PeerGone(reason))

    def shut_read(self) -> None:
        """Have who waits go on."""
        self._come.set()
