# SPDX-License-Identifier: GPL-2.0-or-later
"""How often a client may ask."""

from __future__ import annotations

from amiproxy.threads.web.rates import MOST, Rates


def test_as_many_as_are_allowed_go_at_once_and_then_one_after_the_other() -> None:
    """Who is refused is told in how many seconds it may; nobody else is held up."""
    now = 100.0
    found = Rates(4, lambda: now)

    assert [found.take("a") for _ in range(4)] == [0.0] * 4
    assert found.take("a") == 0.25
    assert found.take("b") == 0.0
    now += 0.25
    assert found.take("a") == 0.0
    assert found.take("a") == 0.25
    now += 1000
    assert [found.take("a") for _ in range(5)].count(0.0) == 4


def test_clients_are_forgotten_when_there_are_too_many() -> None:
    """Whoever comes by another address each time takes no memory."""
    now = 0.0
    found = Rates(1, lambda: now)
    for number in range(3 * MOST):
        found.take(str(number))
        now += 0.0001
    assert len(found) <= MOST
