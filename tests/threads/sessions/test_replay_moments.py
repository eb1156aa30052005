# SPDX-License-Identifier: GPL-2.0-or-later
"""What comes at the very moment at which a client begins, or ends, to be sent what it has missed."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.message import Message
from amiproxy.threads.sessions.listed import Handed, ListedSession
from amiproxy.threads.sessions.replay import held
from tests.support import wait_until
from tests.threads.sessions.replays import Client, Server, World, check

if TYPE_CHECKING:
    from amiproxy.threads.sessions.callindex import CallIndex
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.listed import Stance
    from amiproxy.wire.batch import Batch


class Gate(ListedSession):
    """A session that stops the server's thread when a batch is handed to it."""

    mode = None
    allowed = hears = True
    callfilter = None

    def __init__(self, world: World) -> None:
        self.number = -10  # no client has it
        self.lock = threading.Lock()
        self.is_closed = False
        self.reached, self.opened = threading.Event(), threading.Event()
        world.context.registry.add(self)  # type: ignore[arg-type]

    def stance(self, index: CallIndex, link: AsteriskLink) -> Stance:
        del index, link
        return Handed.EVERYTHING

    def deliver(self, batch: Batch) -> None:
        """Wait until it is opened."""
        del batch
        if self.is_closed:
            self.reached.set()
            assert self.opened.wait(20)

    def stops(self, server: Server) -> threading.Thread:
        """Have *server* say something and be stopped here; return its thread."""
        self.is_closed = True
        thread = threading.Thread(target=server.say, args=(1,))
        thread.start()
        assert self.reached.wait(20)
        return thread

    def open(self, thread: threading.Thread) -> None:
        """Let the server's *thread* go on, and end."""
        self.is_closed = False
        self.opened.set()
        thread.join(20)


def known(world: World) -> Client:
    """Return a client of *world* that has been told an id."""
    client = Client(world).join()
    client.act("ProxyAction: SetEventIDs", "EventIDs: on")
    client.read()
    return client


def back_slowly(client: Client, meanwhile: Callable[[], object]) -> None:
    """Have *client* come back, and *meanwhile* happen once while it is sent what it has missed."""
    client.join("off")
    client.wire.is_slow, client.wire.max_backlog = True, 400
    client.wire.while_waiting = once(meanwhile)
    client.resume()
    client.wire.is_slow, client.wire.backlog = False, 0


def once(call: Callable[[], object]) -> Callable[[], object]:
    """Return what calls *call* the first time."""
    left = [call]
    return lambda: left.pop()() if left else None


def expects(client: Client, server: Server) -> None:
    """Expect that *client* knows of all that *server* has said, and of more that comes."""
    server.say(1)
    client.read()
    assert check(client.told, server) == len(server.said)


def missed(world: World) -> Client:
    """Return a client that has missed some batches of the first server."""
    client = known(world)
    client.leave()
    for _ in range(5):
        world.servers[0].say(2)
    return client


def test_a_batch_that_was_replayed_is_not_sent_when_it_arrives() -> None:
    """It was on its way to all clients when the client was let go."""
    world = World("pbx")
    (server,) = world.servers
    client = missed(world)
    threads: list[threading.Thread] = []

    def meanwhile() -> None:
        gates.append(Gate(world))  # the newest: it is before the client
        threads.append(gates[0].stops(server))

    gates: list[Gate] = []
    back_slowly(client, meanwhile)
    gates[0].open(threads[0])

    expects(client, server)


def test_a_snapshot_stands_at_one_place_among_the_events() -> None:
    """Also without ids; what is on its way meanwhile comes behind it, once."""
    world = World("pbx")
    (server,) = world.servers
    client = Client(world).join()
    server.say(1)
    session = client.session
    assert session is not None
    with held(session, world.context) as hold:
        at = hold.position()
        server.say(2)
        server.say(1)
        hold.advance({server.link: (at[server.link][0], 3)})
        hold.say(Message.of("Event: Tick", "N: snapshot"))
        gate = Gate(world)  # the newest: it is before the client
        speaker = gate.stops(server)
    gate.open(speaker)
    server.say(1)
    client.read()

    assert client.ticks() == ["1 1", "1 2", "1 3", "snapshot", "1 4", "1 5", "1 6"]
    assert session.track is None  # and its events go the short way again
    assert not any(message.has("ProxyEventID") for message in client.told)


def test_a_batch_that_came_too_early_is_replayed() -> None:
    """It was handed to the client while that was held, and is still on its way to others."""
    world = World("pbx")
    (server,) = world.servers
    gate = Gate(world)  # the oldest: it is behind the client
    client = missed(world)
    threads: list[threading.Thread] = []

    back_slowly(client, lambda: threads.append(gate.stops(server)))
    client.read()
    before = len(client.ticks())
    gate.open(threads[0])

    assert before == len(server.said)
    expects(client, server)
    assert not [tick for tick in client.ticks() if tick.startswith("gap")]


def test_ids_wait_for_a_batch_that_is_on_its_way() -> None:
    """Nobody can tell whether the client has had it."""
    world = World("pbx")
    (server,) = world.servers
    client = Client(world).join()
    gate = Gate(world)
    speaker = gate.stops(server)
    asking = threading.Thread(target=client.act, args=("ProxyAction: SetEventIDs", "EventIDs: on"))
    asking.start()
    session = client.session
    assert session is not None
    wait_until(lambda: session.track is not None)
    asking.join(0.05)  # it would have ended, if it did not wait
    gate.open(speaker)
    asking.join(20)

    client.leave()
    assert client.ticks() == ["1 1"]
    client.join("off")
    client.resume()
    expects(client, server)


def test_a_server_that_takes_long_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client is told, and goes on without ids."""
    monkeypatch.setattr("amiproxy.threads.sessions.replay.LONGEST", 0.02)
    world = World("pbx")
    (server,) = world.servers
    client = Client(world).join()
    gate = Gate(world)
    speaker = gate.stops(server)
    client.act("ProxyAction: SetEventIDs", "EventIDs: on")
    gate.open(speaker)
    server.say(1)
    client.read()

    assert client.told[-3].lines == ("ProxyResponse: Error", "Message: A server is busy, try again")
    assert client.ticks() == ["1 1", "1 2"]
    assert not client.told[-1].has("ProxyEventID")


def test_a_ring_that_is_switched_off_and_on_again_is_read_on() -> None:
    """SIGHUP may do so while a client is sent what it has missed."""
    world = World("pbx")
    (server,) = world.servers
    client = missed(world)

    def meanwhile() -> None:
        server.link.remember(0, 3600.0)
        server.say(1)
        server.link.remember(10**6, 3600.0)
        server.say(1)

    back_slowly(client, meanwhile)
    expects(client, server)


class Moments:
    """A lock that has something happen before the client's thread takes it the *turn*-th time."""

    def __init__(self, turn: int, call: Callable[[], object]) -> None:
        self._lock = threading.Lock()
        self._turn, self._call = turn, call
        self.is_over = False
        self.locked = self._lock.locked

    def __enter__(self) -> None:
        self._turn -= 1
        if self._turn == 0 and not self.is_over:
            self.is_over = True
            self._call()
        self._lock.acquire()

    def __exit__(self, *_: object) -> None:
        self._lock.release()


@pytest.mark.parametrize("ring", [0, 1000, 10**6])
@pytest.mark.parametrize("reconnects", [False, True])
@pytest.mark.parametrize("login", ["off", "on", ""])
def test_an_event_at_any_moment_is_sent_once(login: str, reconnects: bool, ring: int) -> None:
    """Whatever the client's thread is about to do."""
    for turn in range(1, 25):
        world = World("pbx", ring=ring)
        (server,) = world.servers
        client = missed(world)

        def happens(server: Server = server) -> None:
            if reconnects:
                server.connect()
            server.say(1)

        client.lock = moments = Moments(turn, happens)
        client.join(login)
        client.resume()
        moments.is_over = True
        server.say(1)
        client.read()
        if login == "on":
            assert_all_once(client, server)
        else:
            assert check(client.told, server) == len(server.said), turn


def assert_all_once(client: Client, server: Server) -> None:
    """Expect each event once, in whatever order, but for as many as gaps say."""
    ticks = client.ticks()
    shown = [tick for tick in ticks if not tick.startswith("gap")]
    assert len(set(shown)) == len(shown), ticks
    missing = len(server.said) - len(shown)
    gaps = [tick.split() for tick in ticks if tick.startswith("gap")]
    if not any(gap[1] == "unknown" and gap[2] == "ring" for gap in gaps):
        assert missing == sum(int(gap[1]) for gap in gaps if gap[1] != "unknown"), ticks
