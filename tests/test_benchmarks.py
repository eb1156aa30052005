# SPDX-License-Identifier: GPL-2.0-or-later
"""The benchmarks measure what they say, and find what is lost."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import report, soak
from benchmarks.connecting import make_certificate
from benchmarks.ends import WIRES, View
from benchmarks.events import call_events, single_events, stamped
from benchmarks.processes import Failed
from benchmarks.rows import WHOLE, rows
from benchmarks.targets import TARGETS
from tests.support import ROOT

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")

BENCH = [sys.executable, "-m", "benchmarks"]
EVENTS = call_events(4)
BATCH = b"".join(event.raw for event in EVENTS)


def run(tmp_path, *arguments):
    """Run ``python -m benchmarks`` with *arguments*; return what it writes and prints."""
    file = tmp_path / "figures.json"
    result = subprocess.run(
        [*BENCH, "--quick", "--seconds", "0.05", "--json", str(file), *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=100,
    )
    assert result.returncode == 0, result.stdout + result.stderr
    return json.loads(file.read_text()), result.stdout


def view_of(*indices):
    """Return a view of one client that expects *indices*, or all."""
    view = View(WIRES["standard"], indices or range(len(EVENTS)))
    view.clients = 1
    return view


def test_events_are_as_large_as_recorded_ones():
    """A batch is made of events as Asterisk sends them: 380 bytes and 17 headers, about."""
    events = call_events(100)

    sizes = [len(event.raw) for event in events]
    headers = [event.raw.count(b"\r\n") - 1 for event in events]

    assert 350 < sum(sizes) / len(events) < 410
    assert 16 < sum(headers) / len(events) < 19


def test_direct_and_relay_are_measured_side_by_side(tmp_path):
    """Without the proxy too a row gives figures for what it is compared with."""
    written, printed = run(
        tmp_path, "--subjects", "direct,relay", "--only", "fanout-10-standard-off"
    )

    subjects = written["rows"]["fanout-10-standard-off"]["subjects"]
    assert set(subjects) == {"direct", "relay"}
    for figures in subjects.values():
        assert figures["events"] > 0
        assert figures["rate"] > 0
        assert 0 < figures["p50_us"] <= figures["p99_us"] <= figures["max_us"]
    assert "fanout-10-standard-off" in printed
    tables = subprocess.run(
        [*BENCH, "--markdown", str(tmp_path / "figures.json")],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    ).stdout
    assert "| fanout-10-standard-off | direct | " in tables
    assert "|  | relay | " in tables


def test_proxy_is_measured_and_its_ratios_given(tmp_path):
    """Delivery, filters and round trips run through the proxy, and all of it arrives."""
    chosen = ["fanout-10-xml-unique", "filter-20-classes", "roundtrip-50-unique"]

    written, printed = run(tmp_path, *(word for name in chosen for word in ("--only", name)))

    assert set(written["rows"]) == set(chosen)
    assert written["failures"] == {}
    for row in written["rows"].values():
        assert row["subjects"]["proxy"]["rate"] > 0
        assert row["proxy_to_relay"]["p50_us"] > 0
    assert "answers a second, proxy : relay" in printed


def test_each_target_belongs_to_a_row():
    """No target names a row that does not exist."""
    names = {row.name for row in rows(WHOLE, Path("certificate.pem"))}

    assert {target.row for target in TARGETS} <= names


def test_view_accepts_a_whole_stream_however_it_is_cut():
    """Batches that arrive in pieces of any size are counted, whole and in order."""
    stream = b"".join(stamped(BATCH, batch) for batch in (1, 2, 3))
    for size in (1, 7, 1000, len(stream)):
        view = view_of()

        for start in range(0, len(stream), size):
            view.take(start, stream[start : start + size])

        assert view.events == 3 * len(EVENTS)
        assert view.bounds[-1].end == len(stream)


@pytest.mark.parametrize(
    "spoil",
    [
        lambda events: events[:3] + events[4:],
        lambda events: events[:3] + events[2:],
        lambda events: [events[1], events[0], *events[2:]],
        lambda events: [*events[:3], b"Response: Success\r\n\r\n", *events[3:]],
        lambda events: [*events[:-1], events[-1].replace(b"BenchId", b"Bench")],
    ],
    ids=["lost", "twice", "swapped", "stray", "spoilt"],
)
def test_view_finds_what_is_wrong(spoil):
    """An event lost, doubled, out of order or spoilt, or a message too many, is found."""
    events = spoil([event.raw for event in EVENTS])

    with pytest.raises(Failed):
        view_of().take(0, stamped(b"".join(events), 1))


def test_view_finds_a_client_that_got_other_bytes():
    """Who sees the same must get the same bytes."""
    view = view_of()
    view.clients = 2
    stream = stamped(BATCH, 1)
    view.take(0, stream)

    view.take(0, stream[:100])
    with pytest.raises(Failed, match="different bytes"):
        view.take(100, stream[100:].replace(b"Load 1", b"Load 2"))


def test_view_expects_only_what_a_filter_lets_through():
    """A view of some events refuses the others."""
    seen = stamped(EVENTS[2].raw, 1) + stamped(EVENTS[5].raw, 1)

    view_of(2, 5).take(0, seen)
    with pytest.raises(Failed):
        view_of(2, 5).take(0, stamped(BATCH, 1))


def test_single_events_are_batches_of_their_own():
    """At a pace each event is number 0 of its batch."""
    view = view_of()
    view.expect_singles()

    stream = b"".join(
        stamped(single, batch) for batch, single in enumerate(single_events(EVENTS), 1)
    )
    view.take(0, stream)

    assert len(view.bounds) == len(EVENTS)


def test_comparison_gives_ratios_to_an_earlier_run(tmp_path):
    """--compare prints new : old for what both runs have measured."""
    old = {"run": {}, "machine": {}, "rows": {"a": {"subjects": {"proxy": {"rate": 100.0}}}}}
    new = {"run": {}, "machine": {}, "rows": {"a": {"subjects": {"proxy": {"rate": 250.0}}}}}
    new["rows"]["b"] = new["rows"]["a"]

    lines = report.comparison_lines(old, new)

    assert [line.split() for line in lines[1:]] == [["a", "proxy", "2.50"]]


def test_target_is_judged_by_its_limit():
    """A ratio over its limit is not met; what was not measured is said to be so."""
    results = {"fanout-1-standard-off": {"proxy": {"cpu_us": 3.0}, "relay": {"cpu_us": 1.0}}}

    lines = report.target_lines(results)

    assert lines[1].endswith("3.00  NOT MET")
    assert all(line.endswith("not measured") for line in lines[2:])


def test_soak_tells_growth_from_noise():
    """Memory that goes up and down is flat; memory that goes up is not."""
    flat = [50_000, 60_000, 58_000, 61_000, 59_000, 60_500]
    growing = [50_000, 60_000, 70_000, 80_000, 90_000, 100_000]
    few, more = [20] * 6, [20, 20, 20, 20, 40, 60]

    assert soak.judged(flat, few) == []
    assert "memory grew" in soak.judged(growing, few)[0]
    assert "threads grew" in soak.judged(flat, more)[0]


@needs_openssl
def test_certificate_holds_its_key(tmp_path):
    """The certificate of the TLS row is one file, as the proxy wants it."""
    path = tmp_path / "certificate.pem"

    make_certificate(path)

    text = path.read_text()
    assert "BEGIN CERTIFICATE" in text
    assert "PRIVATE KEY" in text
