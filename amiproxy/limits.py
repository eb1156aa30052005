# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits: how much one client may send at a time.

amiproxy/blocks.py and handlers/standard.py hold what comes against them,
routing/upstream.py what goes to Asterisk, web/urls.py what a URL asks for.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How long a line, how many headers, how large a block; maxline, maxheaders, maxblock."""

    line: int = 1022  # bytes: what Asterisk accepts (spec 12.17)
    headers: int = 128
    block: int = 1024 * 1024  # bytes
