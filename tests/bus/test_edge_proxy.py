# SPDX-License-Identifier: GPL-2.0-or-later
"""A proxy without host lines: it has the servers of the others of its cluster."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bus.cluster import MORE, Cluster, cluster
from tests.bus.test_sharing import ASKED, asterisk
from tests.support import ManagerClient, ProxyProcess, free_port, wait_until
from tests.system.peers import value
from tests.system.people import answer, closed, log_in, logged_in

if TYPE_CHECKING:
    from collections.abc import Iterator

USERS = (
    "boss=secret\n"
    "[one]\nsecret = secret\nread = all\nwrite = all\nserver = pbx1\n"
    "[other]\nsecret = secret\nread = all\nwrite = all\nserver = pbx2\n"
)
_NEWS = b"Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: News\r\nN: %d\r\n\r\n"


@pytest.fixture(scope="module")
def house() -> Iterator[Cluster]:
    """Two proxies and two servers."""
    with cluster(servers=2, script=asterisk) as made:
        yield made


@pytest.fixture(scope="module")
def edge(house: Cluster) -> Iterator[ProxyProcess]:
    """A proxy that knows the bus alone, once it has both servers."""
    with ProxyProcess(closed(more=f"{MORE}bus = {house.redis.url}\n"), USERS) as proxy:
        for name in ("pbx1", "pbx2"):
            proxy.wait_log(f"asterisk@{name}: connected by another proxy", 20)
        yield proxy


def listed(client: ManagerClient) -> list[str]:
    """Return what ListServers says of which servers there are."""
    said = answer(client, "ProxyAction: ListServers")
    return [line for line in said if "pbx" in line or "127.0.0.1" in line]


def test_it_starts_without_a_warning(edge: ProxyProcess) -> None:
    """That there is no host line is what it is."""
    assert "no host line" not in edge.log() + edge.stderr()


def test_it_has_the_names_of_the_servers(edge: ProxyProcess) -> None:
    """As the others call them."""
    with logged_in(edge, "boss") as client:
        said = "\n".join(listed(client))
    assert "pbx1" in said
    assert "pbx2" in said


def test_its_clients_get_events_of_all_servers(house: Cluster, edge: ProxyProcess) -> None:
    """Each with its name."""
    with logged_in(edge, "boss") as client:
        for number in (1, 2):
            house.link(number).sendall(_NEWS % number)
            found = client.read_until("UserEvent: News")
            assert (f"N: {number}" in found, f"Server: pbx{number}" in found) == (True, True)


@pytest.mark.parametrize("number", [1, 2])
def test_a_user_of_one_server_sees_and_reaches_that_alone(
    house: Cluster, edge: ProxyProcess, number: int
) -> None:
    """``server`` means the name that its host lines have elsewhere."""
    name = ("", "one", "other")[number]
    with logged_in(edge, name) as client:
        house.link(3 - number).sendall(_NEWS % 100)
        house.link(number).sendall(_NEWS % 200)
        assert "N: 200" in client.read_until("UserEvent: News")
        reply = answer(client, "Action: CoreStatus", "ActionID: 7")
        assert (reply[0], f"Server: pbx{number}" in reply) == ("Response: Success", True)
        reply = answer(client, "Action: CoreStatus", f"Server: pbx{3 - number}")
        assert reply[0] == "Response: Error"


@pytest.mark.parametrize("spelled", ["pbx2", "{host}:{port}"])
def test_a_server_is_meant_by_each_of_its_names(
    house: Cluster, edge: ProxyProcess, spelled: str
) -> None:
    """As at a proxy that has a line for it."""
    port = house.servers[1].port
    with logged_in(edge, "boss") as client:
        where = spelled.format(host="127.0.0.1", port=port)
        reply = answer(client, "Action: CoreStatus", "ActionID: 8", f"Server: {where}")

    assert (reply[0], "Server: pbx2" in reply) == ("Response: Success", True)


def test_the_lists_of_its_models_are_asked_by_the_holder(house: Cluster) -> None:
    """So the console, Snapshot and figures know there what is at each Asterisk, too."""
    config = closed(more=f"{MORE}state = yes\nbus = {house.redis.url}\n")
    with ProxyProcess(config, USERS) as proxy:
        proxy.wait_log("asterisk@pbx1: connected by another proxy", 20)
        ASKED.clear()
        with logged_in(proxy, "boss") as client:
            client.send("ProxyAction: Snapshot", "Server: pbx1", "Of: channels")
            wait_until(lambda: "CoreShowChannels" in ASKED, 20)


def test_one_that_has_never_joined_says_why() -> None:
    """In the log, where who has mistyped the URL looks."""
    config = closed(more=f"{MORE}bus = redis://127.0.0.1:{free_port()}\n")
    with ProxyProcess(config, USERS) as proxy:
        proxy.wait_log("Connection refused", 20)
        assert proxy.log().count("bus: cut off from astmanproxy at redis://127.0.0.1") == 1


def test_it_never_connects_by_itself() -> None:
    """Though it is alone: it does not know how to log in.  Its clients are told so."""
    with cluster(proxies=1, script=asterisk) as own:
        holder, _ = own.wait_shared()
        config = closed(more=f"{MORE}bus = {own.redis.url}\nbusoptional = yes\n")
        with ProxyProcess(config, USERS) as lonely:
            lonely.wait_log("asterisk@pbx1: connected by another proxy", 20)
            links = len(own.servers[0].links)
            with logged_in(lonely, "boss") as client:
                own.stop(holder)
                client.read_until("Event: ProxyServerLost")
                reply = answer(client, "Action: CoreStatus", "ActionID: 9")
                assert reply[0] == "Response: Error"
            own.start()
            wait_until(lambda: len(own.servers[0].links) == links + 1)
            wait_until(lambda: lonely.log().count("connected by another proxy") > 1, 20)


def test_who_comes_back_to_an_edge_that_has_just_begun_goes_on_there(house: Cluster) -> None:
    """It accepts nobody before it knows the servers: else it would know no id of theirs."""
    config, port = closed(more=f"{MORE}bus = {house.redis.url}\n"), free_port()
    with ProxyProcess(config, USERS, port=port) as one:
        one.wait_log("asterisk@pbx1: connected by another proxy", 20)
        with logged_in(one, "boss") as client:
            answer(client, "ProxyAction: SetEventIDs", "EventIDs: on")
            house.link(1).sendall(_NEWS % 300)
            since = value(client.read_until("N: 300"), "ProxyEventID")
    house.link(1).sendall(_NEWS % 301)

    with ProxyProcess(config, USERS, port=port) as again, again.client() as client:
        log_in(client, "boss", "secret", "Events: off")
        client.send("ProxyAction: Resume", f"Since: {since}")
        assert "N: 301" in client.read_until("UserEvent: News")


def test_without_its_bus_it_accepts_clients_after_a_moment() -> None:
    """They are told that there is nothing; they do not wait for ever."""
    config = closed(more=f"bus = redis://127.0.0.1:{free_port()}\n")
    with ProxyProcess(config, USERS) as proxy, logged_in(proxy, "boss") as client:
        assert answer(client, "Action: CoreStatus", "ActionID: 1")[0] == "Response: Error"
