# SPDX-License-Identifier: GPL-2.0-or-later
"""/ws of the running program, with the library websockets as its client."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from tests.support import ProxyProcess
from tests.system.live.support import Socket
from tests.system.peers import wait_connected
from tests.system.web.support import config, parse, raw

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from simulator.server import SimulatedAsterisk

USERS = "anna=secret\n[board]\nsecret = secret\nread = all\nwrite =\n"
HANDSHAKE = [
    "Connection: Upgrade",
    "Upgrade: websocket",
    "Sec-WebSocket-Version: 13",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
]


@pytest.fixture(scope="module")
def web(asterisk: SimulatedAsterisk) -> Iterator[ProxyProcess]:
    """A proxy that speaks HTTP, and keeps what was said."""
    more = "authrequired = yes\nreplay = 1MB\nserverevents = yes\nstate = yes\n"
    with ProxyProcess(config(asterisk, more=more), USERS) as process:
        wait_connected(process)
        yield process


def test_hello_is_the_first_document(web: ProxyProcess) -> None:
    """It says who the client is, and how the servers are."""
    with Socket(web, user="anna:secret") as socket:
        told = socket.hear()

    assert (told["type"], told["user"], len(told["servers"])) == ("hello", "anna", 1)
    assert told["page"]
    assert told["rights"]["servers"] is None


def test_events_come_as_they_were_chosen(web: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """Nothing before subscribe; then what was chosen, each with id, server and time."""
    with Socket(web, user="anna:secret") as socket:
        socket.hear()
        asterisk.event("Hangup", "call,all", Channel="SIP/0")
        socket.ask(Action="Ping")  # the event was before its answer
        socket.say(type="subscribe", id=1, events=["Hang*", "Newchannel"])
        assert socket.hear()["type"] == "subscribed"
        asterisk.event("Newstate", "call,all", Channel="SIP/1")
        asterisk.event("Hangup", "call,all", Channel="SIP/1")

        told = socket.hear()

    assert (told["type"], told["event"]["Event"], told["event"]["Channel"]) == (
        "event",
        "Hangup",
        "SIP/1",
    )
    assert told["server"] == told["event"]["Server"]
    assert abs(told["time"] - time.time()) < 60
    assert told["id"]


def test_answers_belong_to_their_ids(web: ProxyProcess) -> None:
    """Whatever the order in which they come, and lists come whole."""
    with Socket(web, user="anna:secret") as socket:
        socket.hear()
        socket.say(type="action", id="a", action={"Action": "CoreShowChannels"})
        socket.say(type="action", id=7, action={"Action": "Ping"})
        socket.say(Action="Ping", ActionID="x")
        socket.say(type="action", id="p", action={"ProxyAction": "ListServers"})
        found = {told["id"]: told for told in (socket.until("answer") for _ in range(4))}

    assert found["a"]["complete"]["Event"] == "CoreShowChannelsComplete"
    assert found[7]["response"]["Response"] == "Success"
    assert found["x"]["response"]["ActionID"] == "x"
    assert found["p"]["response"]["ProxyResponse"] == "Success"


@pytest.mark.parametrize(
    ("lines", "status", "words"),
    [
        pytest.param([], 426, "ws://", id="no handshake"),
        pytest.param([*HANDSHAKE[:2], "Sec-WebSocket-Version: 8"], 426, "13", id="old"),
        pytest.param(HANDSHAKE[:3], 400, "Sec-WebSocket-Key", id="no key"),
        pytest.param(
            [*HANDSHAKE, "Sec-WebSocket-Protocol: chat"], 400, "astmanproxy.ami", id="protocol"
        ),
        pytest.param([*HANDSHAKE, "Origin: http://evil.example"], 403, "httpcors", id="page"),
        pytest.param([*HANDSHAKE, "Origin: null"], 403, "foreign-page", id="file"),
        pytest.param([*HANDSHAKE, "Authorization: Basic eA=="], 401, "login-required", id="log-in"),
        pytest.param(HANDSHAKE, 401, "login-required", id="no log-in"),
    ],
)
def test_a_handshake_that_fails_says_why(
    web: ProxyProcess, lines: list[str], status: int, words: str
) -> None:
    """As a problem of HTTP, before anything else."""
    found, headers, body = parse(
        raw(web, "\r\n".join(["GET /ws HTTP/1.1", "Host: x", *lines, "", ""]))
    )

    assert (found, headers["content-type"]) == (status, "application/problem+json")
    assert words in body
    assert (headers.get("upgrade") == "websocket") is (status == 426)


def test_a_page_of_ours_may(web: ProxyProcess) -> None:
    """Its origin is the host that it was asked by."""
    with Socket(web, user="anna:secret", origin=f"http://127.0.0.1:{web.port}") as socket:
        assert socket.hear()["type"] == "hello"


def test_a_message_that_is_wrong_is_told_and_changes_nothing(web: ProxyProcess) -> None:
    """The connection stays, and no line gets into an action."""
    with Socket(web, user="anna:secret") as socket:
        socket.hear()
        socket.say(type="action", id=1, action={"Action": "Ping\r\nAction: Hangup"})
        told = socket.hear()
        socket.say(type="action", id=2, action={"Action": "Login"})
        login = socket.hear()
        socket.say(type="action", id=4, action={"ProxyAction": "Logoff"})
        logoff = socket.hear()
        socket.say(type="subscribe", id=3, events=["*"], server="mars")
        server = socket.hear()
        assert socket.ask(Action="Ping")["response"]["Response"] == "Success"

    assert (told["type"], told["id"], told["problem"]["status"]) == ("error", 1, 400)
    assert login["problem"]["detail"] == logoff["problem"]["detail"]
    assert "handshake" in login["problem"]["detail"]
    assert server["problem"]["type"] == "/v1/problems/unknown-server"


def test_what_the_proxy_refuses_is_a_problem(web: ProxyProcess) -> None:
    """Rights are those of the user, as for any client."""
    with Socket(web, user="board:secret") as socket:
        socket.hear()
        socket.say(type="action", id=1, action={"Action": "Hangup", "Channel": "SIP/1"})
        told = socket.hear()

    assert told["problem"]["type"] == "/v1/problems/not-permitted"


def test_more_than_20_requests_a_second_are_refused(web: ProxyProcess) -> None:
    """Told so, with when to come again."""
    with Socket(web, user="anna:secret") as socket:
        socket.hear()
        for number in range(60):
            socket.say(type="ping", id=number)
        told = [socket.hear() for _ in range(60)]

    refused = [each for each in told if each["type"] == "error"]
    assert refused
    assert refused[0]["problem"]["type"] == "/v1/problems/too-many"
    assert refused[0]["problem"]["retry_after"] > 0


def test_a_text_of_more_than_64_kib_closes(web: ProxyProcess) -> None:
    """With the code for that."""
    with Socket(web, user="anna:secret") as socket:
        socket.socket.send("x" * 65537)

        assert socket.closed()[0] == 1009


def test_who_comes_back_misses_nothing_and_gets_nothing_twice(
    web: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """With the id of the last event, though many come meanwhile."""
    with Socket(web, "?events=UserEvent", user="anna:secret") as socket:
        socket.until("subscribed")
        say(asterisk, range(50))
        last = [socket.until("event") for _ in range(20)][-1]
    say(asterisk, range(50, 60))

    with Socket(web, f"?events=UserEvent&since={last['id']}", user="anna:secret") as socket:
        socket.until("subscribed")
        say(asterisk, range(60, 100))
        told = [socket.until("event") for _ in range(80)]

    assert [int(each["event"]["N"]) for each in told] == [*range(20, 100)]


def say(asterisk: SimulatedAsterisk, numbers: Iterable[int]) -> None:
    """Have *asterisk* say events with *numbers* in them."""
    for number in numbers:
        asterisk.event("UserEvent", "user,all", N=number)


def test_who_comes_back_to_another_process_is_told_of_a_gap(web: ProxyProcess) -> None:
    """Nobody knows what it has missed."""
    with Socket(web, "?events=*&since=abcdefgh.1-2", user="anna:secret") as socket:
        told = socket.until("gap")

    assert (told["reason"], told["missed"]) == ("restart", None)


def test_only_the_proxy_itself_says_that_a_server_is_lost(
    web: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """An Asterisk's event of that name is an event; then the server is lost, and comes back."""
    with Socket(web, "?events=*", user="anna:secret") as socket:
        socket.until("subscribed")
        asterisk.event("ProxyServerLost", "system,all", Reason="forged")
        forged = socket.until("event", lambda told: told["event"]["Event"] == "ProxyServerLost")
        asterisk.drop_sessions()
        lost = socket.until("server", lambda told: told["state"] == "lost")
        back = socket.until("server", lambda told: told["state"] == "connected")

    assert forged["event"]["Reason"] == "forged"
    assert back["lost_seconds"] >= 0
    assert lost["server"] == back["server"] == forged["server"]


@pytest.mark.parametrize("form", ["ami", "xml"])
def test_bare_messages_one_a_frame(
    web: ProxyProcess, asterisk: SimulatedAsterisk, form: str
) -> None:
    """For programs that have a parser: all events, and answers, from the beginning."""
    with Socket(web, user="anna:secret", subprotocols=[f"astmanproxy.{form}"]) as socket:
        assert socket.socket.subprotocol == f"astmanproxy.{form}"
        ping = "Action: Ping\r\nActionID: 5"
        if form == "xml":
            ping = '<AsteriskManagerInput><Action Value="Ping"/></AsteriskManagerInput>'
        socket.socket.send(ping)
        answer = socket.socket.recv(timeout=20)
        asterisk.event("Hangup", "call,all", CallerIDName="Jos\xe9")
        event = socket.socket.recv(timeout=20)
        socket.socket.send("Action: Logoff" if form == "ami" else ping.replace("Ping", "Logoff"))
        code, _ = socket.closed()

    begins = "Response: Success\r\n" if form == "ami" else "<AsteriskManagerOutput>"
    assert answer.startswith(begins)
    assert "Hangup" in event
    assert "José" in event
    assert code == 1000


def test_what_there_is_comes_first_then_what_changes(web: ProxyProcess) -> None:
    """Rows of the kinds that were chosen."""
    with Socket(web, user="anna:secret") as socket:
        socket.hear()
        socket.say(type="subscribe", id=1, state=["servers"])
        told = socket.until("snapshot")
        socket.say(type="subscribe", id=2, state=["dreams"])
        wrong = socket.until("error")

    assert list(told["rows"]) == ["servers"]
    assert "dreams" in wrong["problem"]["detail"]


def test_a_call_is_a_row_as_soon_as_it_begins(
    web: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """A snapshot without it, then a change with it, then one that it is gone."""
    with Socket(web, "?state=channels", user="anna:secret") as socket:
        before = socket.until("snapshot", lambda told: told["last"] and "server" in told)
        asterisk.call("SIP/7")
        begun = socket.until("change", lambda told: bool(told.get("set")))
        ended = socket.until("change", lambda told: bool(told.get("del")))

    assert before["rows"]["channels"] == {}
    assert begun["set"]["channels"].keys() & ended["del"]["channels"].keys()
