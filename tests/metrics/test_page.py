# SPDX-License-Identifier: GPL-2.0-or-later
"""The text of a page of metrics, as Prometheus' own parsers read it."""

from __future__ import annotations

import math

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amiproxy.metrics.family import counter, gauge, histogram
from amiproxy.metrics.histogram import Histogram
from amiproxy.metrics.page import Page
from tests.metrics.parsing import read

EVENTS = counter("server_events_total", 'Events, \\ and "such".', "server", "class")
UP = gauge("server_up", "1: it is.", "server")
DELAY = histogram("delay_seconds", "How long it takes.", (0.001, 0.5, 2.5), "server")


@pytest.mark.parametrize("is_openmetrics", [False, True])
def test_both_formats_say_the_same(is_openmetrics: bool) -> None:
    """Every kind of metric, with its labels and its value."""
    page, delay = Page(), Histogram(DELAY.bounds)
    for value in (0.0005, 0.001, 1.0, 7.0):
        delay.note(value)
    page.add(EVENTS, 5, "pbx1", "call")
    page.add(UP, 1, "pbx1")
    page.add(DELAY, delay.snapshot(), "pbx1")

    found = read(page.text(openmetrics=is_openmetrics), is_openmetrics=is_openmetrics)

    bucket = "astmanproxy_delay_seconds_bucket", "le"
    assert found == {
        ("astmanproxy_server_events_total", "class", "call", "server", "pbx1"): 5,
        ("astmanproxy_server_up", "server", "pbx1"): 1,
        (*bucket, "0.001", "server", "pbx1"): 2,
        (*bucket, "0.5", "server", "pbx1"): 2,
        (*bucket, "2.5", "server", "pbx1"): 3,
        (*bucket, "+Inf", "server", "pbx1"): 4,
        ("astmanproxy_delay_seconds_sum", "server", "pbx1"): pytest.approx(8.0015),
        ("astmanproxy_delay_seconds_count", "server", "pbx1"): 4,
    }


@settings(max_examples=50)
@given(st.text())
@example("caf\udce9")
def test_any_name_is_told_as_it_is(name: str) -> None:
    """Whatever characters a queue has in its name; what cannot be UTF-8 as a sign."""
    page = Page()
    page.add(UP, 1, name)

    (told,) = (key[2] for key in read(page.text()))

    assert told == name.encode("utf-8", "replace").decode()


def test_the_same_labels_are_told_once() -> None:
    """Prometheus refuses a page that has them twice: what is counted is added, the rest is now."""
    page, delay = Page(), Histogram(DELAY.bounds)
    delay.note(0.1)
    for number in (1, 2):
        page.add(EVENTS, number, "pbx1", "call")
        page.add(UP, number, "pbx1")
        page.add(DELAY, delay.snapshot(), "pbx1")

    found = read(page.text())

    assert found["astmanproxy_server_events_total", "class", "call", "server", "pbx1"] == 3
    assert found["astmanproxy_server_up", "server", "pbx1"] == 2
    assert found["astmanproxy_delay_seconds_count", "server", "pbx1"] == 2


def test_what_is_not_known_is_absent() -> None:
    """It is not 0, and a family without values is not told at all."""
    page = Page()
    page.add(UP, None, "pbx1")
    assert page.text() == b""

    page.add(UP, math.nan, "pbx1")
    page.add(UP, math.inf, "pbx2")
    assert read(page.text())["astmanproxy_server_up", "server", "pbx2"] == math.inf
