# SPDX-License-Identifier: GPL-2.0-or-later
"""The pictures of docs/performance.md: from the kept figures, readable on light and dark pages."""

from __future__ import annotations

import json
import re
import xml.etree.ElementTree as ET
from typing import Any

import pytest

from benchmarks import report
from benchmarks.growth import growth_rows
from benchmarks.plots import PLOTS, plots
from benchmarks.row import WHOLE
from benchmarks.svg import Line, Plot, number, svg

KEPT = json.loads((PLOTS / "growth.json").read_text("utf-8"))
PICTURES = {plot.name: svg(plot) for plot in plots(KEPT)}


def document() -> Any:
    """Return a run of all rows about growth, in which everything costs the same."""
    subjects = {"relay", "proxy", "before"}
    results = {
        row.name: {
            each: {"cpu_us": 5.0, "p50_us": 100.0, "p99_us": 300.0}
            for each in subjects & {*row.subjects, *(["before"] if row.changes else [])}
        }
        for row in growth_rows(WHOLE)
    }
    return report.document(results, {}, when="2026-01-02T", quick=False, seconds=1, before="abc")


def test_the_kept_pictures_are_of_the_kept_figures() -> None:
    """The same figures make the same bytes; those of clusters are others (test_cluster_figures)."""
    kept = {
        path.stem: path.read_text("utf-8")
        for path in PLOTS.glob("*.svg")
        if not path.stem.startswith("cluster-")
    }

    assert kept == PICTURES, "run make plots"


def test_each_row_about_growth_is_in_a_picture() -> None:
    """Every line has all its points."""
    found = {
        plot.name: {line.title: [int(x) for x, _ in line.points] for line in plot.lines}
        for plot in plots(document())
    }

    counts = [1, 3, 10, 30, 100, 300, 1000]
    formats = ("standard", "XML", "JSON", "CSV", "bare relay")
    assert found["clients"] == dict.fromkeys(formats, counts)
    assert found["users"] == {"astmanproxy": counts, "before (abc)": counts}
    assert found["rules"] == {each: [1, 5, 20, 100] for each in ("astmanproxy", "before (abc)")}
    assert len(found["latency"]) == 4
    assert all(line[-1] == 20_000 for line in found["latency"].values())


@pytest.mark.parametrize("picture", PICTURES.values(), ids=PICTURES)
def test_a_picture_can_be_read_aloud(picture: str) -> None:
    """A title, and all the figures as text."""
    root = ET.fromstring(picture)
    names = {each.get("id"): each.text or "" for each in root.iter() if each.get("id")}

    title, text = (names[each] for each in root.get("aria-labelledby", "").split())
    assert root.get("role") == "img"
    assert len(title) > 10
    assert len(re.findall(r"[0-9] at [0-9]", text)) == picture.count(
        'class="mark" '
    ) - picture.count('<text class="mark"')


def _luminance(colour: str) -> float:
    parts = [int(colour[start : start + 2], 16) / 255 for start in (0, 2, 4)]
    linear = [
        each / 12.92 if each <= 0.04045 else ((each + 0.055) / 1.055) ** 2.4 for each in parts
    ]
    return sum(each * share for each, share in zip(linear, (0.2126, 0.7152, 0.0722)))


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_and_lines_stand_out(scheme: int) -> None:
    """WCAG 2.2: a contrast of 4.5 to the background, which the picture brings along."""
    style = svg(plots(document())[0]).partition("<style>")[2].split("@media")[scheme]
    colours = dict(re.findall(r"\.(\w+) \{ (?:fill|color): #(\w+) \}", style))
    paper = _luminance(colours.pop("paper"))

    assert set(colours) == {"ink", "faint", "c0", "c1", "c2", "c3", "c4"}
    for colour in colours.values():
        dark, light = sorted((paper, _luminance(colour)))
        assert (light + 0.05) / (dark + 0.05) >= 4.5, colour


def test_a_point_stands_where_its_value_is() -> None:
    """At the lines of its values; titles of lines do not cover each other."""
    points = [(1.0, 2.0), (10.0, 20.0), (100.0, 200.0)]
    lines = [Line("a", points, 0), Line("b", points, 1, dashed=True)]

    picture = svg(Plot("p", "Title & more", "x", "y", lines))

    marks = re.findall(r'<circle class="mark" cx="([\d.]+)" cy="([\d.]+)"', picture)
    assert all(f'd="M{x} ' in picture and f'd="M78 {y}H' in picture for x, y in marks)
    assert len(marks) == 3
    places = [float(y) for y in re.findall(r'<text class="mark" x="[\d.]+" y="([\d.]+)"', picture)]
    assert abs(places[0] - places[1]) >= 14
    assert "Title &amp; more" in picture


@pytest.mark.parametrize(
    ("value", "text"), [(0.2, "0.2"), (1, "1"), (33.333, "33.3"), (20000, "20\u00a0000"), (0, "0")]
)
def test_numbers_are_short(value: float, text: str) -> None:
    """Three digits that count, thousands apart."""
    assert number(value) == text
