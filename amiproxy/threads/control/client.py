# SPDX-License-Identifier: GPL-2.0-or-later
"""The other side of the control socket: asks a running proxy."""

from __future__ import annotations

import os
from typing import NamedTuple

from amiproxy.basics.places import user_name
from amiproxy.threads.control.socketfile import connect


class Told(NamedTuple):
    """What a proxy said to a command: *text* as bytes, for the terminal."""

    is_good: bool
    text: bytes


class UnreachableError(Exception):
    """No proxy can be asked; *is_running* where there seems to be one."""

    def __init__(self, text: str, *, is_running: bool) -> None:
        super().__init__(text)
        self.is_running = is_running


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
            sock.sendall(line.encode("latin-1", "replace"))
            data = b"".join(iter(lambda: sock.recv(65536), b""))
    except (FileNotFoundError, NotADirectoryError):
        text = f"no proxy runs with this configuration: there is no control socket {path}"
        raise UnreachableError(text, is_running=False) from None
    except ConnectionRefusedError:
        text = f"no proxy runs: it has left the control socket {path} behind"
        raise UnreachableError(text, is_running=False) from None
    except PermissionError:
        text = (
            f"user {user_name(os.geteuid())} may not use the control socket {path}; ask as root"
            " or as the proxy's own user"
        )
        raise UnreachableError(text, is_running=True) from None
    except OSError as error:
        text = f"the proxy at {path} does not answer: {error.strerror or error}"
        raise UnreachableError(text, is_running=True) from error
    first, newline, text_ = data.partition(b"\n")
    if not newline:
        raise UnreachableError(f"the proxy at {path} ended before it answered", is_running=True)
    return Told(first == b"ok", text_)
