# SPDX-License-Identifier: GPL-2.0-or-later
"""Source: which server messages are from, as clients are to know it."""

from __future__ import annotations

from amiproxy.routing.calltable import CallTable


class Source:
    """A server, for the thread that publishes its messages.

    *scope* tells it from all others; *names* are by what it may be meant, None: as its link
    says.
    """

    __slots__ = ("calls", "hushed", "names", "of", "scope")

    def __init__(self, scope: str, names: frozenset[str] | None = None) -> None:
        self.scope = scope
        self.names = names
        self.of: object = None  #: what *names* were made of
        self.calls = CallTable()
        #: Whether only answers are passed on: its messages come by another connection.
        self.hushed = False
