# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests: what a client of documents says, and what follows.  In the client's thread."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.live import documents, requests
from amiproxy.live.pace import Pace
from amiproxy.threads.actions import dispatch
from amiproxy.threads.actions.call import Call
from amiproxy.threads.actions.login import LOGIN_ACTIONS
from amiproxy.threads.live.hello import hello
from amiproxy.threads.live.subscribing import Subscriber
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from amiproxy.live.documents import Id
    from amiproxy.live.requests import Subscription
    from amiproxy.message import Message
    from amiproxy.threads.live.livesession import LiveSession
    from amiproxy.threads.web.visit import Visit

log = logging.getLogger("amiproxy.web")

#: How many requests a client may send in a second, and how many at once.
_RATE = _MOST = 20.0

#: ProxyActions that change what is sent, or how: here other requests do.
_ELSEWHERE = frozenset({"setoutputformat", "setautofilter", "seteventids", "resume", "snapshot"})


class Requests:
    """What one client asks; *first*: what its URL has subscribed to, if it has."""

    #: After so many seconds of silence the client is told that all is well.
    silence = 5.0

    def __init__(self, visit: Visit, session: LiveSession, first: Subscription | None) -> None:
        self._visit, self._session, self._first = visit, session, first
        self._context = visit.context
        self._subscriber = Subscriber(visit.context, session)
        self._pace = Pace(_RATE, _MOST, time.monotonic())

    def begin(self) -> None:
        """Say hello, the first document; then what the URL has subscribed to."""
        session = self._session
        told = hello(self._visit, session)
        session.open(session.framing.frame(told, "hello", ""))
        if self._first is not None:
            try:
                self._subscriber.subscribe(None, self._first)
            except Problem as problem:
                self._refuse(None, problem)

    def take(self, text: str) -> bool:
        """Carry out what *text* asks; return whether the client stays."""
        request_id: Id = None
        try:
            asked = requests.read(text, self._context.limits)
            request_id, wanted = asked
            self._check_pace()
            if isinstance(wanted, requests.Ask):
                self._ask(request_id, wanted.message)
            elif isinstance(wanted, requests.Subscription):
                self._subscriber.subscribe(request_id, wanted)
            else:
                told = documents.document("pong", id=request_id, **self._standing())
                self._session.say_document(told, "pong")
        except requests.WrongError as error:
            self._refuse(error.id, error.problem)
        except Problem as problem:
            self._refuse(request_id, problem)
        return True

    def tick(self) -> None:
        """Say that all is well: nothing was sent for a while."""
        self._session.say_document(documents.document("tick", **self._standing()), "tick")

    def look(self) -> float:
        """Look after a client that lags; return in how many seconds to look again."""
        return self._subscriber.look()

    def end(self) -> None:
        """The connection is over."""
        self._subscriber.end()

    def _standing(self) -> dict[str, object]:
        return {"at": self._session.place(), "now": documents.now()}

    def _check_pace(self) -> None:
        """Refuse the request of a client that sends too many.

        Raises:
            Problem: 429.

        """
        left = self._pace.take(time.monotonic())
        if left:
            told = f"At most {_RATE:g} requests a second: wait, or ask for more in one"
            raise Problem("too-many", told, retry_after=round(left, 3))

    def _refuse(self, request_id: Id, problem: Problem) -> None:
        log.info("%s: %s: %s", self._session.peer, problem.kind, problem)
        self._session.say_document(documents.error(request_id, problem), "error")

    def _ask(self, request_id: Id, message: Message) -> None:
        """Carry *message* out.

        Raises:
            Problem: it is nothing for a client of documents.

        """
        proxy_action = message.values.get("proxyaction", "").lower()
        if message.action in LOGIN_ACTIONS or proxy_action in LOGIN_ACTIONS:
            raise Problem("bad-request", "The log-in is that of the handshake; to leave, close")
        if message.action == "waitevent":
            raise Problem("bad-request", "Events come by themselves: subscribe to them")
        if message.action in ("events", "filter"):
            raise Problem("bad-request", "Subscribe to the events that you want: type subscribe")
        if proxy_action in _ELSEWHERE:
            raise Problem("bad-request", "Subscribe instead: it has since, and state for snapshots")
        call = Call(self._context, self._session, message)
        self._session.ask(request_id, lambda: self._carry_out(call))

    def _carry_out(self, call: Call) -> None:
        outcome = dispatch.handle(call)
        assert outcome.wait is None
        assert outcome.goodbye is None
        if not outcome.stays:
            call.session.say(replies.error(call.message, "The log-in is not valid any more"))
