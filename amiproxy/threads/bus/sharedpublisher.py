# SPDX-License-Identifier: GPL-2.0-or-later
"""SharedPublisher: what the thread of a server that proxies share does with messages.

While this proxy holds the server, what its own clients were handed goes to the bus behind that.
Else what the bus brings is handed to its clients, numbered as the holder has numbered it.
"""

from __future__ import annotations

import logging
import time
from itertools import groupby
from typing import TYPE_CHECKING

from amiproxy.bus import states
from amiproxy.bus.asks import Answer, encode_answer
from amiproxy.bus.entries import DOWN, EVENTS, MIXED, NOTICE, PLACE, UP, Entry, encode_entry
from amiproxy.bus.fields import MOST, Malformed
from amiproxy.bus.items import encode_items, items_of
from amiproxy.errors import PeerGone
from amiproxy.message import Message
from amiproxy.routing.gaps import BUS, gap
from amiproxy.threads.sessions.numbers import is_elsewhere, slot_of
from amiproxy.threads.sessions.publisher import Publisher, refusals
from amiproxy.wire.batch import Batch, BatchKind
from amiproxy.wire.routed import BROADCAST, Routed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Sequence

    from amiproxy.routing.pending import PendingAction
    from amiproxy.routing.plainanswers import PlainAnswer
    from amiproxy.routing.ring import Place
    from amiproxy.threads.bus.around import Around
    from amiproxy.threads.bus.outqueue import Lane
    from amiproxy.threads.bus.sharedlink import SharedLink
    from amiproxy.threads.sessions.crowd import Crowd
    from amiproxy.threads.sessions.origins import Origins
    from amiproxy.threads.sessions.publisher import Audience
    from amiproxy.wire.framing import Chunk

log = logging.getLogger("amiproxy.bus")

#: How the notices of the proxy's own begin that say that a server is lost.
_LOST = b"Event: ProxyServerLost\r\n"

#: Bytes of an entry beside its payload, at the most.
_HEAD = 1024


class SharedAudience:
    """The clients, those of other proxies too, as one server's thread sees them."""

    def __init__(self, audience: Audience, link: SharedLink, around: Around) -> None:
        self._audience, self._link, self._around = audience, link, around
        self.publish, self.gather = audience.publish, audience.gather
        self.disperse, self.forget, self.path = audience.disperse, audience.forget, audience.path

    @property
    def keeps_calls(self) -> bool:
        """As of the clients here."""
        return self._audience.keeps_calls

    @property
    def filtering(self) -> bool:
        """As of the clients here."""
        return self._audience.filtering

    @property
    def origins(self) -> Origins:
        """As of the clients here."""
        return self._audience.origins

    def answer(self, number: int, answers: Sequence[PlainAnswer]) -> bool:
        """Send *answers*, which are for session *number* alone, wherever that is."""
        slot = slot_of(number)
        if slot == self._around.slot:
            return self._audience.answer(number, answers)
        items = [
            Routed(
                Message(raw),
                owner=number,
                action_id=action.given,
                request_id=action.wire_id,
                final=True,
                private=True,
            )
            for action, raw, _ in answers
        ]
        self._link.reply(slot, items)
        return True

    def answered(self, number: int, untold: str = "") -> None:
        """As of the clients here; another proxy is told by what ends the action."""
        if slot_of(number) == self._around.slot:
            self._audience.answered(number, untold)


def _slot_of_private(item: Routed) -> int:
    """Return the slot of the proxy whose client *item* is for alone, 0: it is not private."""
    return slot_of(item.owner) if item.private else 0


class SharedPublisher(Publisher):
    """The publisher of a SharedLink.  For its server's thread, but ``refuse`` and ``mark``."""

    def __init__(self, link: SharedLink, audience: Audience, around: Around) -> None:
        super().__init__(link, SharedAudience(audience, link, around))
        self._shared, self._around = link, around
        #: Where what is handed out goes to; None: this proxy does not hold the server, or is alone.
        #: The server's thread replaces it; others read the reference.
        self.lane: Lane | None = None
        #: Whether clients have still to be told that the connection that was live is lost.
        self.is_untold = False
        self._marked = self._put = link.place
        link.on_live, link.reply = self._tell_up, self._reply

    # -- while this proxy holds the server ------------------------------------------------------

    def publish(self, chunk: Chunk) -> None:
        """As any publisher, if this proxy may be connected.

        Raises:
            PeerGone: the lease may be over; nothing of *chunk* was looked at, so the actions that
                it answers are still to be answered.

        """
        if not (self._shared.may_ask or self.lane is None):
            raise PeerGone(text := "another proxy may be connected by now", told=text)
        super().publish(chunk)

    def _hand_out(self, batch: Batch) -> None:
        super()._hand_out(batch)
        lane = self.lane
        if lane is None:
            return
        if batch.kind is BatchKind.EVENTS or batch.kind is BatchKind.NOTICE:
            kind = EVENTS if batch.kind is BatchKind.EVENTS else NOTICE
            self._enter(lane, kind, (batch.epoch, batch.after), batch.events, batch.wire)
        else:
            self._share_items(lane, batch)

    def _share_items(self, lane: Lane, batch: Batch) -> None:
        """Send what of *batch* others may see to all proxies, the rest to those that asked.

        What was said before an answer goes before it, and what was said behind it behind.
        """
        epoch, after = batch.epoch, batch.after
        slot = self._around.slot
        shared = [
            each for each in batch.items if not each.private or is_elsewhere(each.owner, slot)
        ]
        for slot, found in groupby(shared, _slot_of_private):
            items = list(found)
            if slot:
                self._reply(slot, items, place=(epoch, after))
            else:
                events = sum(item.owner == BROADCAST for item in items)
                self._enter(lane, MIXED, (epoch, after), events, encode_items(items))
                after += events

    def _reply(
        self,
        slot: int,
        items: list[Routed],
        over: Sequence[tuple[int, str]] = (),
        place: Place | None = None,
    ) -> None:
        """Send *items* to who asked for them at the proxy *slot*; *over* has ended.

        That came behind the event at *place*, None: the last one.  Any thread may call.
        """
        lane = self.lane
        if lane is None:
            return
        try:
            answer = Answer(*(place or self._link.place), items, list(over))
            lane.answer(slot, encode_answer(answer))
        except Malformed as error:
            log.warning("asterisk@%s: an answer does not go to the bus: %s", lane.name, error)

    def _enter(self, lane: Lane, kind: bytes, behind: Place, events: int, payload: bytes) -> None:
        epoch, after = behind
        upto = after + events
        if len(payload) > MOST - _HEAD:
            lane.put(self._entry(PLACE, epoch, upto, 0, b""))  # tells that something is missing
        else:
            lane.put(self._entry(kind, epoch, after, events, payload))
        self._put = epoch, upto

    def _entry(self, kind: bytes, epoch: int, after: int, events: int, payload: bytes) -> bytes:
        return encode_entry(Entry(kind, epoch, after, events, self._around.now(), payload))

    def _state(self, kind: bytes, payload: bytes) -> None:
        if self.lane is not None:
            self.lane.put(self._entry(kind, *self._link.place, 0, payload))

    def _tell_up(self) -> None:
        """Tell the other proxies that this one is connected."""
        self.is_untold = True
        self._put = self._link.place
        self._state(UP, self.about())

    def about(self) -> bytes:
        """Return what other proxies are told of the server that this one is connected to."""
        return states.up(self._link.address, self._link.banner)

    def mark(self) -> None:
        """Tell proxies that come, or miss something, where it stands.  Any thread may call."""
        lane, put = self.lane, self._put
        if lane is not None and self._link.connected and put != self._marked:
            self._marked = put
            lane.put(self._entry(PLACE, *put, 0, self.about()))

    def notice(self, message: Message) -> None:
        """As any publisher."""
        super().notice(message)
        if message.raw.startswith(_LOST):
            self.is_untold = False

    def abandon(self, lost: Collection[PendingAction]) -> None:
        """As any publisher; the other proxies are told."""
        super().abandon(lost)
        self._state(DOWN, b"")

    def _tell_end(self, over: Iterable[PendingAction], result: str) -> None:
        over = list(over)
        super()._tell_end(over, result)
        self._tell_others(action for action in over if not action.told)

    def _tell_others(self, over: Iterable[PendingAction]) -> None:
        """Tell other proxies that actions of theirs have ended with nothing that is sent."""
        ended: dict[int, list[tuple[int, str]]] = {}
        for action in over:
            if is_elsewhere(action.owner, self._around.slot):
                mark = action.owner, action.wire_id
                ended.setdefault(slot_of(action.owner), []).append(mark)
        for slot, marks in ended.items():
            self._reply(slot, [], marks)

    def refuse(self, actions: Collection[PendingAction], text: str) -> None:
        """As any publisher; those of other proxies are answered there."""
        slot = self._around.slot
        others = [each for each in actions if is_elsewhere(each.owner, slot)]
        for item in refusals(others, text):
            self._reply(slot_of(item.owner), [item])
        super().refuse([each for each in actions if not is_elsewhere(each.owner, slot)], text)

    # -- while another proxy holds it -----------------------------------------------------------

    def relay(self, entry: Entry) -> None:
        """Hand out *entry*, which comes next on the bus.

        Raises:
            Malformed: it holds something else than it says.

        """
        self._link.record.heard = time.monotonic()
        if entry.kind == EVENTS:
            batch = Batch(self._source.scope, entry.payload, events=entry.events)
            if self._audience.keeps_calls:
                self._note([item.message for item in batch.items])
            self._hand_out(batch)
        elif entry.kind == NOTICE:
            self.notice(Message(entry.payload))
        else:
            items = items_of(entry)
            if self._audience.keeps_calls:
                self._note([item.message for item in items])
            self._deliver(*self._shared.settle(items))

    def answer(self, answer: Answer) -> None:
        """Hand out what the holder has answered to clients of this proxy."""
        over = [wire_id for _, wire_id in answer.over]
        self._deliver(*self._shared.settle(answer.items, over))

    def refill(self, entry: Entry, when: float) -> None:
        """Keep *entry*, which came before any client here: *when*, in monotonic seconds."""
        ring = self._link.ring
        if entry.kind == MIXED:
            batch = Batch.of_items(self._source.scope, items_of(entry))
        else:
            kind = BatchKind.EVENTS if entry.kind == EVENTS else BatchKind.NOTICE
            batch = Batch(self._source.scope, entry.payload, kind=kind, events=entry.events)
        batch.names = self._link.names
        batch.epoch, batch.after = entry.epoch, entry.after
        if self._audience.keeps_calls:
            self._note([item.message for item in batch.items])
        if ring.limit:
            ring.append(batch, when)

    def tell_missing(self, upto: int) -> None:
        """Tell clients that events up to the number *upto* of this connection are missing."""
        link = self._link
        link.record.note_gap(BUS)
        self._say(gap(link.name, BUS), upto)

    def tell(self, message: Message) -> None:
        """Tell clients *message*, which is about this proxy alone, and has no number."""
        self._say(message)

    def _say(self, message: Message, upto: int | None = None) -> None:
        """Hand out *message*; no ring keeps it.

        It stands in the place of all up to the number *upto*, which it has itself; None: it has
        none.
        """
        link = self._link
        batch = Batch(self._source.scope, message.raw, [Routed(message)], kind=BatchKind.NOTICE)
        batch.names = link.names
        batch.epoch, batch.after = link.place
        link.begun += 1
        if upto is not None and upto > batch.after:
            batch.after, batch.events = upto - 1, 1
            link.place = batch.epoch, upto
        try:
            crowd: Crowd | None = self._crowd
            if crowd is not None:
                crowd.hand_out(batch)
            else:
                self._audience.publish(batch)
        finally:
            link.ended, link.handed = link.begun, link.place
