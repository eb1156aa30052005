# SPDX-License-Identifier: GPL-2.0-or-later
"""The listening socket: where it listens, and what is told when it cannot."""

from __future__ import annotations

import socket
import struct
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.errors import ConfigError
from amiproxy.settings.config import Config
from amiproxy.settings.listeners import of_keys
from amiproxy.threads.net.listening import bind_listener, only_endings
from tests.support import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

WHERE = {"listen_address": "x.conf:1", "listen_port": "x.conf:2"}


def test_it_listens_at_the_configured_address() -> None:
    """And nowhere else."""
    with bind_listener(
        of_keys(Config(listen_address="127.0.0.1", listen_port=free_port()))
    ) as listener:
        address = listener.getsockname()
        socket.create_connection(address).close()

    assert address[0] == "127.0.0.1"


def test_a_star_is_every_address_of_both_families() -> None:
    """As far as the machine has both."""
    with bind_listener(of_keys(Config(listen_address="*", listen_port=free_port()))) as listener:
        port = listener.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()
        if listener.family == socket.AF_INET6:
            socket.create_connection(("::1", port)).close()


def test_a_restarted_proxy_may_bind_at_once() -> None:
    """Connections of the one before are in TIME_WAIT, which does not matter."""
    config = of_keys(Config(listen_address="127.0.0.1", listen_port=free_port()))
    with bind_listener(config) as listener:
        client = socket.create_connection(listener.getsockname())
        listener.accept()[0].close()  # our side closes first: it waits
        client.close()

    bind_listener(config).close()


def test_a_port_in_use_is_told_with_the_line_of_the_file() -> None:
    """The setting that has to change is named."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config = of_keys(Config(listen_address="127.0.0.1", listen_port=port, where=WHERE))
        with pytest.raises(ConfigError) as caught:
            bind_listener(config)

    assert str(caught.value) == (
        f"x.conf:2: Cannot bind to listener socket! 127.0.0.1 port {port}: Address already in use; another"
        " program listens there: end it (ss -ltnp names it), or take another listenport"
    )


@pytest.mark.parametrize("address", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_ours_is_told_too(address: str) -> None:
    """Another machine's, or none: then the address has to change."""
    config = of_keys(Config(listen_address=address, listen_port=free_port(), where=WHERE))
    with pytest.raises(ConfigError, match=f"^x.conf:1: Cannot bind .* {address} port"):
        bind_listener(config)


@pytest.fixture
def kept_port() -> Iterator[tuple[int, socket.socket]]:
    """A port that an ended program keeps, and its client: to reset it frees the port.

    The program did not say SO_REUSEADDR.
    """
    with socket.socket() as server:
        server.bind(("127.0.0.1", free_port()))
        server.listen()
        client = socket.create_connection(server.getsockname())
        server.accept()[0].close()  # FIN_WAIT2, as long as the client does not close
        port = server.getsockname()[1]
    with client:
        client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        yield port, client


def test_a_port_kept_by_ending_connections_is_waited_for(
    kept_port: tuple[int, socket.socket],
) -> None:
    """It says so, once; then it listens."""
    port, client = kept_port
    config = of_keys(Config(listen_address="127.0.0.1", listen_port=port, where=WHERE))
    told: list[str] = []

    def tell(text: str) -> None:
        told.append(text)
        client.close()

    bind_listener(config, tell).close()

    (line,) = told
    assert line == (
        f"x.conf:2: port {port} is kept by connections of a program that has ended;"
        " trying again for up to 60 s"
    )


def test_it_is_not_waited_for_ever(kept_port: tuple[int, socket.socket]) -> None:
    """Then it is an error as ever."""
    port, _ = kept_port
    config = of_keys(Config(listen_address="127.0.0.1", listen_port=port, where=WHERE))
    told: list[str] = []

    with pytest.raises(ConfigError, match="Address already in use"):
        bind_listener(config, told.append, patience=0.01)

    assert len(told) == 1


def test_who_listens_is_not_waited_for(kept_port: tuple[int, socket.socket]) -> None:
    """Another program uses the port: that will not pass, whatever else ends there."""
    port, client = kept_port
    client.close()
    with socket.create_server(("127.0.0.1", port)) as other:
        visitor = socket.create_connection(other.getsockname())
        other.accept()[0].close()
        with visitor, pytest.raises(ConfigError, match="Address already in use"):
            bind_listener(of_keys(Config(listen_address="*", listen_port=port)), pytest.fail)


@pytest.mark.parametrize(
    ("states", "ending"),
    [(["06"], True), (["06", "0A"], False), (["01"], False), ([], False), (["01", "05"], True)],
)
def test_what_keeps_a_port_is_read_from_the_systems_tables(states: list[str], ending: Any) -> None:
    """Lines as in proc(5); other ports, remote ports and torn lines do not count."""
    lines = [f"   0: 0100007F:04D2 0100007F:D431 {state} 00000000:00000000 00" for state in states]
    lines += ["1: 0100007F:14D2 0100007F:04D2 06 0:0", "2: 0100007F:04D2", "", "\xff"]

    assert only_endings(lines, 1234) is ending
