# SPDX-License-Identifier: GPL-2.0-or-later
"""Wanted: a picture that somebody waits for."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.threads.state.picture import Picture


class Wanted:
    """A picture that a client's thread waits for: the rows of *kinds*."""

    def __init__(self, kinds: Sequence[str]) -> None:
        self.kinds = frozenset(kinds)
        self.picture: Picture | None = None
        self._made = threading.Event()

    def make(self, picture: Picture | None) -> None:
        """Hand over *picture*; None: there will be none."""
        self.picture = picture
        self._made.set()

    def wait(self, seconds: float) -> Picture | None:
        """Return the picture; None if there is none within *seconds*."""
        self._made.wait(seconds)
        return self.picture
