# SPDX-License-Identifier: GPL-2.0-or-later
"""What is at /metrics, and for whom."""

from __future__ import annotations

from tests.metrics.parsing import read
from tests.threads.web.test_client import Stage, guarded, stage

__all__ = ["guarded", "stage"]  # fixtures


def test_metrics_are_read_by_either_parser(stage: Stage) -> None:
    """In the text format of old, or as OpenMetrics for who asks for that."""
    found = stage.get("/metrics")
    newer = stage.get("/metrics", accept="application/openmetrics-text;version=1.0.0,*/*")

    assert found.content_type == "text/plain; version=0.0.4; charset=utf-8"
    assert newer.content_type.startswith("application/openmetrics-text")
    up = "astmanproxy_server_up", "server", "pbx"
    assert read(found.body)[up] == read(newer.body, is_openmetrics=True)[up] == 1
