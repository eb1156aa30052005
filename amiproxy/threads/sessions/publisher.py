# SPDX-License-Identifier: GPL-2.0-or-later
"""Publisher: makes batches of what one Asterisk says, and hands them to the clients."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING, Protocol

from amiproxy import replies
from amiproxy.message import END
from amiproxy.threads.sessions import plainanswers
from amiproxy.threads.sessions.actionrecord import LOST, TIMEOUT
from amiproxy.threads.sessions.source import Source
from amiproxy.wire.batch import Batch, BatchKind
from amiproxy.wire.framing import Chunk
from amiproxy.wire.routed import BROADCAST, UNKNOWN_CLIENT, Routed

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Sequence

    from amiproxy.message import Message
    from amiproxy.routing.pending import PendingAction
    from amiproxy.routing.plainanswers import PlainAnswer
    from amiproxy.threads.sessions.crowd import Crowd
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.origins import Origins

log = logging.getLogger("amiproxy.asterisk")

#: Bytes of one read, more than it takes at a time: a message in it is long.  Whoever sees a
#: part of a batch only is sent a copy of that part, one for each kind of view; of a batch of
#: one message there is none.
_LARGE = 1024 * 1024

#: So many messages at a time: to let go of all that tens of thousands of tiny ones are made of
#: takes long, and nobody else has the interpreter meanwhile.
_MANY = 4096

#: So many changes of clients wait for the next batch: else each client that came and left would
#: be kept, as long as a server says nothing but what is told to one client alone.
_MOST_CHANGES = 500

#: Who has asked what nobody has asked for.
_UNASKED = frozenset({BROADCAST, UNKNOWN_CLIENT})


class Audience(Protocol):
    """The clients of all servers, as a server's thread sees them: the router."""

    @property
    def keeps_calls(self) -> bool:
        """Whether Newchannel and Newstate are kept for clients that see a call late."""

    @property
    def filtering(self) -> bool:
        """Whether some client sees calls through a user's filters."""

    def publish(self, batch: Batch) -> None:
        """Hand *batch* to every client.  Never waits."""

    def gather(self, link: AsteriskLink) -> Crowd:
        """Return the clients, for the thread of *link*."""

    def disperse(self, crowd: Crowd) -> None:
        """Forget *crowd*."""

    def forget(self, scope: str) -> None:
        """Forget the calls of the server *scope*: the connection to it was lost."""

    @property
    def origins(self) -> Origins:
        """By which connection the messages of servers behind other proxies come."""

    def path(self) -> str:
        """Return who this proxy is, and which proxies are behind it, for one before it."""

    def answer(self, number: int, answers: Sequence[PlainAnswer]) -> bool:
        """Send *answers*, which are for session *number* alone; never waits.

        Return False if that needs a batch.
        """

    def answered(self, number: int, untold: str = "") -> None:
        """Note that an action of session *number* is over.  Never waits.

        *untold*: the ActionID it went upstream with, where nothing that its client was sent
        shows that.
        """


class Publisher:
    """What the thread of one server does with messages.  For that thread only."""

    def __init__(self, link: AsteriskLink, audience: Audience) -> None:
        self._link = link
        self._audience = audience
        #: Which server the messages are from that are published.
        self._source = Source(link.scope)
        self._complained = False  # on this connection
        self._crowd: Crowd | None = None  # while it is connected

    def begin(self) -> None:
        """Gather the clients: there is a connection, and what it brings is handed to them."""
        self._crowd = self._audience.gather(self._link)

    def tidy(self) -> None:
        """Let go of clients that have left: nothing comes."""
        if self._crowd is not None:
            self._crowd.sort_in()

    def _publish(self, chunk: Chunk) -> None:
        """Hand the messages of *chunk*, which are from one server, to every client."""
        wire = chunk.wire
        if chunk.number > _MANY:
            for portion in _portions(chunk):
                self._publish(portion)
            return
        # Each condition keeps out what the ledger has to look at: an answer, which is for
        # whoever asked; the items of a list under way, which need not carry an ActionID; an event
        # of an action (Asterisk writes the header this way); a UserEvent, whose sender writes it.
        link, audience = self._link, self._audience
        if (
            chunk.only_events
            and link.ledger.open_list is None
            and b"ActionID: " not in wire
            and b"Event: UserEvent" not in wire
            and len(wire) <= _LARGE
        ):
            source = self._source
            if source.hushed:
                self.tidy()
                return
            batch = Batch(source.scope, wire, events=chunk.number)
            if audience.keeps_calls:
                self._note([item.message for item in batch.items])
            self._hand_out(batch)
        elif not self._publish_plain(wire):
            self._publish_each(chunk)

    #: Hands out all that one read brought: that is from one server, but behind another proxy
    #: (chainpublisher.py).
    publish = _publish

    def _publish_plain(self, wire: bytes) -> bool:
        """Hand *wire* to those who asked, if it holds nothing but plain answers; else do nothing.

        Return whether it does.
        """
        if not wire.startswith(b"Response: ") or len(wire) > plainanswers.LONGEST:
            return False
        link, audience = self._link, self._audience
        answers = plainanswers.take(link, wire)
        if not answers:
            return False
        try:
            private = plainanswers.private(answers)
            sent = {owner for owner, mine in private.items() if audience.answer(owner, mine)}
            rest = [answer for answer in answers if answer.action.owner not in sent]
            if rest:
                self._hand_out(Batch.of_items(self._source.scope, plainanswers.routed(rest)))
            elif self._crowd is not None and len(self._crowd.changed) > _MOST_CHANGES:
                self.tidy()
        finally:
            link.delivering = ()
            record, now = link.record.actions, time.monotonic()
            for action, _, is_success in answers:
                record.note_answer(action, now, is_success=is_success)
                audience.answered(action.owner)
        return True

    def _publish_each(self, chunk: Chunk) -> None:
        """Hand the messages of *chunk* to whom the ledger says."""
        wire, link, audience = chunk.wire, self._link, self._audience
        messages = chunk.messages()
        if not messages:
            return
        if len(messages) > 1 and (len(wire) > _LARGE or chunk.exact is not None):
            for message in messages:
                self._publish(Chunk(exact=[message.raw]))
            return
        if audience.keeps_calls:
            self._note(messages)
        for message in messages:
            message.has("ActionID")  # clients wait for the lock: a long message is read before it
        self._deliver(*link.classify(messages))

    def _deliver(
        self, items: list[Routed], over: Iterable[PendingAction], result: str = ""
    ) -> None:
        """Hand *items* to whom they are for; the actions *over* have ended with them.

        Whoever waits for that end goes on when what was said before it is sent.  *result* is how
        they ended, "": as their answers say.
        """
        source = self._source
        try:
            if source.hushed:
                items = [item for item in items if item.owner not in _UNASKED]
            if items:
                self._hand_out(Batch.of_items(source.scope, items))
            else:
                self.tidy()
        finally:
            self._link.delivered()
            self._tell_end(over, result)

    def _hand_out(self, batch: Batch) -> None:
        """Number the events of *batch* and hand it to every client: each batch goes this way.

        Who begins to look at the numbers meanwhile can tell whether a batch is on its way to
        clients (``begun``, ``ended``), and finds each in the ring that clients may be sent.
        """
        link = self._link
        names = self._source.names
        batch.names = link.names if names is None else names
        batch.epoch, batch.after = link.place
        record = link.record
        record.events += batch.events
        link.begun += 1
        ring = link.ring
        if ring.limit:
            ring.append(batch, time.monotonic())
        if batch.events:
            link.place = batch.epoch, batch.upto
        try:
            if self._crowd is not None:
                self._crowd.hand_out(batch)
            else:
                self._audience.publish(batch)
        finally:
            link.ended, link.handed = link.begun, link.place
        if (meter := record.meter) is not None:
            meter.note(batch, record.heard)

    def _tell_end(self, over: Iterable[PendingAction], result: str) -> None:
        """Have whoever waits for the end of the actions *over* go on."""
        record = self._link.record.actions
        for action in over:
            record.note(action, result)
            self._audience.answered(action.owner, "" if action.told else action.wire_id)
            if action.witness is not None:
                action.witness.over(self._source.scope, action.last)

    def notice(self, message: Message) -> None:
        """Hand out *message*, what the proxy itself says of its server, behind all before it.

        It is numbered as the server's own events.
        """
        items = [Routed(message)]
        wire = message.raw
        self._hand_out(Batch(self._source.scope, wire, items, kind=BatchKind.NOTICE, events=1))

    def keep(self, messages: Iterable[Message]) -> None:
        """Remember the calls in *messages*, which no client sees."""
        for message in messages:
            self._source.calls.keep(message)

    def answer_late(self, now: float) -> None:
        """Answer the Originates whose OriginateResponse is late at *now*, monotonic seconds."""
        while (late := self._link.expired(now))[0]:
            self._deliver(*late)
            if not self._complained:
                self._complained = True
                text = "no OriginateResponse came for a call: does its user have call in read?"
                log.warning("asterisk@%s: %s", self._link.scope, text)

    def abandon(self, lost: Collection[PendingAction]) -> None:
        """Tell who asked what is *lost* that no answer will come; forget this Asterisk's calls."""
        self._source.calls.clear()
        self._complained = False
        if self._crowd is not None:
            self._audience.disperse(self._crowd)
            self._crowd = None
        self._deliver(refusals(lost, f"Server {self._link.name} is not connected"), lost, LOST)
        self._audience.forget(self._link.scope)

    def refuse(self, actions: Collection[PendingAction], text: str) -> None:
        """Tell who asked that *actions* are over, in the words of *text*.  Any thread may call."""
        try:
            batch = Batch.of_items(self._link.scope, refusals(actions, text))
            batch.names = self._link.names
            self._audience.publish(batch)
        finally:
            self._tell_end(actions, TIMEOUT)

    def _note(self, messages: Iterable[Message]) -> None:
        """Record the calls in *messages*, and what they mean, for filters that there are.

        There may be some later for what the ring keeps.
        """
        filtering = self._audience.filtering or self._link.ring.limit
        calls = self._source.calls
        record = calls.note if filtering else calls.keep
        for message in messages:
            record(message)


def _portions(chunk: Chunk) -> Iterator[Chunk]:
    """Cut the bytes of *chunk* into portions of few messages."""
    parts = chunk.wire.split(END)[:-1]
    for at in range(0, len(parts), _MANY):
        wire = END.join(parts[at : at + _MANY]) + END
        yield Chunk(wire, only_events=chunk.only_events)


def refusals(actions: Iterable[PendingAction], text: str) -> list[Routed]:
    """Return the errors that end *actions*, in the words of *text*.

    What has not gone to Asterisk has surely not been carried out.
    """
    items: list[Routed] = []
    for action in actions:
        action.told = True
        carried_out = "perhaps" if action.went else "no"
        lines = (f"Message: {text}", f"CarriedOut: {carried_out}")
        action.last = replies.answer(action.given, "Response: Error", *lines)
        items.append(
            Routed(
                action.last,
                owner=action.owner,
                action_id=action.given,
                request_id=action.wire_id,
                final=True,
                private=True,
            )
        )
    return items
