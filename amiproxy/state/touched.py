# SPDX-License-Identifier: GPL-2.0-or-later
"""Touched: which rows may have changed since somebody looked last."""

from __future__ import annotations


class Touched:
    """Keys of rows, by kind.  One that is named here may be as it was, or may be no more."""

    __slots__ = ("keys", "whole")

    def __init__(self) -> None:
        self.keys: dict[str, set[str]] = {}
        #: Kinds of which any row may have changed: a list has come.
        self.whole: set[str] = set()

    def add(self, kind: str, key: str) -> None:
        """Note that the row *key* of *kind* may have changed."""
        found = self.keys.get(kind)
        if found is None:
            found = self.keys[kind] = set()
        found.add(key)

    def take(self) -> Touched:
        """Return what was noted, and note nothing of it any more."""
        taken = Touched()
        taken.keys, taken.whole = self.keys, self.whole
        self.keys, self.whole = {}, set()
        return taken

    def __bool__(self) -> bool:
        return bool(self.keys or self.whole)
