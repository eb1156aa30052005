# SPDX-License-Identifier: GPL-2.0-or-later
"""Corrections: where events had it wrong and a list has put it right."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from amiproxy.basics.bounded import BoundedDict

if TYPE_CHECKING:
    from collections.abc import Iterable

log = logging.getLogger("amiproxy.asterisk")

_HOUR = 3600.0
_MOST = 256


class Corrections:
    """Those of the model of the server *scope*.  Any thread may read how many."""

    def __init__(self, scope: str) -> None:
        self._scope = scope
        self.count = 0
        #: As ``count``, by kind of row.
        self.by_kind: dict[str, int] = {}
        self._at: BoundedDict[str, float] = BoundedDict(_MOST)
        self._said = -_HOUR

    def note(self, rows: Iterable[str], now: float) -> None:
        """Note that *rows*, by kind and key, were corrected; one that was so before is logged."""
        for row in rows:
            self.count += 1
            kind = row.partition(" ")[0]
            self.by_kind[kind] = self.by_kind.get(kind, 0) + 1
            before = self._at.get(row)
            self._at[row] = now
            if before is not None and now - before < _HOUR <= now - self._said:
                self._said = now
                log.warning(
                    "asterisk@%s: state: %s differed from the list of Asterisk twice in an hour",
                    self._scope, ascii(row[:100]),
                )  # fmt: skip
