# SPDX-License-Identifier: GPL-2.0-or-later
"""Totals: how many rows there are on one server, of those that somebody may see."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

#: Kinds of rows that are counted.
COUNTED = ("calls", "channels", "devices", "callers")

#: States of calls that have not ended.
CALL_STATES = (
    "parked", "waiting", "conference", "hold", "talking", "ringing", "dialling", "application",
)  # fmt: skip
#: States of devices.
DEVICE_STATES = (
    "NOT_INUSE", "INUSE", "BUSY", "INVALID", "UNAVAILABLE", "RINGING", "RINGINUSE", "ONHOLD",
    "UNKNOWN",
)  # fmt: skip


class Totals:
    """Counts rows as they are told.  Not thread-safe."""

    def __init__(self) -> None:
        self._states: dict[str, dict[str, Any]] = {kind: {} for kind in COUNTED}

    def set(self, kind: str, key: str, fields: Mapping[str, Any]) -> None:
        """Count the row *key* of *kind*, as *fields* say."""
        found = self._states.get(kind)
        if found is not None:
            found[key] = fields.get("state")

    def drop(self, kind: str, key: str) -> None:
        """Count that row no more."""
        found = self._states.get(kind)
        if found is not None:
            found.pop(key, None)

    def clear(self) -> None:
        """Count nothing."""
        for found in self._states.values():
            found.clear()

    def fields(self, unknown: Collection[str]) -> dict[str, int | None]:
        """Return the row of kind ``totals``; of kinds that are *unknown* the counts are None."""
        calls = Counter(self._states["calls"].values())
        devices = Counter(self._states["devices"].values())
        found: dict[str, int | None] = {
            "calls": sum(calls[state] for state in CALL_STATES),
            **{f"calls_{state}": calls[state] for state in CALL_STATES},
            "channels": len(self._states["channels"]),
            "devices": len(self._states["devices"]),
            **{f"devices_{state.lower()}": devices[state] for state in DEVICE_STATES},
            "waiting": len(self._states["callers"]),
        }
        kinds = {"waiting": "callers"}
        for name in found:
            if kinds.get(name, name.partition("_")[0]) in unknown:
                found[name] = None
        return found
