# SPDX-License-Identifier: GPL-2.0-or-later
"""The listening socket: where it listens, and what is told when it cannot."""

from __future__ import annotations

import socket

import pytest

from amiproxy.errors import ConfigError
from amiproxy.settings.config import Config
from amiproxy.threads.net.listening import bind_listener
from tests.support import free_port

WHERE = {"listen_address": "x.conf:1", "listen_port": "x.conf:2"}


def test_it_listens_at_the_configured_address() -> None:
    """And nowhere else."""
    with bind_listener(Config(listen_address="127.0.0.1", listen_port=free_port())) as listener:
        address = listener.getsockname()
        socket.create_connection(address).close()

    assert address[0] == "127.0.0.1"


def test_a_star_is_every_address_of_both_families() -> None:
    """As far as the machine has both."""
    with bind_listener(Config(listen_address="*", listen_port=free_port())) as listener:
        port = listener.getsockname()[1]
        socket.create_connection(("127.0.0.1", port)).close()
        if listener.family == socket.AF_INET6:
            socket.create_connection(("::1", port)).close()


def test_a_restarted_proxy_may_bind_at_once() -> None:
    """Connections of the one before are in TIME_WAIT, which does not matter."""
    config = Config(listen_address="127.0.0.1", listen_port=free_port())
    with bind_listener(config) as listener:
        client = socket.create_connection(listener.getsockname())
        listener.accept()[0].close()  # our side closes first: it waits
        client.close()

    bind_listener(config).close()


def test_a_port_in_use_is_told_with_the_line_of_the_file() -> None:
    """The setting that has to change is named."""
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        config = Config(listen_address="127.0.0.1", listen_port=port, where=WHERE)
        with pytest.raises(ConfigError) as caught:
            bind_listener(config)

    assert str(caught.value) == (
        f"x.conf:2: Cannot bind to listener socket! 127.0.0.1 port {port}: Address already in use"
    )


@pytest.mark.parametrize("address", ["192.0.2.1", "no.such.host.invalid"])
def test_an_address_that_is_not_ours_is_told_too(address: str) -> None:
    """Another machine's, or none: then the address has to change."""
    config = Config(listen_address=address, listen_port=free_port(), where=WHERE)
    with pytest.raises(ConfigError, match=f"^x.conf:1: Cannot bind .* {address} port"):
        bind_listener(config)
