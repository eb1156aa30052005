# SPDX-License-Identifier: GPL-2.0-or-later
"""A process that leaves a shared port takes who has connected, and nobody else."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING

import pytest

from amiproxy.settings.config import Config
from amiproxy.settings.listeners import of_keys
from amiproxy.threads.net.listening import bind_listener
from amiproxy.threads.net.sharing import begin_no_more, open_up
from tests.support import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Less than the second after which TCP tries again (RFC 6298).
_SOON = 0.5


@pytest.fixture(params=["127.0.0.1", "*"])
def listener(request: pytest.FixtureRequest) -> Iterator[socket.socket]:
    config = Config(listen_address=request.param, listen_port=free_port(), reuse_port=True)
    with bind_listener(of_keys(config)) as sock:
        yield sock


def targets(listener: socket.socket) -> list[tuple[str, int]]:
    """Return where clients find *listener*: by IPv4, and by IPv6 if it has that."""
    port = listener.getsockname()[1]
    hosts = ["127.0.0.1"] + ["::1"] * (listener.family == socket.AF_INET6)
    return [(host, port) for host in hosts]


def test_no_connection_begins_any_more(listener: socket.socket) -> None:
    """Neither by IPv4 nor by IPv6: the client's TCP tries again, and finds another process."""
    begin_no_more([listener])

    for each in targets(listener):
        with pytest.raises((TimeoutError, socket.timeout)):
            socket.create_connection(each, _SOON)


def test_who_has_connected_is_served(listener: socket.socket) -> None:
    """What they send comes, once they are accepted."""
    for each in targets(listener):
        with socket.create_connection(each, 10) as client:
            begin_no_more([listener])
            accepted = listener.accept()[0]
            with accepted:
                open_up(accepted)
                client.sendall(b"hello")
                accepted.settimeout(10)
                assert accepted.recv(10) == b"hello"
        open_up(listener)


def test_nothing_is_waited_for_where_nothing_is_shared() -> None:
    """A proxy that is alone ends at once."""
    begin_no_more([])
