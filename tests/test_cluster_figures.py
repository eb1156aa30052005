# SPDX-License-Identifier: GPL-2.0-or-later
"""The figures of a cluster: what is computed from what was measured, and how it is told."""

from __future__ import annotations

import dataclasses
import json
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import report
from benchmarks.bus import page, paper, plots, unused
from benchmarks.bus.delays import figures_of, of_entries
from benchmarks.bus.failover import spread
from benchmarks.bus.fanout import by_role
from benchmarks.bus.meters import of_threads
from benchmarks.bus.redis import PROGRAMS
from benchmarks.bus.rows import QUICK, WHOLE, stages
from benchmarks.bus.taps import Lost, Marks
from benchmarks.events import call_events, single_events
from benchmarks.plots import PLOTS
from benchmarks.processes import Failed
from benchmarks.svg import svg
from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

needs_redis = pytest.mark.skipif(
    not any(map(shutil.which, PROGRAMS)), reason="redis-server is missing"
)
COSTS = paper.Costs(holder=20.0, edge=10.0, screen=5.0, redis=4.0, redis_edge=1.0,
                    event_bytes=500.0, screen_kb=50.0, process_mb=30.0)  # fmt: skip


def document() -> Any:
    """Return a run in which each figure of each row is 7, but those that the plan is made of."""
    names = {each for table in page.TABLES for each in table.figures}
    names |= {"redis_bytes", "cpu_us", "matches"}
    rows = {
        name: {"clients": 1000.0, **dict.fromkeys(names, 7.0)}
        for stage in stages(WHOLE)
        for name in stage.rows
    }
    both = {"proxy": {"rate": 90.0, "cpu_us": 3.0}, "before": {"rate": 100.0, "cpu_us": 2.0}}
    return {
        "run": {"when": "2026-01-02T", "quick": False, "seconds": 3, "redis": "7.0.15"},
        "machine": report.machine(),
        "rows": rows,
        "without": {unused.ROWS[0]: {key: {**each, "p50_us": 5.0} for key, each in both.items()}},
        "failures": {},
    }


def mark(batch: int, sent: float) -> bytes:
    """Return an event of *batch*, sent at *sent*."""
    event = single_events(call_events(1))[0]
    return event.replace(b"@" * 25, b"%08d-%016d" % (batch, sent * 1e6))


def test_every_row_is_told() -> None:
    """In a table."""
    told = {name for table in page.TABLES for name in table.rows}
    measured = {name for stage in stages(QUICK) for name in stage.rows}

    assert measured <= told
    assert {"fan-8", "pace-20000", "reads-50", "failover-killed", "crowd-4"} <= measured


def test_the_rows_stand_in_the_page(tmp_path: Path) -> None:
    """Between its two comments, again and again the same; what was not measured is left out."""
    path = tmp_path / "cluster.md"
    path.write_text(f"# A\n\n{page.BEGIN}\nstale\n\n{page.END}\nend\n")
    run = document()
    del run["rows"]["fan-8"]

    page.write(page.markdown_lines(run), path)
    first = path.read_text()
    page.write(page.markdown_lines(run), path)

    assert path.read_text() == first
    assert "stale" not in first
    assert first.endswith(f"{page.END}\nend\n")
    lines = first.splitlines()
    assert "| 4 edges | 7 | 7 | 7 | 7 | 7 |" in lines
    assert any(line.endswith("](plots/cluster-delay.svg)") for line in lines)
    assert not any(line.startswith("| 8 edges") for line in lines)
    assert f"| `{unused.ROWS[0]}` | 0.90 | 1.50 | 1.00 |" in lines
    assert any(line.startswith("**On paper: 100 Asterisks") for line in lines)


def test_the_plan_is_reckoned_from_the_costs() -> None:
    """Ten thousand events a second; each edge has 0.1 of a core to follow, and half for screens."""
    found = paper.need(COSTS, 10_000)

    assert found.holders == 1
    assert found.edges == paper.SCREENS // paper.MOST_SCREENS
    assert found.proxy_cores == pytest.approx(0.2 + 10 * 0.1 + 2 * 0.05)
    assert found.redis_cores == pytest.approx(0.04 + 10 * 0.01)
    assert found.redis_mb_per_s == pytest.approx(5 * 11)
    assert found.memory_gb == pytest.approx((50_000 * 50 / 1024 + 11 * 30) / 1024)


def test_more_edges_where_their_cores_are_full_and_none_where_they_cannot_follow() -> None:
    """An edge follows all streams, however many there are."""
    many = paper.need(dataclasses.replace(COSTS, screen=49.0), 40_000)

    assert many.edges == 20  # 0.4 of a core to follow; each has 0.2 for its share of 3.92
    assert paper.most(COSTS) == 45_000
    assert paper.need(COSTS, 45_000).edges
    assert paper.need(COSTS, 45_001).edges is None


def test_the_costs_are_those_of_the_rows() -> None:
    """What more edges cost Redis is a seventh of what seven more cost; a missing row: no plan."""
    rows = document()["rows"]
    rows["pace-2000-edges-8"]["redis_cpu_us"] = 14.0
    rows["agents-edge"]["cpu_us"] = 27.0
    rows["agents-edge"]["matches"] = 2.0
    rows["servers-20-join"] |= {"redis_cpu_us": 3.5, "edge_cpu_us": 2.0}

    plain, joined = paper.costs(rows), paper.costs(rows, joined=True)
    del rows["servers-20"]

    assert plain is not None
    assert joined is not None
    assert (plain.redis, plain.redis_edge, plain.screen, plain.edge) == (6.0, 1.0, 10.0, 7.0)
    assert (joined.redis, joined.redis_edge, joined.edge) == (3.0, 0.5, 2.0)
    assert paper.costs(rows) is None


def test_what_the_bus_adds_is_told_for_each_event() -> None:
    """Not the difference of two medians."""
    found = figures_of([[0.001, 0.002, 0.009], [0.002, 0.004, 0.010]])

    assert found["holder_p50_us"] == pytest.approx(2000)
    assert found["edge_p50_us"] == pytest.approx(4000)
    assert found["added_p50_us"] == pytest.approx(1000)
    assert found["added_max_us"] == pytest.approx(2000)


def test_an_entry_costs_as_much_as_its_events() -> None:
    """Fifty events in one: fifty times what an event takes."""
    found = of_entries({"holder_outbox_us": 0.5, "redis_cpu_us": 0.1}, 100, 2)

    assert found == {"entries": 2, "events_per_entry": 50, "outbox_entry_us": 25.0,
                     "redis_entry_us": 5.0}  # fmt: skip
    assert of_entries({}, 100, 0) == {}


def test_figures_of_processes_are_told_by_their_role() -> None:
    """Process 0 is the holder; of edges the mean; all together without Redis."""
    figures = {"0_cpu_us": 5.0, "0_outbox_us": 2.0, "1_cpu_us": 1.0, "2_cpu_us": 3.0,
               "redis_cpu_us": 9.0}  # fmt: skip

    assert by_role(figures, 3) == {
        "holder_cpu_us": 5.0,
        "holder_outbox_us": 2.0,
        "edge_cpu_us": 2.0,
        "all_cpu_us": 9.0,
        "redis_cpu_us": 9.0,
    }


def test_threads_are_told_by_what_they_do() -> None:
    """The outbox; all that are connected to an Asterisk together; others are left out."""
    now = {"bus-outbox": 3.0, "asterisk-a": 2.0, "asterisk-b": 1.0, "client-x": 5.0}

    assert of_threads(now, {"bus-outbox": 1.0}) == {"outbox": 2.0, "server": 3.0}


def test_a_thread_has_its_name_in_the_kernel(tmp_path: Path) -> None:
    """So that /proc tells what it costs."""
    program = tmp_path / "program.py"
    program.write_text(
        "import sys, threading\n"
        "from benchmarks.bus.meters import thread_seconds\n"
        "def tell():\n"
        "    import os\n"
        "    print(sys.argv[1:], sorted(thread_seconds(os.getpid())))\n"
        "thread = threading.Thread(target=tell, name='bus-outbox')\n"
        "thread.start()\n"
        "thread.join()\n"
    )

    shown = subprocess.run([sys.executable, "-m", "benchmarks.bus.named", str(program), "a"],
                           cwd=ROOT, capture_output=True, text=True, check=True)  # fmt: skip

    assert shown.stdout.startswith("['a'] ['bus-outbox', ")


def test_a_client_tells_when_each_event_came() -> None:
    """However its bytes come."""
    marks, data = Marks(), mark(7, 1.0) + mark(8, 1.5)

    marks.take(data[:-3], 2.0)
    marks.take(data[-3:], 3.0)

    assert marks.delays == [pytest.approx(1.0), pytest.approx(1.5)]


def test_a_missing_event_is_noticed_unless_it_may_be() -> None:
    """Then it is noted for how long nothing came."""
    strict, lenient = Marks(), Marks()
    lenient.may_lose = True
    for marks in (strict, lenient):
        marks.take(mark(1, 1.0), 1.1)

    with pytest.raises(Failed, match="batch 3 came behind 1"):
        strict.take(mark(3, 2.0), 2.1)
    lenient.take(mark(3, 2.0), 2.1)
    with pytest.raises(Failed, match="batch 2 came behind 3"):
        lenient.take(mark(2, 2.0), 2.1)

    assert lenient.lost == [Lost(1.0, 2.1)]


def test_failovers_are_told_by_least_median_and_most() -> None:
    """And how many there were."""
    assert spread([3.0, 1.0, 2.0, 9.0]) == {"times": 4, "min_s": 1, "median_s": 2.5, "max_s": 9}


def test_each_picture_has_all_its_points() -> None:
    """Of a whole run."""
    found = {plot.name: [[x for x, _ in line.points] for line in plot.lines]
             for plot in plots.plots(document())}  # fmt: skip

    rates, edges = [500, 2000, 5000, 10_000, 20_000], [1, 4, 8]
    assert found == {"cluster-delay": [rates] * 4, "cluster-rate": [rates] * 4,
                     "cluster-edges": [edges] * 4}  # fmt: skip


def test_the_kept_pictures_are_of_the_kept_figures() -> None:
    """The same figures make the same bytes, and each picture is in the page."""
    file = PLOTS / "cluster.json"
    figures = json.loads(file.read_text("utf-8")) if file.exists() else {"rows": {}}
    pictures = {each.name: svg(each) for each in plots.plots(figures)} if figures["rows"] else {}
    kept = {path.stem: path.read_text("utf-8") for path in PLOTS.glob("cluster-*.svg")}
    text = page.PAGE.read_text("utf-8")

    assert kept == pictures, "run make bench-cluster"
    assert all(f"](plots/{name}.svg)" in text for name in kept)


@pytest.mark.soak
@needs_redis
def test_rows_are_measured(tmp_path: Path) -> None:
    """The whole program, a holder and an edge; other rows are kept."""
    pytest.importorskip("redis")
    file = tmp_path / "figures.json"
    file.write_text(json.dumps({"rows": {"fan-4": {"rate": 5.0}}, "without": {}}))
    names = ["pace-2000", "roundtrip-edge"]
    options = ["--quick", "--seconds", "0.05", "--keep", "--json", str(file)]
    options += [word for name in names for word in ("--only", name)]

    shown = subprocess.run([sys.executable, "-m", "benchmarks.bus", *options],
                           cwd=ROOT, capture_output=True, text=True, check=False)  # fmt: skip

    assert shown.returncode == 0, shown.stdout + shown.stderr
    rows = json.loads(file.read_text())["rows"]
    assert set(rows) == {"fan-4", *names}
    shared = rows["pace-2000"]
    assert 0 < shared["edge_p50_us"] <= shared["edge_p99_us"]
    assert shared["holder_outbox_us"] > 0
    assert shared["edge_server_us"] > 0
    assert rows["roundtrip-edge"]["requests"] > 0
