# SPDX-License-Identifier: GPL-2.0-or-later
"""A proxy without sockets and threads, of which there may be two that are the same to the byte.

Its clients are real sessions, and its servers real publishers; what would differ from one world to
the next by itself (numbers of sessions and connections, ids that nobody can guess, the time) each
world has of its own, from the same beginning.
"""

from __future__ import annotations

import contextlib
import functools
import itertools
import logging
import math
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, cast

import pytest

from amiproxy.access.user import Users
from amiproxy.basics.deadline import Deadline
from amiproxy.errors import PeerGone
from amiproxy.live import documents
from amiproxy.live.formats import WEBSOCKET
from amiproxy.message import Message
from amiproxy.routing import actionids, callfilter
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.calltable import CallTable
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.threads.actions import dispatch
from amiproxy.threads.actions.call import Call
from amiproxy.threads.actions.local import finish_wait
from amiproxy.threads.live.livesession import LiveSession
from amiproxy.threads.live.subscribing import Subscriber
from amiproxy.threads.sessions import chainpublisher, early, numbering, numbers, proxylink, source
from amiproxy.threads.sessions import router as router_module
from amiproxy.threads.sessions import session as session_module
from amiproxy.threads.sessions.chainpublisher import publisher_for
from amiproxy.threads.sessions.collector import Collector
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.filtertime import FilterTime
from amiproxy.threads.sessions.proxylink import link_to
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.streamsession import StreamSession
from tests.threads.actions.support import FORMATS, Control
from tests.threads.sessions import replays

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

    from amiproxy.access.user import User
    from amiproxy.live.requests import Subscription
    from amiproxy.routing.autofilter import AutoFilter
    from amiproxy.threads.sessions.pendinganswer import PendingAnswer
    from amiproxy.threads.sessions.publisher import Publisher
    from amiproxy.threads.sessions.router import Router
    from amiproxy.threads.sessions.session import ClientSession
    from amiproxy.wire.framing import Chunk


@contextlib.contextmanager
def worlds(most_ids: int = 9, most_channels: int = 24) -> Iterator[None]:
    """Have worlds begin alike, and remember little, while inside.

    *most_ids* are what each filter remembers of calls, *most_channels* each table of calls.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numbers, "_numbers", itertools.count(1))
        patch.setattr(numbering, "_EPOCHS", itertools.count(1))
        patch.setattr(actionids, "_random_text", _text)
        secret = SimpleNamespace(token_hex=lambda n: "0f" * n, choice=lambda some: some[0])
        patch.setattr(router_module, "secrets", secret)
        small = functools.partial(SessionFilter, most_ids=most_ids)
        patch.setattr(session_module, "SessionFilter", small)
        patch.setattr(callfilter, "MAX_ENDED", 3)
        patch.setattr(source, "CallTable", functools.partial(CallTable, most_channels))
        patch.setattr(session_module, "FILTER_TIME", FilterTime(budget=math.inf))
        patch.setattr(router_module.Router, "await_answers", lambda *_: None)  # nobody would come
        patch.setattr(documents, "seconds", lambda _moment: 0.0)
        for module in (chainpublisher, proxylink, early):
            patch.setattr(module, "time", SimpleNamespace(monotonic=lambda: 1000.0))
        patch.setattr(logging.root.manager, "disable", logging.CRITICAL)
        yield


def _text(length: int) -> str:
    """Return *length* characters, no part of which comes twice in one text."""
    return "".join(f"{number:06x}" for number in range(length // 6 + 1))[:length]


class Wire(replays.Wire):
    """What a session takes for its connection."""

    last_words: Any = None
    wake: Any = None
    heard = 0.0

    def finish(self, reason: str) -> None:
        """End it."""
        self.end_reason = self.end_reason or PeerGone(reason)

    def take(self) -> bytes:
        """Return what was sent since the last time."""
        parts, self.parts = self.parts, []
        return b"".join(parts)


class Client:
    """One client of one world, of a *kind*: stream, live, kept, until, once."""

    def __init__(self, world: World, kind: str, mode: AutoFilter, *, guarded: bool) -> None:
        self.world, self.kind, self.wire = world, kind, Wire()
        self.pending: PendingAnswer | None = None
        self.id = ""  # the last that it was told
        self.is_here = True
        known: dict[str, Any] = {"guarded": guarded, "filter_local": "off"}
        context = world.context
        self.session: ClientSession
        if kind == "stream":
            self.session = stream = StreamSession(
                cast("Any", self.wire), "192.0.2.1", mode=mode, input_name="standard",
                output=FORMATS["standard"], sources=context.router, **known,
            )  # fmt: skip
            stream.hold_back()
            context.registry.add(stream)
            stream.see()
        elif kind == "live":
            visit: Any = SimpleNamespace(
                context=context, transport=self.wire, address="192.0.2.2",
                spec=SimpleNamespace(guarded=guarded),
            )  # fmt: skip
            self.session = live = LiveSession(visit, WEBSOCKET)
            self.subscriber = Subscriber(context, live)
            context.registry.add(live)
            live.open()
        else:
            self.session = collector = Collector(
                "web", "192.0.2.3", output=FORMATS["standard"], keep_events=kind == "kept", **known
            )
            collector.hears = kind != "once"
            context.registry.add(collector)

    def act(self, *lines: str, until: str = "") -> None:
        """Do what the block of *lines* asks, as the client's thread would."""
        session, context = self.session, self.world.context
        if isinstance(session, Collector):
            self.pending = session.expect(until)
            session.patience = Deadline(0.0), bool
        call = Call(context, session, Message.of(*lines))
        if isinstance(session, LiveSession):
            session.ask(1, lambda: dispatch.handle(call))
            return
        outcome = dispatch.handle(call)
        if outcome.wait is not None and isinstance(session, StreamSession):
            with session.lock:
                session.waiting_for_event = outcome.wait
        elif outcome.wait is not None:
            session.say(outcome.wait.request)
        if outcome.goodbye is not None:
            session.say(outcome.goodbye)

    def end_wait(self) -> None:
        """End the WaitEvent that it waits in, if any."""
        finish_wait(self.session)

    def leave(self) -> None:
        """Leave, as a client's thread does."""
        context, self.is_here = self.world.context, False
        context.router.forget_actions(self.session)
        context.registry.discard(self.session)

    def drain(self) -> bytes:
        """Return what it was sent, or keeps, that it has not returned before."""
        session = self.session
        if isinstance(session, Collector):
            kept = [] if session.events is None else session.events.fetch(0.0)
            found = b"".join([each.message.raw + b"!" * each.is_notice for each in kept])
            if self.pending is not None:
                found += b"|".join([each.raw for each in self.pending.messages])
            return found
        data = self.wire.take()
        at = data.rfind(b"ProxyEventID: ")
        if at >= 0:
            self.id = data[at + 14 : data.index(b"\r", at)].decode()
        elif (at := data.rfind(b'"id":"')) >= 0:
            self.id = data[at + 6 : data.index(b'"', at + 6)].decode()
        return data

    def state(self) -> dict[str, object]:
        """Return what else the proxy knows of it that others can see, or that will matter."""
        session = self.session
        wait = session.waiting_for_event
        return {
            "number": session.number,
            "events": session.event_count,
            "user": session.user and session.user.name,
            "listed": (session.listed_id, session.input_name, session.output.name),
            "ended": session.ended,
            "told": None if wait is None else wait.told,
            "known": knowledge(session.callfilter),
        }


def knowledge(found: SessionFilter | None) -> object:
    """Return what a filter knows by server, in the order in which it will forget it."""
    if found is None:
        return None
    known, ended = found._known, found._ended  # noqa: SLF001 - nobody else wants the order
    return [{scope: list(ids) for scope, ids in each.items() if ids} for each in (known, ended)]


class Server:
    """A server of one world."""

    def __init__(self, world: World, name: str, ring: int, *, proxy: bool) -> None:
        self.world, router = world, world.router
        spec = ServerSpec(f"{name}.host", 5038, "u", "s", name=name, proxy=proxy)
        self.link = link_to(spec, router.ids)
        self.link.remember(ring, 3600.0)
        self.publisher: Publisher = publisher_for(self.link, router)
        self.wire = Wire()

    def connect(self) -> None:
        """Be connected."""
        self.wire = Wire()
        self.link.open(cast("Any", self.wire))
        self.publisher.begin()
        self.link.go_live()

    def publish(self, chunk: Chunk) -> None:
        """Say *chunk*."""
        self.publisher.publish(chunk)

    def lose(self) -> None:
        """Lose the connection."""
        self.publisher.abandon(self.link.lose())


class World:
    """A proxy whose router *make_router* makes, with these *users*."""

    def __init__(
        self, make_router: Callable[[SessionRegistry], Router], users: Iterable[User]
    ) -> None:
        self._numbers, self._epochs = itertools.count(1), itertools.count(1)
        self.enter()
        self.router = router = make_router(SessionRegistry())
        router.keeps_calls = True
        known = Users({user.name: user for user in users})
        self.context = ProxyContext(Config(), known, FORMATS, None, router, Control())
        self.servers: dict[str, Server] = {}
        self.clients: list[Client] = []

    def enter(self) -> None:
        """Have what is made from now on be of this world."""
        numbers._numbers = self._numbers  # noqa: SLF001 - it is that of the process
        numbering._EPOCHS = self._epochs  # noqa: SLF001

    def add_server(self, name: str, ring: int, *, proxy: bool = False) -> Server:
        """Add a server, in the place of the one that is called so; return it."""
        server = Server(self, name, ring, proxy=proxy)
        before = self.servers.get(name)
        rest = [link for link in self.router.servers if before is None or link is not before.link]
        self.router.servers = (*rest, server.link)
        self.servers[name] = server
        return server

    def sessions(self) -> list[tuple[str, str, str]]:
        """Return what ListSessions says of the clients."""
        return [
            (each.address, each.listed_id, each.output.name)
            for each in self.context.registry.snapshot()
        ]

    def indexed(self) -> tuple[object, object]:
        """Return what the index says of who knows which ids, and what the filters say."""
        table = self.context.registry.crowds.index._knowers  # noqa: SLF001 - what it is for
        found = {
            (scope, uid): set(entry) if isinstance(entry, dict) else {entry}
            for scope, knowers in table.items()
            for uid, entry in knowers.items()
        }
        right: dict[tuple[str, str], set[SessionFilter]] = {}
        for session in self.context.registry.snapshot():
            callfilter = session.callfilter
            if callfilter is None or callfilter._index is None:  # noqa: SLF001 - it is not sorted in
                continue
            for table_of in (callfilter._known, callfilter._ended):  # noqa: SLF001 - as above
                for scope, uids in table_of.items():
                    for uid in uids:
                        right.setdefault((scope, uid), set()).add(callfilter)
        return found, right

    def select(self, client: int, wanted: Subscription) -> None:
        """Have a live client subscribe."""
        found = self.clients[client]
        with contextlib.suppress(Exception):  # a Problem, told by its conversation
            found.subscriber.subscribe(1, wanted)
