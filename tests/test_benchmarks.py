# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmarks measure what they say, and notice lost events."""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from benchmarks import page, relay, report, requests, soak
from benchmarks.connecting import make_certificate
from benchmarks.events import call_events
from benchmarks.figures import medians
from benchmarks.processes import Failed, cpu_seconds
from benchmarks.rounds import Subject, measure
from benchmarks.row import WHOLE, Row
from benchmarks.rows import rows
from benchmarks.targets import TARGETS
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")

#: Functions of ours that an HTTP GET may run through in its client's thread.
GET_HOPS = 120


def document(rate: float, names: Sequence[str] = "a") -> dict[str, Any]:
    """Return the JSON document of a run with the rows *names*."""
    results = {
        name: {"relay": {"rate": 200.0, "p50_us": 50.0}, "proxy": {"rate": rate, "p50_us": 60.0}}
        for name in names
    }
    found: dict[str, Any] = report.document(results, {}, when="now", quick=True, seconds=0.1)
    return found


def test_events_are_as_large_as_recorded_ones() -> None:
    """Events have about 380 bytes and 17 headers, as those of Asterisk."""
    events = call_events(100)

    sizes = [len(event.raw) for event in events]
    headers = [event.raw.count(b"\r\n") - 1 for event in events]

    assert 350 < sum(sizes) / len(events) < 410
    assert 16 < sum(headers) / len(events) < 19


def run(module: str, *options: str) -> str:
    """Run *module* as a program, which must succeed; return what it prints."""
    result = subprocess.run(
        [sys.executable, "-m", module, *options],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout


def test_a_row_is_measured_on_all_subjects_and_all_events_arrive(tmp_path: Path) -> None:
    """The whole program: a filtered delivery without proxy, with the relay, with two proxies."""
    name, file = "filter-20-classes", tmp_path / "figures.json"
    options = ["--quick", "--seconds", "0.02", "--json", str(file), "--only", name]
    options += ["--before", str(ROOT), "--rounds", "1", "--keep"]
    old = document(150.0, ["b", name])
    old["failures"] = {f"{name} relay": "an event was lost"}
    file.write_text(json.dumps(old))
    shown = run("benchmarks", *options)

    written = json.loads(file.read_text())

    assert written["failures"] == {}
    assert written["rows"].keys() == {"b", name}
    assert written["rows"]["b"] == old["rows"]["b"]
    row = written["rows"][name]
    assert set(row["subjects"]) == {"direct", "relay", "proxy", "before"}
    for figures in row["subjects"].values():
        assert figures["events"] > 0
        assert 0 < figures["p50_us"] <= figures["p99_us"] <= figures["max_us"]
    assert row["proxy_to_relay"]["p50_us"] > 0
    assert row["proxy_to_before"]["rate"] > 0
    assert name in shown


def test_many_users_with_filters_see_what_the_rows_about_them_expect(tmp_path: Path) -> None:
    """Agents at a fixed rate, five in one call at full speed; and users in 20 rule sets."""
    file = tmp_path / "figures.json"
    names = ["agents-10[0]", "agents-100-max-5", "classes-10[0]"]
    options = [text for name in names for text in ("--only", name)]

    run("benchmarks", "--quick", "--seconds", "0.02", "--json", str(file), *options)

    rows = json.loads(file.read_text())["rows"]
    found = {name: row["subjects"]["proxy"] for name, row in rows.items()}
    assert set(found) == {"agents-100", "agents-100-max-5", "classes-100"}
    assert found["agents-100"]["matches"] == pytest.approx(1)
    assert found["agents-100"]["wall_p99_us"] > 0
    assert found["agents-100"]["alone_p99_us"] > 0
    assert 4 < found["agents-100-max-5"]["matches"] < 5
    for figures in found.values():
        assert 0 < figures["p50_us"] <= figures["p99_us"] <= figures["max_us"]


def test_what_is_kept_is_measured(tmp_path: Path) -> None:
    """Ids, and a snapshot beside events."""
    file = tmp_path / "figures.json"
    names = {"kept-ids", "snapshot-500"}
    options = [text for name in names for text in ("--only", name)]

    run("benchmarks", "--quick", "--seconds", "0.05", "--json", str(file), *options)

    rows = json.loads(file.read_text())["rows"]
    assert set(rows) == names
    assert rows["snapshot-500"]["subjects"]["proxy"]["snapshot_ms"] > 0


def test_a_target_may_be_a_ratio_to_another_row() -> None:
    """Where the thing is measured without."""
    results = {
        name: {"proxy": {"cpu_us": cpu}}
        for name, cpu in (("kept-nothing", 2.0), ("kept-ring", 3.0))
    }

    (line,) = [each for each in report.target_lines(results) if each.startswith("kept-ring: ")]

    assert line.endswith("1.50  NOT MET")


def test_the_functions_of_each_flow_are_counted() -> None:
    """What an HTTP request runs through stays short; every flow is in the table."""
    shown = run("benchmarks.hops")

    rows = [line.strip("| ").split(" | ") for line in shown.splitlines()[2:]]
    counts = {(flow, thread): int(functions) for flow, thread, functions, _ in rows}

    assert 50 < counts["HTTP GET", "client"] <= GET_HOPS
    assert {thread for flow, thread in counts if flow == "Ping"} == {"asterisk", "client"}
    assert len({flow for flow, _ in counts}) == 8


def test_a_row_has_a_line_for_each_subject_and_one_for_the_ratios() -> None:
    """Figures that a subject does not have are left blank."""
    proxy, relay = {"rate": 150.0, "p50_us": 60.0, "threads": 7.0}, {"rate": 200.0}

    lines = report.row_lines("a", {"relay": relay, "proxy": proxy})

    assert [line.split() for line in lines] == [
        ["a", "relay", "200"],
        ["proxy", "150", "60", "7", "threads"],
        ["p/relay", "0.75"],
    ]


def test_two_proxies_are_compared() -> None:
    """With a line of its own, and with targets that say how much less it must cost."""
    results = {"http-keepalive-1": {"proxy": {"cpu_us": 150.0}, "before": {"cpu_us": 300.0}}}

    lines = report.row_lines("http-keepalive-1", results["http-keepalive-1"])

    assert lines[-1].split() == ["p/bef.", "0.50"]
    assert report.target_lines(results)[1].endswith("<= 0.55      0.50  met")


def test_cpu_time_is_of_all_threads_of_a_process() -> None:
    """Of one that has ended, too; finer than the kernel's ticks."""
    spent: list[float] = []
    begun = cpu_seconds(os.getpid())
    thread = threading.Thread(target=lambda: spent.append(sum(range(1000)) and time.thread_time()))
    thread.start()
    thread.join()

    found = cpu_seconds(os.getpid())

    assert found - begun > spent[0] > 0
    assert found <= time.process_time()


def test_medians_are_of_what_every_round_has() -> None:
    """One round that went badly does not count."""
    rounds = [{"cpu_us": 3.0, "dropped": 1.0}, {"cpu_us": 50.0}, {"cpu_us": 1.0}]

    assert medians(rounds) == {"cpu_us": 3.0}


def test_a_row_that_fails_once_has_no_figures(monkeypatch: pytest.MonkeyPatch) -> None:
    """However well the other rounds went; each begins with who was last in the one before."""
    rounds: list[str] = []

    @contextlib.contextmanager
    def running(_kind: str, command: list[str], *_: object) -> Iterator[str]:
        yield command[-1]

    def figures(started: Any) -> dict[str, float]:
        rounds.append(started)
        if len(rounds) == 4:
            raise Failed("an event is missing")
        return {"rate": float(len(rounds))}

    monkeypatch.setattr("benchmarks.rounds.running", running)
    subjects = [Subject("proxy", "proxy", ["new"]), Subject("before", "proxy", ["old"])]
    failures: dict[str, str] = {}

    found = measure(Row("a", figures), subjects, 3, failures)

    assert rounds == ["new", "old", "old", "new", "new", "old"]
    assert failures == {"a proxy": "an event is missing"}
    assert found == {"before": {"rate": 3.0}}


def test_the_relay_keeps_the_answer_to_its_own_login() -> None:
    """A client that connects at once must not get it."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        theirs.sendall(b"Response: Success\r\n\r\nStatus: " + relay.BOOTED + b"Event: Next")

        assert relay.log_in(ours) == b"Event: Next"


def test_ratios_of_a_filtered_row_are_per_event_examined() -> None:
    """The relay delivers more events than the filters of the proxy let through."""
    proxy = {"seen": 0.1, "rate": 10.0, "cpu_us_per_examined": 3.0}
    relay = {"seen": 1.0, "rate": 100.0, "cpu_us_per_examined": 1.0}

    assert report.to_base({"relay": relay, "proxy": proxy}, "relay") == {"cpu_us_per_examined": 3.0}


def test_a_run_can_be_put_into_the_page(tmp_path: Path) -> None:
    """The targets, and lines for each subject and for the ratios of each row that has one."""
    path, run = tmp_path / "page.md", document(150.0, ["a", "roundtrip-1-standard"])
    path.write_text(page.PAGE.read_text("utf-8"))

    page.write(page.markdown_lines(run), path)
    page.write(page.markdown_lines(run), path)

    lines = path.read_text().partition(page.BEGIN)[2].partition(page.END)[0].splitlines()
    assert "| roundtrip-1-standard: p50, proxy : relay | <= 1.25 | 1.20 | met |" in lines
    assert lines[-4:-1] == [
        "| roundtrip-1-standard | relay | 200 |  |  | 50 |  |  |  |",
        "|  | proxy | 150 |  |  | 60 |  |  |  |",
        "|  | proxy : relay | 0.75 |  |  | 1.20 |  |  |  |",
    ]
    assert any(line.startswith("| a |") for line in page.markdown_lines(run, lambda _: True))


def test_each_target_belongs_to_a_row() -> None:
    """No target names a row that does not exist."""
    names = {row.name for row in rows(WHOLE, Path("certificate.pem"))}

    assert {target.row for target in TARGETS} <= names
    assert {target.base for target in TARGETS if target.base} <= names


def test_an_answer_to_another_client_is_noticed() -> None:
    """With *alone* it fails the row; without, each client waits for its own answer."""
    ours, theirs = socket.socketpair()
    with ours, theirs:
        asker = requests.Asker(7, ours)
        requests.ask(asker, 2)
        assert theirs.recv(1000).count(b"ActionID: c7-") == 2
        answer = b"Response: Success\r\nActionID: c%d-%d\r\nPing: Pong\r\n\r\n"

        assert not requests.take(asker, answer % (7, 0), alone=True)
        assert not requests.take(asker, answer % (8, 1), alone=False)
        with pytest.raises(Failed, match="client 7 got another client's answer"):
            requests.take(asker, answer % (8, 1), alone=True)
        assert requests.take(asker, answer % (7, 1), alone=True)


def test_comparison_gives_ratios_to_an_earlier_run() -> None:
    """New : old, for the rows that both runs have measured; a warning for different runs."""
    old, new = document(100.0), document(250.0, "ab")
    old["run"]["quick"] = False
    old["machine"] = {}

    lines = report.comparison_lines(old, new)

    assert lines[0].startswith("another machine: ")
    assert lines[1].startswith("one run was quick")
    assert [line.split() for line in lines[3:]] == [
        ["a", "relay", "1.00", "1.00"],
        ["a", "proxy", "2.50", "1.00"],
    ]


def test_target_is_judged_by_its_limit() -> None:
    """A ratio over its limit is not met; a row that was not measured is marked so."""
    results = {"fanout-1-standard-off": {"proxy": {"cpu_us": 3.0}, "relay": {"cpu_us": 1.0}}}

    lines = report.target_lines(results)

    assert lines[1].endswith("3.00  NOT MET")
    assert lines[2:] == [f"{len(TARGETS) - 1} targets are not measured"]


def test_soak_distinguishes_growth_from_noise() -> None:
    """Memory that goes up and down is flat; memory that only goes up is not."""
    flat = [50_000, 60_000, 58_000, 61_000, 59_000, 60_500]
    growing = [50_000, 60_000, 70_000, 80_000, 90_000, 100_000]
    few, more = [20] * 6, [20, 20, 20, 20, 40, 60]

    assert soak.judge(flat, few) == []
    assert "memory grew" in soak.judge(growing, few)[0]
    assert "threads grew" in soak.judge(flat, more)[0]


@needs_openssl
def test_certificate_holds_its_key(tmp_path: Path) -> None:
    """The certificate of the TLS row is one file, as the proxy expects."""
    path = tmp_path / "certificate.pem"

    make_certificate(path)

    text = path.read_text()
    assert "BEGIN CERTIFICATE" in text
    assert "PRIVATE KEY" in text
