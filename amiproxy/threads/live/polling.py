# SPDX-License-Identifier: GPL-2.0-or-later
"""Polling: events since an id as one answer, for who can have no stream; it may be waited for."""

from __future__ import annotations

import contextlib
import dataclasses
import json
from typing import TYPE_CHECKING, NamedTuple, cast

from amiproxy.basics.deadline import Deadline
from amiproxy.errors import PeerGone
from amiproxy.live.formats import Framing
from amiproxy.threads.live.livesession import LiveSession
from amiproxy.threads.live.paper import Paper
from amiproxy.threads.live.subscribing import Subscriber
from amiproxy.threads.live.websocket import leave
from amiproxy.threads.net.plainsocket import is_gone

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.live.documents import Id
    from amiproxy.live.requests import Subscription
    from amiproxy.threads.net.transport import Transport
    from amiproxy.threads.sessions.collector import Collector
    from amiproxy.threads.web.visit import Visit

#: Seconds behind the first event in which others may come: busy servers are not asked for each.
_GATHER = 0.1

#: Kinds of documents that say nothing of what happens.
_ELSE = frozenset({"hello", "bye", "subscribed"})


def _line(document: bytes, kind: str, _event_id: str) -> bytes:
    return b"" if kind in _ELSE else document + b"\n"


def _end(_code: int, _text: str) -> bytes:
    return b""


_FRAMING = Framing("poll", _line, _end)


class Polled(NamedTuple):
    """What has come: documents, and *at* which id; *more*: others are there already."""

    documents: Sequence[bytes]
    at: str
    more: bool


class _Poll(LiveSession):
    """A client that is there for one answer."""

    is_web = True

    def say_subscribed(self, request_id: Id) -> None:
        """Say nothing: the answer does."""
        del request_id

    def collect(self, paper: Paper) -> Polled:
        """Return what has come, and stand there."""
        with self.lock:
            documents, more = paper.taken()
            if not more:
                return Polled(documents, self._place(), more)
            last = json.loads(documents[-1])
            return Polled(documents, str(last.get("id") or last.get("at")), more)


def poll(visit: Visit, who: Collector, wanted: Subscription, *, most: int, wait: float) -> Polled:
    """Return at most *most* documents of what is *wanted*, by the rights of *who*.

    Where there are none it waits up to *wait* seconds.

    Raises:
        Problem: 400, what is wanted cannot be.
        PeerGone: the session was ended, as at SIGHUP.

    """
    context, paper = visit.context, Paper(visit.transport.peer, most)
    on_paper = dataclasses.replace(visit, transport=cast("Transport", paper))
    session = _Poll(on_paper, _FRAMING)
    context.registry.add(session)
    try:
        _let_in(visit, session, who)
        session.open()
        subscriber = Subscriber(context, session)
        subscriber.check(wanted)
        with contextlib.suppress(PeerGone):  # it has enough
            subscriber.subscribe(None, wanted)
        _wait(visit, paper, wait)
        if paper.end_reason is not None:
            raise PeerGone(str(paper.end_reason))
        return session.collect(paper)
    finally:
        leave(visit, session)


def _let_in(visit: Visit, session: _Poll, who: Collector) -> None:
    """Give *session* the rights of *who*."""
    session.stamp = who.stamp
    if who.user is not None:
        visit.context.registry.log_in(session, who.user, None)
    elif who.authenticated:
        session.accept_key()


def _wait(visit: Visit, paper: Paper, seconds: float) -> None:
    """Wait for the first document up to *seconds*, and for those right behind it."""
    context, number = visit.context, visit.transport.fileno()

    def gone() -> bool:
        return context.stopping.is_set() or is_gone(number, half_closed=False)

    deadline = Deadline(seconds)
    with context.turnstile.outside():
        paper.wait(deadline, gone)
        if seconds and not (paper.is_full or deadline.over):
            context.stopping.wait(_GATHER)
