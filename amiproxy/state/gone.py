# SPDX-License-Identifier: GPL-2.0-or-later
"""Gone: what ended a moment ago.  Late events name it once more, and must not bring it back."""

from __future__ import annotations

from amiproxy.basics.bounded import BoundedDict

#: Seconds for which something gone is remembered, and how many at most.
REMEMBERED = 60.0
MOST = 10_000


class Gone:
    """Ids of what is gone, each for a minute."""

    __slots__ = ("_when",)

    def __init__(self, most: int = MOST) -> None:
        """Remember at most *most* of them; the oldest make room."""
        self._when: BoundedDict[str, float] = BoundedDict(most)

    def __len__(self) -> int:
        return len(self._when)

    def add(self, key: str, now: float) -> None:
        """Remember that *key* is gone."""
        self._when.pop(key, None)  # so that it is the newest
        self._when[key] = now

    def discard(self, key: str) -> None:
        """Forget *key*: it is there again."""
        self._when.pop(key, None)

    def has(self, key: str, now: float) -> bool:
        """Return whether *key* is gone for less than a minute."""
        when = self._when.get(key)
        return when is not None and now - when < REMEMBERED

    def clear(self) -> None:
        """Forget all."""
        self._when.clear()
