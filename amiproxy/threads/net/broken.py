# SPDX-License-Identifier: GPL-2.0-or-later
"""What an error of a connection is told as: in fixed words, which name nobody."""

from __future__ import annotations

import errno
import ssl

from amiproxy.errors import PeerLeft

_RESET, _UNREACHABLE = "connection reset", "its host cannot be reached"

_TOLD = {
    errno.ECONNRESET: _RESET,
    errno.EPIPE: _RESET,
    errno.ECONNABORTED: _RESET,
    errno.ETIMEDOUT: "its host does not answer",
    errno.EHOSTUNREACH: _UNREACHABLE,
    errno.EHOSTDOWN: _UNREACHABLE,
    errno.ENETUNREACH: _UNREACHABLE,
    errno.ENETDOWN: _UNREACHABLE,
}


def left(text: str, error: OSError) -> PeerLeft:
    """Return the end of a connection that has raised *error*; *text* is for the log."""
    # OpenSSL's errors have numbers of their own.
    code = None if isinstance(error, ssl.SSLError) else error.errno
    return PeerLeft(text, told=_TOLD.get(code or 0, ""))
