# SPDX-License-Identifier: GPL-2.0-or-later
"""The ledger of a connection to another proxy: several Asterisks answer, and the proxy itself."""

from __future__ import annotations

import pytest

from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.chainledger import ChainLedger
from amiproxy.routing.pending import PendingAction
from amiproxy.wire.routed import BROADCAST, Routed


class Play:
    """A ledger, and those that answer."""

    def __init__(self) -> None:
        self.ids = ActionIds()
        self.noted: list[Message] = []
        self.ledger = ChainLedger(self.ids, "proxy2", self.noted.append)

    def ask(self, owner: int, target: str, *, textual: bool = False) -> tuple[str, bytes]:
        """Let session *owner* ask server *target*; return the ActionID and what goes up."""
        wire_id = self.ids.make(owner, "a")
        raw = f"Action: X\r\nActionID: {wire_id}\r\n\r\n".encode()
        action = PendingAction(owner, raw, wire_id, "a", target=target, textual=textual)
        return wire_id, self.ledger.enter(action)

    def hear(self, source: str, *lines: str) -> Routed | None:
        """Return what the ledger makes of a message of *source*."""
        self.ledger.source = source
        more = (f"Server: {source}",) if source else ()
        return self.ledger.classify(Message.of(*lines, *more))

    def heard(self, source: str, *lines: str) -> Routed:
        """As ``hear``, of a message that some client may see."""
        found = self.hear(source, *lines)
        assert found is not None
        return found

    @property
    def over(self) -> list[int]:
        """The sessions whose actions have ended since the last call."""
        return [action.owner for action in self.ledger.take_over()]


@pytest.fixture
def play() -> Play:
    return Play()


def test_servers_answer_in_any_order(play: Play) -> None:
    """What another server has answered later ends nothing; what the same one has does."""
    one, other, later = (play.ask(1, "pbx1")[0], play.ask(2, "pbx2")[0], play.ask(3, "pbx1")[0])

    assert play.heard("pbx2", "Response: Success", f"ActionID: {other}").owner == 2
    assert play.over == [2]
    assert play.ledger.unanswered(1) == 1

    assert play.heard("pbx1", "Response: Success", f"ActionID: {later}").owner == 3
    assert play.over == [1, 3]
    assert play.hear("pbx1", "Response: Success", f"ActionID: {one}") is None
    assert play.ledger.in_flight == 0


def test_an_error_of_the_proxy_ends_its_action_only(play: Play) -> None:
    """It may have been made before what was asked earlier is answered (the C program)."""
    first, refused = play.ask(1, "pbx1")[0], play.ask(2, "pbx1")[0]

    play.hear("", "Response: Error", f"ActionID: {refused}", "Message: Action Filtered")

    assert play.over == [2]
    assert play.heard("pbx1", "Response: Success", f"ActionID: {first}").owner == 1


def test_an_answer_that_does_not_say_where_it_is_from_comes_in_order_all_the_same(
    play: Play,
) -> None:
    """With serverheader = no: only an error may be the proxy's own."""
    play.ask(1, "pbx1")
    other, later = play.ask(2, "pbx2")[0], play.ask(3, "pbx1")[0]

    assert play.heard("", "Response: Success", f"ActionID: {later}").owner == 3

    assert play.over == [1, 3]
    assert play.heard("", "Response: Success", f"ActionID: {other}").owner == 2


def test_no_answer_goes_the_quick_way(play: Play) -> None:
    """It may be another server's than the one asked first, or an error of the proxy's own."""
    wire_id, _ = play.ask(1, "pbx1")

    answer = Message.of("Response: Error", f"ActionID: {wire_id}").raw
    assert not play.ledger.take_plain(answer, 1.0)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("Server pbx1 is not connected", "Server pbx1 is not connected (at proxy2)"),
        ("Server pbx1 is not connected (at proxy3)", "Server pbx1 is not connected (at proxy3)"),
        ("", "(at proxy2)"),
    ],
)
def test_an_error_says_where_it_arose(play: Play, text: str, told: str) -> None:
    """The proxy that made it, however many proxies there are between."""
    wire_id, _ = play.ask(1, "pbx1")

    item = play.heard("", "Response: Error", f"ActionID: {wire_id}", f"Message: {text}")

    assert item.message.lines == ("Response: Error", "ActionID: a", f"Message: {told}")
    assert (item.owner, item.final, item.action_id, item.request_id) == (1, True, "a", wire_id)


def test_what_an_asterisk_says_stays_as_it_is(play: Play) -> None:
    """Its error has a Server; an answer that is none has nothing to say where."""
    first, second = play.ask(1, "pbx1")[0], play.ask(1, "")[0]

    item = play.heard("pbx1", "Response: Error", f"ActionID: {first}", "Message: No such channel")
    assert item.message.get("Message") == "No such channel"
    item = play.heard("", "Response: Success", f"ActionID: {second}", "Message: Fine")
    assert item.message.get("Message") == "Fine"


def test_lists_of_two_servers_come_at_once(play: Play) -> None:
    """Each item goes to who asked its server, with an ActionID or without."""
    one, two = play.ask(1, "pbx1")[0], play.ask(2, "")[0]
    start = ("Response: Success", "EventList: start")
    assert play.heard("pbx1", *start, f"ActionID: {one}").owner == 1
    assert play.heard("pbx2", *start, f"ActionID: {two}").owner == 2

    assert play.heard("pbx1", "Event: PeerEntry", "X: 1").owner == 1
    assert play.heard("pbx2", "Event: PeerEntry", "X: 2").owner == 2
    assert play.heard("pbx1", "Event: PeerEntry", f"ActionID: {one}").owner == 1
    assert play.heard("pbx3", "Event: PeerEntry", "X: 3").owner == BROADCAST
    end = ("Event: PeerlistComplete", "EventList: Complete")
    assert play.heard("pbx2", *end).final
    assert play.over == [2]
    assert play.heard("pbx1", *end, f"ActionID: {one}").final
    assert play.over == [1]


def test_text_goes_to_who_asked_that_server(play: Play) -> None:
    """And the Ping that shows its end goes there, too."""
    play.ask(1, "pbx1", textual=True)
    _, sent = play.ask(2, "pbx2", textual=True)
    assert sent.count(b"Action: Ping\r\n") == 1
    assert sent.endswith(b"\r\nServer: pbx2\r\n\r\n")

    assert play.heard("pbx2", "some text").owner == 2
    ping = play.ledger.ask_behind()

    assert ping == b""  # one is under way
    assert play.over == []
    wire_id = sent.rpartition(b"ActionID: ")[2].partition(b"\r\n")[0].decode()
    assert play.hear("pbx2", "Response: Success", f"ActionID: {wire_id}") is None
    assert play.over == [2]


def test_what_nothing_ends_is_asked_behind(play: Play) -> None:
    """Where the server was asked nothing else."""
    wire_id, _ = play.ask(1, "pbx1")
    play.ask(2, "pbx2")
    play.hear("pbx1", "Event: DataGet Tree", f"ActionID: {wire_id}")

    assert play.ledger.ask_behind().endswith(b"\r\nServer: pbx1\r\n\r\n")
    assert play.ledger.ask_behind() == b""


def test_the_words_of_a_proxy_are_for_no_client(play: Play) -> None:
    """Its answers to this proxy are noted; what it tells all its clients is not passed on."""
    play.ask(1, "", textual=True)

    assert play.hear("", "ProxyResponse: Success", "X: 1") is None
    assert play.hear("pbx1", "ProxyResponse: Success", "X: forged") is None
    assert play.hear("", "ProxyMessage: Proxy Shutting Down") is None

    assert [message.get("X") for message in play.noted] == ["1"]


def test_a_lost_connection_ends_all(play: Play) -> None:
    """The lists of all servers, what lacks its answer, what is held back."""
    one, two = play.ask(1, "pbx1")[0], play.ask(2, "pbx2")[0]
    play.ask(3, "")
    for source, wire_id in (("pbx1", one), ("pbx2", two)):
        play.hear(source, "Response: Success", "EventList: start", f"ActionID: {wire_id}")

    play.ledger.abandon()

    assert sorted(play.over) == [1, 2, 3]
    assert not play.ledger.in_flight


def test_an_originate_is_answered_in_the_name_of_its_server(play: Play) -> None:
    """Of the one that says how it ended, or else the one it was for."""
    answers = []
    for _ in range(2):
        wire_id = play.ids.make(1, "a")
        action = PendingAction(1, b"Action: Originate\r\n\r\n", wire_id, "a", target="pbx2")
        action.held_back = True
        play.ledger.enter(action)
        assert play.hear("pbx2", "Response: Success", f"ActionID: {wire_id}") is None
        answers.append(wire_id)

    done = play.heard(
        "pbx2", "Event: OriginateResponse", f"ActionID: {answers[0]}", "Response: Success"
    )
    assert done.message.get("Server") == "pbx2"
    play.ledger.source = "pbx1"
    late = play.ledger.expired(1e9)
    assert [item.message.get("Server") for item in late] == ["pbx2"]


def test_what_one_server_does_not_answer_says_nothing_of_the_others(play: Play) -> None:
    """Its actions end though another one answers all the time, and leave their room to them."""
    dead, _ = play.ask(1, "pbx1")
    listed, _ = play.ask(2, "pbx2")
    play.ask(3, "pbx2")
    assert play.heard("pbx2", "Response: Success", f"ActionID: {listed}", "EventList: start")
    play.ledger.note_time(100.0)

    play.ledger.refuse(110.0, 30.0)

    assert play.over == [1]
    play.ledger.refuse(129.0, 30.0)
    assert play.over == []
    play.ledger.refuse(131.0, 30.0)
    assert play.over == [2, 3]
    assert play.ledger.in_flight == 0
    assert play.hear("pbx2", "Event: PeerEntry") is None
    assert play.hear("pbx1", "Response: Success", f"ActionID: {dead}", "EventList: start") is None
    assert play.hear("pbx1", "Event: PeerEntry") is None
    assert play.heard("pbx1", "Event: Tick", "Privilege: call,all").owner == BROADCAST
    assert play.ledger.late_answers == 2
    assert not play.ledger.owed


def test_few_places_are_kept_for_late_answers(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    """A server that never answers must not fill the memory."""
    monkeypatch.setattr("amiproxy.routing.chainledger.MOST_REFUSED", 3)
    asked = [play.ask(1, "pbx1")[0] for _ in range(10)]

    play.ledger.refuse(131.0, 30.0)

    assert play.over == [1] * 10
    kept = [wire_id for wire_id in asked if play.ledger._find(play.ids.key(wire_id))]  # noqa: SLF001
    assert kept == asked[-3:]
    assert play.ledger.in_flight == 0
