# SPDX-License-Identifier: GPL-2.0-or-later
"""Several processes of one machine on one port, with one connection to the Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bus.cluster import USERS, Cluster
from tests.bus.test_sharing import asterisk
from tests.support import ManagerClient, ProxyProcess, free_port
from tests.system.peers import BareServer, value
from tests.system.people import answer, log_in

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bus.redisserver import StartRedis

_NEWS = "Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: News\r\nN: %d\r\n\r\n"


@pytest.fixture
def house(start_redis: StartRedis) -> Iterator[Cluster]:
    """Two processes on one port, at a Redis behind a Unix socket."""
    redis = start_redis()
    port = free_port()
    with BareServer(script=asterisk) as server:
        made = Cluster(redis, [server], f"bus = {redis.unix_url}\nreuseport = yes\n")
        try:
            for number in range(2):
                config = f"{made.config}forcebanner = process{number}\n"
                made.proxies.append(ProxyProcess(config, USERS, port=port))
            made.wait_shared()
            yield made
        finally:
            for proxy in made.proxies:
                proxy.stop()


def client_of(house: Cluster, proxy: ProxyProcess) -> ManagerClient:
    """Return a client that has logged in, and that the kernel has given to *proxy*."""
    banner = f"process{house.proxies.index(proxy)}"
    while True:
        client = ManagerClient(proxy.port)
        if client.read_line() == banner:
            assert log_in(client, "board")[0] == "Response: Success"
            return client
        client.close()


def come_back(port: int) -> ManagerClient:
    """Return a client; who comes while a process is being killed may be cut off once."""
    client = ManagerClient(port)
    try:
        client.read_line()
    except ConnectionResetError:
        client.close()
        return come_back(port)
    return client


def test_who_is_cut_off_goes_on_at_the_other_process(house: Cluster) -> None:
    """By the same port; no event is missing but what the Asterisk said to nobody."""
    holder, (other,) = house.wait_shared()
    assert len(house.servers[0].links) == 1
    with client_of(house, other) as client:
        answer(client, "ProxyAction: SetEventIDs", "EventIDs: on")
        house.link().sendall((_NEWS % 1).encode())
        since = value(client.read_until("N: 1"), "ProxyEventID")
        other.process.kill()
        house.proxies.remove(other)
        client.read_to_end()
    house.link().sendall((_NEWS % 2).encode())

    with come_back(holder.port) as client:
        log_in(client, "board", "secret", "Events: off")
        client.send("ProxyAction: Resume", f"Since: {since}")
        found = client.read_until("UserEvent: News")

    assert "N: 2" in found
    assert len(house.servers[0].links) == 1
