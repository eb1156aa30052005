# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits: how much one client may send at a time.

amiproxy/blocks.py and handlers/standard.py hold what comes against them,
routing/upstream.py what goes to Asterisk, web/urls.py what a URL asks for.
"""

from __future__ import annotations

import dataclasses

#: Bytes of a block of who has neither logged in nor given the proxy key, and of the body of
#: an HTTP request before its head has proved who sent it: a log-in is much shorter.
STRANGER = 8192


@dataclasses.dataclass
class Limits:
    """How long a line, how many headers, how large a block; maxline, maxheaders, maxblock.

    A reader must look at its limits anew each time: those of a client change when it logs
    in.  Who shares an object with others must not change it.
    """

    line: int = 1022  # bytes: what Asterisk accepts (spec 12.17)
    headers: int = 128
    block: int = 131072  # bytes: that many such lines, and their ends

    def of_strangers(self) -> Limits:
        """Return what of these a client gets that must log in and has not."""
        return Limits(min(self.line, STRANGER), min(self.headers, 128), min(self.block, STRANGER))

    def become(self, other: Limits) -> None:
        """Take over the values of *other*."""
        self.line, self.headers, self.block = other.line, other.headers, other.block
