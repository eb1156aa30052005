# SPDX-License-Identifier: GPL-2.0-or-later
"""REST of the running program, as programs use it: one connection, JSON both ways."""

from __future__ import annotations

import base64
import gzip
import http.client
import json
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from simulator.orders import FOREVER
from tests.support import ManagerClient, ProxyProcess, free_port, wait_until
from tests.system.peers import wait_connected
from tests.system.web.support import config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.server import SimulatedAsterisk

USERS = """\
[boss]
secret = secret
read = all
write = all
proxyactions = all, operator
[anna]
secret = secret
read = agent
write = agent
"""
SECRET = "AmpSecret"
pytestmark = pytest.mark.asterisk(technology="PJSIP", time_scale=0.1, talk=FOREVER)


class Stage(NamedTuple):
    """A proxy with a second listener, for AMI."""

    program: ProxyProcess
    plain: int


class Told(NamedTuple):
    """An answer."""

    status: int
    headers: http.client.HTTPMessage
    document: Any


class Client:
    """A program that has one connection to *process*, as *user*."""

    def __init__(self, process: Stage, user: str) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", process.program.port, timeout=20)
        token = base64.b64encode(f"{user}:secret".encode()).decode()
        self._headers = {"Authorization": f"Basic {token}"} if user else {}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Told:
        """Return the answer to a request."""
        content, kind = (None, {}) if body is None else (
            json.dumps(body).encode(), {"Content-Type": "application/json"},
        )  # fmt: skip
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        self._connection.request(method, path, content, {**self._headers, **kind, **named})
        response = self._connection.getresponse()
        data = response.read()
        if response.headers["Content-Encoding"] == "gzip":
            data = gzip.decompress(data)
        return Told(response.status, response.headers, json.loads(data) if data else None)

    def close(self) -> None:
        """Leave."""
        self._connection.close()


@pytest.fixture(scope="module")
def process(asterisk: SimulatedAsterisk) -> Iterator[Stage]:
    """A proxy that keeps state and where one must log in."""
    plain = free_port()
    more = f"""\
authrequired = yes
state = yes
listen = 127.0.0.1, {plain}, tls=no, input=standard
"""
    with ProxyProcess(config(asterisk, more=more), USERS) as program:
        wait_connected(program)
        yield Stage(program, plain)


@pytest.fixture(scope="module")
def boss(process: Stage) -> Iterator[Client]:
    """Who may do everything."""
    client = Client(process, "boss")
    yield client
    client.close()


@pytest.fixture(scope="module")
def anna(process: Stage) -> Iterator[Client]:
    """Who may do what concerns agents."""
    client = Client(process, "anna")
    yield client
    client.close()


def test_an_action_is_answered_as_one_document(boss: Client, asterisk: SimulatedAsterisk) -> None:
    """A list whole; a connection serves several requests."""
    found = boss.ask("GET", "/v1/actions/QueueStatus?Queue=support")
    paused = boss.ask(
        "POST", "/v1/actions/QueuePause", {"Interface": "PJSIP/103", "Paused": "true"}
    )

    assert found.status == 200
    assert {each["Event"] for each in found.document["items"]} >= {"QueueParams", "QueueMember"}
    assert found.document["complete"]["Event"] == "QueueStatusComplete"
    assert paused.document["response"]["Response"] == "Success"
    assert asterisk.received


def test_rows_follow_what_happens(boss: Client, asterisk: SimulatedAsterisk) -> None:
    """A call that begins is there, with an id of its own; and what is packed says the same."""
    assert boss.ask("GET", "/v1/state/calls").document["total"] == 0

    asterisk.call("PJSIP/101", "answered", exten="102")

    def talking() -> Any:
        told = boss.ask("GET", "/v1/state/calls?from_number=101", Accept_Encoding="gzip")
        rows = told.document["rows"] if told.status == 200 else []
        return [row for row in rows if row["state"] == "talking"]

    (call,) = wait_until(talking)
    assert (call["to_number"], call["to_device"]) == ("102", "PJSIP/102")
    one = wait_until(lambda: boss.ask("GET", f"/v1/state/calls/{call['id']}").document.get("row"))
    assert one["legs"] == call["legs"]


def test_who_may_not_is_told_what_is_missing(anna: Client) -> None:
    """For actions, and for what is the operator's."""
    told = anna.ask("POST", "/v1/actions/Hangup", {"Channel": "PJSIP/1"})
    assert (told.status, told.document["needs"]) == (403, ["system", "call"])
    for method, path, needed in (
        ("GET", "/v1/clients", "ShowClients"),
        ("DELETE", "/v1/clients/1", "Kick"),
        ("GET", "/v1/status", "ShowServers"),
        ("GET", "/v1/users", "ShowUsers"),
        ("GET", "/v1/config", "ShowConfig"),
        ("POST", "/v1/servers", "AddServer"),
        ("DELETE", "/v1/servers/127.0.0.1", "DropServer"),
    ):
        body = {"host": "x", "username": "u", "secret": "s"} if method == "POST" else None
        told = anna.ask(method, path, body)
        assert (told.status, told.document["needs"]) == (403, [f"proxyactions = {needed}"])
    assert anna.ask("GET", "/v1/servers").document["servers"][0]["state"] in ("building", "live")


def test_a_client_is_ended(boss: Client, process: Stage) -> None:
    """By the number that the list has; once it has gone there is none."""
    with ManagerClient(process.plain) as joe:
        joe.read_line()
        joe.ask("Action: Login", "Username: anna", "Secret: secret", "Events: off")
        clients = boss.ask("GET", "/v1/clients").document["clients"]
        (number,) = [
            each["number"] for each in clients
            if (each["user"], each["input"]) == ("anna", "standard")
        ]  # fmt: skip
        assert boss.ask("DELETE", f"/v1/clients/{number}").status == 204
        joe.read_to_end()
    wait_until(lambda: boss.ask("DELETE", f"/v1/clients/{number}").status == 404)
    assert boss.ask("DELETE", "/v1/clients/x").document["type"] == "/v1/problems/not-found"


def test_what_the_operator_sees_has_no_secret(boss: Client) -> None:
    """Figures, users, and each key with its file and line."""
    status, users = boss.ask("GET", "/v1/status"), boss.ask("GET", "/v1/users")
    keys = boss.ask("GET", "/v1/config")

    assert status.document["servers"][0]["state"] == "up"
    assert {each["name"] for each in users.document["users"]} == {"anna", "boss"}
    (state,) = [each for each in keys.document["config"] if each["key"] == "state"]
    assert state["value"] == "yes"
    assert state["place"].rpartition(":")[2].isdigit()
    assert SECRET not in str(status) + str(users) + str(keys)
    assert "secret" not in str(users)


def test_servers_come_and_go(boss: Client, asterisk: SimulatedAsterisk) -> None:
    """Their place is told; what is wrong is named."""
    new = {"host": "127.0.0.2", "port": asterisk.port, "username": "ampuser", "secret": SECRET}
    added = boss.ask("POST", "/v1/servers", {**new, "name": "second"})

    assert (added.status, added.headers["Location"]) == (201, "/v1/servers/second")
    assert added.document["server"]["name"] == "second"
    assert boss.ask("POST", "/v1/servers", {**new, "name": "second"}).status == 422
    assert boss.ask("GET", "/v1/servers/second").status == 200
    assert boss.ask("DELETE", "/v1/servers/second").status == 204
    assert boss.ask("DELETE", "/v1/servers/second").document["type"].endswith("unknown-server")
    assert boss.ask("GET", "/v1/servers/second").status == 404
    for wrong, named in (
        ({"hots": "x"}, "hots"),
        ({"secret": ""}, "secret"),
        ({"events": "on"}, "events"),
        ({"port": [1]}, "port"),
    ):
        told = boss.ask("POST", "/v1/servers", {**new, **wrong})
        assert (told.status, told.document["member"]) == (400, named)


def test_strangers_learn_nothing(process: Stage) -> None:
    """Neither what is there nor who; HEAD and OPTIONS are answered as anywhere."""
    stranger = Client(process, "")
    for path in ("/v1/servers", "/v1/state/calls", "/v1/clients", "/v1/actions/Ping"):
        told = stranger.ask("GET", path)
        assert (told.status, told.document["type"]) == (401, "/v1/problems/login-required")
    assert stranger.ask("HEAD", "/v1/servers").status == 401
    told = stranger.ask("OPTIONS", "/v1/servers")
    assert (told.status, told.headers["Allow"]) == (204, "GET, POST, HEAD, OPTIONS")
    stranger.close()
    wrong = Client(process, "nobody")
    assert wrong.ask("GET", "/v1/servers").document["detail"].startswith("Authentication failed")
    wrong.close()
