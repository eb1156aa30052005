# SPDX-License-Identifier: GPL-2.0-or-later
"""How the running program ends: everybody is told, and it takes no time."""

from __future__ import annotations

import contextlib
import signal
import socket
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from simulator.faults import Faults
from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.system.peers import QUICK, BareServer, certificate, host_line, wait_connected

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support import StartProxy

GOODBYE = b"ProxyMessage: Proxy Shutting Down\r\n\r\n"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_clients_and_servers_are_told_and_the_exit_status_is_zero(
    proxy: StartProxy, number: int
) -> None:
    """ProxyMessage to each client in its format, Logoff to each Asterisk, then the end."""
    with contextlib.ExitStack() as stack:
        servers = [stack.enter_context(SimulatedAsterisk(f"127.0.0.{n}")) for n in (1, 2)]
        program = proxy(QUICK + "".join(map(host_line, servers)))
        wait_connected(program, 2)
        clients = [stack.enter_context(program.client()) for _ in range(10)]
        xml = stack.enter_context(program.client())
        for client in clients:
            client.send("ProxyAction: ListServers")
            client.read_until("ProxyResponse: Success")
        xml.send("ProxyAction: SetOutputFormat", "OutputFormat: xml")
        xml.read_until("<AsteriskManagerProxyOutput>")
        start = time.monotonic()

        assert program.stop(number) == 0

        assert time.monotonic() - start < 5
        for client in clients:
            assert client.read_to_end() == GOODBYE
        assert b'<ProxyMessage Value="Proxy Shutting Down"/>' in xml.read_to_end()
        for server in servers:
            (logoff,) = server.wait_for_action("Logoff")
            assert logoff.startswith(b"Action: Logoff\r\n")
        assert "bug" not in program.log()
        # Everybody may write where the tests put the files, which is said at the start.
        assert all("others may change it" in line for line in program.stderr().splitlines())


def test_tls_on_both_sides_ends_as_well(proxy: StartProxy, tmp_path: Path) -> None:
    """The last words come through TLS."""
    pem = certificate(tmp_path)
    with SimulatedAsterisk(tls=pem) as asterisk:
        config = QUICK + f'acceptencryptedconnection = yes\ncertfile = "{pem}"\n'
        program = proxy(config + host_line(asterisk, tls="on"))
        wait_connected(program)
        with program.client(tls=True) as client:
            client.send("ProxyAction: ListServers")
            client.read_until("ProxyResponse: Success")
            assert program.stop() == 0
            assert client.read_to_end() == GOODBYE
        asterisk.wait_for_action("Logoff")


def test_it_ends_within_five_seconds_whatever_its_peers_do(proxy: StartProxy) -> None:
    """A client and an Asterisk that read nothing, silent ones, one under way."""
    deaf, mute = Faults(), Faults(mute=True)
    with contextlib.ExitStack() as stack:
        servers = [
            stack.enter_context(SimulatedAsterisk(faults=deaf)),
            stack.enter_context(SimulatedAsterisk("127.0.0.2", faults=mute)),
            stack.enter_context(SimulatedAsterisk("127.0.0.3", faults=Faults(silent=True))),
        ]
        config = "clientwritetimeout = 60000\nasteriskwritetimeout = 60000\n"
        program = proxy(QUICK + config + "".join(map(host_line, servers)))
        wait_connected(program, 2)
        deaf.deaf = True
        stuck = stack.enter_context(program.client())
        stuck.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        asker = stack.enter_context(program.client())
        stack.enter_context(program.client())  # says nothing
        halved = stack.enter_context(program.client())
        halved.send("Action: Ping", "Server: 127.0.0.2", "ActionID: never")
        halved.half_close()
        for _ in range(300):
            asker.send("Action: Getvar", f"Variable: {'x' * 900}")
        asker.send("Action: WaitEvent", "Timeout: 1000")
        servers[1].wait_for_action("Ping")
        for _ in range(20):
            servers[1].send(
                b"Event: Big\r\nPrivilege: call,all\r\nX: " + b"y" * 300_000 + b"\r\n\r\n"
            )
        start = time.monotonic()

        assert program.stop() == 0

        assert time.monotonic() - start < 5.5


def test_a_second_signal_while_it_ends_does_no_harm(proxy: StartProxy) -> None:
    """SIGTERM twice, SIGHUP in between."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(QUICK + host_line(asterisk))
        wait_connected(program)
        with program.client():
            program.send_signal(signal.SIGTERM)
            program.send_signal(signal.SIGHUP)
            program.send_signal(signal.SIGTERM)
            assert program.stop() == 0


def test_sigpipe_is_ignored_and_events_under_way_do_not_keep_it(proxy: StartProxy) -> None:
    """A full stream of events while it ends."""
    with BareServer() as server:
        program = proxy(QUICK + host_line(server))
        link = server.wait_link()
        program.send_signal(signal.SIGPIPE)
        wait_connected(program)
        with program.client() as client, ThreadPoolExecutor(1) as reading:
            event = b"Event: X\r\nPrivilege: call,all\r\nY: z\r\n\r\n" * 100
            link.settimeout(5)

            received = reading.submit(client.read_to_end)
            program.send_signal(signal.SIGTERM)
            with contextlib.suppress(OSError):
                for _ in range(10_000):
                    link.sendall(event)
            assert program.stop() == 0
            assert GOODBYE in received.result()


def test_the_port_is_free_when_it_has_ended(proxy: StartProxy) -> None:
    """Nothing listens any more, and connections are refused."""
    program = proxy(QUICK)
    assert program.stop() == 0

    def refused() -> bool:
        try:
            socket.create_connection(("127.0.0.1", program.port), 1).close()
        except ConnectionRefusedError:
            return True
        return False

    wait_until(refused, 5)
