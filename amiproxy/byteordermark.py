# SPDX-License-Identifier: GPL-2.0-or-later
"""Beginning: drops a byte order mark at the start of a connection.

.NET's StreamWriter writes one (EF BB BF, UTF-8) before the first block, which is mostly a
log-in: read as part of it, ``Action`` is no action, and the secret goes upstream.
"""

from __future__ import annotations

_MARK = b"\xef\xbb\xbf"


class Beginning:
    """The first bytes of one connection."""

    def __init__(self) -> None:
        self._held = b""  # what may become a mark
        #: Whether it is certain that there is no mark, or none any more.
        self.is_over = False

    def admit(self, data: bytes) -> bytes:
        """Take the next *data*; return it without the mark, or what may still become one."""
        if self.is_over:
            return data
        data = self._held + data
        if len(data) < len(_MARK) and _MARK.startswith(data):
            self._held = data
            return b""
        self._held, self.is_over = b"", True
        return data.removeprefix(_MARK)
