# SPDX-License-Identifier: GPL-2.0-or-later
"""What is at /metrics, and for whom."""

from __future__ import annotations

from dataclasses import replace

import pytest

from amiproxy.access.acl import DENY_ALL, Acl, read_rules
from tests.metrics.parsing import read
from tests.threads.web.test_client import JOE, Stage, guarded, stage

__all__ = ["guarded", "stage"]  # fixtures


def test_metrics_are_read_by_either_parser(stage: Stage) -> None:
    """In the text format of old, or as OpenMetrics for who asks for that."""
    found = stage.get("/metrics")
    newer = stage.get("/metrics", accept="application/openmetrics-text;version=1.0.0,*/*")

    assert found.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert newer.content_type.startswith("application/openmetrics-text")
    up = "astmanproxy_server_up", "server", "pbx"
    assert read(found.body)[up] == read(newer.body, is_openmetrics=True)[up] == 1


@pytest.mark.parametrize(
    ("permit", "headers", "status"),
    [
        (None, {}, 401),
        (None, {"authorization": JOE}, 200),
        (None, {"authorization": "Basic am9lOm5v"}, 401),
        ("192.0.2.0/24", {}, 200),
        ("198.51.100.0/24", {}, 401),
        ("198.51.100.0/24", {"authorization": JOE}, 200),
        # A page whose server lets its name lead here could read it in a browser of that network.
        ("192.0.2.0/24", {"accept_language": "en", "host": "evil.example"}, 403),
    ],
)
def test_who_reads_metrics_logs_in_or_is_permitted(
    guarded: Stage, permit: str | None, headers: dict[str, str], status: int
) -> None:
    """As the listener says, unless ``metricspermit`` names the network."""
    acl = None if permit is None else Acl((*DENY_ALL.rules, *read_rules("permit", permit)))
    context = guarded.context
    context.renew(replace(context.config, metrics_permit=acl), context.users, None)

    found = guarded.get("/metrics", **headers)

    assert found.status == status
    assert (b"astmanproxy_server_up" in found.body) == (status == 200)
    assert guarded.asterisk.asked == []


def test_a_listener_may_have_none() -> None:
    """Then it is no path at all, as any other word."""
    stage = Stage(web=("ws",))
    try:
        assert stage.get("/metrics").status == 404
    finally:
        stage.stop()
