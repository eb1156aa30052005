# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes upstream when, while Asterisk answers more slowly than clients ask."""

from __future__ import annotations

import os
import re
import socket
import time
from typing import TYPE_CHECKING

import pytest

from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.pending import PendingAction
from amiproxy.routing.turns import WINDOW
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.owing import owes_response
from amiproxy.threads.sessions.submitted import Submitted
from tests.threads.sessions.support import received

if TYPE_CHECKING:
    from tests.threads.conftest import MakePair

PING = -1


class Play:
    """A link to an Asterisk that reads and answers what it is told to."""

    def __init__(self, pair: MakePair) -> None:
        self.ids = ActionIds()
        self.over: list[int] = []
        spec = ServerSpec("pbx", 5038, "u", "s", "on", False)
        self.link = AsteriskLink(spec, self.ids)
        self.connect(pair)

    def connect(self, pair: MakePair) -> None:
        """Give the link a connection, and nothing asked there yet."""
        transport, self.theirs = pair()
        fd = transport.fileno()  # all that may go at once fits
        with socket.socket(fileno=os.dup(fd)) as ours:
            ours.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 18)
        self.link.open(transport)
        self.link.go_live()
        self._heard = b""
        self._unanswered: list[tuple[int, str]] = []

    def answer_all(self) -> None:
        """Answer what has gone up so far."""
        for owner in self.went():
            self.answer(owner)

    def call(self, owner: int) -> Submitted:
        """Submit an Originate that the proxy has made asynchronous; it may take a second."""
        wire_id = self.ids.make(owner, None)
        raw = Message.of("Action: Originate", f"ActionID: {wire_id}").raw
        action = PendingAction(owner, raw, wire_id, held_back=True, ringing=1.0)
        action.since = time.monotonic()
        return self.link.submit(action, f"{owner}")

    def ask(self, owner: int, size: int = 100, *, account: str = "", most: int = 0) -> Submitted:
        """Submit an action of *size* bytes."""
        wire_id = self.ids.make(owner, None)
        raw = Message.of("Action: X", f"ActionID: {wire_id}", "X: ").raw
        raw = raw[:-4] + b"x" * (size - len(raw)) + b"\r\n\r\n"
        action = PendingAction(owner, raw, wire_id, since=time.monotonic())
        return self.link.submit(action, account or f"{owner}", most)

    def went(self) -> list[int]:
        """Return the sessions whose actions went upstream since the last call; PING for ours."""
        self._heard += received(self.theirs)
        *blocks, self._heard = self._heard.split(b"\r\n\r\n")
        owners = []
        for block in blocks:
            match = re.search(rb"ActionID: (amp(\d+)-[^\r\n]+)", block)
            assert match is not None
            owner = PING if block.startswith(b"Action: Ping") else int(match[2])
            owners.append(owner)
            self._unanswered.append((owner, match[1].decode()))
        return owners

    def answer(self, *owners: int) -> None:
        """Answer the oldest action of each of *owners*."""
        for wanted in owners:
            index = next(i for i, (owner, _) in enumerate(self._unanswered) if owner == wanted)
            _, wire_id = self._unanswered[index]
            del self._unanswered[: index + 1]
            answer = Message.of("Response: Success", f"ActionID: {wire_id}")
            _, over = self.link.classify([answer])
            self.over += [action.owner for action in over]
            self.link.delivered()

    def unanswered(self, owner: int) -> str:
        """Return the ActionID of the oldest action of *owner* that is not answered."""
        return next(wire_id for asker, wire_id in self._unanswered if asker == owner)


@pytest.fixture
def play(pair: MakePair) -> Play:
    return Play(pair)


def test_little_goes_up_before_answers_come(play: Play) -> None:
    """The rest waits here, and another session's action goes after one of each."""
    for _ in range(300):
        assert play.ask(1) is Submitted.TAKEN
    fits = WINDOW // 100
    assert play.went() == [1] * fits + [PING]
    play.ask(2)

    play.answer(*[1] * 4)

    assert play.went() == [1, 2, 1]  # the Ping took the room of one
    assert play.link.unanswered(1) == 296
    assert play.over == [1] * 4


def test_accounts_share_however_many_sessions_they_have(play: Play) -> None:
    """A hundred connections of one user do not have a hundred turns."""
    for owner in range(1, 101):
        for _ in range(3):
            play.ask(owner, account="mallory")
    play.ask(200, account="innocent")
    first = play.went()
    assert 200 not in first

    for owner in first:
        play.answer(owner)

    assert 200 in play.went()[:3]


def test_what_is_never_answered_closes_the_way_for_nobody(play: Play) -> None:
    """The answer to a Ping, which is under way while anything waits, ends what went before."""
    for _ in range(500):
        play.ask(1)
    rounds = 0
    while PING in play.went():
        play.answer(PING)
        rounds += 1

    assert rounds < 100
    assert len(play.over) == 500 - WINDOW // 100
    assert not play.link.turns.count


def test_an_action_longer_than_the_window_goes_alone(play: Play) -> None:
    """When all before it are answered; what comes after it waits for its answer."""
    play.ask(1)
    play.ask(2, WINDOW * 2)
    play.ask(3)
    assert play.went() == [1, PING]

    play.answer(1, PING)
    assert play.went() == [2, PING]
    play.answer(2, PING)
    assert play.went() == [3]


def test_a_client_may_have_so_many_unanswered_and_no_more(play: Play) -> None:
    """Those that wait for their turn count as those that have gone."""
    assert [play.ask(1, most=40) for _ in range(40)] == [Submitted.TAKEN] * 40
    assert play.ask(1, most=40) is Submitted.FULL
    assert play.ask(2, most=40) is Submitted.TAKEN
    play.went()

    play.answer(1)

    assert play.ask(1, most=40) is Submitted.TAKEN
    assert play.ask(1, most=40) is Submitted.FULL
    assert play.ask(1, most=0) is Submitted.TAKEN


def test_few_bytes_of_a_session_wait(play: Play) -> None:
    """However long its actions are; one is always taken."""
    play.ask(1)
    taken = [play.ask(2, 50_000) for _ in range(4)]
    assert taken == [Submitted.TAKEN] * 2 + [Submitted.FULL] * 2
    assert not play.link.has_room(2, 0)
    play.went()

    play.answer(1, PING)

    assert play.ask(2, 50_000) is Submitted.TAKEN
    assert play.link.has_room(1, 2)


def test_what_a_session_leaves_does_not_wait(play: Play) -> None:
    """Who comes and goes all the time would fill the memory; what others asked stays."""
    for owner in (1, 2, 1, 2):
        for _ in range(30):
            play.ask(owner)
    play.went()

    assert len(play.link.withdraw(2)) > 20
    assert len(play.link.withdraw(2)) == 0

    play.answer(PING)
    assert 2 not in play.went()
    assert play.link.unanswered(2) == 0


def test_what_waits_is_lost_with_the_connection(play: Play) -> None:
    """All of it comes back to be answered, and nobody waits for it any more."""
    for _ in range(100):
        play.ask(1)
    play.ask(2)

    lost = play.link.lose()

    assert sorted(each.owner for each in lost if each.owner > 0) == [1] * 100 + [2]
    assert play.link.unanswered(1)  # until they are told
    play.link.delivered()
    assert play.link.unanswered(1) == 0
    assert play.ask(1) is Submitted.UNCONNECTED


def test_nothing_goes_up_behind_a_logoff(play: Play) -> None:
    """Asterisk would not carry it out."""
    for _ in range(100):
        play.ask(1)
    play.went()

    play.link.log_off("Dropped")
    assert b"Logoff" in received(play.theirs)
    play.answer(1, 1, 1)

    assert play.went() == []


def test_pings_are_not_sent_for_everybody_who_waits(play: Play) -> None:
    """One under way is enough for a second."""
    for _ in range(5):
        play.link.ping()
    assert play.went() == [PING]

    play.answer(PING)
    play.link.ping()

    assert play.went() == [PING]


def test_a_call_that_asterisk_waits_for_may_take_its_time(play: Play) -> None:
    """Whoever asks behind it: on this connection it answers nobody meanwhile."""
    wire_id = play.ids.make(1, None)
    raw = Message.of("Action: Originate", f"ActionID: {wire_id}").raw
    call = PendingAction(1, raw, wire_id, synchronous=True, since=100.0, ringing=300.0)
    play.link.submit(call, "1")
    play.ask(2)

    assert [play.link.patience(number, 150.0) for number in (1, 2)] == [250.0, 250.0]
    assert play.link.patience(1, 500.0) == 0


def test_behind_a_call_of_a_session_nothing_of_it_goes_up(play: Play) -> None:
    """Until it is answered, however that comes; those of others do."""
    for _ in range(2):
        play.call(1)
        play.ask(1)
    play.ask(2)
    assert play.went() == [1, 2]
    assert play.link.unanswered(1) == 4

    play.answer(1)  # it is accepted
    assert play.went() == []
    assert owes_response(play.link, 1) is False
    assert 0 < play.link.patience(1, time.monotonic()) <= 1
    assert play.link.patience(2, time.monotonic()) == 0

    items, over = play.link.expired(time.monotonic() + 2)  # no OriginateResponse has come
    assert ([item.owner for item in items], [action.owner for action in over]) == ([1], [1])
    assert play.went() == [1, 1]  # what was behind it, and the next call
    assert play.link.unanswered(1) == 3


def test_a_call_that_is_refused_at_once_holds_up_nothing(play: Play) -> None:
    """Its answer is the Response."""
    play.call(1)
    play.ask(1)
    assert play.went() == [1]

    play.link.classify([Message.of("Response: Error", f"ActionID: {play.unanswered(1)}")])

    assert play.went() == [1]
