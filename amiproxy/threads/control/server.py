# SPDX-License-Identifier: GPL-2.0-or-later
"""The thread of the control socket: accept, and give each command a short-lived thread.

A connection is one line, ``COMMAND``, ``json COMMAND`` or ``80 COMMAND`` (so wide is the terminal
that it is for), and its answer: a line ``ok`` or ``error``, then text or JSON until the end.  No
client of AMI and no Asterisk waits for any of this; one command that hangs (a reload) keeps no
other.
"""

from __future__ import annotations

import contextlib
import errno
import functools
import json
import logging
import socket
import struct
import time
from typing import TYPE_CHECKING

from amiproxy.basics.deadline import Deadline
from amiproxy.basics.places import user_name
from amiproxy.threads.control.command import Answer, clean, refusal
from amiproxy.threads.control.table import perform
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.starting import StartingThread
from amiproxy.threads.net.watched import WatchedThread
from amiproxy.threads.sessions.paced import paced

if TYPE_CHECKING:
    from amiproxy.threads.control.socketfile import SocketFile
    from amiproxy.threads.sessions.context import ProxyContext

log = logging.getLogger("amiproxy.control")

#: Bytes of a command, and how many may be under way at once.
LONGEST = 1024
MOST = 16

#: Seconds that a command may take to come, and its answer to be taken.
PATIENCE = 10.0

#: Pause after an accept for which there was no descriptor or memory, in seconds.
_PAUSE = 0.1


_JSON = json.JSONEncoder(indent=2)


class ControlServer:
    """Carries out what comes through *file*; where that is None there is no thread."""

    def __init__(
        self, context: ProxyContext, file: SocketFile | None, *, patience: float = PATIENCE
    ) -> None:
        self._context = context
        self._file = file
        self._patience = patience
        # One item for each command under way; append and pop are one step each.
        self._under_way: list[None] = []
        self._stopping = False
        self.busy_since = 0.0  # for the watchdog
        self._thread: WatchedThread | None = None

    def start(self) -> None:
        """Start to accept."""
        file = self._file
        if file is not None:
            file.sock.setblocking(True)
            run = functools.partial(endless, "control", lambda: self._accept(file.sock))
            self._thread = WatchedThread("control", run, self, essential=False)
            self._thread.start()

    def stop(self) -> None:
        """Accept no more."""
        self._stopping = True
        if self._file is not None and self._thread is not None:
            with contextlib.suppress(OSError):
                self._file.sock.shutdown(socket.SHUT_RDWR)  # wakes the thread
            self._thread.join(1.0)
            self._file.close()

    def _accept(self, listener: socket.socket) -> bool:
        """Give the next connection a thread; return False once stopped."""
        self.busy_since = 0.0
        try:
            sock, _ = listener.accept()
        except OSError as error:
            if self._stopping:
                return False
            if error.errno == errno.EINVAL:
                raise  # shut down, and not by us
            log.warning("control: accept: %s", error.strerror)
            time.sleep(_PAUSE)
            return True
        self.busy_since = time.monotonic()
        if len(self._under_way) >= MOST:
            _send(sock, refusal(f"{MOST} commands are under way; try again"), as_json=False, wait=0)
            return True
        self._under_way.append(None)
        try:
            StartingThread(f"control-{sock.fileno()}", lambda: self._serve(sock)).start()
        except (RuntimeError, MemoryError) as error:
            self._under_way.pop()
            _send(sock, refusal(f"no thread for it: {error}"), as_json=False, wait=0)
        return True

    def _serve(self, sock: socket.socket) -> None:
        """Read one command from *sock*, and answer it."""
        try:
            as_json, width, line = _command(_read_line(sock, Deadline(self._patience)))
            if line is None:
                answer = refusal(f"a command is one line of at most {LONGEST} bytes")
            else:
                answer = self._answer(line, _peer(sock), width)
            _send(sock, answer, as_json=as_json, wait=self._patience)
            if answer.then is not None:
                answer.then()
        except OSError as error:
            log.debug("control: %s", error)
        finally:
            sock.close()
            self._under_way.pop()

    def _answer(self, line: str, who: str, width: int) -> Answer:
        try:
            return perform(self._context, line, who, width)
        except Exception:
            log.exception("control: %s: bug in the proxy", ascii(line))
            return refusal("bug in the proxy: see its log")


def _read_line(sock: socket.socket, deadline: Deadline) -> bytes | None:
    """Return the line that comes from *sock*, None if it is too long or has no end.

    Raises:
        OSError: it did not come by the *deadline*.

    """
    data = b""
    while b"\n" not in data:
        sock.settimeout(deadline.left(0.001))
        more = sock.recv(LONGEST)
        data += more
        if not more or len(data) > LONGEST:
            return None
    return data.partition(b"\n")[0]


def _command(line: bytes | None) -> tuple[bool, int, str | None]:
    """Return whether *line* asks for JSON, the width it names, and the command it holds.

    The width is 0 where it names none; the command is None as for ``_read_line``.
    """
    if line is None:
        return False, 0, None
    first, _, rest = line.decode("latin-1").strip().partition(" ")
    if first == "json":
        return True, 0, rest
    if first.isdecimal() and len(first) <= 4:
        return False, int(first), rest
    return False, 0, f"{first} {rest}"


def _peer(sock: socket.socket) -> str:
    """Return the user at the other end (SO_PEERCRED, unix(7))."""
    size = struct.calcsize("3i")
    _, uid, _ = struct.unpack("3i", sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, size))
    return user_name(uid)


def _send(sock: socket.socket, answer: Answer, *, as_json: bool, wait: float) -> None:
    """Send *answer* and close *sock*; who takes nothing for *wait* seconds gets it in part."""
    lines: list[str] = ["ok" if answer.is_good else "error"]
    if as_json:
        lines.append("".join(paced(_JSON.iterencode(answer.document), 1000)))
    else:
        lines += [clean(line) for line in paced(answer.lines)]
    data = "".join(f"{line}\n" for line in lines).encode("latin-1", "backslashreplace")
    with contextlib.suppress(OSError), sock:
        sock.settimeout(wait)
        sock.sendall(data)
