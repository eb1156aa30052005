# SPDX-License-Identifier: GPL-2.0-or-later
"""Two proxies with one bus, as who operates them sees them: figures, commands, limits."""

from __future__ import annotations

import contextlib
import http.client
import json
import time
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from amiproxy.access.lockout import FREE
from amiproxy.threads.control.client import ask
from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.bus.redisserver import needs_redis, remember, starter
from tests.support import ManagerClient, ProxyProcess, free_port, wait_until
from tests.system.peers import PATIENT, host_line

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.threads.control.client import Told
    from benchmarks.redisserver import RedisServer

pytestmark = needs_redis

USERS = "[joe]\nsecret = secret\nproxyactions = ShowClients, ShowCluster, Kick\n[ann]\nsecret = secret\n"
#: Sends the addresses of its clients.
BALANCER = "127.0.0.9"
CONFIG = PATIENT + "controlsocket = {dir}/control.sock\nbusfailover = 1\nmaxclients = 6\n"
CONFIG += f"proxyprotocol = {BALANCER}\n"


class Pair(NamedTuple):
    """Two proxies, an Asterisk and a Redis."""

    redis: RedisServer
    one: ProxyProcess
    other: ProxyProcess
    web: int


@pytest.fixture(scope="module")
def pair() -> Iterator[Pair]:
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(starter())()
        remember(redis)
        asterisk = stack.enter_context(SimulatedAsterisk(behaviour=Behaviour()))
        config = f"{CONFIG}bus = {redis.url}\n" + host_line(asterisk, options="name=pbx1")
        web = free_port()
        listens = f"listen = 127.0.0.1, {web}, input=http\n"
        one = stack.enter_context(ProxyProcess(config + listens, USERS))
        wait_until(lambda: cluster(one)["servers"][0]["holder"], 20, "a holder")
        other = stack.enter_context(ProxyProcess(config, USERS))
        for program in (one, other):
            wait_until(lambda: len(cluster(program)["members"]) == 2, 20, "two proxies")  # noqa: B023
        wait_until(lambda: shown(other, "show servers")[0]["state"] == "up", 20, "it follows")
        yield Pair(redis, one, other, web)


def told(program: ProxyProcess, command: str, *, as_json: bool = False) -> Told:
    """Return what *program* says to *command*."""
    return ask(f"{program.dir}/control.sock", command, as_json=as_json, timeout=40)


def shown(program: ProxyProcess, command: str) -> Any:
    """Return what *program* says to *command*, which succeeds, as JSON."""
    found = told(program, command, as_json=True)
    assert found.is_good, found.text
    return json.loads(found.text)


def cluster(program: ProxyProcess) -> Any:
    """Return the cluster as *program* sees it."""
    return shown(program, "show cluster")


@contextlib.contextmanager
def logged_in(program: ProxyProcess, user: str = "ann") -> Iterator[ManagerClient]:
    """Give a client of *program*."""
    with program.client() as client:
        client.send("Action: Login", f"Username: {user}", "Secret: secret")
        client.read_until("Response: Success")
        yield client


def name(program: ProxyProcess) -> str:
    """Return what *program* is called in the cluster."""
    found: str = cluster(program)["proxy"]
    return found


def test_both_proxies_see_who_holds_the_server(pair: Pair) -> None:
    """And how late the other one is."""
    for program in (pair.one, pair.other):
        wait_until(lambda: cluster(program)["servers"][0]["readers"], 10, "a reader")  # noqa: B023
        found = cluster(program)
        (server,) = found["servers"]
        assert found["state"] == "joined"
        assert server["server"] == "pbx1"
        assert server["holder"] == name(pair.one)
        assert server["epoch"] > 65536
        assert [each["proxy"] for each in server["readers"]] == [name(pair.other)]
        assert 0 <= server["readers"][0]["lag"] < 5
        status = shown(program, "status")
        assert status["cluster"]["proxy"] == found["proxy"]
        assert [each for each in status["warnings"] if each["severity"] == "error"] == []


def test_a_client_is_kicked_by_the_other_proxy(pair: Pair) -> None:
    """By its number, which the list of the whole cluster has."""
    with logged_in(pair.other) as ann:
        rows = shown(pair.one, "show clients cluster")
        (row,) = [each for each in rows if each["user"] == "ann"]
        assert row["proxy"] == name(pair.other)
        assert [each["user"] for each in shown(pair.one, "show clients")] == []

        found = told(pair.one, f"kick {row['number']}")

        assert found.is_good
        assert name(pair.other) in found.text.decode()
        ann.read_to_end()
    wait_until(lambda: f"was kicked by root at {name(pair.one)}" in pair.other.log(), 5, "the log")
    assert not told(pair.one, f"kick {row['number']}").is_good


def test_a_user_kicks_clients_of_the_other_proxy(pair: Pair) -> None:
    """By the ProxyAction of the same name, if it was given to them."""
    with logged_in(pair.one, "joe") as joe, logged_in(pair.other) as ann:
        answer = joe.ask("ProxyAction: ShowClients", "Proxy: cluster")
        rows = [json.loads(line[5:]) for line in answer if line.startswith("Row: ")]
        (number,) = [each["number"] for each in rows if each["user"] == "ann"]
        ann.ask("ProxyAction: Kick", f"Session: {number}")  # she may not
        assert "ProxyResponse: Success" in joe.ask("ProxyAction: Kick", f"Session: {number}")
        ann.read_to_end()


def test_a_pause_is_one_at_the_holder(pair: Pair) -> None:
    """Whichever proxy is asked."""
    found = told(pair.other, "pause pbx1")

    assert found.is_good, found.text
    assert f"asterisk@pbx1: paused (at {name(pair.one)})" in found.text.decode()
    assert shown(pair.one, "show servers")[0]["state"] == "paused"
    with logged_in(pair.other) as ann:
        ann.send("Action: Ping", "ActionID: 7")
        time.sleep(0.3)
        assert told(pair.other, "resume").is_good
        assert "ActionID: 7" in ann.read_until("ActionID: 7")
    assert shown(pair.one, "show servers")[0]["state"] == "up"


def test_a_reconnect_is_one_of_the_holder(pair: Pair) -> None:
    """The others go on with what it brings."""
    before = shown(pair.one, "show servers")[0]["connects"]

    found = told(pair.other, "reconnect pbx1")

    assert found.is_good, found.text
    wait_until(
        lambda: shown(pair.one, "show servers")[0]["connects"] == before + 1, 20, "it connects"
    )
    wait_until(lambda: shown(pair.other, "show servers")[0]["state"] == "up", 20, "it follows")


def is_refused(program: ProxyProcess) -> bool:
    """Return whether a client is sent away before it is greeted."""
    try:
        with program.client():
            return False
    except (EOFError, ConnectionError):
        return True


def test_maxclients_is_for_both(pair: Pair) -> None:
    """Six may be there."""
    with contextlib.ExitStack() as stack:
        for program in (pair.one, pair.other) * 3:
            stack.enter_context(logged_in(program))
        wait_until(lambda: cluster(pair.one)["clients"] >= 6, 10, "all of them")
        wait_until(lambda: is_refused(pair.other), 10, "a client too many")
        wait_until(lambda: "to the cluster (maxclients)" in pair.other.log(), 10, "refused")


def guess(program: ProxyProcess, secret: str, address: str) -> list[str]:
    """Try to log in with *secret* as a client at *address*; return the answer."""
    with program.client(banner=False, source=BALANCER) as client:
        client.send_raw(f"PROXY TCP4 {address} 198.51.100.9 51000 1234\r\n".encode())
        client.read_line()
        return client.ask("Action: Login", "Username: ann", f"Secret: {secret}")


def test_a_guesser_waits_at_each_proxy(pair: Pair) -> None:
    """Wherever the guesses were; 127.0.0.1, another host on each machine, is not counted so."""
    for n in range(FREE + 2):  # a second from now on
        guess(pair.other if n % 2 else pair.one, "no", "192.0.2.9")
    began = time.monotonic()

    assert "Response: Success" in guess(pair.other, "secret", "192.0.2.9")

    assert time.monotonic() - began > 0.4
    assert pair.redis.command("GET", "astmanproxy:failures:192.0.2.9") == str(FREE + 2).encode()
    guess(pair.one, "no", "127.0.0.1")
    assert len(pair.redis.command("KEYS", "astmanproxy:failures:*")) == 1


def test_metrics_and_health_know_the_bus(pair: Pair) -> None:
    """At a listener for HTTP, without a log-in for health."""
    ready, page = get(pair.web, "/readyz")[0], get(pair.web, "/metrics")[1].decode()

    assert ready == 200
    assert "\nastmanproxy_bus_up 1\n" in page
    assert "\nastmanproxy_bus_members 2\n" in page
    assert '\nastmanproxy_bus_holds{server="pbx1"} 1\n' in page


def get(port: int, path: str) -> tuple[int, bytes]:
    """Return status and body of *path*."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    with contextlib.closing(connection):
        connection.request("GET", path)
        response = connection.getresponse()
        return response.status, response.read()


def test_who_has_lost_the_bus_is_not_ready(pair: Pair) -> None:
    """Until it is back; the other proxies' figures are gone then, and the alarm says why."""
    pair.redis.pause()
    try:
        told_of = b'"status": "cut off from the bus"'
        wait_until(lambda: told_of in get(pair.web, "/readyz")[1], 20, "cut off")
        assert get(pair.web, "/readyz")[0] == 503
        assert get(pair.web, "/healthz")[0] == 200
        alarms = shown(pair.one, "status")["warnings"]
        assert any(each["text"].startswith("cut off from the bus") for each in alarms)
        refused = told(pair.one, "show clients cluster")
        assert refused.text
    finally:
        pair.redis.go_on()
    wait_until(lambda: get(pair.web, "/readyz")[0] == 200, 30, "ready")


def test_who_may_do_without_the_bus_is_ready_without_it() -> None:
    """With ``busoptional``: it is connected itself then, and says so."""
    with contextlib.ExitStack() as stack:
        redis = stack.enter_context(starter())()
        remember(redis)
        asterisk = stack.enter_context(SimulatedAsterisk(behaviour=Behaviour()))
        web = free_port()
        config = f"{CONFIG}bus = {redis.url}\nbusoptional = yes\n" + host_line(asterisk)
        listens = f"listen = 127.0.0.1, {web}, input=http\n"
        program = stack.enter_context(ProxyProcess(config + listens, USERS))
        wait_until(lambda: cluster(program)["servers"][0]["holder"], 20, "a holder")
        redis.kill()

        wait_until(lambda: cluster(program)["state"] == "alone", 20, "alone")
        wait_until(lambda: shown(program, "show servers")[0]["state"] == "up", 20, "connected")

        assert get(web, "/readyz")[0] == 200
        alarms = [each["text"] for each in shown(program, "status")["warnings"]]
        assert any(each.startswith("without the bus: ") for each in alarms)
        assert told(program, "pause").is_good  # by itself
        assert shown(program, "show servers")[0]["state"] == "paused"
