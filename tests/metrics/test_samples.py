# SPDX-License-Identifier: GPL-2.0-or-later
"""The samples for Prometheus and Grafana: they are valid, and name metrics that there are."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.metrics.family import HISTOGRAM
from docs.families import FAMILIES
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

RULES = ROOT / "samples" / "prometheus" / "alerts.yml"
TESTS = RULES.with_name("alerts_test.yml")
BOARD = ROOT / "samples" / "grafana" / "astmanproxy.json"

needs_promtool = pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is missing")


def promtool(*arguments: str | Path) -> str:
    """Return what promtool says; fail if it finds anything wrong."""
    done = subprocess.run(
        ["promtool", *arguments], capture_output=True, text=True, check=False, cwd=RULES.parent
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def names_in(expressions: str) -> set[str]:
    """Return the metrics that *expressions* of PromQL name."""
    return set(re.findall(r"\b(?:astmanproxy|process)_\w+", expressions))


def told() -> set[str]:
    """Return the names of all samples that a page may have."""
    found: set[str] = set()
    for each in FAMILIES:
        ends = ("_bucket", "_sum", "_count") if each.kind == HISTOGRAM else ("",)
        found.update(each.full_name + end for end in ends)
    return found


def alerts() -> dict[str, str]:
    """Return the text of each alert, by name."""
    parts = re.split(r"^      - alert: ", RULES.read_text("utf-8"), flags=re.MULTILINE)[1:]
    return {part.partition("\n")[0]: part for part in parts}


def board() -> Any:
    """Return the dashboard."""
    return json.loads(BOARD.read_text("utf-8"))


def expressions() -> Iterator[str]:
    """Yield what the dashboard asks for, with values for its variables."""
    found = [one["expr"] for panel in board()["panels"] for one in panel.get("targets", ())]
    found += [one["expr"] for one in board()["annotations"]["list"]]
    for each in found:
        yield re.sub(r"\$(server|queue|job)\b", ".*", each.replace("$__rate_interval", "5m"))


def test_each_alert_says_what_it_is_and_what_to_look_at() -> None:
    """And has a test, and is about metrics that there are."""
    found, tests = alerts(), TESTS.read_text("utf-8")

    assert len(found) == 19
    for name, text in found.items():
        assert text.count(' summary: "') == text.count(' description: "') == 1, name
        assert "severity: " in text
        assert f'alertname="{name}"' in tests
    known = told() | {each.full_name for each in FAMILIES}  # a text may speak of a histogram
    assert names_in(RULES.read_text("utf-8")) - known == set()


@needs_promtool
def test_the_rules_are_valid_and_alert_when_they_should() -> None:
    """By promtool's own tests, and so is what goes into prometheus.yml."""
    assert "19 rules found" in promtool("check", "rules", RULES)
    assert "SUCCESS" in promtool("test", "rules", TESTS)
    assert "SUCCESS" in promtool("check", "config", RULES.with_name("prometheus.yml"))


def test_the_dashboard_has_the_shape_of_one() -> None:
    """Panels that do not overlap, each with a number of its own, under the rows of the design."""
    found = board()
    panels = found["panels"]
    places = [
        (place["y"] + y, place["x"] + x)
        for place in (panel["gridPos"] for panel in panels)
        for y in range(place["h"])
        for x in range(place["w"])
    ]

    assert found["schemaVersion"] >= 36
    assert {panel["type"] for panel in panels} == {"row", "stat", "timeseries", "heatmap"}
    assert [panel["title"] for panel in panels if panel["type"] == "row"] == [
        "Is it well", "Calls", "Queues", "Phones", "Proxy",
    ]  # fmt: skip
    assert len({panel["id"] for panel in panels}) == len(panels)
    assert len(set(places)) == len(places)
    assert max(x for _, x in places) < 24
    assert all(panel["targets"] for panel in panels if panel["type"] != "row")
    variables = [each["name"] for each in found["templating"]["list"]]
    assert variables == ["datasource", "job", "server", "queue"]


@needs_promtool
def test_what_the_dashboard_asks_for_is_there(tmp_path: Path) -> None:
    """Its expressions are PromQL, and of metrics that there are."""
    lines = [
        f"  - record: board:number{number}\n    expr: {json.dumps(each)}\n"
        for number, each in enumerate(expressions())
    ]
    rules = tmp_path / "rules.yml"
    rules.write_text("groups:\n- name: board\n  rules:\n" + "".join(lines))

    assert f"{len(lines)} rules found" in promtool("check", "rules", rules)
    assert names_in(BOARD.read_text("utf-8")) - told() == set()  # those of its variables, too
