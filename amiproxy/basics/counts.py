# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts: how many there are of each of many things that come and go."""

from __future__ import annotations

from typing import TypeVar

K = TypeVar("K")


class Counts(dict[K, int]):
    """How many there are of each key; one of which there is none is not in it.

    Not thread-safe: a lock must guard what it counts.
    """

    def add(self, key: K) -> None:
        """Count one more of *key*."""
        self[key] = self.get(key, 0) + 1

    def remove(self, key: K) -> bool:
        """Count one less of *key*, of which there is one; return whether that was the last."""
        left = self[key] - 1
        if left:
            self[key] = left
        else:
            del self[key]
        return not left
