# SPDX-License-Identifier: GPL-2.0-or-later
"""The targets: limits for the figures.

Each names a row, the figure, and the limit.  Ratios are of two measurements of one
run, so that they mean something on any machine.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple

if TYPE_CHECKING:
    from benchmarks.figures import Figures

#: Figures of one row by subject.
Results = dict[str, "Figures"]


class Target(NamedTuple):
    """*value* of the row must be at most *limit*, or with *at_least* at least *limit*.

    With a *base*: what it is divided by is *value* of that row.
    """

    row: str
    what: str
    value: Callable[[Results], float]
    limit: float
    at_least: bool = False
    base: str = ""

    def met(self, value: float) -> bool:
        """Return whether *value* meets the target."""
        return value >= self.limit if self.at_least else value <= self.limit


def to_relay(figure: str) -> Callable[[Results], float]:
    """Return a function that returns the ratio of proxy to relay for *figure*."""
    return lambda results: results["proxy"][figure] / results["relay"][figure]


def of_proxy(figure: str) -> Callable[[Results], float]:
    """Return a function that returns *figure* of the proxy."""
    return lambda results: results["proxy"][figure]


def _beside(results: Results) -> float:
    return results["proxy"]["p99_us"] / results["proxy"]["alone_p99_us"]


#: Up to this ratio a p99 counts as unchanged: two equal runs differ as well.
_NOISE = 1.5

_CPU = "CPU per event, proxy : relay"
_CPU_OFF = "CPU per event, with : without"
_CPU_BYTES = "CPU per byte sent, proxy : relay"

TARGETS = (
    Target("fanout-1-standard-off", _CPU, to_relay("cpu_us"), 2.5),
    Target("fanout-100-standard-off", _CPU, to_relay("cpu_us"), 1.3),
    Target("fanout-100-standard-unique", _CPU, to_relay("cpu_us"), 1.5),
    Target("fanout-100-xml-off", _CPU_BYTES, to_relay("cpu_ns_per_byte"), 3.0),
    Target("fanout-100-json-off", _CPU_BYTES, to_relay("cpu_ns_per_byte"), 3.0),
    Target("fanout-100-csv-off", _CPU_BYTES, to_relay("cpu_ns_per_byte"), 3.0),
    Target(
        "filter-100-channels",
        "CPU us per event and client examined",
        of_proxy("cpu_us_per_examined"),
        4.0,
    ),
    Target("paced-10-2000", "p99, proxy : relay", to_relay("p99_us"), 2.0),
    Target("roundtrip-1-standard", "p50, proxy : relay", to_relay("p50_us"), 1.3),
    Target("roundtrip-50-unique", "answers a second, proxy : relay", to_relay("rate"), 0.7, True),
    Target("connect-plain", "seconds until all are greeted", of_proxy("all_s"), 1.0),
    Target("connect-tls", "time, proxy : openssl s_time", of_proxy("times_openssl"), 1.5),
    Target("hold", "KB per idle client", of_proxy("rss_kb_per_client"), 40.0),
    Target("kept-ring", f"{_CPU_OFF}", of_proxy("cpu_us"), 1.1, base="kept-nothing"),
    Target("kept-ids", f"{_CPU_OFF}", of_proxy("cpu_us"), 1.5, base="kept-nothing"),
    Target("model-on", "p99 of events, on : off", of_proxy("p99_us"), 2.0, base="model-off"),
    Target("watch-1", "cores for an open console", of_proxy("watch_share"), 0.02),
    Target("snapshot-5000", "ms until it is whole", of_proxy("snapshot_ms"), 1000.0),
    Target("stuck-20", "p99 of the others, with : without", _beside, _NOISE),
    Target("slow-20", "p99 of the others, with : without", _beside, _NOISE),
)
