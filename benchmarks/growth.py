# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows that show how the cost grows; ``plots.py`` makes pictures of them.

Their names end in the number that grows.  All figures are for each event that came.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from benchmarks import delivery
from benchmarks.agents import Centre
from benchmarks.delivery import Delivery
from benchmarks.filtered import agent_row, class_row
from benchmarks.row import Row

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.row import Scale

_COUNTS = (1, 3, 10, 30, 100, 300, 1000)
_SETS = (1, 5, 20, 100)
_RATES = (100, 300, 1000, 3000, 10_000, 20_000)
#: Clients of the rows about latency: few, or their own work would be seen, not the proxy's.
_FEW = 2


def growth_rows(scale: Scale) -> Iterator[Row]:
    """Yield the rows."""
    for form in ("standard", "xml", "json", "csv"):
        for clients in _COUNTS:
            if clients <= scale.most_clients:
                yield _format_row(form, clients, scale)
    for users in _COUNTS:
        if users <= scale.users:
            yield agent_row(f"grow-users-{users}", scale, Centre(users))
    for sets in _SETS:
        yield class_row(f"grow-rules-{sets}", scale, sets)
    for rate in _RATES:
        measure = partial(
            delivery.at_a_pace,
            delivery=Delivery(_FEW),
            rate=rate,
            seconds=scale.paced_seconds(),
        )
        yield Row(f"grow-rate-{rate}", measure, subjects=("relay", "proxy"), changes=False)


def _format_row(form: str, clients: int, scale: Scale) -> Row:
    """Return a row about so many *clients* who see everything in the format *form*."""
    measure = partial(
        delivery.of_what_came, delivery=Delivery(clients, form), seconds=scale.seconds
    )
    subjects = ("relay", "proxy") if form == "standard" else ("proxy",)
    settings = {"outputformat": form}
    return Row(f"grow-clients-{form}-{clients}", measure, settings, "", subjects, changes=False)
