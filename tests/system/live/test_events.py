# SPDX-License-Identifier: GPL-2.0-or-later
"""/events of the running program: Server-Sent Events over real sockets."""

from __future__ import annotations

import http.client
import json
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any, Callable
from urllib.parse import urlencode

import pytest

from amiproxy.access import tokens
from tests.support import ManagerClient, ProxyProcess, wait_until
from tests.system.live.sse import Block, EventSource, RefusedError
from tests.system.live.support import PATIENCE
from tests.system.peers import wait_connected
from tests.system.web.support import config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.server import SimulatedAsterisk

TOKEN = "amp_" + "s" * 32
ANNA = {"Authorization": f"Bearer {TOKEN}"}
SECTION = f"[anna]\ntoken = {tokens.hash_of(TOKEN)}\nread = {{read}}\nwrite = none\n"
USERS = SECTION.format(read="all")
MORE = (
    "authrequired = yes\nreplay = 16MB\nclientbacklog = 1000000\nserverevents = yes\nstate = yes\n"
)


@pytest.fixture(scope="module")
def web(asterisk: SimulatedAsterisk) -> Iterator[ProxyProcess]:
    """A proxy that speaks HTTP, and keeps what was said."""
    with ProxyProcess(config(asterisk, more=MORE), USERS) as process:
        wait_connected(process)
        yield process


def tell(asterisk: SimulatedAsterisk, name: str, **headers: str) -> None:
    """Have Asterisk say an event of the class user."""
    asterisk.event(name, "user,all", **headers)


def is_event(name: str, text: str = "") -> Callable[[Block], bool]:
    """Return what accepts the event *name* of which the header X is *text*."""

    def accept(block: Block) -> bool:
        event = block.document["event"]
        return event["Event"] == name and (not text or event.get("X") == text)

    return accept


def test_a_stream_begins_with_hello_and_goes_on_with_events(
    web: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """What Asterisk says has no name and an id; no cache or front server keeps it back."""
    with EventSource(web, ANNA) as source:
        assert source.headers["Content-Type"] == "text/event-stream"
        assert source.headers["Cache-Control"] == "no-store"
        assert source.headers["X-Accel-Buffering"] == "no"
        hello = source.until("hello").document
        assert (hello["user"], len(hello["servers"])) == ("anna", 1)
        assert source.retry == 1000
        tell(asterisk, "UserEvent", X="1")

        block = source.until("message", is_event("UserEvent", "1"))

        assert block.document["type"] == "event"
        assert block.document["id"] == block.id


def test_what_there_is_comes_first_where_it_is_asked_for(
    web: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """Then each change of it, and no event that nobody has asked for; again after a return."""
    with EventSource(web, ANNA, snapshot="channels,queues") as source:
        source.until("hello")
        told = source.until("snapshot", lambda block: block.document.get("server")).document
        assert set(told["of"]) == {"channels", "queues"}
        asterisk.call("SIP/105")

        def has_channel(block: Block) -> bool:
            return any(
                row["name"].startswith("SIP/105")
                for row in block.document["set"].get("channels", {}).values()
            )

        change = source.until("change", has_channel)
        assert change.document["now"] > told["now"]
        place = change.id
    with EventSource(web, {**ANNA, "Last-Event-ID": place}, snapshot="channels") as source:
        first = source.until("hello")
        assert first
        assert source.until("snapshot").document["rows"] is not None


def test_events_are_chosen_by_name_and_server(
    web: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """In any case; several, or how they begin."""
    with EventSource(web, ANNA, event="hangup,Dial*", server="127.0.0.1") as source:
        source.until("hello")
        for event in ("Newstate", "DialBegin", "Newstate", "Hangup"):
            tell(asterisk, event)

        found = [source.until("message").document["event"]["Event"] for _ in range(2)]

    assert found == ["DialBegin", "Hangup"]


@pytest.mark.parametrize("form", ["ami", "xml", "csv"])
def test_events_in_other_formats(web: ProxyProcess, asterisk: SimulatedAsterisk, form: str) -> None:
    """Each line of a message is a line of data; what a value holds ends no line."""
    with EventSource(web, ANNA, format=form, event="UserEvent") as source:
        assert source.until("hello").document["type"] == "hello"
        tell(asterisk, "UserEvent", X="caf\xc3\xa9", Y="<1>")
        data = source.until("message").data

    if form == "ami":
        assert {"Event: UserEvent", "X: café", "Y: <1>"} <= {*data.split("\n")}
    elif form == "xml":
        assert '<X Value="café"' in data
        assert "&lt;1&gt;" in data
    else:
        assert '"X: café"' in data


def test_who_comes_back_goes_on_where_it_was(
    web: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """By Last-Event-ID, as each EventSource sends it, which counts more than since."""
    with EventSource(web, ANNA, event="UserEvent") as source:
        source.until("hello")
        tell(asterisk, "UserEvent", X="a")
        first = source.until("message", is_event("UserEvent", "a"))
    tell(asterisk, "UserEvent", X="b")
    tell(asterisk, "UserEvent", X="c")
    back = {**ANNA, "Last-Event-ID": first.id}
    with EventSource(web, back, event="UserEvent", since="x") as source:
        found = [source.until("message").document["event"]["X"] for _ in range(2)]
    with EventSource(web, ANNA, event="UserEvent", since=first.id) as source:
        again = [source.until("message").document["event"]["X"] for _ in range(2)]

    assert found == again == ["b", "c"]


def test_who_reads_too_slowly_is_dropped_and_goes_on_without_loss(
    web: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """As any client; the ring has what it could not be sent."""
    count = 1600
    fill = b"".join(b"Fill: " + b"f" * 1000 + b"\r\n" for _ in range(4))
    event = b"Event: UserEvent\r\nPrivilege: user,all\r\nX: %d\r\n" + fill + b"\r\n"
    got: list[int] = []
    with EventSource(web, ANNA, event="UserEvent") as source:
        source.until("hello")
        for number in range(count):
            asterisk.publish(event % number)
        wait_until(lambda: "(clientbacklog)" in web.log(), 60, "the drop")
        while (block := source.hear()) is not None:
            if block.kind == "message":
                got.append(int(block.document["event"]["X"]))
        place = source.last_id
    missing = count - len(got)
    assert missing > 0
    with EventSource(web, {**ANNA, "Last-Event-ID": place}, event="UserEvent") as source:
        got += [int(source.until("message").document["event"]["X"]) for _ in range(missing)]

    assert got == list(range(count))


def test_a_lost_place_is_a_gap_and_no_refusal(
    web: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """An EventSource that is refused gives up for good; a wrong since is a fault of the page."""
    for wrong in ("nonsense", "aaaaaaaa.1-1", "x" * 400):
        with EventSource(web, {**ANNA, "Last-Event-ID": wrong}, event="UserEvent") as source:
            gap = source.until("gap").document
            assert gap["missed"] is None
            tell(asterisk, "UserEvent", X=wrong[:9])
            source.until("message", is_event("UserEvent", wrong[:9]))


@pytest.mark.parametrize(
    ("headers", "fields", "status", "told"),
    [
        ({}, {}, 401, "Log in"),
        ({"Authorization": "Bearer amp_x"}, {}, 401, "failed"),
        ({}, {"ticket": "f" * 32}, 401, "one connection"),
        (ANNA, {"format": "yaml"}, 400, "json, ami, xml, csv"),
        (ANNA, {"snapshot": "cals"}, 400, "calls"),
        (ANNA, {"since": "x"}, 400, "since"),
        (ANNA, {"server": "pbx9"}, 400, "pbx9"),
        (ANNA, {"evnt": "Hangup"}, 400, "event"),
        (ANNA, {"event": "Dial*x"}, 400, "array of names"),
        ({**ANNA, "Origin": "http://evil.example"}, {}, 403, "page"),
        ({**ANNA, "Sec-Fetch-Site": "cross-site"}, {}, 403, "page"),
    ],
)
def test_what_is_refused_is_told_why(
    web: ProxyProcess, headers: dict[str, str], fields: dict[str, str], status: int, told: str
) -> None:
    """As a problem, before any stream begins."""
    with pytest.raises(RefusedError) as caught:
        EventSource(web, headers, **fields)

    assert caught.value.status == status
    assert told in caught.value.problem["detail"]


def test_a_ticket_opens_one_stream_and_is_in_no_log(
    web: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """It was got by a token; neither of them is logged, nor any URL."""
    ticket = get_ticket(web)
    with EventSource(web, ticket=ticket, event="UserEvent") as source:
        assert source.until("hello").document["user"] == "anna"
    with pytest.raises(RefusedError) as caught:
        EventSource(web, ticket=ticket)

    assert caught.value.status == 401
    log = web.log()
    assert ticket not in log
    assert TOKEN not in log
    assert "ticket=" not in log


def get_ticket(web: ProxyProcess) -> str:
    """Return a ticket for anna."""
    with ManagerClient(web.port) as client:
        client.send_raw(
            "POST /v1/tickets HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n"
            f"Authorization: {ANNA['Authorization']}\r\n\r\n"
        )
        body = client.read_to_end().partition(b"\r\n\r\n")[2]
    return str(json.loads(body)["ticket"])


def test_a_server_that_is_lost_is_an_event(web: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """And so is its return; whoever comes meanwhile is let in."""
    with EventSource(web, ANNA) as source:
        source.until("hello")
        asterisk.drop_sessions()
        lost = source.until("server").document
        assert lost["state"] == "lost"
        with EventSource(web, ANNA) as other:
            other.until("hello")
        back = source.until("server", lambda block: block.document["state"] == "connected")
        assert back.id
    wait_connected(web)


def test_a_stream_ends_when_its_token_is_taken_out(
    web: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """SIGHUP: it is told goodbye, and comes back in vain; other rights let it come back."""
    try:
        for users, status in ((SECTION.format(read="call"), 0), ("other=secret\n", 401)):
            with EventSource(web, ANNA) as source:
                source.until("hello")
                web.write_users(users)
                web.process.send_signal(signal.SIGHUP)

                assert source.until("bye").document["reason"] == "rights"
                assert source.hear() is None
            if status:
                with pytest.raises(RefusedError) as caught:
                    EventSource(web, ANNA)
                assert caught.value.status == status
    finally:
        web.write_users(USERS)
        web.process.send_signal(signal.SIGHUP)
        wait_until(lambda: can_log_in(web), 20, "anna is back")


def can_log_in(web: ProxyProcess) -> bool:
    """Return whether anna may come in."""
    try:
        with EventSource(web, ANNA):
            return True
    except RefusedError:
        return False


def ask(web: ProxyProcess, **fields: str) -> tuple[int, dict[str, Any]]:
    """Return status and document of /v1/events."""
    connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=PATIENCE)
    connection.request("GET", f"/v1/events?{urlencode(fields)}", headers=ANNA)
    response = connection.getresponse()
    found = response.status, json.loads(response.read())
    connection.close()
    return found


def texts(document: dict[str, Any]) -> list[str]:
    """Return the header X of each event."""
    return [each["event"]["X"] for each in document["events"]]


def test_events_can_be_asked_for(web: ProxyProcess, asterisk: SimulatedAsterisk) -> None:
    """In portions, by an id that goes on; who waits is answered with the first that comes."""
    status, begun = ask(web, event="UserEvent")
    assert (status, begun["events"], begun["more"]) == (200, [], False)
    for text in "abc":
        asterisk.event("UserEvent", "user,all", X=text)
    asterisk.event("Newstate", "user,all")
    got: list[str] = []
    at, more = begun["at"], True
    while more or len(got) < 3:
        _, told = ask(web, event="UserEvent", since=at, limit="2", wait="5")
        got, at, more = got + texts(told), told["at"], told["more"]
    assert got == ["a", "b", "c"]

    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(ask, web, event="UserEvent", since=at, wait="25")
        tell(asterisk, "UserEvent", X="d")
        assert texts(waiting.result(PATIENCE)[1]) == ["d"]
    assert ask(web, event="UserEvent", since=at, server="pbx9")[0] == 404
    for wrong in ({"limit": "0"}, {"wait": "26"}, {"wait": "x"}, {"since": "x"}, {"evnt": "x"}):
        assert ask(web, **wrong)[0] == 400


def test_who_waits_is_let_go_when_the_token_is_taken_out(
    web: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """As a stream is."""
    try:
        with ThreadPoolExecutor(1) as pool:
            before = len(web.log())
            waiting = pool.submit(ask, web, event="Nothing", wait="25")
            wait_until(lambda: "Connection received" in web.log()[before:], 20, "the request")
            web.write_users("other=secret\n")
            web.process.send_signal(signal.SIGHUP)
            wait_until(lambda: not can_log_in(web), 20, "the reload")
            status, told = waiting.result(PATIENCE)
    finally:
        web.write_users(USERS)
        web.process.send_signal(signal.SIGHUP)
        wait_until(lambda: can_log_in(web), 20, "anna is back")

    assert (status, told["type"]) == (401, "/v1/problems/login-required")
