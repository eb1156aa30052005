# SPDX-License-Identifier: GPL-2.0-or-later
"""What live sessions are sent, and what clients that stand alike share."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.errors import SlowPeer
from amiproxy.live.partings import SLOW
from amiproxy.live.requests import Subscription, of_fields
from amiproxy.live.told import Told
from amiproxy.routing.eventids import read_id
from amiproxy.routing.selection import NOTHING, Selection
from amiproxy.threads.live.subscribing import Subscriber
from amiproxy.threads.sessions import replay
from tests.live.test_frames import read
from tests.threads.live.support import Client, House

if TYPE_CHECKING:
    from collections.abc import Iterator

ALL = ("events", "*")


@pytest.fixture
def house() -> Iterator[House]:
    """A router with two servers."""
    made = House("one", "two")
    yield made
    made.close()


def names(client: Client) -> list[str]:
    """Return the names of the events that have come."""
    return [each["event"]["Event"] for each in client.hear()]


def test_nobody_is_sent_what_it_has_not_chosen(house: House) -> None:
    """By name, by beginning, by server; whatever the case."""
    every, some, none = house.client(ALL), house.client(("events", "hangup,DIAL*")), house.client()
    other = house.client(ALL, ("server", "two"))

    house.say(0, "Hangup", "DialBegin", "Newstate")

    assert names(every) == ["Hangup", "DialBegin", "Newstate"]
    assert names(some) == ["Hangup", "DialBegin"]
    assert names(none) == names(other) == []


def test_equal_clients_are_sent_the_same_bytes_made_once(house: House) -> None:
    """They stand alike, also who came later, once there was an event."""
    first, second = house.client(ALL), house.client(ALL)
    house.say(0, "A")
    house.say(1, "B")
    third = house.client(ALL)
    house.say(0, "C")
    first.raw(), second.raw(), third.raw()

    house.say(0, "D")

    assert first.raw() == second.raw() == third.raw() != b""
    tracks = [each.session.track for each in (first, second, third)]
    assert len({id(each.stand) for each in tracks if each is not None}) == 1


def test_standing_alike_changes_nothing_of_what_is_sent(house: House) -> None:
    """Each event once, in order, with the id of its place, whoever comes when."""
    chance = random.Random(13)
    clients, said = [house.client(ALL)], 0
    heard: list[list[dict[str, Any]]] = [[]]
    for _ in range(150):
        step = chance.random()
        if step < 0.1:
            clients.append(house.client(ALL))
            heard.append([])
        elif step < 0.2:
            server = chance.randrange(2)
            house.links[server].begin_epoch()
        else:
            some = [f"E{said + n}" for n in range(chance.randrange(1, 4))]
            said += len(some)
            house.say(chance.randrange(2), *some)
        for told, client in zip(heard, clients):
            told.extend(client.hear())

    longest = heard[0]
    events = [each["event"]["Event"] for each in longest if each["type"] == "event"]
    assert events == [f"E{n}" for n in range(said)]
    for so_far in heard:
        # Who came later was told as the others were, but for what servers they knew.
        own = [each["event"] for each in so_far if each["type"] == "event"]
        assert (
            own == [each["event"] for each in longest if each["type"] == "event"][-len(own) :]
            or not own
        )
    ids = [each["id"] for each in longest if each["type"] == "event"]
    assert len({*map(str, ids)}) == len(ids)


def test_an_answer_among_events_costs_nobody_an_event(house: House) -> None:
    """It is for one of several that stand alike; all are sent the event."""
    first, second = house.client(ALL), house.client(ALL)
    house.say(0, "A")
    house.say(0, "B")
    first.raw(), second.raw()

    house.answer(0, second.session, "C")

    assert names(first) == names(second) == ["C"]


def test_who_chooses_anew_gets_that_from_then_on(house: House) -> None:
    """The last subscription counts."""
    client = house.client(("events", "A"))
    wanted = of_fields([("events", "B")])
    assert wanted is not None
    Subscriber(house.context, client.session).subscribe("again", wanted)
    house.say(0, "A", "B")

    told = client.hear()
    assert [each["type"] for each in told] == ["subscribed", "event"]
    assert told[1]["event"]["Event"] == "B"


@pytest.mark.parametrize(("restarts", "code"), [(True, 1012), (False, 1001)])
def test_the_end_of_the_proxy_has_a_code(house: House, *, restarts: bool, code: int) -> None:
    """Libraries know by it when to come back."""
    client = house.client()
    house.context.restarts = restarts

    client.session.say_farewell(wake=False)

    bye, close = client.hear()
    assert (bye["type"], close["code"]) == ("bye", code)


def test_a_slow_client_is_told_behind_the_frame_that_is_cut(house: House) -> None:
    """What has begun is finished, all else is let go, and 1013 is the end."""
    client = house.client(ALL)
    house.say(0, *["Long" * 2000] * 80)  # more than a socket takes
    house.say(0, "Never")
    with client.session.lock:
        client.session.transport.abort(SlowPeer("x"))
    rest = b""
    while more := client.raw():
        rest += more
        client.session.transport.flush()
    assert b"Long" in rest
    told = read(rest)
    code = int.from_bytes(bytes(told[-1].data)[:2], "big")
    assert code == SLOW.code
    assert b"Never" not in rest


def test_a_client_that_lags_is_told_no_more_rows(house: House) -> None:
    """Until it has read what it was sent: then all anew."""
    client = house.client()
    told = Told("change", b'{"type":"change","x":"%b"}' % (b"x" * 70000))

    sent = 0
    while client.session.tell(told):
        sent += 1
        assert sent < 100

    assert client.session.transport.backlog > 262144


def test_what_comes_while_a_client_chooses_is_told_or_behind_it(
    house: House, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No event is behind ``at`` of subscribed, and not told: it would be missed by nobody's word."""
    client = house.client()
    house.say(0, "A")
    real = replay.track_exactly

    def slowly(*args: Any) -> Any:
        track = real(*args)
        house.say(0, "B")
        house.answer(0, client.session, "C")
        return track

    monkeypatch.setattr("amiproxy.threads.live.subscribing.track_exactly", slowly)
    Subscriber(house.context, client.session).subscribe(1, Subscription(Selection.of("*")))
    (subscribed,) = client.hear()
    house.say(0, "D")

    (event,) = client.hear()

    assert event["event"]["Event"] == "D"
    before, after = map(read_id, (subscribed["at"], event["id"]))
    assert before is not None
    assert after is not None
    epoch = house.links[0].epoch
    assert after.numbers[epoch] == before.numbers[epoch] + 1 == 4


def test_who_wanted_no_events_since_some_id_is_told_where_later_ones_begin(house: House) -> None:
    """Rows alone, and since: nothing is missed. Then it chooses events, as anybody else."""
    client = house.client()
    house.say(0, "A")
    subscriber = Subscriber(house.context, client.session)
    subscriber.subscribe(1, Subscription(NOTHING, since=client.session.place()))
    house.say(0, "B")

    subscriber.subscribe(2, Subscription(Selection.of("*")))

    at = read_id(client.hear()[-1]["at"])
    assert at is not None
    assert at.numbers[house.links[0].epoch] == 2
