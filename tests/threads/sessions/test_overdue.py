# SPDX-License-Identifier: GPL-2.0-or-later
"""What is not answered in time, or gets no turn, ends with an error; what comes later is dropped."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from amiproxy.basics.deadline import Deadline
from amiproxy.formats import Limits
from amiproxy.message import Message
from amiproxy.routing.pending import PendingAction
from amiproxy.routing.turns import WINDOW
from amiproxy.threads.sessions import overdue, pausing
from amiproxy.threads.sessions.proxylink import ProxyLink
from amiproxy.threads.sessions.publisher import Publisher
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from tests.threads.sessions.support import collector
from tests.threads.sessions.test_link_turns import Play

if TYPE_CHECKING:
    from collections.abc import Collection

    from tests.threads.conftest import MakePair


@pytest.fixture
def play(pair: MakePair) -> Play:
    return Play(pair)


def owners(play: Play, later: float, timeout: float = 30.0) -> tuple[list[int], list[int]]:
    """Return whose actions were not answered, and whose got no turn, *later* seconds from now."""
    found = overdue.take(play.link, time.monotonic() + later, timeout)
    assert play.link.refusing == {each.owner for each in (*found.unanswered, *found.waited)}
    assert all(each.went for each in found.unanswered)
    assert not any(each.went for each in found.waited)
    play.link.refusing = ()
    sent, waited = found.unanswered, found.waited
    return [each.owner for each in sent], [each.owner for each in waited]


def call(play: Play, owner: int, ringing: float) -> None:
    """Submit an Originate that goes up as it is: Asterisk does nothing else meanwhile."""
    wire_id = play.ids.make(owner, None)
    raw = Message.of("Action: Originate", f"ActionID: {wire_id}").raw
    action = PendingAction(owner, raw, wire_id, synchronous=True, ringing=ringing)
    action.since = time.monotonic()
    play.link.submit(action, f"{owner}")


def test_what_is_not_answered_in_time_ends(play: Play) -> None:
    """Once; before that, and with no limit, nothing does."""
    play.ask(1)
    play.ask(2)

    assert owners(play, 29) == owners(play, 1000, timeout=0) == ([], [])
    assert owners(play, 31) == ([1, 2], [])
    assert owners(play, 100) == ([], [])
    assert not play.link.unanswered(1)
    assert play.link.ledger.in_flight == 200  # Asterisk has them all the same
    play.answer_all()
    assert play.over == []
    assert play.link.ledger.late_answers == 2
    assert play.link.ledger.in_flight == 0


def test_what_got_no_turn_ends_too(play: Play) -> None:
    """It is known that it has not gone."""
    for _ in range(40):
        play.ask(1)
    went = play.went().count(1)

    assert owners(play, 31) == ([1] * went, [1] * (40 - went))
    assert play.link.turns.empty
    assert owners(play, 31) == ([], [])


def test_an_answer_to_others_gives_time_anew(play: Play) -> None:
    """Asterisk answers one after the other, and a list may be long."""
    play.ask(1)
    play.ask(2)
    play.went()
    before = time.monotonic()
    play.link.ledger.note_time(before + 20)  # an item of a list has come

    assert owners(play, 40) == ([], [])
    assert owners(play, 51) == ([1, 2], [])


def test_nothing_ends_behind_a_call_that_may_ring(play: Play) -> None:
    """Neither what has gone nor what waits; each has its time from the end of the call on."""
    call(play, 1, 60.0)
    for _ in range(40):
        play.ask(2)
    went = play.went().count(2)

    assert owners(play, 45) == owners(play, 59) == ([], [])
    assert owners(play, 61) == ([1, *[2] * went], [])
    assert owners(play, 70) == ([], [])
    assert owners(play, 90) == ([], [2] * (40 - went))


def test_what_loads_anew_has_a_minute(play: Play) -> None:
    """And so has what stands behind it."""
    wire_id = play.ids.make(1, None)
    raw = Message.of("Action: Reload", f"ActionID: {wire_id}").raw
    play.link.submit(PendingAction(1, raw, wire_id, loading=True, since=time.monotonic()))
    play.ask(2)

    assert owners(play, 59) == ([], [])
    assert owners(play, 61) == ([1, 2], [])


def test_what_waits_behind_an_own_call_waits_for_it(play: Play) -> None:
    """From its end on each has its time; a call that is not even accepted ends by its own."""
    play.call(1)
    play.ask(1)
    assert play.went() == [1]

    assert owners(play, 0.5, timeout=0.1) == ([], [])
    assert owners(play, 5) == ([1], [])
    assert play.went() == [1]
    assert play.link.unanswered(1) == 1
    assert owners(play, 20) == ([], [])
    assert owners(play, 40) == ([1], [])


def test_a_pause_has_its_own_time(play: Play) -> None:
    """And when it is over, what waits has all its time."""
    play.ask(1, WINDOW)
    pausing.pause(play.link)
    play.ask(2)

    assert owners(play, 60) == ([1], [])
    pausing.resume(play.link)
    assert owners(play, 80) == ([], [])
    assert owners(play, 100) == ([], [2])


def test_what_waited_for_a_server_that_is_given_up_ends(play: Play) -> None:
    """Nothing would ever take it."""
    pausing.pause(play.link)
    play.ask(1)
    assert play.link.lose() == []
    pausing.open_for_good(play.link)

    assert owners(play, 0, timeout=0) == ([], [1])


def test_another_proxy_has_a_little_longer(play: Play) -> None:
    """Its own error says more."""
    play.link.grace = ProxyLink.grace
    play.ask(1)

    assert owners(play, 34) == ([], [])
    assert owners(play, 36) == ([1], [])


def test_nothing_grows_while_actions_wait_and_go(play: Play) -> None:
    """To look whether anything is overdue takes a look at the oldest."""
    for number in range(200):
        play.ask(number)
    play.answer_all()
    turns = play.link.turns
    walked: list[object] = []
    turns._accounts = Walked(turns._accounts, walked)  # type: ignore[assignment]  # noqa: SLF001

    assert owners(play, 29) == ([], [])
    assert not walked


class Walked(dict[str, object]):
    """A dict that notes that somebody walks through it."""

    def __init__(self, inner: object, walked: list[object]) -> None:
        super().__init__(inner)  # type: ignore[call-overload]
        self._walked = walked

    def items(self) -> object:  # type: ignore[override]
        """As a dict has them."""
        self._walked.append(self)
        return super().items()


def test_whoever_waits_for_the_end_goes_on_when_it_is_told(play: Play) -> None:
    """Not before: a Goodbye must not overtake it; a further request of the web user may come."""
    router = Router(SessionRegistry())
    router.servers = (play.link,)
    publisher = Publisher(play.link, router)
    web = collector()
    router.registry.add(web)
    web.patience = Deadline(0), bool
    pending = web.expect()
    seen: list[int] = []

    class Watching(Publisher):
        """Looks what is unanswered while clients are told."""

        def refuse(self, actions: Collection[PendingAction], text: str) -> None:
            """As any publisher."""
            seen.append(router.unanswered(web.number))
            publisher.refuse(actions, text)

    def ask() -> str | None:
        message = Message.of("Action: Ping", "ActionID: 7")
        refused = router.forward(web, message, Limits(), hold_back=True, most=1)
        return None if refused is None else refused.get("Message")

    assert ask() is None
    assert ask() == "Too many actions are unanswered"
    overdue.refuse_overdue(play.link, Watching(play.link, router), 1e-9)

    assert seen == [1]
    assert router.unanswered(web.number) == 0
    (answer,) = pending.wait(0).messages
    assert answer.lines[1:] == (
        "ActionID: 7", "Message: Server pbx did not answer in time", "CarriedOut: perhaps",
    )  # fmt: skip
    assert play.link.record.timeouts == 1
    assert ask() is None
