# SPDX-License-Identifier: GPL-2.0-or-later
"""The other side of the control socket: asks a running proxy."""

from __future__ import annotations

import contextlib
import errno
import os
import re
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.basics.places import user_name
from amiproxy.threads.control.socketfile import connect

if TYPE_CHECKING:
    import socket

#: Bytes of an answer: a row of ten thousand clients is less than a tenth of it.
LONGEST = 1 << 26

# All but line feed and tab; ECMA-48 has some above 127, too.
_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class Told(NamedTuple):
    """What a proxy said to a command: *text* as bytes, for the terminal."""

    is_good: bool
    text: bytes


class UnreachableError(Exception):
    """No proxy can be asked; *is_running* where there seems to be one."""

    def __init__(self, text: str, *, is_running: bool) -> None:
        super().__init__(text)
        self.is_running = is_running


class EndedError(UnreachableError):
    """A proxy was asked, and has ended before it answered."""


def ask(
    path: str,
    command: str,
    *,
    as_json: bool = False,
    width: int = 0,
    timeout: float | None = None,
) -> Told:
    """Return what the proxy at *path* says to *command*, to who has room for *width* characters.

    Waits up to *timeout* seconds for each part of the answer; None: for ever, as for a reload.

    Raises:
        UnreachableError: there is no such proxy, it may not be asked, or does not answer.

    """
    line = f"{'json ' if as_json else f'{width} ' if width else ''}{command}\n"
    try:
        with connect(path, timeout) as sock:
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                sock.sendall(os.fsencode(line))  # as it was typed
            data = _read(sock)
    except OSError as error:
        raise _unreachable(path, error) from error
    first, newline, text = data.partition(b"\n")
    if not newline:
        raise EndedError(f"the proxy at {path} ended before it answered", is_running=True)
    # Whoever listens there, if it is another program, does not get at the terminal.
    return Told(first == b"ok", _clean(text))


def _clean(text: bytes) -> bytes:
    """Return *text* as UTF-8 that controls no terminal, whatever it held."""
    letters = text.decode("utf-8", "backslashreplace")
    return _CONTROL.sub(lambda found: f"\\x{ord(found[0]):02x}", letters).encode()


def _unreachable(path: str, error: OSError) -> UnreachableError:
    """Return what is told of *error*: the proxy at *path* could not be asked."""
    if isinstance(error, (FileNotFoundError, NotADirectoryError)):
        text = f"no proxy runs with this configuration: there is no control socket {path}"
    elif isinstance(error, ConnectionRefusedError):
        text = f"no proxy runs: it has left the control socket {path} behind"
    elif isinstance(error, PermissionError):
        who = user_name(os.geteuid())
        text = (
            f"user {who} may not use the control socket {path}; ask as root or as the proxy's own"
            " user"
        )
        return UnreachableError(text, is_running=True)
    else:
        text = f"the proxy at {path} does not answer: {error.strerror or error}"
        return UnreachableError(text, is_running=True)
    return UnreachableError(text, is_running=False)


def _read(sock: socket.socket) -> bytes:
    """Return all that comes from *sock*.

    Raises:
        OSError: nothing comes for too long, or more than LONGEST.

    """
    data = bytearray()
    # A proxy that refuses does not read all of the command: then the end is a reset.
    with contextlib.suppress(ConnectionResetError):
        while more := sock.recv(65536):
            data += more
            if len(data) > LONGEST:
                raise OSError(errno.EMSGSIZE, "what it says has no end")
    return bytes(data)
