# SPDX-License-Identifier: GPL-2.0-or-later
"""The thread of one Asterisk, which is a socket pair here: it comes, goes, or is mute."""

from __future__ import annotations

import queue
import socket
import threading
from typing import TYPE_CHECKING, Any, Callable, cast

import pytest

from amiproxy.errors import PeerGone
from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.pending import PendingAction
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.threads.asterisk import LASTING, AsteriskServer
from amiproxy.threads.net.transport import Transport
from amiproxy.threads.sessions.origins import Origins
from amiproxy.threads.sessions.submitted import Submitted
from amiproxy.threads.share import Alone
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amiproxy.routing.plainanswers import PlainAnswer
    from amiproxy.threads.net.dial import Route
    from amiproxy.threads.net.flusher import Flusher
    from amiproxy.threads.sessions.crowd import Crowd
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.wire.batch import Batch

BANNER = b"Asterisk Call Manager/11.0.0\r\n"
ACCEPTED = b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
BOOTED = b"Event: FullyBooted\r\nPrivilege: system,all\r\n\r\n"
NUMBER = 7  # of some client


class Listening:
    """An audience that keeps what it is told."""

    keeps_calls = True
    filtering = False
    path = str  # none

    def __init__(self) -> None:
        self.origins = Origins(tuple)
        self.batches: queue.Queue[Batch] = queue.Queue()
        self.forgotten: list[str] = []
        self.error: Exception | None = None  # what publish raises, once

    def publish(self, batch: Batch) -> None:
        error, self.error = self.error, None
        if error is not None:
            raise error
        self.batches.put(batch)

    def gather(self, link: AsteriskLink) -> Crowd:
        del link
        return cast("Crowd", self)

    def disperse(self, crowd: Crowd) -> None:
        assert isinstance(crowd, Listening)

    hand_out = publish

    def sort_in(self) -> None: ...

    def forget(self, scope: str) -> None:
        self.forgotten.append(scope)

    def answer(self, number: int, answers: Sequence[PlainAnswer]) -> bool:
        """Have all come in batches."""
        del number, answers
        return False

    def answered(self, number: int, untold: str = "") -> None: ...


class Asterisk:
    """The far end of every connection that the server makes."""

    def __init__(self, flusher: Flusher) -> None:
        self.calls = 0
        self.routes: list[Route] = []
        self.refuses = 0  # connections that fail from now on
        self._flusher = flusher
        self._links: queue.Queue[socket.socket] = queue.Queue()
        self._sockets: list[socket.socket] = []

    def connect(self, _spec: object, _config: object, route: Route) -> Transport:
        """Make a connection, as dial.connect does."""
        self.calls += 1
        if self.refuses:
            self.refuses -= 1
            raise PeerGone("cannot connect: Connection refused")
        ours, theirs = socket.socketpair()
        theirs.settimeout(10)
        self._sockets.append(theirs)
        self._links.put(theirs)
        self.routes.append(route)
        route.reached("192.0.2.1")
        return Transport(
            ours, "the connection", flusher=self._flusher, write_timeout=5.0, max_backlog=1 << 20
        )

    def link(self) -> socket.socket:
        """Return the next connection."""
        return self._links.get(timeout=10)

    def log_in(self, answer: bytes = ACCEPTED + BOOTED) -> socket.socket:
        """Return the next connection, once it has been logged in."""
        link = self.link()
        link.sendall(BANNER)
        assert read_block(link)[0] == "Action: Login"
        link.sendall(answer)
        return link

    def close(self) -> None:
        for sock in self._sockets:
            sock.close()


def read_block(sock: socket.socket) -> list[str]:
    """Return the lines of the next block on *sock*; what follows it is left there."""
    data = b""
    while not data.endswith(b"\r\n\r\n"):
        more = sock.recv(1)
        assert more, data
        data += more
    return data.decode().split("\r\n")[:-2]


class Stage:
    """A server, its Asterisk and its audience."""

    def __init__(self, flusher: Flusher, events: str, config: dict[str, Any]) -> None:
        self.asterisk = Asterisk(flusher)
        self.audience = Listening()
        self._ids = ActionIds()
        settings: dict[str, Any] = {"retry_interval": 0.01, "keepalive": 0.0, **config}
        lasting = settings.pop("lasting", LASTING)
        self.asterisk.refuses = settings.pop("refuses", 0)
        spec = ServerSpec("pbx", 5038, "ann", "secret", events, False)
        self.server = AsteriskServer(
            Config(**settings), self._ids, self.audience,
            Alone(spec, self._ids, self.audience), connect=self.asterisk.connect, late_poll_interval=0.01,
            lasting=lasting,
        )  # fmt: skip
        self.link = self.server.link
        self.server.start()

    def heard(self) -> bytes:
        """Return the next batch as it goes to clients."""
        return self.audience.batches.get(timeout=10).wire

    def live(self) -> socket.socket:
        """Log in and return the connection; FullyBooted has been heard."""
        link = self.asterisk.log_in()
        assert self.heard().startswith(b"Event: FullyBooted")
        return link

    def submit(self, *lines: str, **request: Any) -> bool:
        """Send an action for the client of that number."""
        self.wire_id = self._ids.make(NUMBER, "a")
        raw = Message.of(*lines, f"ActionID: {self.wire_id}").raw
        action = PendingAction(NUMBER, raw, self.wire_id, "a", **request)
        return self.link.submit(action) is Submitted.TAKEN

    def answer(self, link: socket.socket, text: str) -> None:
        """Answer what was submitted last."""
        link.sendall(f"Response: Success\r\nActionID: {self.wire_id}\r\n{text}\r\n\r\n".encode())


@pytest.fixture
def stage(flusher: Flusher) -> Iterator[Callable[..., Stage]]:
    """Start a server; it ends with the test."""
    stages: list[Stage] = []

    def start(events: str = "on", **config: Any) -> Stage:
        stages.append(Stage(flusher, events, config))
        return stages[-1]

    yield start
    for each in stages:
        each.server.stop("over")
        each.asterisk.close()
        each.server.join(10)
    assert not any(thread.name == "asterisk-pbx:5038" for thread in threading.enumerate())


def test_it_logs_in_and_publishes_what_asterisk_says(stage: Callable[..., Stage]) -> None:
    """Each message with the server's name; nothing before FullyBooted."""
    play = stage()
    link = play.asterisk.link()
    link.sendall(BANNER)
    assert read_block(link) == ["Action: Login", "Username: ann", "Secret: secret", "Events: on"]
    link.sendall(ACCEPTED + b"Event: TooEarly\r\n\r\n")
    assert not play.link.connected
    link.sendall(BOOTED)

    assert play.heard() == b"Event: FullyBooted\r\nPrivilege: system,all\r\nServer: pbx\r\n\r\n"
    assert play.link.connected
    assert play.link.address == "192.0.2.1"
    link.sendall(b"Event: Hangup\r\nPrivilege: call,all\r\n\r\n")
    assert play.heard() == b"Event: Hangup\r\nPrivilege: call,all\r\nServer: pbx\r\n\r\n"


def test_an_answer_belongs_to_whoever_asked(stage: Callable[..., Stage]) -> None:
    """Until it comes, the session is waited for."""
    play = stage()
    link = play.live()
    assert play.submit("Action: Ping")
    assert read_block(link) == ["Action: Ping", f"ActionID: {play.wire_id}"]
    assert play.link.unanswered(NUMBER)

    play.answer(link, "Ping: Pong")

    batch = play.audience.batches.get(timeout=10)
    assert [item.owner for item in batch.items] == [NUMBER]
    assert not play.link.unanswered(NUMBER)


def test_a_lost_connection_is_made_again(stage: Callable[..., Stage]) -> None:
    """Those who asked are told that no answer comes, and calls are forgotten."""
    play = stage()
    link = play.live()
    play.submit("Action: Ping")

    link.close()

    lost = play.audience.batches.get(timeout=10)
    assert [item.message.get("Message") for item in lost.items] == ["Server pbx is not connected"]
    assert [(item.owner, item.private) for item in lost.items] == [(NUMBER, True)]
    assert play.audience.forgotten == ["pbx:5038"]
    play.live()
    assert play.submit("Action: Ping")


def test_nothing_goes_up_while_there_is_no_login(stage: Callable[..., Stage]) -> None:
    """The client gets an error instead."""
    play = stage()
    play.asterisk.link()

    assert not play.submit("Action: Ping")
    assert not play.link.unanswered(NUMBER)


def test_a_refused_login_is_not_tried_again(
    stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture
) -> None:
    """The thread ends; the log names the user, never the secret."""
    play = stage()
    play.asterisk.log_in(b"Response: Error\r\nMessage: Authentication failed\r\n\r\n")

    play.server.join(10)

    assert play.link.given_up
    assert play.asterisk.calls == 1
    text = "log-in of ann refused: Authentication failed; given up until SIGHUP or AddServer"
    assert caplog.messages[-1] == f"asterisk@pbx:5038: {text}"


def test_a_silent_asterisk_is_pinged_and_left_if_it_does_not_answer(
    stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture
) -> None:
    """Its answer is nobody's; without one there is a new connection."""
    play = stage(keepalive=0.02)
    play.link.ledger.patience = lambda *_: 1.0  # type: ignore[method-assign]  # we may be slow
    link = play.live()
    for _ in range(2):
        action, action_id = read_block(link)
        assert action == "Action: Ping"
        link.sendall(f"Response: Success\r\n{action_id}\r\nPing: Pong\r\n\r\n".encode())
    del play.link.ledger.patience

    play.asterisk.log_in()

    assert "a Ping was not answered; trying again" in caplog.text
    assert play.heard().startswith(b"Event: FullyBooted")


def test_an_asterisk_that_makes_a_call_may_be_silent(stage: Callable[..., Stage]) -> None:
    """A synchronous Originate serves nobody on this connection while it rings."""
    play = stage(keepalive=0.02)
    link = play.live()
    play.submit("Action: Originate", synchronous=True, ringing=float("inf"))
    assert read_block(link)[0] == "Action: Originate"
    while play.link.connected and read_block(link)[0] != "Action: Ping":
        pass

    link.settimeout(0.1)  # five times the keepalive: neither an end nor another Ping
    with pytest.raises(socket.timeout):
        link.recv(1)


def test_an_originate_whose_response_is_late_is_answered(
    stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture
) -> None:
    """Our user may lack the class ``call``: nobody waits for ever, and the log asks for it."""
    play = stage()
    link = play.live()
    play.submit("Action: Originate", held_back=True)
    read_block(link)
    play.answer(link, "Message: queued")

    (item,) = play.audience.batches.get(timeout=10).items
    assert (item.owner, item.message.get("Response")) == (NUMBER, "Success")
    wait_until(lambda: "does its user have call in read?" in caplog.text)


def test_a_stop_logs_off_and_ends_the_thread(stage: Callable[..., Stage]) -> None:
    """Asterisk reads the Logoff before the end."""
    play = stage()
    link = play.live()

    play.server.stop("Shutdown")
    play.server.join(10)

    assert read_block(link)[0] == "Action: Logoff"
    assert link.recv(1) == b""
    assert not play.link.has_connection


def test_a_bug_costs_the_connection_only(
    stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture
) -> None:
    """It is logged, and there is a new connection."""
    play = stage()
    link = play.live()
    play.audience.error = ValueError("oops")

    link.sendall(b"Event: Hangup\r\nPrivilege: call,all\r\n\r\n")
    play.live()

    assert "asterisk@pbx:5038: bug in the proxy" in caplog.messages


def test_a_reload_reaches_the_connection_there_is(stage: Callable[..., Stage]) -> None:
    """A shorter keepalive counts after the next message."""
    play = stage()
    link = play.live()

    play.server.configure(Config(keepalive=0.01, server_write_timeout=9.0))
    link.sendall(b"Event: Hangup\r\nPrivilege: call,all\r\n\r\n")

    assert read_block(link)[0] == "Action: Ping"
