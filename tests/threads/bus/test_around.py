# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a server is held by a proxy of the cluster, as far as this one knows."""

from __future__ import annotations

from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from amiproxy.bus import clock
from amiproxy.settings.config import Config
from amiproxy.status.clustervalues import JOINED
from amiproxy.threads.bus.around import Around

if TYPE_CHECKING:
    import pytest


def test_the_time_without_a_holder_counts_from_when_there_was_none(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not from an earlier time without one: else each entry is told as the end of that."""
    now, members = 100.0, [SimpleNamespace(holds=())]
    monkeypatch.setattr(clock, "now", lambda: now)
    keeper: Any = SimpleNamespace(state=JOINED, members=lambda: members)
    nothing: Any = None
    around = Around(Config(bus_failover=3.0), 1, nothing, keeper, nothing, nothing)

    assert around.is_held("pbx", 2.0)
    now += 10
    assert not around.is_held("pbx", 2.0)
    around.heard("pbx")
    assert around.is_held("pbx", 2.0)
    now += 4.9
    assert around.is_held("pbx", 2.0)
    now += 0.2
    assert not around.is_held("pbx", 2.0)
    members.append(SimpleNamespace(holds=("pbx",)))
    assert around.is_held("pbx", 2.0)
