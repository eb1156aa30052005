# SPDX-License-Identifier: GPL-2.0-or-later
"""Web sessions begin, last and end."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Callable

import pytest

from amiproxy.access.user import User
from amiproxy.threads.sessions.collector import Collector
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.web.sessions import WebSession, WebSessions
from tests.support import wait_until
from tests.threads.sessions.support import collector

if TYPE_CHECKING:
    from collections.abc import Iterator

    Begin = Callable[..., WebSessions]


@pytest.fixture
def registry() -> SessionRegistry:
    return SessionRegistry()


@pytest.fixture
def begin(registry: SessionRegistry) -> Iterator[Begin]:
    """Make stores of sessions, with limits if wanted; they are closed with the test."""
    stores = []

    def start(**limits: Any) -> WebSessions:
        stores.append(WebSessions(registry, **limits))
        return stores[-1]

    yield start
    for store in stores:
        store.close()


def add_if_possible(
    store: WebSessions,
    registry: SessionRegistry,
    address: str = "192.0.2.1",
    *,
    authenticated: bool = True,
    user: str = "",
    make: type[Collector] = Collector,
) -> WebSession | None:
    gathering = collector(guarded=not authenticated, keep_events=True, make=make)
    if user:
        gathering.log_in(User(user, "secret"), None)
    registry.add(gathering)
    return store.add(gathering, address)


def add(*args: Any, **options: Any) -> WebSession:
    session = add_if_possible(*args, **options)
    assert session is not None
    return session


def test_a_session_is_found_by_its_id(begin: Begin, registry: SessionRegistry) -> None:
    """The id leads to the session; any other leads nowhere."""
    store = begin()
    session = add(store, registry)

    with store.using(session.id) as found:
        assert found is session
    for key in ("", "x", session.id[:-1]):
        with store.using(key) as found:
            assert found is None


def test_ids_cannot_be_foreseen(begin: Begin, registry: SessionRegistry) -> None:
    """Each id is 128 bits of its own."""
    store = begin()

    ids = {add(store, registry).id for _ in range(10)}

    assert len(ids) == 10
    assert all(len(each) == 32 for each in ids)


def test_a_session_that_is_removed_is_gone(begin: Begin, registry: SessionRegistry) -> None:
    """After a log-off nothing is delivered any more, and a request that waits goes on."""
    store = begin()
    session = add(store, registry)

    store.remove(session)

    assert len(store) == 0
    assert session.collector not in registry.snapshot()
    assert session.collector.ended
    assert session.collector.events is not None
    assert session.collector.events.fetch(10) == []


def test_a_session_that_somebody_has_ended_is_gone(begin: Begin, registry: SessionRegistry) -> None:
    """The operator has kicked its client: the cookie leads nowhere from now on."""
    store = begin()
    session = add(store, registry)
    with store.using(session.id):
        session.collector.end("kicked")

    with store.using(session.id) as found:
        assert found is None


def test_a_session_ends_when_nobody_asks(begin: Begin, registry: SessionRegistry) -> None:
    """Without requests a session is over after its life, and the thread with the last."""
    store = begin(life=0.1)
    session = add(store, registry)

    wait_until(lambda: len(store) == 0)

    wait_until(lambda: session.collector not in registry.snapshot())
    wait_until(lambda: "websessions" not in {each.name for each in threading.enumerate()})


def test_a_session_in_use_does_not_end(begin: Begin, registry: SessionRegistry) -> None:
    """A request that waits for events keeps its session."""
    store = begin(life=0.1)
    used, unused = add(store, registry), add(store, registry)

    with store.using(used.id):
        wait_until(lambda: unused.collector.ended)
        assert not used.collector.ended
    wait_until(lambda: used.collector.ended)


def test_a_session_begins_after_all_have_ended(begin: Begin, registry: SessionRegistry) -> None:
    """The thread that ends sessions comes back with the next session."""
    store = begin(life=0.05)
    for _ in range(3):
        session = add(store, registry)
        collecting = session.collector
        wait_until(lambda: collecting.ended)  # noqa: B023 - called in this turn of the loop


def test_one_address_cannot_take_all(begin: Begin, registry: SessionRegistry) -> None:
    """An address over its quota loses its oldest session; others are not touched."""
    store = begin(most_per_owner=3)
    other = add(store, registry, "192.0.2.2")
    first, *rest = [add(store, registry) for _ in range(4)]

    assert first.collector.ended
    assert not any(each.collector.ended for each in (other, *rest))


def test_unauthenticated_sessions_make_room(begin: Begin, registry: SessionRegistry) -> None:
    """Challenges that nobody answers keep no user out, and end no session of a user."""
    store = begin(most=3, most_per_owner=2)
    user = add(store, registry, "192.0.2.1")
    challenged = add(store, registry, "192.0.2.1", authenticated=False)
    another = add(store, registry, "192.0.2.1", authenticated=False)
    add(store, registry, "192.0.2.2")
    second = add(store, registry, "192.0.2.2")

    assert challenged.collector.ended
    assert another.collector.ended
    assert add_if_possible(store, registry, "192.0.2.2", authenticated=False) is None
    assert add_if_possible(store, registry, "192.0.2.3", authenticated=False) is None
    assert not user.collector.ended
    assert not second.collector.ended


def test_there_is_an_end_of_sessions(begin: Begin, registry: SessionRegistry) -> None:
    """More sessions than allowed are refused, and so are those of one address in use."""
    store = begin(most=2, most_per_owner=1)
    first = add(store, registry, "192.0.2.1")
    add(store, registry, "192.0.2.2")

    assert add_if_possible(store, registry, "192.0.2.3") is None
    with store.using(first.id):
        assert add_if_possible(store, registry, "192.0.2.1") is None


def test_a_closed_store_has_no_sessions(registry: SessionRegistry) -> None:
    """When the proxy stops every session ends, and none begins."""
    store = WebSessions(registry)
    session = add(store, registry)

    store.close()

    assert session.collector.ended
    assert add_if_possible(store, registry) is None
    assert "websessions" not in {each.name for each in threading.enumerate()}


class SlowToEnd(Collector):
    """Takes its time to end, until *may_end* is set."""

    ending = threading.Event()
    may_end = threading.Event()

    def end(self, reason: str) -> None:
        """End late."""
        self.ending.set()
        self.may_end.wait(10)
        super().end(reason)


def test_a_close_while_a_session_is_being_ended_takes_no_time(
    begin: Begin, registry: SessionRegistry
) -> None:
    """The sweeper does not sleep on for a session's life, and the stop of the proxy with it."""
    now = [0.0]
    store = begin(life=60.0, clock=lambda: now[0])
    add(store, registry, make=SlowToEnd)
    used, left = add(store, registry), add(store, registry)
    with store.using(used.id):
        now[0] = 100.0
        store.remove(left)  # wakes the sweeper, which finds the first one over
        assert SlowToEnd.ending.wait(10)
        stopper = threading.Thread(target=store.close)
        stopper.start()
        wait_until(lambda: len(store) == 0)  # close() has begun
        SlowToEnd.may_end.set()

        stopper.join(5)

    assert not stopper.is_alive()


def test_without_a_thread_that_ends_it_no_session_begins(
    begin: Begin, registry: SessionRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It would last for ever; the next one begins when there is a thread."""
    store = begin()

    def no_thread(*_: object) -> None:
        raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patched:
        patched.setattr(threading.Thread, "start", no_thread)
        assert add_if_possible(store, registry) is None
    assert len(store) == 0

    add(store, registry)


def test_a_session_that_cannot_be_ended_keeps_no_other(
    begin: Begin, registry: SessionRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The thread goes on after whatever is raised."""
    failures = [MemoryError(), KeyError(1)]
    discard = SessionRegistry.discard

    def fail(self: SessionRegistry, session: Any) -> None:
        discard(self, session)
        if failures:
            raise failures.pop()

    monkeypatch.setattr(SessionRegistry, "discard", fail)
    store = begin(life=0.05)

    sessions = [add(store, registry) for _ in range(3)]

    wait_until(lambda: len(store) == 0 and all(each.collector.ended for each in sessions))
    assert failures == []
