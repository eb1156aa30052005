# SPDX-License-Identifier: GPL-2.0-or-later
"""Three proxies in a chain, two Asterisks behind the last; all of it over TLS, and logged in."""

from __future__ import annotations

import hashlib
import shutil
from collections import Counter
from typing import TYPE_CHECKING

import pytest

from simulator.server import SimulatedAsterisk
from tests.support import ProxyProcess, free_port, wait_until
from tests.system.peers import host_line, is_response, value
from tests.system.tls.support import Certificates, checked

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support import ManagerClient

CONFIG = (
    "retryinterval = 0.1\nretrylongest = 0.1\nserverevents = yes\nautofilter = unique\n"
    "authrequired = yes\nacceptencryptedconnection = yes\nacceptunencryptedconnection = no\n"
    "sslverify = yes\nsslcafile = {ca}\ncertfile = {certificate}\n"
)
USERS = (
    "[hop]\nsecret = HopSecret\nread = all\nwrite = all\nproxyactions = ListServers\n"
    "[joe]\nsecret = JoeSecret\nread = all\nwrite = all\nproxyactions = ListServers\n"
    "[ann]\nsecret = AnnSecret\nread = all\nwrite = all\nserver = pbx1\n"
)
SERVERS = ("pbx1", "pbx2")


class Hop:
    """One proxy of the chain, at the same port each time it is started."""

    port = 0
    host = "localhost"

    def __init__(self, config: str) -> None:
        self.config = config
        self.port = free_port()

    def start(self) -> None:
        self.program = ProxyProcess(self.config, USERS, port=self.port)

    def kill(self) -> None:
        """End it as SIGKILL does."""
        self.program.kill()


class Chain:
    """The Asterisks, and the proxies from that next to them on."""

    def __init__(self, pki: Certificates) -> None:
        self.pki = pki
        self.asterisks = {name: SimulatedAsterisk(tls=pki.good) for name in SERVERS}
        for asterisk in self.asterisks.values():
            asterisk.start()
        config = CONFIG.format(ca=pki.ca, certificate=pki.good)
        self.inner = Hop(config + "".join(
            host_line(each, host="localhost", tls="on", options=f"name={name}")
            for name, each in self.asterisks.items()
        ))  # fmt: skip
        self.middle = Hop(config + self._line(self.inner, "proxy3"))
        self.outer = Hop(config + self._line(self.middle, "proxy2"))
        for hop in (self.inner, self.middle, self.outer):
            hop.start()
        with self.client() as client:
            wait_until(lambda: self.answers(client), what="answers of both")

    def _line(self, hop: Hop, name: str) -> str:
        return host_line(
            hop, tls="on", user="hop", secret="HopSecret", options=f"name={name}, proxy=yes"
        )

    def client(self, user: str = "joe", hop: Hop | None = None) -> ManagerClient:
        """Return a client of the last proxy, or *hop*, that has logged in as *user*."""
        program = (hop or self.outer).program
        client = program.client(tls=checked(self.pki), server_hostname="localhost")
        client.ask("Action: Login", f"Username: {user}", f"Secret: {user.title()}Secret")
        client.read_until("Event: FullyBooted")
        return client

    def answers(self, client: ManagerClient) -> bool:
        """Return whether both Asterisks answer *client*."""
        return all(value(ping(client, name), "Server") == name for name in SERVERS)

    def publish(self, number: int) -> None:
        """Have each Asterisk send an event."""
        for asterisk in self.asterisks.values():
            asterisk.publish(b"Event: Hangup\r\nPrivilege: call,all\r\nN: %d\r\n\r\n" % number)

    def stop(self) -> None:
        for hop in (self.outer, self.middle, self.inner):
            hop.program.kill()
        for asterisk in self.asterisks.values():
            asterisk.stop()


def ping(client: ManagerClient, name: str) -> list[str]:
    """Return the answer to a Ping of the server *name*, "": of any."""
    client.send("Action: Ping", *([f"Server: {name}"] if name else []))
    return client.read_until(is_response)


def heard(client: ManagerClient, number: int, count: int) -> Counter[str | None]:
    """Return which servers the events *number* are from; *count* of them, and no more."""
    found: Counter[str | None] = Counter()
    while sum(found.values()) < count:
        message = client.read_message()
        if f"N: {number}" in message:
            found[value(message, "Server")] += 1
            assert sum(line.startswith("Server:") for line in message) == 1
    return found


def told(client: ManagerClient, event: str, names: set[str]) -> None:
    """Wait until *client* is told *event* of each of *names*."""
    left = set(names)
    while left:
        # Three log-ins follow each other, with pauses that grow: a busy machine takes its time.
        message = client.read_until(lambda lines: lines[0] == f"Event: {event}", 60)
        left.discard(value(message, "Server") or "")


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    pki = Certificates()
    chain = Chain(pki)
    yield chain
    chain.stop()
    shutil.rmtree(pki.dir)


def test_events_come_once_and_say_of_which_asterisk_they_are(chain: Chain) -> None:
    """To who sees all of them; to who sees one Asterisk only those of that one."""
    with chain.client() as joe, chain.client("ann") as ann:
        chain.publish(1)
        assert heard(joe, 1, 2) == {"pbx1": 1, "pbx2": 1}
        assert heard(ann, 1, 1) == {"pbx1": 1}

        chain.publish(2)  # nothing of the first comes late
        messages = [joe.read_message() for _ in range(2)]
        assert all("N: 2" in message for message in messages)
        assert value(ann.read_message(), "N") == "2"


def test_actions_reach_each_asterisk_by_its_name(chain: Chain) -> None:
    """The name of a proxy means its first server; who has one Asterisk only asks that one."""
    with chain.client() as joe, chain.client("ann") as ann:
        answered = {
            name: value(ping(joe, name), "Server")
            for name in ("pbx1", "PBX2", "proxy2", "proxy3", "")
        }
        assert answered == {
            "pbx1": "pbx1", "PBX2": "pbx2", "proxy2": "pbx1", "proxy3": "pbx1", "": "pbx1"
        }  # fmt: skip
        assert value(ping(joe, "pbx3"), "Message") == "Server pbx3 is not connected"
        assert value(ping(ann, ""), "Server") == "pbx1"
        assert value(ping(ann, "pbx2"), "Message") == "Server pbx2 is not open to this user"
        lists: list[str] = []
        for name in SERVERS:
            joe.send("Action: CoreShowChannels", f"Server: {name}", f"ActionID: {name}")
        while len(lists) < 2:
            message = joe.read_message()
            assert value(message, "Server") == value(message, "ActionID")
            if message[0] == "Event: CoreShowChannelsComplete":
                lists.append(value(message, "Server") or "")
        assert sorted(lists) == ["pbx1", "pbx2"]

        listed = joe.ask("ProxyAction: ListServers")
        assert "ProxyServerBehind: proxy3, pbx1, pbx2" in listed
        assert "ProxyServerBehindLost" not in str(listed)


def test_log_in_by_md5_is_as_for_any_client(chain: Chain) -> None:
    program = chain.middle.program
    with program.client(tls=checked(chain.pki), server_hostname="localhost") as client:
        challenge = value(client.ask("Action: Challenge", "AuthType: MD5"), "Challenge")
        key = hashlib.md5(f"{challenge}HopSecret".encode()).hexdigest()
        answer = client.ask("Action: Login", "AuthType: MD5", "Username: hop", f"Key: {key}")
        assert "Response: Success" in answer


def test_an_asterisk_that_is_lost_is_told_through_all_proxies(chain: Chain) -> None:
    """The error says at which proxy it arose."""
    asterisk = chain.asterisks["pbx2"]
    with chain.client() as joe, chain.client("ann") as ann:
        asterisk.stop()

        told(joe, "ProxyServerLost", {"pbx2"})
        error = value(ping(joe, "pbx2"), "Message")
        assert error == "Server pbx2 is not connected (at proxy3)"
        assert value(ping(joe, "pbx1"), "Server") == "pbx1"

        asterisk.start()
        told(joe, "ProxyServerConnected", {"pbx2"})
        assert chain.answers(joe)
        chain.publish(3)
        # Who sees the other one alone was told nothing.
        assert value(ann.read_message(), "N") == "3"


@pytest.mark.parametrize(
    ("which", "lost", "error"),
    [
        ("inner", {"proxy3", "pbx1", "pbx2"},
         "Server proxy3, which pbx2 is behind, is not connected (at proxy2)"),
        ("middle", {"proxy2", "proxy3", "pbx1", "pbx2"},
         "Server proxy2, which pbx2 is behind, is not connected"),
    ],
)  # fmt: skip
def test_each_hop_is_killed_and_comes_back(
    chain: Chain, which: str, lost: set[str], error: str
) -> None:
    """Clients are told of each server behind it; the error says what is not connected."""
    hop: Hop = getattr(chain, which)
    with chain.client() as joe:
        hop.kill()

        told(joe, "ProxyServerLost", lost)
        assert value(ping(joe, "pbx2"), "Message") == error

        hop.start()
        told(joe, "ProxyServerConnected", lost)
        wait_until(lambda: chain.answers(joe), 60, "answers of both")
        chain.publish(4)
        assert heard(joe, 4, 2) == {"pbx1": 1, "pbx2": 1}


def test_the_proxy_of_the_clients_is_killed_and_comes_back(chain: Chain) -> None:
    with chain.client() as joe:
        chain.outer.kill()
        with pytest.raises((EOFError, ConnectionError)):
            joe.read_message()
        chain.outer.start()
    with chain.client() as joe:
        wait_until(lambda: chain.answers(joe), 60, "answers of both")
        chain.publish(5)
        assert heard(joe, 5, 2) == {"pbx1": 1, "pbx2": 1}
