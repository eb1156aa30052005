# SPDX-License-Identifier: GPL-2.0-or-later
"""A server that says nothing but plain answers: nobody who has left is kept for it."""

from __future__ import annotations

import gc
import weakref
from typing import TYPE_CHECKING, Callable

from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.routing.pending import PendingAction
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.publisher import Publisher
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.wire.framing import Framer
from tests.threads.sessions.support import session_over

if TYPE_CHECKING:
    from tests.threads.conftest import MakePair


def asking(pair: MakePair) -> tuple[SessionRegistry, Callable[[], weakref.ref[object]]]:
    """Return a registry, and what has a client of it come, ask, be answered and leave."""
    ids, registry = ActionIds(), SessionRegistry()
    router = Router(registry)
    link = AsteriskLink(ServerSpec("pbx", 5038, "ann", "s", "on", False), ids)
    router.servers = (link,)
    link.open(pair()[0])
    link.go_live()
    publisher, framer = Publisher(link, router), Framer(65536, b"\r\nServer: pbx\r\n\r\n")
    publisher.begin()
    transport, _ = pair()

    def ask() -> weakref.ref[object]:
        session = session_over(transport)
        registry.add(session)
        wire_id = ids.make(session.number, "a")
        link.submit(
            PendingAction(session.number, b"Action: Ping\r\n\r\n", wire_id, "a", private=True)
        )
        answer = Message.of("Response: Success", f"ActionID: {wire_id}", "Ping: Pong")
        publisher.publish(framer.feed(answer.raw))
        assert not link.unanswered(session.number)
        registry.discard(session)
        return weakref.ref(session)

    return registry, ask


def test_who_has_left_is_not_kept_until_something_else_comes(pair: MakePair) -> None:
    """Each client that comes and goes would stay, a day long at a server without events."""
    registry, ask = asking(pair)
    gone = [ask() for _ in range(600)]
    gc.collect()

    (crowd,) = registry.crowds.all
    assert len(crowd.changed) < 600
    assert sum(each() is not None for each in gone) < 400
