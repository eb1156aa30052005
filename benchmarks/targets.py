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


def to_before(figure: str) -> Callable[[Results], float]:
    """Return a function that returns the ratio of the proxy to the one before for *figure*."""
    return lambda results: results["proxy"][figure] / results["before"][figure]


def of_proxy(figure: str) -> Callable[[Results], float]:
    """Return a function that returns *figure* of the proxy."""
    return lambda results: results["proxy"][figure]


def _beside(results: Results) -> float:
    return results["proxy"]["p99_us"] / results["proxy"]["alone_p99_us"]


def _walls(results: Results) -> float:
    return results["proxy"]["wall_p99_us"] / results["proxy"]["alone_p99_us"]


#: Up to these ratios a p99, and CPU time, count as unchanged: two equal runs differ as well.
_NOISE = 1.5
_CPU_NOISE = 1.1

_CPU = "CPU per event, proxy : relay"
_CPU_OFF = "CPU per event, with : without"
_CPU_BYTES = "CPU per byte sent, proxy : relay"

_CPU_BEFORE = "CPU per event, proxy : before"
_CPU_ACTION = "CPU per action, proxy : before"
_CPU_REQUEST = "CPU per request, proxy : before"

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
    Target("agents-1000", "cores at 2 000 events/s", of_proxy("cpu_share"), 0.25),
    Target("agents-1000", "p99 of who sees all, with : without agents", _walls, 2.0),
    Target("agents-1000-max", "events a second", of_proxy("rate"), 30_000, True),
    Target("agents-1000-max", "CPU us per event that came", of_proxy("cpu_us"), 33.0),
    Target("agents-1000-max", "KB per agent, with calls", of_proxy("rss_kb_per_client"), 60.0),
    Target("agents-1000-ids", "bytes a remembered id", of_proxy("id_bytes"), 250.0),
    Target("agents-1000-max-5", "events a second", of_proxy("rate"), 15_000, True),
    Target("classes-1000", "events a second", of_proxy("rate"), 20_000, True),
    Target("classes-1000", "CPU us per event that came", of_proxy("cpu_us"), 40.0),
    Target("roundtrip-1-standard", "p50, proxy : relay", to_relay("p50_us"), 1.25),
    Target("roundtrip-1-unique", _CPU_ACTION, to_before("cpu_us"), 0.55),
    Target("roundtrip-50-unique", _CPU_ACTION, to_before("cpu_us"), 0.55),
    Target("http-keepalive-1", _CPU_REQUEST, to_before("cpu_us"), 0.55),
    Target("http-keepalive-50", _CPU_REQUEST, to_before("cpu_us"), 0.55),
    Target("connect-plain", "seconds until all are greeted", of_proxy("all_s"), 1.0),
    Target("connect-tls", "time, proxy : openssl s_time", of_proxy("times_openssl"), 1.5),
    Target("hold", "KB per idle client", of_proxy("rss_kb_per_client"), 40.0),
    Target("kept-ring", f"{_CPU_OFF}", of_proxy("cpu_us"), 1.1, base="kept-nothing"),
    Target("kept-ids", f"{_CPU_OFF}", of_proxy("cpu_us"), 1.5, base="kept-nothing"),
    Target("model-on", "p99 of events, on : off", of_proxy("p99_us"), 2.0, base="model-off"),
    Target("watch-1", "cores for an open console", of_proxy("watch_share"), 0.02),
    Target("snapshot-5000", "ms until it is whole", of_proxy("snapshot_ms"), 1000.0),
    *(
        Target(f"fanout-{clients}-{form}-off", _CPU_BEFORE, to_before("cpu_us"), _CPU_NOISE)
        for clients in (1, 10, 100, 1000)
        for form in ("standard", "xml", "json", "csv")
    ),
    Target("login-storm", "us at most that the proxy delays an event", of_proxy("own_max_us"), 5e4),
    Target("stuck-20", "p99 of the others, with : without", _beside, _NOISE),
    Target("slow-20", "p99 of the others, with : without", _beside, _NOISE),
)
