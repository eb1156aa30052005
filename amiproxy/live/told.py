# SPDX-License-Identifier: GPL-2.0-or-later
"""Told: a JSON document that several clients are sent, framed once for all of one kind."""

from __future__ import annotations

from typing import Callable


class Told:
    """One JSON document.  Shared by threads: who frames it at the same moment does so twice.

    *kind* is its ``type``: change, snapshot, server, and so on.
    """

    __slots__ = ("_framed", "json", "kind")

    def __init__(self, kind: str, json: bytes) -> None:
        self.kind = kind
        #: The document, without line end.
        self.json = json
        self._framed: dict[str, bytes] = {}

    def framed(self, by: str, frame: Callable[[Told], bytes]) -> bytes:
        """Return what *frame* makes of it, made once for each name *by*."""
        found = self._framed.get(by)
        if found is None:
            found = self._framed[by] = frame(self)
        return found
