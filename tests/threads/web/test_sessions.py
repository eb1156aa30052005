# SPDX-License-Identifier: GPL-2.0-or-later
"""Web sessions begin, last and end."""

from __future__ import annotations

import threading

import pytest

from amiproxy.formats import Format
from amiproxy.routing.actionids import ActionIds
from amiproxy.threads.sessions.collector import Collector
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.web import sessions
from amiproxy.threads.web.sessions import WebSessions
from tests.support import wait_until

FORM = Format("standard", lambda message: message.raw, None, None, None, "text/plain", True)


def collector(*, guarded=False):
    return Collector(
        "client x",
        "192.0.2.1",
        ActionIds(),
        guarded=guarded,
        output=FORM,
        filter_local="off",
        keep_events=True,
    )


@pytest.fixture
def registry():
    return SessionRegistry()


@pytest.fixture
def begin(registry):
    """Begin sessions in a store of a given life; the store is closed with the test."""
    stores = []

    def start(life=60.0):
        stores.append(WebSessions(registry, life=life))
        return stores[-1]

    yield start
    for store in stores:
        store.close()


def add(store, registry, address="192.0.2.1", *, stranger=False):
    gathering = collector(guarded=stranger)
    registry.add(gathering)
    return store.add(gathering, address)


def test_a_session_is_found_by_its_id(begin, registry):
    """The id leads to the session; any other leads nowhere."""
    store = begin()
    session = add(store, registry)

    with store.using(session.id) as found:
        assert found is session
    for key in ("", "x", session.id[:-1]):
        with store.using(key) as found:
            assert found is None


def test_ids_cannot_be_foreseen(begin, registry):
    """Each id is 128 bits of its own."""
    store = begin()

    ids = {add(store, registry).id for _ in range(10)}

    assert len(ids) == 10
    assert all(len(each) == 32 for each in ids)


def test_a_session_that_is_removed_is_gone(begin, registry):
    """After a log-off nothing is delivered any more, and who waits goes on."""
    store = begin()
    session = add(store, registry)

    store.remove(session)

    assert len(store) == 0
    assert session.collector not in registry.snapshot()
    assert session.collector.ended
    assert session.collector.wait_events(10) == []


def test_a_session_ends_when_nobody_asks(begin, registry):
    """Without requests a session is over after its life, and the last takes the thread along."""
    store = begin(life=0.1)
    session = add(store, registry)

    wait_until(lambda: len(store) == 0)

    wait_until(lambda: session.collector not in registry.snapshot())
    wait_until(lambda: "websessions" not in {each.name for each in threading.enumerate()})


def test_a_session_in_use_does_not_end(begin, registry):
    """A request that waits for events keeps its session."""
    store = begin(life=0.1)
    used, unused = add(store, registry), add(store, registry)

    with store.using(used.id):
        wait_until(lambda: unused.collector.ended)
        assert not used.collector.ended
    wait_until(lambda: used.collector.ended)


def test_a_session_begins_after_all_have_ended(begin, registry):
    """The thread that ends sessions comes back with the next session."""
    store = begin(life=0.05)
    for _ in range(3):
        session = add(store, registry)
        wait_until(lambda session=session: session.collector.ended)


def test_one_address_cannot_take_all(begin, registry, monkeypatch):
    """Who has too many loses his oldest; others are not touched."""
    monkeypatch.setattr(sessions, "MOST_PER_ADDRESS", 3)
    store = begin()
    other = add(store, registry, "192.0.2.2")
    first, *rest = [add(store, registry) for _ in range(4)]

    assert first.collector.ended
    assert not any(each.collector.ended for each in (other, *rest))


def test_strangers_make_room(begin, registry, monkeypatch):
    """Challenges nobody answers keep nobody out, and push nobody out who has logged in."""
    monkeypatch.setattr(sessions, "MOST", 3)
    monkeypatch.setattr(sessions, "MOST_PER_ADDRESS", 2)
    store = begin()
    user = add(store, registry, "192.0.2.1")
    stranger = add(store, registry, "192.0.2.1", stranger=True)
    another = add(store, registry, "192.0.2.1", stranger=True)
    add(store, registry, "192.0.2.2")
    second = add(store, registry, "192.0.2.2")

    assert stranger.collector.ended
    assert another.collector.ended
    assert second is not None
    assert add(store, registry, "192.0.2.2", stranger=True) is None
    assert add(store, registry, "192.0.2.3", stranger=True) is None
    assert not user.collector.ended
    assert not second.collector.ended


def test_there_is_an_end_of_sessions(begin, registry, monkeypatch):
    """More sessions than allowed are refused, and so are those of one address in use."""
    monkeypatch.setattr(sessions, "MOST", 2)
    monkeypatch.setattr(sessions, "MOST_PER_ADDRESS", 1)
    store = begin()
    first = add(store, registry, "192.0.2.1")
    add(store, registry, "192.0.2.2")

    assert add(store, registry, "192.0.2.3") is None
    with store.using(first.id):
        assert add(store, registry, "192.0.2.1") is None


def test_a_closed_store_has_no_sessions(registry):
    """When the proxy stops every session ends, and none begins."""
    store = WebSessions(registry)
    session = add(store, registry)

    store.close()

    assert session.collector.ended
    assert add(store, registry) is None
    assert "websessions" not in {each.name for each in threading.enumerate()}


def test_a_close_while_a_session_is_being_ended_takes_no_time(begin, registry, monkeypatch):
    """The sweeper would sleep on for a minute, and the stop of the proxy with it."""
    store = begin()
    ending, closing = threading.Event(), threading.Event()

    def end(_session):
        ending.set()
        closing.wait(10)

    monkeypatch.setattr(store, "_end", end)
    over, _other = add(store, registry), add(store, registry)
    with store._changed:
        over.used -= 100.0
        store._changed.notify_all()
    assert ending.wait(10)
    stopper = threading.Thread(target=store.close)
    stopper.start()
    wait_until(lambda: store._closed)
    closing.set()

    stopper.join(5)

    assert not stopper.is_alive()
