# SPDX-License-Identifier: GPL-2.0-or-later
"""A supervisor keeps the socket: nobody is refused while the proxy is started anew."""

from __future__ import annotations

import contextlib
import socket
from typing import TYPE_CHECKING

import pytest

from simulator.server import SimulatedAsterisk
from tests.support import ManagerClient, free_port, wait_until
from tests.system.peers import QUICK, host_line, wait_connected
from tests.system.sockets import Inheriting, listening

if TYPE_CHECKING:
    from collections.abc import Iterator

GOODBYE = b"ProxyMessage: Proxy Shutting Down\r\n\r\n"


@pytest.fixture
def kept() -> Iterator[socket.socket]:
    """A listening socket that outlives each proxy."""
    with listening("127.0.0.1", free_port()) as sock:
        yield sock


@pytest.mark.parametrize("name", ["astmanproxy", "astmanproxy.socket", "", "unknown"])
def test_who_connects_while_no_proxy_runs_is_served_by_the_next(
    kept: socket.socket, name: str
) -> None:
    """The first one leaves the socket as it was: neither shut down nor closed."""
    with SimulatedAsterisk() as asterisk:
        config = QUICK + host_line(asterisk)
        with Inheriting([kept], config, names=name) as program:
            wait_connected(program)
            with program.client() as client:
                assert program.stop() == 0
                assert client.read_to_end() == GOODBYE
        with ManagerClient(kept.getsockname()[1]) as waiting:
            waiting.send("Action: Ping", "ActionID: early")
            with Inheriting([kept], config, names=name):
                assert waiting.read_line().startswith("Asterisk Call Manager")
                waiting.read_until("ActionID: early")


def test_several_sockets_are_one_listener(kept: socket.socket) -> None:
    """A unit may have a ListenStream= for each address."""
    with listening("127.0.0.2", kept.getsockname()[1]) as other:
        with Inheriting([kept, other], names="astmanproxy:astmanproxy") as program:
            for host in ("127.0.0.1", "127.0.0.2"):
                with program.client(host=host) as client:
                    client.ask("ProxyAction: ListServers")
            place = f"{program.config_file}:1: "
            port = program.port
            assert (
                f"{place}clients are accepted at 127.0.0.2 port {port}, where the socket unit"
                f" says, and not at 127.0.0.1 port {port}"
            ) in program.log()
            assert program.stop() == 0
        for sock in (kept, other):
            socket.create_connection(sock.getsockname()).close()


def test_a_socket_that_no_client_can_be_accepted_from_is_an_error(kept: socket.socket) -> None:
    """It says what is wrong with it, and what to write in the unit."""
    with contextlib.ExitStack() as stack:
        datagram = stack.enter_context(socket.socket(type=socket.SOCK_DGRAM))
        deaf = stack.enter_context(socket.socket())
        local = stack.enter_context(socket.socket(socket.AF_UNIX))
        for sock, name, text in (
            (kept, "web", "4 (web): no listener is called so; say FileDescriptorName=astmanproxy"),
            (datagram, "", "4 (without a name): not a stream socket; say ListenStream="),
            (local, "", "4 (without a name): it does not listen"),
            (deaf, "", "4 (without a name): it does not listen; say Accept=no"),
        ):
            with pytest.raises(AssertionError) as caught:
                Inheriting([kept, sock], names=f"astmanproxy:{name}")
            assert f"exit status 1: Inherited socket {text}" in str(caught.value)
    socket.create_connection(kept.getsockname()).close()


def test_an_own_socket_is_closed_at_once(kept: socket.socket) -> None:
    """What a proxy has bound itself, nobody waits at when it stops."""
    with Inheriting([kept]) as program:
        port = program.port
        assert program.stop() == 0
    kept.close()

    def refused() -> bool:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except ConnectionRefusedError:
            return True
        return False

    wait_until(refused)
