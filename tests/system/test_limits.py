# SPDX-License-Identifier: GPL-2.0-or-later
"""Limits of the running program: descriptors, clients, unauthenticated ones, signals, resets."""

from __future__ import annotations

import contextlib
import signal
import socket
import struct
import time
from pathlib import Path
from typing import TYPE_CHECKING

import psutil
import pytest

from simulator.server import SimulatedAsterisk
from tests.support import ProxyProcess, wait_until
from tests.system.peers import QUICK, host_line, is_response, wait_connected

if TYPE_CHECKING:
    from tests.support import StartProxy


def connect(program: ProxyProcess) -> socket.socket:
    """Return a bare connection that says nothing."""
    return socket.create_connection(("127.0.0.1", program.port), 10)


def test_without_descriptors_left_it_does_not_spin_and_recovers(proxy: StartProxy) -> None:
    """No flood in the log, little processor time; clients are served again once others left."""
    with SimulatedAsterisk() as asterisk, contextlib.ExitStack() as stack:
        program = proxy(QUICK + host_line(asterisk), open_files=64)
        wait_connected(program)
        first = stack.enter_context(program.client())
        process = psutil.Process(program.pid)
        crowd = [connect(program) for _ in range(100)]
        program.wait_log("the last descriptors are for servers and files")
        before, size = sum(process.cpu_times()[:2]), len(program.log())
        time.sleep(1)
        assert sum(process.cpu_times()[:2]) - before < 0.4
        assert len(program.log()) - size < 20_000  # what one address may have written
        assert "Ping: Pong" in first.ask("Action: Ping")
        for sock in crowd:
            sock.close()

        def served() -> bool:
            with contextlib.suppress(OSError, EOFError), program.client(timeout=2) as late:
                late.send("Action: Ping")
                return "Ping: Pong" in late.read_until(is_response)
            return False

        wait_until(served, what="service again")
        asterisk.restart()
        wait_connected(program, 2)


def test_maxclients_and_maxperaddress_turn_away_clients_beyond_them(proxy: StartProxy) -> None:
    """With a line in the log; a client that leaves makes room."""
    program = proxy(QUICK + "maxclients = 3\nmaxperaddress = 2\n")
    with program.client() as one, program.client():
        with connect(program) as third:
            assert third.recv(100) == b""
        program.wait_log("maxperaddress")
        with socket.create_connection(
            ("127.0.0.1", program.port), 10, source_address=("127.0.0.2", 0)
        ) as other:
            assert other.recv(100).startswith(b"Asterisk Call Manager Proxy")
            with socket.create_connection(
                ("127.0.0.1", program.port), 10, source_address=("127.0.0.3", 0)
            ) as fourth:
                assert fourth.recv(100) == b""
        one.close()

        def welcome() -> bool:
            with connect(program) as again:
                return again.recv(100) != b""

        wait_until(welcome, what="room")


def test_clients_that_do_not_log_in_are_dropped(proxy: StartProxy) -> None:
    """After authtimeout; authlimit says how many of them there may be."""
    program = proxy(
        QUICK + "authrequired = yes\nauthtimeout = 0.5\nauthlimit = 2\n", "joe=secret\n"
    )
    with program.client() as joe:
        assert joe.ask("Action: Login", "Username: joe", "Secret: secret")[0].endswith("Success")
        with program.client() as one, program.client() as two:
            with connect(program) as three:
                assert three.recv(100) == b""
            start = time.monotonic()
            assert one.read_to_end() == b""
            assert two.read_to_end() == b""
            assert time.monotonic() - start < 5
        # The slot is free a moment after the connection is closed.
        wait_until(lambda: is_greeted(program))
        joe.send("ProxyAction: ListServers")
        assert joe.read_until(is_response)[0] == "ProxyResponse: Success"


def is_greeted(program: ProxyProcess) -> bool:
    """Return whether a new client is let in."""
    try:
        with program.client():
            return True
    except (EOFError, ConnectionResetError):
        return False


def test_with_neither_accept_key_given_plain_text_is_accepted(proxy: StartProxy) -> None:
    """In the C program nobody could connect at all."""
    program = proxy(QUICK)
    assert "accept" not in program.config_file.read_text()
    with program.client() as client:
        assert client.ask("ProxyAction: ListServers")[0] == "ProxyResponse: Success"


def test_sighup_without_the_users_file_changes_nothing(proxy: StartProxy) -> None:
    """It is reported, the old users stay, and the program too."""
    program = proxy(QUICK + "authrequired = yes\n", "joe=secret\n")
    program.users_file.unlink()
    program.send_signal(signal.SIGHUP)
    program.wait_log("the users stay as they were")
    with program.client() as client:
        assert client.ask("Action: Login", "Username: x", "Secret: y")[0].endswith("Error")
        assert client.ask("Action: Login", "Username: joe", "Secret: secret")[0].endswith("Success")
    program.write_users("ann=word\n")
    program.send_signal(signal.SIGHUP)
    program.wait_log("reread permissions")
    with program.client() as client:
        assert client.ask("Action: Login", "Username: ann", "Secret: word")[0].endswith("Success")


def test_sighups_under_load_lose_no_client_and_no_event(proxy: StartProxy) -> None:
    """Twenty of them, log reopened each time, while events pass."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(QUICK + host_line(asterisk))
        wait_connected(program)
        with program.client() as client:
            client.send("ProxyAction: ListServers")
            client.read_until(is_response)
            for number in range(20):
                program.send_signal(signal.SIGHUP)
                asterisk.event("UserEvent", UserEvent=f"Number{number}")
                assert f"UserEvent: Number{number}" in client.read_message()
        assert asterisk.accepted == 1


def test_connections_reset_at_any_moment_leave_nothing_behind(proxy: StartProxy) -> None:
    """RST before, within and after the banner: no session, descriptor or thread stays."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(QUICK + host_line(asterisk))
        wait_connected(program)
        with program.client() as witness:
            process = psutil.Process(program.pid)
            fds, threads = process.num_fds(), process.num_threads()
            for number in range(200):
                sock = connect(program)
                if number % 3:
                    sock.sendall(b"Action: Ping\r\n\r\n" * (number % 5))
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
                sock.close()

            def alone() -> bool:
                witness.send("ProxyAction: ListSessions")
                listed = witness.read_until(lambda m: m[0] == "ProxyResponse: Success")
                return listed.count("ProxyClientSession: 127.0.0.1") == 1

            # Some may be there that were not accepted yet when the one before had left.
            wait_until(
                lambda: alone() and process.num_fds() <= fds and process.num_threads() <= threads
            )
            assert "bug" not in program.log()


@pytest.mark.skipif(not Path("/proc/net/if_inet6").exists(), reason="no IPv6 here")
def test_ipv6_clients_and_servers_work(proxy: StartProxy) -> None:
    """With listenaddress ::1, and a host line in brackets."""
    with SimulatedAsterisk("::1") as asterisk:
        line = f"host = [::1], {asterisk.port}, ampuser, AmpSecret, on, off\n"
        program = proxy(QUICK + "listenaddress = [::1]\n" + line)
        wait_connected(program)
        with program.client(host="::1") as client:
            client.send("Action: Ping", f"Server: [::1]:{asterisk.port}")
            pong = client.read_until(is_response)
            assert pong[-1] == "Server: ::1"
