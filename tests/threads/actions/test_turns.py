# SPDX-License-Identifier: GPL-2.0-or-later
"""A client whose guess has to wait, or is not tried at all."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest

from amiproxy.threads.sessions.admission import Slot
from tests.support import wait_until
from tests.threads.actions.support import Client

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.threads.sessions.guesses import Guesses

FAILED = ["Response: Error", "Message: Authentication failed"]
LOGIN = ("Action: Login", "Username: joe", "Secret: secret")
KEY = ("Action: Ping", "ProxyKey: k3y")
ADDRESS = "192.0.2.1"


@pytest.fixture
def client() -> Iterator[Client]:
    """A client that has logged in; nobody waits any more when the test is over."""
    made = Client("joe=secret\n", auth_required=True, proxy_key="k3y")
    slot = made.context.admission.enter(ADDRESS, guarded=True)
    assert isinstance(slot, Slot)
    made.session.slot = slot
    made.handle(*LOGIN)
    made.context.admission.mark_authenticated(slot)
    assert made.session.authenticated
    made.session.told.clear()
    yield made
    made.context.stopping.set()


def in_thread(client: Client, *lines: str) -> threading.Thread:
    """Carry out the block of *lines* in a thread."""
    thread = threading.Thread(target=client.handle, args=lines)
    thread.start()
    return thread


def fail(guesses: Guesses, times: int = 12) -> None:
    """Let the client's address fail so often that it has to wait for long."""
    for _ in range(times):
        guesses.failed(ADDRESS)


def test_who_waits_for_the_delay_is_a_stranger_meanwhile(client: Client) -> None:
    """Sessions of one user do not become many that guess."""
    fail(client.context.guesses)

    thread = in_thread(client, *LOGIN)

    slot = client.session.slot
    assert slot is not None
    wait_until(lambda: not client.session.allowed and slot.unauthenticated)
    assert client.session.told == []
    client.context.stopping.set()
    thread.join(10)
    assert client.session.authenticated


@pytest.mark.parametrize("block", [LOGIN, KEY])
def test_who_is_not_heard_is_not_told_at_once(
    client: Client, block: tuple[str, ...], caplog: pytest.LogCaptureFixture
) -> None:
    """Where too many wait: neither the right secret nor the right key is tried."""
    other = client.join()
    client.context.registry.discard(other)
    fail(client.context.guesses)
    waiting = [in_thread(client, *LOGIN) for _ in range(5)]
    queues = client.context.guesses._queues  # noqa: SLF001 - who waits has no other effect
    wait_until(lambda: len(queues.get(ADDRESS, ())) == 5)

    turnstile = client.context.turnstile

    def guess() -> None:
        turnstile.take(turnstile.first)
        client.handle(*block, session=other)
        turnstile.end()

    thread = threading.Thread(target=guess)
    thread.start()

    reason = 'login failed from 192.0.2.1 as "{}": too many log-ins of this address wait'
    wait_until(lambda: reason.format("joe" if block is LOGIN else "") in caplog.text)
    wait_until(lambda: not turnstile.first.holders)  # others go on meanwhile
    assert thread.is_alive()
    assert not other.authenticated
    assert other.told == []
    client.context.stopping.set()
    for each in (thread, *waiting):
        each.join(10)
    assert other.told[0][0] == "Response: Error"
    assert not other.authenticated


def test_a_right_key_has_its_turn_and_a_wrong_one_counts(client: Client) -> None:
    """As a login does."""
    client.context.registry.log_out(client.session)
    client.context.stopping.set()
    for _ in range(4):
        assert not client.handle("Action: Ping", "ProxyKey: no").stays
    assert client.context.guesses.delay(ADDRESS) > 0

    assert client.handle(*KEY).stays
    assert client.session.authenticated
    assert client.context.guesses.is_empty
