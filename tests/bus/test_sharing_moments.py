# SPDX-License-Identifier: GPL-2.0-or-later
"""Moments in the life of proxies that share an Asterisk, each of which has one right outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest

from amiproxy.bus.entries import DOWN, TAKEN, UP, Entry, encode_entry
from amiproxy.bus.states import taken
from amiproxy.message import END, Message
from tests.bus.sharingbus import LEASE
from tests.bus.sharinghouse import RINGS, TIMEOUT, House

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.bus.sharingpeople import Person
    from tests.bus.sharingworld import Server


class Pair(House):
    """Two proxies, of which the first holds the one Asterisk, and clients of both."""

    def __init__(self) -> None:
        super().__init__(_SEED, lossless=False)
        assert len(self.nodes) == 2
        assert len(self.asterisks) == 1
        self.config = self.made_config(True, RINGS[-1])
        for node in self.nodes:
            node.configure(self.config)
        self.calm(12)
        (self.asterisk,) = self.asterisks
        self.holder, self.reader = [node.servers[self.asterisk.name] for node in self.nodes]
        assert self.reader.link.reading
        assert not self.holder.link.reading
        for person in self.people:
            person.client.drain()

    def plain(self, server: Server) -> Person:
        """Return the client of the proxy of *server* that sees everything, without ids."""
        return next(
            each for each in self.people
            if each.node is server.node and each.judge is not None and not each.judge.ids
        )  # fmt: skip

    def ask(self, server: Server, action: str, *lines: str) -> Person:
        """Have that client ask *action*, with the ActionID of its name."""
        person = self.plain(server)
        server.node.enter()
        person.client.act(f"Action: {action}", f"ActionID: {action}", "Server: one", *lines)
        return person

    def told(self, server: Server) -> list[Message]:
        """Return what that client was told since the last time."""
        data = self.plain(server).client.drain()
        return [Message(part + END) for part in data.split(END)[:-1]]

    def events(self, server: Server) -> list[str]:
        """Return the names of the events that it was told."""
        return [each.get("Event") for each in self.told(server) if each.has("Event")]


#: Two proxies and one Asterisk.
_SEED = 1


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two proxies."""
    made = Pair()
    yield made
    made.close()


def test_a_tenure_whose_first_entry_is_lost_is_given_up(pair: Pair) -> None:
    """Redis forgets it before the server's thread has read it: else nobody would ever connect."""
    pair.holder.node.keeper.give_up(pair.holder.scope)
    pair.holder.run()
    while not any(each.node.keeper.tenures for each in (pair.holder, pair.reader)):
        for node in pair.nodes:
            node.run_keeper()
            node.outbox.flush()
    for node in pair.nodes:
        node.run_keeper()
    pair.bus.streams.clear()

    pair.calm(60)

    assert pair.holder.link.connected
    assert pair.reader.link.connected
    assert len(pair.asterisk.connections) == 1


def test_who_reads_is_told_of_a_connection_whose_beginning_is_lost(pair: Pair) -> None:
    """Neither that the one before is over nor that this one is there has come."""
    pair.holder.node.configure(pair.made_config(False, RINGS[-1]))
    queue = pair.holder.node.outbox.queue
    assert pair.holder.connection is not None
    pair.holder.connection.is_open = False
    pair.holder.run()
    pair.clock.pass_on(1.1)
    pair.holder.run()
    queue[:] = [each for each in queue if each[2][5:6] not in (DOWN, UP)]
    pair.holder.node.outbox.flush()
    pair.calm(1)

    assert pair.events(pair.reader) == ["ProxyGap", "FullyBooted"]


def test_nothing_is_handed_out_when_the_lease_may_be_over(pair: Pair) -> None:
    """What was asked ends; it may have been carried out."""
    pair.ask(pair.holder, "Ping")
    pair.listen()
    pair.clock.pass_on(LEASE)
    pair.asterisk.answer(1)
    pair.asterisk.say(1)
    pair.holder.run()

    assert not pair.holder.link.connected
    answer, *rest = pair.told(pair.holder)
    assert answer.get("CarriedOut") == "perhaps"
    assert [each.get("Event") for each in rest] == ["ProxyServerLost"]


def test_nothing_is_asked_when_the_lease_may_be_over(pair: Pair) -> None:
    """The client is told at once that nothing was carried out."""
    pair.clock.pass_on(LEASE)
    pair.ask(pair.holder, "Ping")
    pair.listen()

    assert "Ping" not in [message.get("Action") for _, message, _, _ in pair.asterisk.heard]
    assert pair.told(pair.holder)[0].get("Response") == "Error"


def test_what_is_not_answered_is_refused_by_who_holds_the_server(pair: Pair) -> None:
    """In its words, and in the time that is configured; who has asked waits a little longer."""
    pair.ask(pair.reader, "Silence")
    pair.calm(2)
    for _ in range(round(TIMEOUT) + 1):
        pair.calm(1, 1.0)
        pair.tend()
    pair.calm(1)

    (answer,) = pair.told(pair.reader)
    assert answer.get("Message").endswith("did not answer in time")
    assert not pair.reader.link.record.timeouts


def test_what_another_proxy_has_passed_over_is_over(pair: Pair) -> None:
    """Asterisk has answered what was asked later: the first action is unanswered no more."""
    person = pair.ask(pair.reader, "Silence")
    pair.ask(pair.reader, "Ping")
    pair.calm(2)
    assert person.node.router.unanswered(person.client.session.number) == 2
    pair.asterisk.answer(1)
    pair.calm(2)

    (answer,) = pair.told(pair.reader)
    assert answer.get("ActionID") == "Ping"
    assert not person.node.router.unanswered(person.client.session.number)


def test_what_comes_too_late_goes_nowhere(pair: Pair) -> None:
    """The bus was away for longer than anybody waits for an answer."""
    pair.reader.node.outbox.way.is_cut = True
    pair.ask(pair.reader, "Ping")
    pair.holder.node.run_keeper()
    for _ in range(round(TIMEOUT) + 1):
        pair.clock.pass_on(1.0)
        pair.holder.node.run_keeper()
    pair.reader.node.outbox.way.is_cut = False
    pair.reader.node.outbox.flush()
    pair.holder.node.run_asks()
    pair.listen()

    assert "Ping" not in [message.get("Action") for _, message, _, _ in pair.asterisk.heard]


def test_what_has_no_turn_in_time_goes_nowhere(pair: Pair) -> None:
    """It came in time, and others were before it, which are answered at last."""
    for _ in range(6):
        pair.ask(pair.reader, "Ping", f"X: {'x' * 900}")
    pair.reader.node.outbox.flush()
    pair.holder.node.run_asks()
    pair.listen()
    went = len(pair.asterisk.heard)
    for _ in range(round(TIMEOUT) + 1):
        pair.clock.pass_on(1.0)
        pair.holder.node.run_keeper()
    pair.asterisk.answer(went)
    pair.holder.run()
    pair.listen()

    assert "Ping" not in [message.get("Action") for _, message, _, _ in pair.asterisk.heard[went:]
                          if message.has("X")]  # fmt: skip
    pair.holder.node.tend()
    pair.calm(2)
    refused = [each for each in pair.told(pair.reader) if each.get("CarriedOut") == "no"]
    assert refused


def test_an_answer_for_a_session_of_another_proxy_is_nobodys(pair: Pair) -> None:
    """It came to the wrong stream."""
    person = pair.ask(pair.reader, "Ping")
    pair.calm(2)
    (ask,) = pair.posted.values()
    pair.asterisk.answer(1)
    answers = pair.bus.stream(pair.bus.keys.answers(pair.reader.node.slot, pair.holder.scope))
    pair.holder.run()
    pair.holder.node.outbox.flush()
    (body,) = answers.bodies
    other = pair.bus.keys.answers(pair.holder.node.slot, pair.holder.scope)
    pair.bus.add(other, body)
    pair.calm(2)

    assert [each.get("ActionID") for each in pair.told(pair.reader)] == ["Ping"]
    assert not pair.told(pair.holder)
    assert ask.owner == person.client.session.number


def test_an_answer_stands_between_the_events_where_it_came(pair: Pair) -> None:
    """Though all came with one read, and nobody else may see it."""
    pair.ask(pair.reader, "Ping")
    pair.calm(2)
    pair.asterisk.say(1)
    pair.asterisk.answer(1)
    pair.asterisk.say(1)
    pair.calm(2)

    assert [each.has("Event") for each in pair.told(pair.reader)] == [True, False, True]


def test_who_reads_knows_how_the_server_greeted(pair: Pair) -> None:
    """And where it is: from the holder."""
    assert pair.reader.link.banner == pair.holder.link.banner != ""


def test_who_is_cut_off_from_the_bus_says_so(pair: Pair) -> None:
    """And that it is back."""
    pair.reader.node.way.is_cut = True
    for _ in range(round(LEASE) + 2):
        pair.calm(1, 1.0)
    assert pair.events(pair.reader) == ["ProxyServerLost"]
    assert not pair.reader.link.connected

    pair.reader.node.way.is_cut = False
    pair.asterisk.say(1)
    pair.calm(2)
    assert pair.events(pair.reader)[0] == "ProxyServerConnected"


def test_what_was_asked_is_lost_with_the_tenure(pair: Pair) -> None:
    """As soon as another proxy has taken the server, before it is connected."""
    pair.ask(pair.reader, "Silence")
    pair.calm(2)
    entry = Entry(TAKEN, 1 << 40, 0, 0, pair.clock.ms, taken(99))
    pair.bus.stream(pair.bus.keys.events(pair.reader.scope)).add((1 << 40, 0), encode_entry(entry))
    pair.reader.run()

    assert not pair.reader.link.connected
    assert [each.get("CarriedOut") for each in pair.told(pair.reader)] == ["perhaps"]


def test_who_comes_late_knows_the_connections_before(pair: Pair) -> None:
    """A client that was told of the first one goes on there with all that came since."""
    person = next(each for each in pair.people if each.node is pair.reader.node
                  and each.judge is not None and each.judge.ids)  # fmt: skip
    pair.asterisk.say(2)
    pair.calm(2)
    person.client.drain()
    since = person.client.id
    pair.asterisk.say(1)
    pair.calm(1)
    assert pair.holder.connection is not None
    pair.holder.connection.is_open = False
    pair.calm(14)
    pair.asterisk.say(1)
    pair.calm(2)
    late = pair.start()
    pair.calm(3)
    client = pair.join_at(late, None, since=since).client
    client.drain()
    client.act("ProxyAction: Resume", f"Since: {since}")

    said = [each.get("Event") for each in map(Message, client.drain().split(END)[:-1])]
    wanted = [each.get("Event") for each in map(Message, person.client.drain().split(END)[:-1])]
    assert [each for each in said if each] == wanted


def test_a_server_that_is_quiet_says_where_it_is(pair: Pair) -> None:
    """What was lost on its way to the bus is told before anything else comes."""
    outbox = pair.holder.node.outbox
    pair.asterisk.say(2)
    pair.holder.run()
    outbox.lose(cast("Any", pair.holder.publisher.lane))
    pair.tend()
    pair.calm(2)

    assert pair.events(pair.reader) == ["ProxyGap"]
    assert len(pair.events(pair.holder)) == 2


def test_who_cannot_connect_lets_others_try(pair: Pair) -> None:
    """The lease is given back."""
    pair.asterisk.is_there = False
    assert pair.holder.connection is not None
    pair.holder.connection.is_open = False
    for _ in range(60):
        pair.calm(1, 0.3)
        if not pair.reader.link.reading:
            break

    assert not pair.reader.link.reading
    assert pair.holder.link.reading
