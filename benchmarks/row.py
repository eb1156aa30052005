# SPDX-License-Identifier: GPL-2.0-or-later
"""One row of the table, and how long and big a run is."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Callable

from benchmarks.subjects import SUBJECTS

if TYPE_CHECKING:
    from collections.abc import Mapping

    from benchmarks.figures import Figures
    from benchmarks.subjects import Running


@dataclass(frozen=True)
class Row:
    """One row: *measure* runs on each of *subjects*, in turn."""

    name: str
    measure: Callable[[Running], Figures]
    #: The proxy's files: keys of the configuration, and the users file.
    settings: Mapping[str, str] = field(default_factory=dict)
    users: str = ""
    subjects: tuple[str, ...] = SUBJECTS
    #: Whether it is measured with the proxy before, too, where there is one.
    changes: bool = True


@dataclass(frozen=True)
class Scale:
    """How long and how big a run is."""

    seconds: float
    most_clients: int  # of delivery
    connections: int  # at once
    held: int
    channels: int  # in a snapshot
    users: int  # with filters

    def paced_seconds(self) -> float:
        """Return how long a row at a fixed rate runs: longer, because p99 needs it."""
        return self.seconds * 2


WHOLE = Scale(
    seconds=2.0, most_clients=1000, connections=1000, held=10_000, channels=5000, users=1000
)
QUICK = Scale(seconds=0.3, most_clients=100, connections=200, held=500, channels=500, users=100)
