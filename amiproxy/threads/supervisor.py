# SPDX-License-Identifier: GPL-2.0-or-later
"""Supervisor: tells systemd how the proxy is, by the protocol of sd_notify(3).

The protocol is one datagram of lines ``NAME=value`` to the socket that the environment names;
systemd's own library for it is no more than this, and python-systemd is none that pip can
install without a compiler.
"""

from __future__ import annotations

import contextlib
import logging
import os
import socket
import struct
import time
from typing import TYPE_CHECKING

from amiproxy.errors import PassingError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.errors import ConfigError

log = logging.getLogger("amiproxy.supervisor")

#: Exit status of a program whose configuration is wrong (sysexits.h); the unit's
#: RestartPreventExitStatus= names it, for to start it again would not help.
EX_CONFIG = 78


def notify_socket() -> str:
    """Return where the supervisor of this process listens, "" if it has none."""
    return os.environ.get("NOTIFY_SOCKET", "")


#: How long what systemd must hear may take to be taken, in seconds.
_PATIENCE = 1

#: How much of a status systemd is given: it is one line of "systemctl status".
_LONGEST = 200


class Supervisor:
    """Who has started this process and wants to hear from it; without one it does nothing.

    Main makes it before there are threads.  Any thread may tell: each message is one send.
    """

    def __init__(self, path: str = "") -> None:
        """Connect to the socket *path*, as NOTIFY_SOCKET in the environment names it; "": none."""
        self._sock: socket.socket | None = None
        self._said = ""
        self._has_watchdog = False
        if not path.startswith(("/", "@")):
            return
        # Now: there may be no descriptor later.
        sock = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        # The kernel's limit, not Python's, which would make MSG_DONTWAIT wait, too.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDTIMEO, struct.pack("ll", _PATIENCE, 0))
        try:
            sock.connect("\0" + path[1:] if path[0] == "@" else path)
        except OSError as error:
            sock.close()
            log.warning("NOTIFY_SOCKET %s: %s", path, error.strerror or error)
            return
        self._sock = sock
        micros = os.environ.get("WATCHDOG_USEC", "")
        ours = os.environ.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        self._has_watchdog = micros.isdecimal() and ours

    @property
    def is_there(self) -> bool:
        """Whether somebody wants to hear of us."""
        return self._sock is not None

    @property
    def files(self) -> list[socket.socket]:
        """What becoming a daemon must not close."""
        return [] if self._sock is None else [self._sock]

    def ready(self) -> None:
        """Say that clients can connect."""
        self._tell("READY=1")

    @contextlib.contextmanager
    def reloading(self) -> Iterator[None]:
        """Say that the files are read again while the block runs, and when that is over."""
        self._tell(*_reloading())
        try:
            yield
        finally:
            self._tell("READY=1")

    def restarting(self) -> None:
        """Say that the process starts anew: what it becomes says when that is over (``ready``)."""
        self._tell(*_reloading(), _status("Starting anew"))

    def waiting(self, seconds: float, status: str) -> None:
        """Say why the start takes up to *seconds* more, whatever TimeoutStartSec= is."""
        self._tell(_extension(seconds), _status(status))

    def failed(self, error: ConfigError) -> int:
        """Say that the process does not start since *error*; return its exit status.

        It is EX_CONFIG where to start again would not help, and nobody sits at a terminal.
        """
        self._tell(_status(error.problems[0]))
        may_pass = isinstance(error, PassingError)
        return EX_CONFIG if self.is_there and not may_pass else 1

    def stopping(self, seconds: float) -> None:
        """Say that the process ends, within *seconds*, whatever TimeoutStopSec= is."""
        self._tell("STOPPING=1", _extension(seconds), _status("Stopping"))

    def feed(self) -> None:
        """Say that all is well, if the watchdog of systemd waits for that.  Never waits."""
        if self._has_watchdog:
            self._tell("WATCHDOG=1", flags=socket.MSG_DONTWAIT)

    def describe(self, status: str) -> None:
        """Say *status*, if it is new.  Never waits."""
        if status != self._said and self._tell(_status(status), flags=socket.MSG_DONTWAIT):
            self._said = status

    def close(self) -> None:
        """Say nothing any more."""
        sock, self._sock = self._sock, None
        if sock is not None:
            sock.close()

    def _tell(self, *lines: str, flags: int = 0) -> bool:
        """Send *lines*; return whether they have gone."""
        sock = self._sock
        if sock is not None:
            with contextlib.suppress(OSError):
                # A path may hold anything.
                sock.send("\n".join(lines).encode("utf-8", "backslashreplace"), flags)
                return True
        return False


def _reloading() -> tuple[str, str]:
    """Return what begins a reload."""
    # The clock is that of systemd, which compares this with the moment at which it asked.
    now = time.clock_gettime_ns(time.CLOCK_MONOTONIC) // 1000
    return "RELOADING=1", f"MONOTONIC_USEC={now}"


def _status(text: str) -> str:
    """Return the assignment of *text*, which must be one line."""
    line = " ".join(text.split())
    return f"STATUS={line[:_LONGEST]}"


def _extension(seconds: float) -> str:
    """Return the assignment that lets what is under way take *seconds*."""
    return f"EXTEND_TIMEOUT_USEC={seconds * 1_000_000:.0f}"
