# SPDX-License-Identifier: GPL-2.0-or-later
"""The router: batches to the sessions they are for, actions to the server they are for."""

from __future__ import annotations

import itertools
import re
import threading
from typing import TYPE_CHECKING

import pytest

from amiproxy.access.user import User
from amiproxy.formats import Limits, load_formats
from amiproxy.message import Message
from amiproxy.routing.actionids import KEY_LENGTH
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.routing.pending import PendingAction
from amiproxy.routing.turns import WINDOW
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.servers import are_same
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.sessions.streamsession import StreamSession
from amiproxy.wire.batch import Batch, BatchKind
from amiproxy.wire.routed import Routed
from tests.support import ROOT, wait_until

if TYPE_CHECKING:
    import socket

    from tests.threads.conftest import MakePair

FORMATS = load_formats(ROOT / "handlers")
LIMITS = Limits(1024, 128, 65536)
EVENT = Message.of("Event: Hangup", "Privilege: call,all")
ANSWER = Message.of("Response: Success", "Ping: Pong")


class Stage:
    """A router, its servers and its clients, each with the socket of its other side."""

    def __init__(self, pair: MakePair) -> None:
        self.router = Router(SessionRegistry())
        self._pair = pair
        self._ports = itertools.count(5038)

    def server(
        self, host: str, *, connected: bool = True, events: str = "on"
    ) -> tuple[AsteriskLink, socket.socket]:
        spec = ServerSpec(host, next(self._ports), "ann", "secret", events, False)
        link = AsteriskLink(spec, self.router.ids)
        transport, theirs = self._pair()
        link.set_address(f"192.0.2.{len(self.router.servers) + 1}")
        link.open(transport)
        if connected:
            link.go_live()
        self.router.servers += (link,)
        return link, theirs

    def client(self, mode: AutoFilter = AutoFilter.UNIQUE) -> tuple[StreamSession, socket.socket]:
        transport, theirs = self._pair()
        session = StreamSession(
            transport, "192.0.2.9", mode=mode, guarded=False,
            input_name="standard", output=FORMATS["standard"], filter_local="on",
        )  # fmt: skip
        self.router.registry.add(session)
        return session, theirs

    def forward(self, session: StreamSession, *lines: str, hold_back: bool = False) -> str | None:
        """Send an action; return why it could not go."""
        problem = self.router.forward(session, Message.of(*lines), LIMITS, hold_back=hold_back)
        return None if problem is None else problem.get("Message")


@pytest.fixture
def stage(pair: MakePair) -> Stage:
    return Stage(pair)


def silent(sock: socket.socket) -> bool:
    """Return whether nothing has come; whoever sends has done so already."""
    sock.setblocking(False)
    try:
        sock.recv(1)
    except BlockingIOError:
        return True
    return False


def test_events_go_to_every_session(stage: Stage) -> None:
    """In whatever mode, as bytes."""
    ends = [stage.client(mode)[1] for mode in AutoFilter]

    stage.router.publish(Batch.of_items("pbx", [Routed(EVENT)]))

    assert [end.recv(1000) for end in ends] == [EVENT.raw] * 3


def test_answers_go_to_whoever_asked_and_to_those_that_see_all(stage: Stage) -> None:
    """With autofilter unique, only one's own."""
    owner, owns = stage.client()
    _, other = stage.client()
    _, sees_all = stage.client(AutoFilter.OFF)

    stage.router.publish(Batch.of_items("pbx", [Routed(ANSWER, owner=owner.number)]))

    assert owns.recv(1000) == ANSWER.raw
    assert sees_all.recv(1000) == ANSWER.raw
    assert silent(other)


def test_an_answer_to_a_client_that_has_left_is_for_nobody(stage: Stage) -> None:
    """Its number is never used again."""
    owner, _ = stage.client()
    _, other = stage.client()
    stage.router.registry.discard(owner)

    stage.router.publish(Batch.of_items("pbx", [Routed(ANSWER, owner=owner.number)]))

    assert silent(other)


def test_an_action_goes_to_the_first_server_that_is_connected(stage: Stage) -> None:
    """With an ActionID of the proxy, so that the answer finds its way back."""
    stage.server("one", connected=False)
    link, two = stage.server("two")
    session, _ = stage.client()

    assert stage.forward(session, "Action: Ping", "ActionID: a") is None

    sent = rb"Action: Ping\r\nActionID: amp%d-[^-]{18}-a\r\n\r\n"
    assert re.fullmatch(sent % session.number, two.recv(1000))
    assert link.unanswered(session.number) == 1


@pytest.mark.parametrize("name", ["two", "TWO", " two ", "192.0.2.2", "two:5039"])
def test_a_client_may_name_the_server(stage: Stage, name: str) -> None:
    """By host, address, or either with the port; in any case."""
    stage.server("one")
    _, two = stage.server("two")
    session, _ = stage.client()

    assert stage.forward(session, "Action: Ping", f"Server: {name}") is None

    assert two.recv(1000).startswith(b"Action: Ping\r\n")


def test_a_user_reaches_their_servers_only(stage: Stage) -> None:
    """The first that is connected, or the one they name; another is refused, and gets nothing."""
    _, one = stage.server("one")
    gone, _ = stage.server("two", connected=False)
    _, three = stage.server("three")
    stage.server("four", connected=False)
    session, _ = stage.client()
    session.log_in(bob("two", "three", "192.0.2.4"), None)

    assert stage.forward(session, "Action: Ping") is None
    assert three.recv(1000).startswith(b"Action: Ping\r\n")
    assert stage.forward(session, "Action: Ping", "Server: THREE") is None
    assert three.recv(1000).startswith(b"Action: Ping\r\n")
    for name in ("one", "five", "192.0.2.1"):
        problem = f"Server {name} is not open to this user"
        assert stage.forward(session, "Action: Ping", f"Server: {name}") == problem
    for name in ("two", gone.address, "four"):
        problem = f"Server {name} is not connected"
        assert stage.forward(session, "Action: Ping", f"Server: {name}") == problem
    assert silent(one)
    session.log_in(bob("two"), None)
    assert stage.forward(session, "Action: Ping") == "Server two is not connected"
    session.log_in(bob("two", "four"), None)
    assert stage.forward(session, "Action: Ping") == "Server four or two is not connected"


def bob(*servers: str) -> User:
    return User("bob", "secret", servers=frozenset(servers))


@pytest.mark.parametrize("mode", AutoFilter)
def test_what_a_user_s_other_servers_say_is_withheld(stage: Stage, mode: AutoFilter) -> None:
    """Events, answers to others, notices; not what comes from theirs, whatever it is called."""
    session, theirs = stage.client(mode)
    everybody, all_of_it = stage.client(mode)
    session.log_in(bob("two", "192.0.2.9"), None)
    owner, _ = stage.client()
    events = Batch("pbx", EVENT.raw)
    answer = Batch.of_items("pbx", [Routed(ANSWER, owner=owner.number)])
    mixed = Batch.of_items("pbx", [Routed(EVENT), Routed(ANSWER, owner=owner.number)])
    notice = Batch("pbx", EVENT.raw, [Routed(EVENT)], kind=BatchKind.NOTICE)
    for batch in (events, answer, mixed, notice):
        for names, are_seen in (
            ({"one", "192.0.2.1"}, False),
            ({"two", "192.0.2.2"}, True),
            ({"nine", "192.0.2.9"}, True),
        ):
            batch.names = frozenset(names)

            stage.router.publish(batch)

            seen = received(all_of_it)
            assert received(theirs) == (seen if are_seen else b"")
    assert everybody.event_count == 3 * session.event_count // 2


def received(sock: socket.socket) -> bytes:
    """Return what has come; whoever sends has done so already."""
    sock.setblocking(False)
    try:
        return sock.recv(1000)
    except BlockingIOError:
        return b""


def test_a_user_s_own_answers_come_from_wherever_they_asked(stage: Stage) -> None:
    """A server may have been called otherwise meanwhile; nothing else of it is shown."""
    session, theirs = stage.client(AutoFilter.OFF)
    session.log_in(bob("two"), None)
    owner, _ = stage.client()
    items = [Routed(EVENT), Routed(ANSWER, owner=session.number), Routed(EVENT, owner=owner.number)]
    batch = Batch.of_items("pbx", items)
    batch.names = frozenset({"one"})

    stage.router.publish(batch)

    assert theirs.recv(1000) == ANSWER.raw


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        (["Action: Ping"], "No Asterisk server connected"),
        (["Action: Ping", "Server: one"], "Server one is not connected"),
        (["Action: Ping", "Server: three"], "Server three is not connected"),
    ],
)
def test_without_a_server_the_client_is_told(stage: Stage, lines: list[str], problem: str) -> None:
    """And nothing is waited for."""
    link, _ = stage.server("one", connected=False)
    session, _ = stage.client()

    assert stage.forward(session, *lines) == problem
    assert not link.unanswered(session.number)


def test_what_asterisk_would_cut_is_refused_here(stage: Stage) -> None:
    """A line that is too long for it."""
    _, one = stage.server("one")
    session, _ = stage.client()

    problem = stage.forward(session, "Action: Ping", "X: " + "x" * 2000)

    assert problem is not None
    assert problem.startswith("Line too long")
    assert silent(one)


@pytest.mark.parametrize(("events", "held"), [("on", True), ("system,user", False)])
def test_an_originate_is_held_back_only_if_its_event_will_come(
    stage: Stage, events: str, held: bool
) -> None:
    """A server without call events would never tell how it ended."""
    _, one = stage.server("one", events=events)
    session, _ = stage.client()

    stage.forward(session, "Action: Originate", "Channel: x", "Application: Wait", hold_back=True)

    assert (b"Async: true" in one.recv(1000)) is held


@pytest.mark.parametrize(
    ("host", "port", "same"),
    [("one", 5038, True), ("one", 5039, False), ("192.0.2.1", 5038, True),
     ("two", 5038, False)],
)  # fmt: skip
def test_the_same_server_is_told_by_host_or_address_and_port(
    stage: Stage, host: str, port: int, same: bool
) -> None:
    """So that AddServer does not connect twice."""
    one, _ = stage.server("one")
    other = AsteriskLink(ServerSpec(host, port, "u", "s", "on", False), stage.router.ids)

    assert are_same(one, other) is same
    assert are_same(other, one) is same


def test_who_waits_for_answers_waits_for_a_call_that_begins_meanwhile(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An Originate may wait for its turn, and so begin when others have rung for long."""
    link, _ = stage.server("pbx1")
    session, _ = stage.client()
    originate = ("Action: Originate", "Channel: SIP/1", "Application: Wait", "Timeout: 300000")
    blocking = PendingAction(-1, b"x" * WINDOW, "amp9-" + "x" * KEY_LENGTH)
    link.submit(blocking)
    stage.forward(session, *originate, hold_back=True)
    told: list[float] = []

    def patience(number: int, now: float) -> float:
        told.append(AsteriskLink.patience(link, number, now))
        if len(told) == 1:
            with link.lock:
                link.ledger.abandon()
                link.advance()
        return told[-1]

    monkeypatch.setattr(link, "patience", patience)
    waiting = threading.Thread(target=stage.router.await_answers, args=(session, 0.05))

    waiting.start()

    wait_until(lambda: len(told) == 3)

    assert told[0] == 0
    assert min(told[1:]) > 300
    assert waiting.is_alive()
    session.end("the test is over")
    waiting.join(5.0)
    assert not waiting.is_alive()
