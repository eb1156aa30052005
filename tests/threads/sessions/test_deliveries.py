# SPDX-License-Identifier: GPL-2.0-or-later
"""Deliveries never raise: a server's thread has other clients."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any, cast

import pytest

from amiproxy.formats import Format
from amiproxy.routing.pending import PendingAction
from amiproxy.routing.plainanswers import PlainAnswer
from amiproxy.routing.viewer import Viewer
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.wire.batch import Batch
from amiproxy.wire.routed import Routed
from tests.threads.sessions.support import EVENT, collector, received, session_over

if TYPE_CHECKING:
    from amiproxy.threads.sessions.link import AsteriskLink
    from tests.threads.conftest import MakePair


def no_memory(*_: Any, **__: Any) -> Any:
    raise MemoryError


ODD = Format("odd", no_memory, None, None, None, "text/plain", wire=False)


@pytest.mark.parametrize("log_too", [False, True])
@pytest.mark.parametrize("place", ["Viewer.encode", "Viewer.chosen", "write", "send"])
def test_a_shortage_of_memory_costs_one_client(
    pair: MakePair, monkeypatch: pytest.MonkeyPatch, place: str, log_too: bool
) -> None:
    """Though there is none for the log line either; its owner finds out."""
    router = Router(SessionRegistry())
    (first, _), (second, theirs) = pair(), pair()
    unlucky = session_over(first, **({"output": ODD} if place == "write" else {}))
    lucky = session_over(second)
    web = collector(keep_events=True)
    for session in (lucky, web, unlucky):  # the newest is delivered to first
        router.registry.add(session)
    if place == "send":
        monkeypatch.setattr("amiproxy.threads.net.plainsocket.libc_send", failing_once())
    elif place != "write":
        name = place.partition(".")[2]
        monkeypatch.setattr(Viewer, name, no_memory)
        with unlucky.lock:
            unlucky._taken_as_is = None  # noqa: SLF001 - as for any client with a filter
    if log_too:
        monkeypatch.setattr(logging.Logger, "error", no_memory)
        monkeypatch.setattr(logging.Logger, "exception", no_memory)

    router.publish(Batch("pbx:5038", EVENT.raw, [Routed(EVENT)]))

    assert received(theirs) == EVENT.raw
    if place != "Viewer.chosen":
        assert first.end_reason is not None
    assert web.ended == (place == "Viewer.chosen")


def failing_once() -> Any:
    failures = [MemoryError()]

    def send(*_: Any) -> int:
        if failures:
            raise failures.pop()
        return -1

    return send


def test_who_waits_for_an_answer_alone_is_not_handed_each_batch() -> None:
    """Servers' threads look at a web request for what it has asked, and at no other time."""
    assert not collector().hears
    assert collector(keep_events=True).hears


def test_who_waits_for_an_answer_alone_is_not_sorted_in() -> None:
    """Its number is enough to find it; who awaits an event is looked at before the next batch."""
    registry = SessionRegistry()
    crowd = registry.gather(cast("AsteriskLink", None))
    for session in (collector(), collector(keep_events=True), collector(hears=True)):
        crowd.changed.clear()
        registry.add(session)
        assert bool(crowd.changed) is session.hears
        assert registry.find(session.number) is session
        assert session in registry.snapshot()
        registry.discard(session)
        assert registry.find(session.number) is None


@pytest.mark.parametrize("request_id", ["1", "2"])
def test_a_quick_answer_is_for_the_request_that_asked(request_id: str) -> None:
    """One that comes too late is for nobody."""
    session = collector()
    pending = session.expect()
    session.sending("1")
    action = PendingAction(session.number, b"", request_id, None, private=True)

    assert session.take_answers([PlainAnswer(action, b"Response: Success\r\n\r\n", True)])

    assert pending.wait(0).complete is (request_id == "1")


def test_a_stranger_is_told_nothing_quickly() -> None:
    """What it may see is for a closer look."""
    session = collector(guarded=True)

    assert not session.take_answers([])


def test_a_shortage_of_memory_ends_the_wait_for_a_quick_answer(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """And nothing else."""
    session = collector()
    pending = session.expect()
    session.sending("1")
    monkeypatch.setattr("amiproxy.threads.sessions.collector.Message", no_memory)
    action = PendingAction(session.number, b"", "1", None, private=True)

    assert session.take_answers([PlainAnswer(action, b"", True)])

    assert pending.is_over
    assert session.ended
