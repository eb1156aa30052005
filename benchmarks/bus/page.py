# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures in docs/cluster.md: ``python -m benchmarks.bus --markdown FILE --write``."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from benchmarks.bus import paper, unused
from benchmarks.bus.plots import plots
from benchmarks.bus.rows import EDGES, JOINS, MANY, MANY_RATE, RATES
from benchmarks.page import put
from benchmarks.subjects import ROOT
from benchmarks.svg import number

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    from benchmarks.figures import Figures

    Rows = Mapping[str, Figures]

PAGE = ROOT / "docs" / "cluster.md"
BEGIN = "<!-- figures: python -m benchmarks.bus --markdown FILE --write -->\n"
END = "<!-- /figures -->\n"

_ALONE = "one proxy, no bus"


#: The rows at a fixed rate.
_PACES = {
    **{f"pace-none-{rate}": f"{number(rate)}, {_ALONE}" for rate in RATES},
    **{f"pace-{rate}": number(rate) for rate in RATES},
    **{f"pace-2000-edges-{each}": f"{number(2000)}, {each} edges" for each in EDGES[1:]},
    **{f"pace-2000-join-{each}": f"{number(2000)}, `busjoin = {each}`" for each in JOINS},
}


class Table(NamedTuple):
    """A table of the page: what stands above it, and its rows and figures by their titles."""

    text: str
    rows: Mapping[str, str]
    figures: Mapping[str, str]
    #: What its rows are about.
    head: str = ""


TABLES = (
    Table(
        "**One stream, as fast as it goes.** Each edge has one client. CPU time in microseconds for"
        " each event. Here and below, `busjoin` is 0 where nothing else is said.",
        {
            "fan-none": _ALONE,
            "fan-1": "1 edge",
            **{f"fan-{each}": f"{each} edges" for each in EDGES[1:]},
        },
        {
            "rate": "events/s",
            "holder_cpu_us": "holder",
            "holder_outbox_us": "of that its outbox",
            "redis_cpu_us": "Redis",
            "edge_cpu_us": "an edge",
        },
    ),
    Table(
        "**Delay**, in microseconds from Asterisk to a client of the holder, and to one of an edge."
        " What the bus adds is by how much later the edge's client has the same event.",
        _PACES,
        {
            "holder_p50_us": "holder p50",
            "holder_p99_us": "p99",
            "edge_p50_us": "edge p50",
            "edge_p99_us": "p99",
            "added_p50_us": "added p50",
            "added_p99_us": "p99",
        },
        "events/s",
    ),
    Table(
        "**CPU time** of the same rows, in microseconds for each event. Each event is a write of"
        " its own, as of Asterisk; at higher rates several come in one read, and are one entry.",
        _PACES,
        {
            "holder_cpu_us": "holder",
            "holder_outbox_us": "of that its outbox",
            "redis_cpu_us": "Redis",
            "edge_cpu_us": "an edge",
            "events_per_entry": "events in an entry",
        },
        "events/s",
    ),
    Table(
        "**An entry** of the stream is what one read of the holder brought. CPU time in"
        " microseconds for each entry.",
        {"pace-2000": "reads of one event", "reads-50": "reads of 52 events"},
        {
            "events_per_entry": "events in an entry",
            "outbox_entry_us": "outbox",
            "redis_entry_us": "Redis",
            "edge_entry_us": "the edge",
        },
    ),
    Table(
        "**An action and its answer** (Ping). CPU time in microseconds for each action.",
        {
            "roundtrip-none": _ALONE,
            "roundtrip-holder": "at the holder",
            "roundtrip-edge": "at an edge",
            "roundtrip-holder-50": "at the holder, 50 clients",
            "roundtrip-edge-50": "at an edge, 50 clients",
        },
        {
            "rate": "per s",
            "p50_us": "p50 us",
            "p99_us": "p99 us",
            "holder_cpu_us": "CPU holder",
            "redis_cpu_us": "Redis",
            "edge_cpu_us": "the edge",
        },
    ),
    Table(
        "**Failover**: seconds for which the clients of the others had no events, of 1 000 a"
        " second, with `busfailover = 3`.",
        {"failover-killed": "holder killed (SIGKILL)", "failover-stopped": "stopped (SIGTERM)"},
        {"times": "times", "min_s": "least", "median_s": "median", "max_s": "most"},
    ),
    Table(
        f"**{MANY} Asterisks**, {MANY_RATE} events a second each, to one client. CPU time in"
        " microseconds for each event.",
        {
            f"servers-{MANY}-none": _ALONE,
            f"servers-{MANY}": "holder and one edge",
            f"servers-{MANY}-join": f"the same, `busjoin = {JOINS[-1]}`",
        },
        {
            "rate": "events/s",
            "holder_cpu_us": "holder",
            "redis_cpu_us": "Redis",
            "edge_cpu_us": "the edge",
        },
    ),
    Table(
        "**1 000 users with a `channel` each**, at 2 000 events a second, each of which is for one"
        " of them; delay in microseconds.",
        {"agents-none": _ALONE, "agents-edge": "at an edge"},
        {
            "cpu_us": "CPU us for an event",
            "p50_us": "p50",
            "p99_us": "p99",
            "rss_kb_per_client": "KB a user",
        },
    ),
    Table(
        "**Idle**: milliseconds of CPU time a second while nothing happens; threads and memory of"
        " one proxy.",
        {"idle-none": _ALONE, "idle": "holder and one edge"},
        {
            "holder_ms": "holder",
            "redis_ms": "Redis",
            "edge_ms": "the edge",
            "threads": "threads",
            "rss_mb": "MB",
        },
    ),
    Table(
        "**Very many clients** who see everything, evenly over the processes; the clients and"
        " Asterisk have the same processors.",
        {"crowd-1": "one process, no bus", "crowd-4": "four processes"},
        {
            "clients": "clients",
            "rate": "events/s",
            "delivered_rate": "delivered/s",
            "all_cores": "cores of the proxies",
            "client_cpu_us": "CPU us for an event and client",
            "rss_kb_per_client": "KB a client",
            "rss_mb": "MB in all",
            "connect_s": "s until all are connected",
        },
    ),
)


def line(name: str, figures: Figures) -> str:
    """Return one row as it is told while it is measured: each figure with its name."""
    return f"{name:<20} " + ", ".join(f"{key} {number(value)}" for key, value in figures.items())


def write(lines: Iterable[str], page: Path = PAGE) -> None:
    """Put *lines* into *page*, in place of those that stand there.

    Raises:
        ValueError: the comments around them do not stand in the page.

    """
    put(lines, page, BEGIN, END)


def markdown_lines(document: Any) -> list[str]:
    """Return a run's JSON *document* as Markdown; what was not measured is left out."""
    run, where, rows = document["run"], document["machine"], document["rows"]
    head = (
        f"{run['when']}, {where['cores']} cores of {where['processor']}, Linux {where['kernel']}, "
        f"Python {where['python']}, Redis {run['redis']}; {run['seconds']:g} s a measurement"
    ) + (" (quick: small and short)" if run["quick"] else "")
    tables = [_measured(table, rows) for table in TABLES]
    pictures = [f"![{plot.title}](plots/{plot.name}.svg)" for plot in plots(document)]
    parts = [
        [head],
        *([each] for each in pictures),
        *tables,
        _without(document["without"]),
        _paper(rows),
    ]
    return [text for part in parts if part for text in (*part, "")][:-1]


def _measured(table: Table, rows: Rows) -> list[str]:
    found = [
        (title, [_cell(rows[name].get(figure)) for figure in table.figures])
        for name, title in table.rows.items()
        if name in rows
    ]
    return _table(table.text, [table.head, *table.figures.values()], found)


def _table(text: str, heads: Sequence[str], rows: Sequence[tuple[str, Sequence[str]]]) -> list[str]:
    """Return a table below *text*, of titles and cells; nothing without rows."""
    if not rows:
        return []
    lines = ["| " + " | ".join((title, *cells)) + " |" for title, cells in rows]
    return [text, "", f"| {' | '.join(heads)} |", "|---|" + "---:|" * (len(heads) - 1), *lines]


def _cell(value: float | None) -> str:
    return "" if value is None else number(value)


def _without(without: Mapping[str, Any]) -> list[str]:
    return _table(
        "**Who has no `bus`**: the proxy now, divided by the one before there was a bus, in turn,"
        f" medians of {unused.ROUNDS} rounds. Equal runs differ by up to a tenth.",
        ["row of `make bench`", "a second", "CPU", "p50"],
        [
            (f"`{name}`", [f"{found[key]:.2f}" for key in unused.FIGURES])
            for name, found in unused.ratios(without).items()
        ],
    )


def _paper(rows: Rows) -> list[str]:
    kinds = {"0": paper.costs(rows), f"{JOINS[-1]}": paper.costs(rows, joined=True)}
    known = {join: costs for join, costs in kinds.items() if costs is not None}
    if not known:
        return []
    heads = ["events/s of an Asterisk", "in all", "`busjoin`", "holders", "edges",
             "cores of the proxies", "cores of Redis", "MB/s of Redis",
             "GB of the proxies"]  # fmt: skip
    cells = [
        (str(rate), [number(rate * paper.SERVERS), join, *_needed(costs, rate)])
        for rate in paper.RATES
        for join, costs in known.items()
    ]
    text = (
        f"**On paper: {paper.SERVERS} Asterisks and {number(paper.SCREENS)} screens**, each a"
        f" user with a `channel`; each event is for {paper.MATCHES} of them. No process takes"
        f" more than {paper.SHARE:.0%} of a core, or has more than"
        f" {number(paper.MOST_SCREENS)} screens; Redis uses one core, and several are needed"
        " where it would be more."
    )
    reckoned = [line for join, costs in known.items() for line in ("", _reckoned(join, costs))]
    return [*_table(text, heads, cells), *reckoned]


def _needed(costs: paper.Costs, rate: int) -> list[str]:
    each = paper.need(costs, rate * paper.SERVERS)
    if each.edges is None:
        return [str(each.holders), "more than one can follow", *[""] * 4]
    rest = (each.proxy_cores, each.redis_cores, each.redis_mb_per_s, each.memory_gb)
    return [str(each.holders), str(each.edges), *map(number, rest)]


def _reckoned(join: str, costs: paper.Costs) -> str:
    """Return what the plan with that ``busjoin`` is made of, in words."""
    return (
        f"Reckoned with, for `busjoin = {join}`: an event takes {number(costs.holder)} us at its"
        f" holder, {number(costs.edge)} us at each edge, {number(costs.screen)} us for each screen"
        f" that it is for; {number(costs.redis)} us in Redis, and {number(costs.redis_edge)} us"
        f" there for each edge; {number(costs.event_bytes)} bytes in the stream. A screen takes"
        f" {number(costs.screen_kb)} KB. An edge follows all streams: {number(paper.most(costs))}"
        f" events a second in all take {paper.FOLLOWS:.0%} of what it may take. Where there are"
        " more, Asterisks and screens are divided among several clusters (`busname`)."
    )
