# SPDX-License-Identifier: GPL-2.0-or-later
"""Proxies in network namespaces: the cable of one to Redis is pulled, as a switch that fails."""

from __future__ import annotations

import contextlib
import socket
import subprocess
import sys
import threading
import time
from typing import TYPE_CHECKING

import pytest

from benchmarks.cluster.asterisk import ClusterAsterisk
from benchmarks.cluster.clients import Door, StreamClient
from benchmarks.cluster.judge import Count, ViewJudge, overlaps
from benchmarks.cluster.proxies import ClusterProxy, Setup, Spot
from tests.bus.namespaces import Cable, Namespace, missing
from tests.support import PROGRAM, free_port, wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from benchmarks.cluster.judge import Offsets
    from tests.bus.redisserver import StartRedis

FAILOVER = 1.0


@pytest.fixture(autouse=True)
def _namespaces() -> None:
    """Skip where there can be none."""
    if reason := missing():
        pytest.skip(reason)


class Site:
    """A proxy in a namespace of its own: with a cable for all but Redis, and one to Redis."""

    def __init__(self, name: str, stack: contextlib.ExitStack) -> None:
        self.name = name
        self.namespace = stack.enter_context(Namespace())
        self.lan, self.bus = self.namespace.cable(), self.namespace.cable()
        self.door = Door(name, free_port(), self.lan.there)


def start(site: Site, setup: Setup, port: int, stack: contextlib.ExitStack) -> ClusterProxy:
    """Start the proxy of *site*; Redis listens on *port*."""
    spot = Spot(site.lan.there, site.lan.here, site.namespace.command)
    bus = f"redis://{site.bus.here}:{port}"
    proxy = ClusterProxy(site.name, site.door.port, setup, bus=bus, spot=spot)
    stack.callback(proxy.kill)
    proxy.start()
    return proxy


@contextlib.contextmanager
def spoken(asterisk: ClusterAsterisk) -> Iterator[None]:
    """Have *asterisk* send 200 events a second in the block."""
    over = threading.Event()

    def speak() -> None:
        while not over.wait(0.05):
            asterisk.say(10)

    thread = threading.Thread(target=speak)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


def holder(asterisk: ClusterAsterisk, but: str = "") -> str:
    """Return who is connected, other than *but*; "": nobody."""
    return next((each.owner for each in asterisk.live if each.owner != but), "")


def watched(site: Site, stack: contextlib.ExitStack) -> StreamClient:
    """Return a client that follows the events at *site*, and stays there."""
    client = StreamClient(site.name, [site.door], ("a0",), 1)
    client.closing.set()
    client.start()
    stack.callback(client.join)
    stack.callback(client.over.set)
    assert client.ready.wait(30)
    return client


def test_who_loses_redis_lets_go_of_asterisk_before_another_is_connected(
    start_redis: StartRedis, tmp_path: Path
) -> None:
    """And the clients of both have all events, or are told of each that is missing."""
    with contextlib.ExitStack() as stack:
        sites = {name: Site(name, stack) for name in ("p0", "p1")}
        ends = " ".join(site.bus.here for site in sites.values())
        redis = start_redis(settings=[f"bind 127.0.0.1 {ends}", "protected-mode no"])
        asterisk = stack.enter_context(ClusterAsterisk("a0", ""))
        tmp_path.chmod(0o755)
        setup = Setup([sys.executable, str(PROGRAM)], tmp_path, [asterisk], FAILOVER)
        proxies = [start(site, setup, redis.port, stack) for site in sites.values()]
        for proxy in proxies:
            proxy.wait_started()
        first = wait_until(lambda: holder(asterisk), 20)
        clients = [watched(site, stack) for site in sites.values()]
        with spoken(asterisk):
            with sites[first].bus.pulled():
                wait_until(lambda: holder(asterisk, first), 20, "the other proxy's log-in")
                wait_until(lambda: len(asterisk.live) == 1)
                seen = {client.name: client.view.last["a0"] for client in clients}
                other = next(client for client in clients if client.name != first)
                wait_until(lambda: other.view.last["a0"] > seen[other.name], 20, "events")
            wait_until(lambda: _has_new(clients, seen), 20, "events at both")
        for client in clients:
            client.goals = {"a0": asterisk.number}
            client.join(20)
        assert judged(clients, asterisk.number) == []
        found = overlaps(asterisk.connections, {}, time.monotonic())
        assert all(each.seconds < FAILOVER for each in found), found
        for proxy in proxies:
            proxy.stop()
            assert proxy.faults + proxy.judge_log() == []


def _has_new(clients: list[StreamClient], seen: dict[str, int]) -> bool:
    return all(client.view.last["a0"] > seen[client.name] for client in clients)


def judged(clients: list[StreamClient], goal: int) -> list[str]:
    """Return what is wrong with what *clients* were told."""
    offsets: Offsets = {}
    faults = []
    for client in clients:
        count = Count()
        ViewJudge(client.name, "a0", offsets, count, 0.0).follow(client.view.items["a0"], goal)
        faults += client.view.faults + count.faults
    return faults


def _pings(namespace: Namespace, cable: Cable) -> bool:
    """Return whether a connection from inside *namespace* comes through *cable*."""
    with socket.create_server((cable.here, 0)) as listener:
        port = listener.getsockname()[1]
        connect = f"import socket; socket.create_connection(({cable.here!r}, {port}), 0.5)"
        command = [*namespace.command, sys.executable, "-c", connect]
        return subprocess.run(command, check=False, capture_output=True).returncode == 0


def test_a_cable_that_is_pulled_passes_nothing_and_is_plugged_in_again() -> None:
    """So that the other test means something."""
    with Namespace() as made:
        cable = made.cable()
        assert _pings(made, cable)
        with cable.pulled():
            assert not _pings(made, cable)
        assert _pings(made, cable)
