# SPDX-License-Identifier: GPL-2.0-or-later
"""Containers with a limit, for what peers can add to without end."""

from __future__ import annotations

from collections import OrderedDict, deque
from typing import Callable, Generic, TypeVar

K = TypeVar("K")
V = TypeVar("V")


class BoundedDict(OrderedDict[K, V]):
    """A dict of at most *most* entries: one too many drops the oldest.

    The oldest entry is the one whose key was added first; setting an existing key
    again does not make it newer, ``move_to_end`` does.

    Not thread-safe: a lock must guard everything that adds or removes entries.
    """

    # An OrderedDict finds its oldest entry at once.  In a plain dict that search
    # passes over every entry dropped so far: 20 us at 65 536 entries.

    def __init__(self, most: int) -> None:
        """Make an empty dict for *most* entries, at least 1."""
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        super().__setitem__(key, value)
        if len(self) > self._most:
            self.popitem(last=False)


class SmallBoundedDict(dict[K, V]):
    """As BoundedDict, in less than half of its memory: for a limit that is low or seldom reached.

    Entries are to be added by setting them, in no other way.
    """

    # Each of a thousand clients has some.  Once full, it takes 0.2 us more for an entry at a
    # limit of 256, 3 us at 4096: to find the oldest it passes over those that have gone.

    __slots__ = ("_most",)

    def __init__(self, most: int) -> None:
        """Make an empty dict for *most* entries, at least 1."""
        super().__init__()
        self._most = most

    def __setitem__(self, key: K, value: V) -> None:
        self.add(key, value)

    def add(self, key: K, value: V) -> K | None:
        """Set *key* to *value*; return the key of the oldest entry if it had to go, else None."""
        super().__setitem__(key, value)
        if len(self) <= self._most:
            return None
        oldest = next(iter(self))
        del self[oldest]
        return oldest


class Recent(Generic[V]):
    """The last values that came: *most* at the most, and together no larger than *most_size*.

    *size_of* says how large one is; one that is too large by itself leaves none.

    Not thread-safe.
    """

    def __init__(self, most: int, most_size: int, size_of: Callable[[V], int]) -> None:
        self._values: deque[V] = deque()
        self._most = most
        self._most_size = most_size
        self._size_of = size_of
        self._size = 0

    def __len__(self) -> int:
        return len(self._values)

    def append(self, value: V) -> None:
        """Add *value*; the oldest ones make room."""
        self._values.append(value)
        self._size += self._size_of(value)
        while self._size > self._most_size or len(self._values) > self._most:
            self._size -= self._size_of(self._values.popleft())

    def take(self) -> list[V]:
        """Return all values, oldest first, and keep none."""
        values = list(self._values)
        self._values.clear()
        self._size = 0
        return values
