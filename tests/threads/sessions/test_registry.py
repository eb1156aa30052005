# SPDX-License-Identifier: GPL-2.0-or-later
"""The registry of sessions: who is there, who sees answers to others, whether any filters."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.access.user import User
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.streamsession import StreamSession
from tests.threads.sessions.support import PONG, format_of, session_over

if TYPE_CHECKING:
    from amiproxy.message import Message
    from tests.threads.conftest import MakePair

OFF, ON, UNIQUE = AutoFilter
Join = Callable[[AutoFilter], StreamSession]


@pytest.fixture
def registry() -> SessionRegistry:
    return SessionRegistry()


@pytest.fixture
def join(registry: SessionRegistry, pair: MakePair) -> Join:
    """Add a session with an autofilter to the registry."""

    def add(mode: AutoFilter) -> StreamSession:
        session = session_over(pair()[0], mode=mode)
        registry.add(session)
        return session

    return add


def test_the_newest_session_stands_first(registry: SessionRegistry, join: Join) -> None:
    """ListSessions shows them in this order (spec section 10)."""
    first, second, third = (join(OFF) for _ in range(3))

    assert registry.snapshot() == (third, second, first)


def test_a_tuple_is_built_once_a_change(registry: SessionRegistry, join: Join) -> None:
    """A server's thread takes it for each batch; one it has taken stays as it is."""
    first = join(OFF)
    taken = registry.snapshot()
    assert registry.snapshot() is taken

    second = join(ON)

    assert taken == (first,)
    assert registry.snapshot() == (second, first)


def test_a_session_is_found_by_its_number_until_it_is_discarded(
    registry: SessionRegistry, join: Join
) -> None:
    """Discarding it twice does no harm."""
    session, other = join(OFF), join(UNIQUE)

    assert registry.find(session.number) is session
    registry.discard(session)
    registry.discard(session)

    assert registry.find(session.number) is None
    assert registry.snapshot() == (other,)


def test_servers_prepare_for_filters_before_the_login_counts(
    registry: SessionRegistry, pair: MakePair
) -> None:
    """Each call that the new view sees has been noted, until the client leaves."""
    seen: list[bool] = []

    def write(_message: Message) -> bytes:
        # Looks while the reply is said, the moment before the new view holds.
        seen.append(registry.filtering)
        return b""

    session = session_over(pair()[0], output=format_of(write))
    registry.add(session)

    registry.log_in(session, User("ann", "secret", channel="sip/1"), None, PONG)

    assert seen == [True]
    assert registry.filtering
    registry.discard(session)
    assert not registry.filtering


def test_a_user_without_filters_costs_the_servers_nothing(
    registry: SessionRegistry, join: Join
) -> None:
    """A client that logs in where no users are defined costs them nothing either."""
    registry.log_in(join(UNIQUE), User("ann", "secret"), None)
    registry.log_in(join(UNIQUE), None, None)

    assert not registry.filtering
