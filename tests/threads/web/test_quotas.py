# SPDX-License-Identifier: GPL-2.0-or-later
"""How many web sessions there may be, and whose has to go for another's."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.web.sessions import MOST, MOST_PER_OWNER, WebSessions
from tests.threads.web.test_sessions import add, add_if_possible

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.threads.web.sessions import WebSession


@pytest.fixture
def registry() -> SessionRegistry:
    return SessionRegistry()


@pytest.fixture
def store(registry: SessionRegistry) -> Iterator[WebSessions]:
    """Six sessions in all, three of one user."""
    made = WebSessions(registry, most=6, most_per_owner=3)
    yield made
    made.close()


def ended(sessions: list[WebSession]) -> list[int]:
    """Return the places of those of *sessions* that are over."""
    return [index for index, each in enumerate(sessions) if each.collector.ended]


def test_a_user_over_the_quota_loses_their_own_oldest(
    store: WebSessions, registry: SessionRegistry
) -> None:
    """From however many addresses, and nobody else's; one that is used meanwhile stays."""
    others = [add(store, registry, "192.0.2.9", user="ann") for _ in range(2)]
    greedy = [add(store, registry, f"192.0.2.{number}", user="joe") for number in range(3)]
    with store.using(greedy[0].id):
        greedy += [add(store, registry, f"192.0.2.{number}", user="joe") for number in range(3)]

    assert ended(greedy) == [1, 2, 3]
    assert ended(others) == []


def test_users_of_one_address_do_not_count_for_each_other(
    store: WebSessions, registry: SessionRegistry
) -> None:
    """Behind a web server in front all come from one."""
    sessions = [add(store, registry, user=name) for name in ("joe", "joe", "joe", "ann", "ann")]

    sessions.append(add(store, registry, user="ann"))

    assert ended(sessions) == []


def test_who_has_no_user_is_counted_by_address(
    store: WebSessions, registry: SessionRegistry
) -> None:
    """A network of IPv6 is one address."""
    sessions = [add(store, registry, f"2001:db8::{number}") for number in range(5)]

    assert ended(sessions) == [0, 1]


@pytest.mark.parametrize("busy", [False, True])
def test_nobodys_many_sessions_keep_others_out(
    store: WebSessions, registry: SessionRegistry, busy: bool
) -> None:
    """The user with most of them loses the oldest, in use or not, to one with two fewer."""
    greedy = [add(store, registry, f"192.0.2.{number}", user="joe") for number in range(3)]
    others = [add(store, registry, user=name) for name in ("ann", "ann", "kim")]
    uses = [store.using(each.id) for each in greedy + others if busy]
    for use in uses:
        use.__enter__()

    admin = add(store, registry, user="admin")

    assert ended(greedy) == [0]
    assert ended([*others, admin]) == []
    for use in uses:
        use.__exit__(None, None, None)
    second = add_if_possible(store, registry, user="admin")
    assert second is None  # joe and ann have two, as admin would have
    assert len(store) == 6


def test_an_idle_session_goes_before_one_in_use(
    store: WebSessions, registry: SessionRegistry
) -> None:
    """Of the user who has most."""
    greedy = [add(store, registry, user="joe") for _ in range(3)]
    for name in ("ann", "ann", "ann"):
        add(store, registry, user=name)
    with store.using(greedy[0].id):
        add(store, registry, user="kim")

    assert ended(greedy) == [1]


def test_strangers_make_room_first_and_take_nobodys(
    store: WebSessions, registry: SessionRegistry
) -> None:
    """The address with most challenges loses one, to other strangers too."""
    users = [add(store, registry, user="joe") for _ in range(3)]
    quiet = add(store, registry, "192.0.2.8", authenticated=False)
    many = [add(store, registry, "192.0.2.7", authenticated=False) for _ in range(2)]

    other = add(store, registry, "192.0.2.6", authenticated=False)
    assert ended([*many, quiet, other, *users]) == [0]
    for name in ("ann", "ann", "ann"):
        add(store, registry, user=name)

    assert ended([*many, quiet, other]) == [0, 1, 2, 3]
    assert add_if_possible(store, registry, authenticated=False) is None
    assert ended(users) == []


def test_one_user_cannot_shut_the_administrator_out(registry: SessionRegistry) -> None:
    """With the limits that hold, and as many sessions as five addresses make."""
    store = WebSessions(registry)
    admin = [add(store, registry, "192.0.2.9", user="admin")]
    for number in range(5 * MOST_PER_OWNER):
        add(store, registry, f"192.0.2.{number // MOST_PER_OWNER}", user="joe")
    for number in range(MOST):
        add_if_possible(store, registry, f"198.51.100.{number}", authenticated=False)

    admin.append(add(store, registry, "192.0.2.9", user="admin"))

    assert ended(admin) == []
    assert len(store) <= MOST
    store.close()
