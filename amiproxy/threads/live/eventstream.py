# SPDX-License-Identifier: GPL-2.0-or-later
"""The resource ``/events``: Server-Sent Events, to a client as that of ``/ws`` without input."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.httpmessages import Response
from amiproxy.live import documents, requests, sse
from amiproxy.live.partings import FAULT
from amiproxy.live.rows import SERVERS, WATCHED
from amiproxy.routing.eventids import read_id
from amiproxy.threads.live.conversation import Conversation
from amiproxy.threads.live.hello import hello
from amiproxy.threads.live.livesession import LiveSession
from amiproxy.threads.live.subscribing import Subscriber
from amiproxy.threads.live.websocket import check_field, enter, leave
from amiproxy.threads.state.watching import NO_STATE
from amiproxy.threads.web import forgery
from amiproxy.threads.web.logins import logins_of
from amiproxy.threads.web.visit import Stream, Visit
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.formats import Format
    from amiproxy.live.documents import Id
    from amiproxy.live.requests import Subscription

_HEADERS = (("Cache-Control", "no-store"), ("X-Accel-Buffering", "no"))

#: What a URL may say, and what it is among the fields of ``/ws``; "": it is for this alone.
_FIELDS = {
    "event": "event", "events": "event", "server": "server", "since": "since",
    "snapshot": "state", "state": "state", "format": "", "tick": "", "ticket": "",
}  # fmt: skip


class EventStream(LiveSession):
    """A client that is sent blocks of Server-Sent Events, *first* of all the first of them."""

    first = b""

    def say_subscribed(self, request_id: Id) -> None:
        """Say what is first, and from where on it is told.

        In one step with that: what happens behind hello it is told, and it can come back before
        it is told anything.
        """
        del request_id
        first, self.first = self.first, b""
        self._send(first + sse.standing(self._place()))


def events(visit: Visit) -> Stream:
    """Answer *visit* with events that do not end.

    A server that is lost is told, and refuses nothing: an EventSource that is refused gives up.

    Raises:
        Problem: 400, what the URL says is wrong; 401, the log-in fails; 403, another site's page.

    """
    forgery.check_reader(visit)
    fields = dict(visit.fields)
    form = _format(visit, fields.get("format", "").strip().lower() or "json")
    wanted = _wanted(visit)
    session = EventStream(visit, sse.FRAMING, form)
    enter(visit, session)
    try:
        telling = Telling(visit, session, wanted, ticks=fields.get("tick", "") not in ("", "0"))
    except BaseException:
        leave(visit, session)
        raise
    conversation = Conversation(visit.context, session, telling, Deaf())
    head = Response(200, sse.CONTENT_TYPE, headers=_HEADERS)
    return Stream(head, conversation.run, lambda: leave(visit, session))


class Deaf:
    """Takes no notice of what a client sends: it has said all that it can."""

    is_over = False

    def feed(self, data: bytes) -> Iterator[str | bytes]:
        """Leave *data*."""
        del data
        return iter(())


class Telling:
    """What one client is told, from its first block on: a Partner of Conversation.

    Raises Problem: 400, what is *wanted* cannot be.
    """

    #: After so many seconds of silence the client is told that all is well.
    silence = 5.0

    def __init__(
        self, visit: Visit, session: EventStream, wanted: Subscription, *, ticks: bool
    ) -> None:
        self._visit, self._session, self._ticks = visit, session, ticks
        self._subscriber = Subscriber(visit.context, session)
        #: Whether it is to be told that events are missing which nobody can tell.
        self._is_lost = False
        self._wanted = self._checked(wanted)

    def _checked(self, wanted: Subscription) -> Subscription:
        """Return *wanted*, without what the client has missed where nobody can know that."""
        known = self._visit.request.header("last-event-id").strip()
        if wanted.events.is_empty:
            known, wanted = "", wanted._replace(since="")  # a snapshot has all that was missed
        if known:
            wanted = wanted._replace(since=known)
        try:
            if known and read_id(known) is None:
                raise Problem("bad-request", "Last-Event-ID is no event id")
            self._subscriber.check(wanted)
        except Problem as problem:
            if not known:
                raise Problem("bad-request", str(problem)) from problem
            # It has come back by itself, and would give up for good.
            self._is_lost = True
            return self._checked_anew(wanted._replace(since=""))
        return wanted

    def _checked_anew(self, wanted: Subscription) -> Subscription:
        try:
            self._subscriber.check(wanted)
        except Problem as problem:
            raise Problem("bad-request", str(problem)) from problem
        return wanted

    def begin(self) -> None:
        """Say hello, and from then on what is wanted."""
        session = self._session
        session.first = sse.OPENING + sse.frame(hello(self._visit, session), "hello", "")
        if self._is_lost:
            told = documents.document(
                "gap", at=session.place(), server=None, missed=None, reason="unknown"
            )
            session.first += sse.frame(told, "gap", "")
        session.open()
        try:
            self._subscriber.subscribe(None, self._wanted)
        except Problem as problem:  # a server is busy: it may come back
            session.send(session.first)
            session.say_document(documents.error(None, problem), "error")
            session.leave(FAULT, str(problem), wake=False)

    def take(self, text: str) -> bool:
        """Nothing is taken."""
        del text
        return True

    def tick(self) -> None:
        """Say that all is well, and where the client stands."""
        session = self._session
        place = session.place()
        told = sse.standing(place)
        if self._ticks:
            document = documents.document("tick", now=documents.now(), at=place)
            told += sse.frame(document, "tick", "")
        session.send(told)

    def look(self) -> float:
        """Look after a client that lags; return in how many seconds to look again."""
        logins_of(self._visit.context).clear()
        return self._subscriber.look()

    def end(self) -> None:
        """The connection is over."""
        self._subscriber.end()


def _format(visit: Visit, word: str) -> Format:
    """Return the format *word*, made once.

    Raises:
        Problem: 400, there is none.

    """
    made, key = visit.context.made, f"sse.{word}"
    found = made.get(key) if word in sse.FORMATS else None
    if found is None:
        found = sse.format_of(word, visit.context.formats)
        if found is None:
            raise Problem("bad-request", f"format is one of {', '.join(sse.FORMATS)}")
        made[key] = found
    return found  # type: ignore[return-value]


def _wanted(visit: Visit) -> Subscription:
    """Return what the URL wants to be told: all events, if it says nothing.

    Raises:
        Problem: 400, one of its fields is wrong, or there is no such kind or no state.

    """
    found = []
    has_place = bool(visit.request.header("last-event-id").strip())
    for name, value in visit.fields:
        check_field(name, _FIELDS, "event, server, since, snapshot, format, tick")
        known = _FIELDS.get(name, name)
        if known and not (known == "since" and has_place):
            found.append((known, value))
    names = {name for name, value in found if value.strip(" ,")}
    if not names & {"event", "state"}:
        found.append(("event", "*"))
    wanted = requests.of_fields(found)
    assert wanted is not None
    for kind in wanted.kinds:
        if kind not in WATCHED:
            there = ", ".join(WATCHED)
            raise Problem("bad-request", f"snapshot: {kind[:40]!a} is none of {there}")
    if {*wanted.kinds} - {SERVERS} and not visit.context.config.state:
        raise Problem("bad-request", NO_STATE)
    return wanted
