# SPDX-License-Identifier: GPL-2.0-or-later
"""Proxies on trial, while all around them fails: no event lost silently, no action done twice."""

from __future__ import annotations

import socket
import sys
import time
from typing import TYPE_CHECKING

import pytest

from benchmarks.cluster.judge import overlaps
from benchmarks.cluster.stage import Scale, Stage, measure
from tests.bus.redisserver import needs_redis
from tests.support import PROGRAM, wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from benchmarks.cluster.asterisk import ClusterAsterisk

PROXY = [sys.executable, str(PROGRAM)]


def log_in(asterisk: ClusterAsterisk, user: str) -> socket.socket:
    """Return a connection that *user* has logged in on."""
    sock = socket.create_connection(("127.0.0.1", asterisk.port), 5)
    sock.sendall(f"Action: Login\r\nUsername: {user}\r\n\r\n".encode())
    wait_until(lambda: any(each.owner == user for each in asterisk.live))
    return sock


def longest(asterisk: ClusterAsterisk) -> float:
    """Return for how many seconds it has had two connections."""
    found = overlaps(asterisk.connections, {}, time.monotonic())
    return max((each.seconds for each in found), default=0.0)


@pytest.mark.soak
@needs_redis
def test_a_cluster_passes() -> None:
    """Three proxies, two Asterisks, four faults: each client has all, or was told what it has not.

    No Asterisk has two connections for long, each action is done once and answered.
    ``make torture-cluster`` is the long one.
    """
    told: list[str] = []
    scale = Scale(4, 4, 300, 10, asterisks=2, failover=0.8, clocks=False, most=1)
    result = measure(scale, PROXY, told.append)
    assert result.faults == [], "\n".join(told)
    assert result.actions["done"] > 0
    assert all(count.seen for count in result.counts.values())


@pytest.mark.soak
def test_a_proxy_alone_passes() -> None:
    """Its clients leave and come back, Asterisks restart: nothing is lost without a word."""
    scale = Scale(3, 2, 500, proxies=1, asterisks=2, bus=False, failover=0.5, only="Asterisk")
    result = measure(scale, PROXY)
    assert result.faults == []
    assert result.actions["done"] > 0
    assert all(count.seen for count in result.counts.values())


def test_planted_faults_are_found(tmp_path: Path) -> None:
    """An event left out, one sent twice, an action done twice, a connection too many."""
    told: list[str] = []
    scale = Scale(0, 1, 500, proxies=1, asterisks=2, bus=False, failover=0.1)
    with Stage(scale, PROXY, tmp_path, told.append) as stage:
        stage.begin()
        one, two = stage.asterisks
        one.lies += ["skip", "twice"]
        two.lies += ["double"]
        with log_in(one, "p1"):
            wait_until(lambda: not (one.lies or two.lies))
            wait_until(lambda: longest(one) > 0.4)  # beyond what is allowed
        stage.finish()
        faults = stage.judge().faults
    for words in ("a0: 1 events lost silently", "a1: 1 events twice", "carried out 2 times",
                  "a0: two connections"):  # fmt: skip
        assert any(words in fault for fault in faults), (words, faults)
