# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests of one web user may leave so many actions unanswered, and no more."""

from __future__ import annotations

import threading

import pytest

from amiproxy.basics.deadline import Deadline
from amiproxy.threads.sessions.turnstile import Turnstile
from amiproxy.threads.sessions.webquota import WebQuota
from tests.support import wait_until


@pytest.fixture
def quota() -> WebQuota:
    return WebQuota(Turnstile())


class Asker:
    """A request in a thread of its own, of the user ann; at most two are unanswered."""

    def __init__(self, quota: WebQuota, number: int) -> None:
        self.admitted: bool | None = None

        def ask() -> None:
            self.admitted = quota.take("ann", number, 2, Deadline(10))

        self.thread = threading.Thread(target=ask)
        self.thread.start()
        wait_until(lambda: quota.waiting)


def test_a_user_with_too_many_is_told_so_in_time(quota: WebQuota) -> None:
    """Whatever sessions the requests are of; other users go on."""
    assert quota.take("ann", 1, 2, Deadline(0))
    assert quota.take("ann", 2, 2, Deadline(0))

    assert not quota.take("ann", 3, 2, Deadline(0.01))
    assert quota.take("bob", 4, 2, Deadline(0))
    quota.give_back(99)  # not a web request
    assert not quota.take("ann", 3, 2, Deadline(0.01))


def test_who_waits_goes_on_when_an_action_is_over(quota: WebQuota) -> None:
    """In the order of arrival, one for each."""
    quota.take("ann", 1, 2, Deadline(0))
    quota.take("ann", 1, 2, Deadline(0))
    first = Asker(quota, 2)

    quota.give_back(1)
    first.thread.join(10)

    assert first.admitted
    assert not quota.take("ann", 3, 2, Deadline(0.01))
    quota.give_back(2)
    quota.give_back(1)
    assert quota.take("ann", 3, 1, Deadline(0))


def test_nobody_waits_when_the_proxy_stops(quota: WebQuota) -> None:
    """The stop takes a few seconds at the most."""
    quota.take("ann", 1, 1, Deadline(0))
    asker = Asker(quota, 2) if quota.take("ann", 5, 2, Deadline(0)) else None
    assert asker is not None

    quota.close()
    asker.thread.join(10)

    assert asker.admitted is False
    assert not quota.take("ann", 3, 1, Deadline(10))


def test_two_servers_may_answer_one_session_at_once(quota: WebQuota) -> None:
    """Also more often than was counted, as where maxunanswered was 0 when it asked."""
    quota.take("ann", 1, 2, Deadline(0))

    class Later:
        """The lock, which the thread of another server takes just before."""

        def __enter__(self) -> None:
            quota._lock = lock  # noqa: SLF001
            quota.give_back(1)
            lock.acquire()

        def __exit__(self, *_: object) -> None:
            lock.release()

    lock = quota._lock  # noqa: SLF001
    quota._lock = Later()  # type: ignore[assignment]  # noqa: SLF001

    quota.give_back(1)

    assert quota.take("ann", 1, 1, Deadline(0))
