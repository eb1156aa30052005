# SPDX-License-Identifier: GPL-2.0-or-later
"""What the bus asks of the holder goes to Asterisk only if another proxy can have asked it."""

from __future__ import annotations

import threading
import time
from types import SimpleNamespace
from typing import Any, cast

import pytest

from amiproxy.bus.asks import Answer, Ask, decode_answer, encode_ask
from amiproxy.bus.keys import Keys
from amiproxy.errors import PeerGone
from amiproxy.limits import Limits
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.pending import PendingAction, own_action
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.threads.bus.asks import Asks
from amiproxy.threads.bus.sharedlink import SharedLink
from amiproxy.threads.bus.sharedpublisher import SharedPublisher
from amiproxy.threads.bus.tenure import Tenure
from amiproxy.threads.sessions.numbers import BITS
from amiproxy.threads.sessions.submitted import Submitted
from amiproxy.wire.framing import Chunk

HERE, THERE = 5, 6
OWNER = (THERE << BITS) | 1
EPOCH = 65536
OTHERS = ActionIds()
SPEC = ServerSpec("pbx", 5038, "u", "s", "on", False)


class Holder:
    """A proxy that holds one server; *sent* has what would go there, *refused* what would not."""

    def __init__(self) -> None:
        self.ms = 1000
        self.sent: list[PendingAction] = []
        self.refused: list[str] = []
        around: Any = SimpleNamespace(
            slot=HERE, client=None, keys=Keys("test"), now=lambda: self.ms
        )
        self.link: Any = SimpleNamespace(
            scope="pbx", name="pbx", tenure=EPOCH, submit=self._submit, reply=self._reply
        )
        self.asks = Asks(around, ActionIds(), Config(), lambda: [self.link], {"logoff"})

    def _submit(self, action: PendingAction, *_: object) -> Submitted:
        self.sent.append(action)
        return Submitted.TAKEN

    def _reply(self, slot: int, items: list[Any]) -> None:
        assert slot == THERE
        self.refused += [item.message.get("Message") for item in items]

    def take(self, **changes: Any) -> None:
        """Take an ask as another proxy makes it, with *changes*."""
        self.write(encode_ask(ask(**changes)))

    def write(self, body: bytes) -> None:
        """Take what somebody has written."""
        self.asks.take(self.link, body)


def ask(action: str = "Ping", wire_id: str = "", **changes: Any) -> Ask:
    """Return an ask as another proxy makes it, with *changes*."""
    owner = changes.get("owner", OWNER)
    wire_id = wire_id or OTHERS.make(owner, None)
    raw = f"Action: {action}\r\nActionID: {wire_id}\r\n\r\n".encode("latin-1")
    made = Ask(EPOCH, owner, wire_id, None, True, False, 31_000, "x", raw)
    return made._replace(**changes)


def test_what_another_proxy_asks_is_sent() -> None:
    """Its session's, and what it asks itself."""
    holder = Holder()
    holder.take()
    holder.take(wire_id=OTHERS.make(OWNER, "mine \u00e9"))
    holder.take(wire_id=OTHERS.make(0, None), owner=THERE << BITS)

    assert [action.owner for action in holder.sent] == [OWNER, OWNER, THERE << BITS]
    assert holder.asks.dropped == 0


@pytest.mark.parametrize(
    "wire_id",
    ["x", "amp-", "amp1-", "1", "-", "amp1-abcdef123456789012", f"amp{OWNER}-abcdef12345678901",
     f"amp{OWNER}-abcdef123456789012x", f"amp{OWNER}-abcdef123456789012-{'y' * 40}",
     f"AMP{OWNER}-abcdef123456789012"],
)  # fmt: skip
def test_an_action_id_that_no_proxy_makes_is_dropped(wire_id: str) -> None:
    """It says whose the action is; nothing is raised, so the thread never ends by it."""
    holder = Holder()
    holder.take(wire_id=wire_id)

    assert (holder.sent, holder.refused, holder.asks.dropped) == ([], [], 1)


@pytest.mark.parametrize("owner", [1, 2**BITS - 1])
def test_an_action_of_no_proxy_is_dropped(owner: int) -> None:
    """Its number is that of a session of a proxy that shares nothing."""
    holder = Holder()
    holder.take(owner=owner)

    assert (holder.sent, holder.asks.dropped) == ([], 1)


def test_what_this_proxy_has_asked_itself_is_not_sent() -> None:
    """It asked the holder before, and has told its client that nobody knows what came of it."""
    holder = Holder()
    holder.take(owner=(HERE << BITS) | 1)

    assert holder.sent == []


def test_what_was_for_another_tenure_is_dropped() -> None:
    """Also one that is to come; it is nothing unreadable."""
    holder = Holder()
    holder.take(epoch=EPOCH - 65536)
    holder.take(epoch=EPOCH + 65536)

    assert (holder.sent, holder.asks.dropped) == ([], 0)


def test_what_is_too_late_is_refused() -> None:
    """Nobody waits for it; what has a moment left goes."""
    holder = Holder()
    holder.take(deadline=999)
    holder.take(deadline=1500)

    assert len(holder.sent) == 1
    assert holder.refused == ["Server pbx was asked too late"]
    assert holder.sent[0].expires - time.monotonic() < 1


def test_what_asterisk_would_cut_is_refused() -> None:
    """As where a client asks the holder itself."""
    holder = Holder()
    limits = Limits()
    wire_id = OTHERS.make(OWNER, None)
    lines = ["Action: Ping", f"ActionID: {wire_id}", "X: " + "y" * limits.line]
    holder.take(wire_id=wire_id, raw="\r\n".join((*lines, "", "")).encode())
    wire_id = OTHERS.make(OWNER, None)
    lines = ["Action:Ping", f"ActionID: {wire_id}", "Action: Logoff"]
    holder.take(wire_id=wire_id, raw="\r\n".join((*lines, "", "")).encode())

    assert holder.sent == []
    assert [text.partition(":")[0] for text in holder.refused] == [
        "Line too long", "More than one Action",
    ]  # fmt: skip


def test_what_comes_twice_is_sent_once_however_much_came_between() -> None:
    """Redis may have it twice, or be read from the start again."""
    holder = Holder()
    first = encode_ask(ask())
    holder.write(first)
    for _ in range(9000):
        holder.take()
    holder.write(first)

    assert len(holder.sent) == 9001


def test_what_was_sent_is_forgotten_when_it_is_late_anyway() -> None:
    """Else the holder would remember all that it was ever asked."""
    holder = Holder()
    for _ in range(9000):
        holder.take()
    holder.ms = 40_000
    holder.take(deadline=70_000)

    assert len(holder.asks.taken) == 8192


# -- on its way from there -------------------------------------------------------------------


class Wire:
    """Stands for a connection to Asterisk."""

    counted = True  # its traffic is in a total

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.sent: list[bytes] = []
        self.send = self.sent.append


def held() -> tuple[SharedLink, Wire, list[Ask], Tenure]:
    """Return a link that is connected by a tenure; what it sends; what it asks; its tenure."""
    posted: list[Ask] = []
    link = SharedLink(SPEC, ActionIds(), "", HERE, posted.append, lambda: 1)
    tenure, wire = Tenure("pbx", EPOCH), Wire()
    transport: Any = wire
    link.hold(tenure)
    link.open(transport)
    link.go_live()
    return link, wire, posted, tenure


def action(owner: int) -> PendingAction:
    """Return an action of the session *owner*."""
    wire_id = OTHERS.make(owner, None)
    raw = f"Action: Ping\r\nActionID: {wire_id}\r\n\r\n".encode()
    return PendingAction(owner, raw, wire_id)


def test_what_waits_too_long_for_its_turn_is_never_sent() -> None:
    """A pause may last longer than who asked waits; it is refused instead."""
    link, wire, _, _ = held()
    late, good = action(OWNER), action(OWNER + 1)
    late.expires = time.monotonic() - 1
    with link.lock:
        link.turns.put(late, "x")
        link.turns.put(good, "x")
        link.advance()

    assert good.wire_id.encode() in b"".join(wire.sent)
    assert late.wire_id.encode() not in b"".join(wire.sent)
    assert link.take_stale() == [late]


def test_nothing_waiting_is_sent_when_the_lease_is_over() -> None:
    """Another proxy may be connected; the keeper's thread is only about to say so."""
    link, wire, _, tenure = held()
    with link.lock:
        link.turns.put(action(OWNER), "x")
        tenure.end()
        link.advance()

    assert wire.sent == []
    assert link.submit(action(OWNER)) is Submitted.UNCONNECTED


def test_nothing_is_handed_out_when_the_lease_is_over() -> None:
    """Another proxy may hand out the same; what the bytes answer is answered by the end."""
    link, _, _, tenure = held()
    nobody: Any = SimpleNamespace(publish=None, gather=None, disperse=None, forget=None, path="")
    publisher = SharedPublisher(link, nobody, nobody)
    publisher.lane, chunk = nobody, nobody
    tenure.end()

    with pytest.raises(PeerGone):
        publisher.publish(chunk)


def test_what_a_proxy_asks_itself_is_for_nobody_else() -> None:
    """Its holder would hand the answers to all clients that see those to others."""
    link, _, posted, _ = held()
    link.lose()
    link.read()
    link.go_up(2 * EPOCH)
    link.submit(own_action(OTHERS, "ListCommands"))

    assert [(each.owner, each.private) for each in posted] == [(HERE << BITS, True)]


def test_what_another_proxy_asked_is_not_passed_on_to_the_next_holder() -> None:
    """Its proxy has been told that this one is gone, and nobody would know whose the answer is."""
    link, wire, posted, _ = held()
    link.lose()
    link.read()
    link.go_up(2 * EPOCH)
    link.submit(action(OWNER))
    assert (posted, wire.sent, link.ledger.in_flight) == ([], [], 0)

    link.submit(own := action((HERE << BITS) | 1))
    assert [each.wire_id for each in posted] == [own.wire_id]


# -- what its proxy is told -------------------------------------------------------------------


class Lane:
    """Stands for the way to the bus: *told* has what goes to which proxy."""

    name = "pbx"

    def __init__(self) -> None:
        self.told: list[tuple[int, Answer]] = []

    def put(self, body: bytes) -> None:
        """What is for all."""

    def answer(self, slot: int, body: bytes) -> None:
        """Keep it."""
        self.told.append((slot, decode_answer(body)))


def publishing() -> tuple[SharedLink, SharedPublisher, Lane]:
    """Return what hands out for a server that is held."""
    link, _, _, _ = held()
    audience: Any = SimpleNamespace(
        publish=lambda _: None, gather=None, disperse=None, forget=None, path="",
        answered=lambda *_: None, keeps_calls=False, filtering=False,
    )  # fmt: skip
    around: Any = SimpleNamespace(slot=HERE, now=lambda: 1)
    publisher, lane = SharedPublisher(link, audience, around), Lane()
    publisher.lane = cast("Any", lane)
    return link, publisher, lane


def test_what_is_refused_is_refused_where_it_was_asked() -> None:
    """Its client waits there; nobody here is told."""
    _, publisher, lane = publishing()
    refused = action(OWNER)
    publisher.refuse([refused], "no")

    ((slot, answer),) = lane.told
    (item,) = answer.items
    assert (slot, item.owner, item.final, item.private) == (THERE, OWNER, True, True)
    assert item.request_id == refused.wire_id
    assert item.message.get("Message") == "no"


def test_what_ends_with_nothing_that_is_sent_is_told_where_it_was_asked() -> None:
    """Else its client would wait there until its time is over."""
    link, publisher, lane = publishing()
    link.submit(silent := action(OWNER))
    link.submit(behind := action(OWNER + 1))
    link.submit(action((HERE << BITS) | 1))
    wire = f"Response: Success\r\nActionID: {behind.wire_id}\r\n\r\n".encode()
    publisher.publish(Chunk(wire))

    over = [each for _, answer in lane.told for each in answer.over]
    assert over == [(OWNER, silent.wire_id)]
