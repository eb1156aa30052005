# SPDX-License-Identifier: GPL-2.0-or-later
"""Trail: how many bytes a stream has in Redis, and what is to be removed for it to have fewer.

Redis trims by count or by ID, not by bytes; so who adds remembers what was added, in pieces: which
entry is the first of each, and how large it is.  What others had added before is known as a
whole only, and is trimmed by count: it is all older.
"""

from __future__ import annotations

from collections import deque

#: How many pieces a full stream is made of: so much at a time is removed.
_PIECES = 32


def cost(size: int) -> int:
    """Return the bytes that an entry of *size* takes inside Redis, at the most.

    Redis 7.0 with jemalloc: 3 to 26 % more than the value, as its memory has steps, and what
    belongs to the entry itself.
    """
    return size + size // 4 + 48


class _Piece:
    """Entries in a row: the *first* ID, how many, their bytes."""

    __slots__ = ("count", "first", "size")

    def __init__(self, first: bytes) -> None:
        self.first = first
        self.count = self.size = 0


class Trail:
    """What is in one stream that may have *budget* bytes."""

    __slots__ = ("_old", "_old_size", "_pieces", "budget", "size")

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self._pieces: deque[_Piece] = deque()
        # Entries that were there before, and their bytes.
        self._old = self._old_size = 0
        #: Bytes of all that is in the stream, as far as known.
        self.size = 0

    @property
    def count(self) -> int:
        """How many entries are in the stream, as far as known."""
        return self._old + sum(piece.count for piece in self._pieces)

    def inherit(self, count: int, size: int) -> None:
        """Note that *count* entries of together *size* bytes were there before all others."""
        self.size += size - self._old_size
        self._old, self._old_size = count, size

    def add(self, entry_id: bytes, size: int) -> None:
        """Note that the entry *entry_id*, whose value has *size* bytes, was added."""
        pieces = self._pieces
        if not pieces or pieces[-1].size >= self.budget // _PIECES:
            pieces.append(_Piece(entry_id))
        piece, taken = pieces[-1], cost(size)
        piece.count += 1
        piece.size += taken
        self.size += taken

    def cut(self) -> bytes | None:
        """Return the ID before which all is to be removed, None for nothing; taken as done."""
        pieces, is_cut = self._pieces, False
        while self.size > self.budget and len(pieces) > 1 and not self._old:
            self.size -= pieces.popleft().size
            is_cut = True
        return pieces[0].first if is_cut else None

    def cut_old(self) -> int | None:
        """Return how many entries are to be kept, None for all; taken as done.

        Of the old ones so many are removed that there is room for one more piece.
        """
        wanted = self.size - self.budget
        if wanted <= 0 or not self._old:
            return None
        wanted += self.budget // _PIECES
        gone = min(self._old, -(-self._old * wanted // max(1, self._old_size)))
        size = self._old_size * gone // self._old
        self._old -= gone
        self._old_size -= size
        self.size -= size
        return self.count
