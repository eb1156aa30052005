# SPDX-License-Identifier: GPL-2.0-or-later
"""The listener's thread: whom it admits, and that it goes on whatever the kernel says."""

from __future__ import annotations

import errno
import os
import socket
from typing import TYPE_CHECKING, Any, Callable

import pytest

from amiproxy.access.acl import ANYBODY, DENY_ALL, Acl
from amiproxy.access.user import Users
from amiproxy.basics.deadline import Deadline
from amiproxy.settings.config import Config
from amiproxy.settings.listeners import of_keys
from amiproxy.threads.listener import Listener
from amiproxy.threads.net.door import OWN, Door
from amiproxy.threads.net.traffic import plain_address
from amiproxy.threads.sessions.context import ProxyContext
from amiproxy.threads.sessions.registry import SessionRegistry
from amiproxy.threads.sessions.router import Router
from amiproxy.threads.web.sessions import WebSessions
from tests.support import wait_until
from tests.threads.actions.support import FORMATS, Control

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amiproxy.threads.net.flusher import Flusher

BANNER = b"Asterisk Call Manager/1.0\r\n"


class Exhausted(socket.socket):
    """A listening socket of which the next calls of accept raise *errors*."""

    errors: list[BaseException]

    def accept(self) -> tuple[socket.socket, Any]:
        """Accept, or fail as a process without descriptors does."""
        if self.errors:
            raise self.errors.pop()
        return super().accept()


NO_DESCRIPTOR = OSError(errno.EMFILE, "Too many open files")


@pytest.fixture
def listen(flusher: Flusher) -> Iterator[Callable[..., Exhausted]]:
    """Start listeners on a free port; they and their clients end with the test."""
    started: list[tuple[Listener, ProxyContext, Exhausted]] = []

    def start(
        acl: Acl = ANYBODY,
        errors: Sequence[BaseException] = (),
        *,
        key: str = "",
        **options: Any,
    ) -> Exhausted:
        sock = Exhausted(socket.AF_INET, socket.SOCK_STREAM)
        sock.bind(("127.0.0.1", 0))
        sock.listen(16)
        sock.errors = list(errors)
        router = Router(SessionRegistry())
        config = Config(acl=acl, max_clients=2, proxy_key=key)
        context = ProxyContext(config, Users(), FORMATS, None, router, Control())
        sessions = WebSessions(router.registry)
        door = Door(sock, OWN, of_keys(config))
        listener = Listener(context, sessions, flusher, door, **options)
        listener.start(Deadline(0.0))
        started.append((listener, context, sock))
        return sock

    yield start
    for listener, context, sock in started:
        context.stopping.set()
        listener.stop()
        sock.close()
        for session in context.registry.snapshot():
            session.end("over")
        wait_until(lambda context=context: context.admission.is_empty)  # type: ignore[misc]
        assert context.registry.snapshot() == ()


def first_bytes(sock: socket.socket) -> bytes:
    """Connect to *sock*; return what comes first, b"" if the connection is closed."""
    with socket.create_connection(sock.getsockname(), 10) as client:
        return client.recv(len(BANNER))


def test_a_client_is_greeted_by_a_thread_of_its_own(listen: Callable[..., Exhausted]) -> None:
    """Two at once, each with its banner."""
    sock = listen()
    with socket.create_connection(sock.getsockname(), 10) as one:
        assert one.recv(100).startswith(b"Asterisk Call Manager")
        assert first_bytes(sock).startswith(b"Asterisk Call Manager")


def test_an_address_that_is_denied_is_closed_without_a_word(
    listen: Callable[..., Exhausted], caplog: pytest.LogCaptureFixture
) -> None:
    """And the log says why."""
    sock = listen(DENY_ALL)

    assert first_bytes(sock) == b""
    assert "Connection from 127.0.0.1 refused: address not permitted" in caplog.messages


def test_clients_beyond_the_limit_are_closed(
    listen: Callable[..., Exhausted], caplog: pytest.LogCaptureFixture
) -> None:
    """Those that are there stay."""
    sock = listen()
    with (
        socket.create_connection(sock.getsockname(), 10) as one,
        socket.create_connection(sock.getsockname(), 10) as two,
    ):
        one.recv(100)
        two.recv(100)
        assert first_bytes(sock) == b""
        assert "(maxclients)" in caplog.text


def test_it_survives_that_its_reserve_descriptor_is_gone(
    listen: Callable[..., Exhausted],
) -> None:
    """Another thread may take the one that it frees: it tries again."""
    failures = [NO_DESCRIPTOR] * 2

    def scarce() -> int:
        if opened and failures:
            raise failures.pop()
        opened.append(os.open(os.devnull, os.O_RDONLY))
        return opened[-1]

    opened: list[int] = []
    # Each time it is tried twice; the first client may be turned away, a later one is not.
    sock = listen(errors=[NO_DESCRIPTOR] * 6, open_reserve=scarce)

    wait_until(lambda: first_bytes(sock), what="a banner")
    assert not failures


@pytest.mark.parametrize("error", [MemoryError(), OSError(errno.ECONNABORTED, "gone"), KeyError(1)])
def test_it_goes_on_after_whatever_accept_raises(
    listen: Callable[..., Exhausted], error: BaseException
) -> None:
    """A short shortage of memory does not end it."""
    sock = listen(errors=[error] * 3)

    wait_until(lambda: first_bytes(sock).startswith(b"Asterisk Call Manager"), what="a banner")


def no_memory(*_: object) -> None:
    raise MemoryError


def no_thread(*_: object) -> None:
    raise RuntimeError("can't start new thread")


@pytest.mark.parametrize(
    ("place", "fail"),
    [
        ("amiproxy.threads.listener.WatchedThread.start", no_thread),
        ("amiproxy.threads.listener.WatchedThread.start", no_memory),
        ("amiproxy.threads.listener.Transport", no_memory),
        ("amiproxy.threads.listener.Client", no_memory),
        ("amiproxy.threads.sessions.admission.Admission._count_as_unauthenticated", no_memory),
    ],
)
def test_a_client_that_cannot_be_served_leaves_nothing_behind(
    listen: Callable[..., Exhausted], monkeypatch: pytest.MonkeyPatch, place: str, fail: Any
) -> None:
    """Its connection is closed, it counts for no limit, and the next one is served."""
    sock = listen(key="k")
    with monkeypatch.context() as patched:
        patched.setattr(place, fail)
        for _ in range(3):  # more than maxclients
            assert first_bytes(sock) == b""

    wait_until(lambda: first_bytes(sock).startswith(b"Asterisk Call Manager"), what="a banner")


def test_who_is_turned_away_is_named_as_in_permit_lines(
    listen: Callable[..., Exhausted],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Not as a socket of both families shows them: fail2ban and the limit of lines read it."""

    def accept(sock: Exhausted) -> tuple[socket.socket, tuple[str, int]]:
        client, (address, port) = socket.socket.accept(sock)
        return client, (f"::ffff:{address}", port)

    monkeypatch.setattr(Exhausted, "accept", accept)
    sock = listen()
    with monkeypatch.context() as patched:
        patched.setattr("amiproxy.threads.listener.WatchedThread.start", no_thread)
        assert first_bytes(sock) == b""

    text = "client 127.0.0.1 turned away: can't start new thread"
    wait_until(lambda: text in caplog.messages)


@pytest.mark.parametrize(
    "place", ["socket.socket.recv_into", "amiproxy.threads.net.transport.PeerGone",
              "amiproxy.threads.client.Client._serve",
              "amiproxy.threads.sessions.registry.SessionRegistry.add"]
)  # fmt: skip
def test_a_client_that_cannot_leave_in_order_is_not_counted_for_ever(
    listen: Callable[..., Exhausted], monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    """Otherwise maxclients of them shut all others out."""
    sock = listen()
    with monkeypatch.context() as patched:
        patched.setattr(place, no_memory)
        for _ in range(4):
            first_bytes(sock)

    wait_until(lambda: first_bytes(sock).startswith(b"Asterisk Call Manager"), what="a banner")


@pytest.mark.parametrize(
    ("shown", "plain"),
    [
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8::1", "2001:db8::1"),
        ("::ffff:1", "::ffff:1"),
    ],
)
def test_ipv4_clients_of_a_dual_stack_socket_keep_their_address(shown: str, plain: str) -> None:
    """As operators write it in permit and deny lines, and as fail2ban reads it."""
    assert plain_address(shown) == plain
