# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the log goes: a file, a stream, the journal, syslog.

The log's thread writes; only ``reopen`` and ``close`` are called by others.
"""

from __future__ import annotations

import contextlib
import errno
import os
import select
import socket
import stat
import threading
from typing import TYPE_CHECKING, Protocol

from amiproxy.basics.places import open_to_append

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Where the journal and syslog take datagrams.
JOURNAL_SOCKET = "/run/systemd/journal/socket"
SYSLOG_SOCKET = "/dev/log"

#: Bytes that a pipe or stream socket takes whole if it is ready to take any.
_PIECE = select.PIPE_BUF

#: Seconds that one entry may wait for the journal or syslog.
_ENTRY_TIME = 1.0


class Sink(Protocol):
    """What takes the log."""

    def fileno(self) -> int:
        """Return its descriptor, which becoming a daemon must not close."""

    def write(self, entries: Sequence[bytes]) -> int:
        """Write *entries*; return how many lines were lost."""

    def reopen(self, patience: float) -> None:
        """Open it by its name again, within *patience* seconds; raises OSError."""

    def close(self, patience: float) -> None:
        """Close it, unless it is stuck for *patience* seconds."""


class FileSink:
    """The file *path*, or a descriptor *fd* of it; raises OSError if it cannot be opened."""

    def __init__(self, path: str, fd: int = -1) -> None:
        self._path = path
        self._fd = open_to_append(path) if fd < 0 else fd
        self._torn = not _ends_whole(self._fd)  # its last line has no end
        # Guards what _fd stands for: it is replaced and closed under it.  The log's
        # thread holds it while it writes, which may take for ever; so the others ask
        # for it with a time limit.
        self._lock = threading.Lock()

    def fileno(self) -> int:
        """Return the descriptor of the file."""
        return self._fd

    def write(self, entries: Sequence[bytes]) -> int:
        """Write whole lines; return how many were lost, a torn one counts."""
        with self._lock:
            return self._put(b"".join(entries)).count(b"\n")

    def _put(self, data: bytes) -> bytes:
        """Write *data*; return what could not be written."""
        assert self._lock.locked()
        try:
            if self._torn and data:
                os.write(self._fd, b"\n")
                self._torn = False
            while data:
                count = os.write(self._fd, data)
                self._torn = not data[:count].endswith(b"\n")
                data = data[count:]
        except OSError:
            pass
        return data

    def reopen(self, patience: float) -> None:
        """Open the file by its name again; if that fails, keep the old one.

        Raises:
            OSError: the file cannot be opened, or the old one is stuck.

        """
        fd = open_to_append(self._path)
        if not self._lock.acquire(timeout=patience):
            os.close(fd)
            raise TimeoutError(errno.ETIMEDOUT, "the old file takes no more lines")
        old, self._fd = self._fd, fd
        self._torn = not _ends_whole(fd)
        self._lock.release()
        os.close(old)

    def close(self, patience: float) -> None:
        """Close the file, unless it is stuck."""
        if self._lock.acquire(timeout=patience):
            fd, self._fd = self._fd, -1
            self._lock.release()
            if fd >= 0:
                os.close(fd)


class StreamSink:
    """Stdout or stderr, by its descriptor.

    *patience*: lines that are not taken in so many seconds are lost, and further ones at once
    until some are taken again; None: as many as the log holds wait for who reads the stream.
    """

    def __init__(self, fd: int, patience: float | None = None) -> None:
        self._fd = fd
        self._patience = patience
        self._wait = patience or 0.0  # what is left of it
        self._torn = False

    def fileno(self) -> int:
        """Return the descriptor, which stays open anyway."""
        return self._fd

    def write(self, entries: Sequence[bytes]) -> int:
        """Write whole lines; return how many were lost."""
        data = b"".join(entries)
        if self._torn and data:
            data = b"\n" + data
        try:
            while data and self._takes_some():
                count = os.write(self._fd, data[:_PIECE] if self._patience else data)
                self._torn = not data[:count].endswith(b"\n")
                data = data[count:]
        except OSError:
            pass
        return data.count(b"\n")

    def _takes_some(self) -> bool:
        """Return whether a piece can be written now, or in a moment."""
        if self._patience is None:
            return True
        poll = select.poll()
        poll.register(self._fd, select.POLLOUT)
        is_ready = bool(poll.poll(self._wait * 1000))
        self._wait = self._patience if is_ready else 0.0
        return is_ready

    def reopen(self, patience: float) -> None:
        """Nothing: the stream is whoever's it was at the start."""

    def close(self, patience: float) -> None:
        """Nothing: others print there, too."""


class SocketSink:
    """The Unix socket at *path*, which takes one datagram an entry: the journal's or syslog's.

    Each entry goes to the name: who restarts the other side needs not restart the proxy.
    """

    def __init__(self, path: str) -> None:
        """Raise OSError if nobody takes entries there."""
        self._path = path
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._socket.settimeout(_ENTRY_TIME)
        with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as trial:
            try:
                trial.connect(path)
            except OSError:
                self._socket.close()
                raise

    def fileno(self) -> int:
        """Return the descriptor of the socket."""
        return self._socket.fileno()

    def write(self, entries: Sequence[bytes]) -> int:
        """Send *entries*; return how many were lost."""
        lost = 0
        for done, entry in enumerate(entries):
            try:
                self._socket.sendto(entry, self._path)
            except OSError as error:
                if error.errno != errno.EMSGSIZE:
                    return lost + len(entries) - done  # the next would wait as long
                lost += 1
        return lost

    def reopen(self, patience: float) -> None:
        """Nothing: it has no file."""

    def close(self, patience: float) -> None:
        """Close the socket."""
        del patience  # it is never stuck for long
        self._socket.close()


def is_journal(fd: int, said: str) -> bool:
    """Return whether the stream *fd* goes to the journal.

    *said* is what the environment says in ``JOURNAL_STREAM``: device and inode (systemd.exec(5)).
    """
    with contextlib.suppress(OSError):
        status = os.fstat(fd)
        return said == f"{status.st_dev}:{status.st_ino}"
    return False


def _ends_whole(fd: int) -> bool:
    """Return whether the file *fd* ends with a whole line, as far as that can be seen."""
    with contextlib.suppress(OSError):
        status = os.fstat(fd)
        if stat.S_ISREG(status.st_mode) and status.st_size:
            reading = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                return os.pread(reading, 1, status.st_size - 1) == b"\n"
            finally:
                os.close(reading)
    return True
