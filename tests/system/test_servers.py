# SPDX-License-Identifier: GPL-2.0-or-later
"""Asterisk servers that come late, refuse, stay silent or half-die."""

from __future__ import annotations

import contextlib
import signal
import socket
import time

import psutil
import pytest

from simulator.behaviour import Behaviour
from simulator.faults import Faults
from simulator.server import SimulatedAsterisk
from tests.support import ProxyProcess, StartProxy, free_port, wait_until
from tests.system.peers import (
    QUICK,
    BareServer,
    host_line,
    is_response,
    read_block,
    value,
    wait_connected,
)
from tests.system.servers import NOT_CONNECTED, ping, wait_served

#: Of an Asterisk that knows no FullyBooted.
OLD = b"Asterisk Call Manager/1.0\r\n"


def sleeps(program: ProxyProcess) -> bool:
    """Return whether the program uses next to no processor time."""
    process = psutil.Process(program.pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(0.5)
    return bool(sum(process.cpu_times()[:2]) - before < 0.2)


def test_it_logs_in_as_told_and_passes_nothing_on_before_fullybooted(proxy: StartProxy) -> None:
    """Four headers in that order; the first thing clients hear is FullyBooted."""
    early = (
        b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
        b"Event: TooEarly\r\nPrivilege: system,all\r\n\r\n"
    )
    with BareServer(welcome=early) as server:
        program = proxy(QUICK + host_line(server, user="Ann", secret="S;e#c Ret", events="on"))
        link = server.wait_link()
        with program.client() as client:
            assert NOT_CONNECTED in ping(client)
            link.sendall(b"Event: FullyBooted\r\nPrivilege: system,all\r\nUptime: 5\r\n\r\n")
            assert client.read_message() == [
                "Event: FullyBooted",
                "Privilege: system,all",
                "Uptime: 5",
                "Server: 127.0.0.1",
            ]
            client.send("Action: Ping")
            assert read_block(link)[0] == "Action: Ping"
        assert server.logins == [
            ["Action: Login", "Username: Ann", "Secret: S;e#c Ret", "Events: on"]
        ]
        assert "S;e#c" not in program.log()


def chatter(link: socket.socket) -> None:
    """Send an event every 0.2 s, as a busy Asterisk does, and answer each action."""
    link.settimeout(0.2)
    while True:
        link.sendall(b"Event: Newexten\r\nPrivilege: call,all\r\n\r\n")
        with contextlib.suppress(socket.timeout):
            if link.recv(4096):
                link.sendall(b"Response: Pong\r\n\r\n")


def test_an_asterisk_that_never_sends_fullybooted_counts_after_three_seconds(
    proxy: StartProxy,
) -> None:
    """Silent or busy; one with events off counts at once."""
    accepted = b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
    with (
        SimulatedAsterisk(behaviour=Behaviour(boot=False)) as old,
        SimulatedAsterisk("127.0.0.2", behaviour=Behaviour(boot=False)) as quiet,
        BareServer("127.0.0.3", banner=OLD, welcome=accepted, script=chatter) as busy,
    ):
        hosts = host_line(old) + host_line(quiet, events="off") + host_line(busy)
        program = proxy(QUICK + hosts)
        start = time.monotonic()
        with program.client() as client:
            wait_served(client)
            assert time.monotonic() - start < 2
            assert value(ping(client), "Server") == "127.0.0.2"
            wait_until(lambda: value(ping(client), "Server") == "127.0.0.1", what="the old one")
            assert 2 < time.monotonic() - start < 8
        program.wait_log("connected (127.0.0.3)", 5)


def test_without_any_reachable_server_it_starts_and_finds_it_later(proxy: StartProxy) -> None:
    """Nobody listens at the start; clients are served meanwhile, and it does not spin."""
    port = free_port()
    asterisk = SimulatedAsterisk(port=port)
    program = proxy(QUICK + host_line(asterisk))
    with program.client() as client:
        assert NOT_CONNECTED in ping(client)
        assert sleeps(program)
        with asterisk:
            wait_served(client)


@pytest.mark.parametrize("fault", ["silent", "mute_login", "banner_delay", "login_delay"])
def test_a_server_that_accepts_and_says_nothing_hangs_nothing(
    proxy: StartProxy, fault: str
) -> None:
    """Time limits end the try; another server serves; it is tried again and found."""
    faults = Faults()
    setattr(faults, fault, 60.0 if fault.endswith("delay") else True)
    with SimulatedAsterisk(faults=faults) as bad, SimulatedAsterisk("127.0.0.2") as good:
        program = proxy(QUICK + "logintimeout = 0.5\n" + host_line(bad) + host_line(good))
        with program.client() as client:
            wait_served(client)
            wait_until(lambda: bad.accepted >= 2, what="another try")
            setattr(faults, fault, 0.0 if fault.endswith("delay") else False)
            wait_until(lambda: value(ping(client), "Server") == "127.0.0.1", what="it to be back")


def test_a_slow_login_is_waited_for(proxy: StartProxy) -> None:
    """As long as the limit says."""
    with SimulatedAsterisk(faults=Faults(login_delay=0.8, banner_delay=0.3)) as asterisk:
        program = proxy(QUICK + host_line(asterisk))
        wait_connected(program)
        assert asterisk.accepted == 1


@pytest.mark.parametrize("kind", ["close_on_accept", "reset_on_accept", "garbage"])
def test_connections_cut_short_are_tried_again_with_pauses(proxy: StartProxy, kind: str) -> None:
    """A reset without a banner happens around every start of Asterisk."""
    faults = Faults()
    setattr(faults, kind, b"\x00\xff" * 100_000 if kind == "garbage" else True)
    with SimulatedAsterisk(faults=faults) as asterisk:
        program = proxy(QUICK + host_line(asterisk))
        wait_until(lambda: asterisk.accepted >= 3, what="tries")
        assert sleeps(program)
        setattr(faults, kind, b"" if kind == "garbage" else False)
        with program.client() as client:
            wait_served(client)


@pytest.mark.parametrize("keep", [False, True])
def test_a_refused_login_is_not_hammered_and_tried_again_at_sighup(
    proxy: StartProxy, keep: bool
) -> None:
    """Whether or not Asterisk closes the connection."""
    faults = Faults(login_error="Authentication failed", keep_refused=keep)
    with SimulatedAsterisk(faults=faults) as asterisk:
        program = proxy(QUICK + host_line(asterisk))
        program.wait_log("given up")
        time.sleep(0.4)  # four times the interval
        assert len(asterisk.actions("Login")) == 1
        assert "AmpSecret" not in program.log()
        faults.login_error = ""
        program.send_signal(signal.SIGHUP)
        with program.client() as client:
            wait_served(client)
        assert len(asterisk.actions("Login")) == 2


def test_addserver_brings_a_given_up_server_back(proxy: StartProxy) -> None:
    """With the right secret this time."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(QUICK + host_line(asterisk, secret="wrong"))
        program.wait_log("given up")
        with program.client() as client:
            client.send(
                "ProxyAction: AddServer",
                "Server: 127.0.0.1",
                f"Port: {asterisk.port}",
                "Username: ampuser",
                "Secret: AmpSecret",
                "Events: on",
            )
            assert client.read_until(is_response)[0] == "ProxyResponse: Success"
            wait_served(client)
            client.send("ProxyAction: ListServers")
            lines = client.read_until(is_response)
            assert sum(line.startswith("ProxyListServer") for line in lines) == 1


def test_maxretries_counts_each_failed_try_once_and_starts_anew_after_a_success(
    proxy: StartProxy,
) -> None:
    """Three tries, not two, not six; those before a connection do not count."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(QUICK + "maxretries = 3\n" + host_line(asterisk))
        wait_connected(program)
        for number in (2, 3):
            asterisk.restart()
            wait_connected(program, number)
        asterisk.faults.close_on_accept = True
        accepted = asterisk.accepted
        asterisk.drop_sessions()
        program.wait_log("given up after")
        assert asterisk.accepted - accepted in (2, 3)
        tries = asterisk.accepted
        time.sleep(0.4)
        assert asterisk.accepted == tries
        asterisk.faults.close_on_accept = False
        program.send_signal(signal.SIGHUP)
        wait_connected(program, 4)


def test_the_keepalive_ping_is_seen_by_nobody(proxy: StartProxy) -> None:
    """In no mode; and it keeps a quiet connection."""
    for mode in ("off", "unique"):
        with SimulatedAsterisk() as asterisk:
            program = proxy(QUICK + f"keepalive = 0.1\nautofilter = {mode}\n" + host_line(asterisk))
            wait_connected(program)
            with program.client() as client:
                client.send("ProxyAction: ListServers")
                client.read_until(is_response)
                asterisk.wait_for_action("Ping", 3)
                assert client.is_silent(0.3)
            assert asterisk.accepted == 1


def test_a_half_dead_connection_is_found_and_replaced(proxy: StartProxy) -> None:
    """It takes everything and answers nothing; clients stay and are told errors."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(QUICK + "keepalive = 0.2\nautofilter = unique\n" + host_line(asterisk))
        wait_connected(program)
        asterisk.faults.mute = True
        with program.client() as client:
            client.send("Action: CoreShowChannels", "ActionID: lost")
            answer = client.read_until(is_response)
            assert answer[0] == "Response: Error"
            assert answer[1] == "ActionID: lost"
            asterisk.faults.mute = False
            wait_served(client)
        assert asterisk.accepted >= 2
        program.wait_log("a Ping was not answered")


def test_a_long_synchronous_call_is_not_taken_for_death(proxy: StartProxy) -> None:
    """Asterisk serves nobody on this connection while it makes one."""
    with SimulatedAsterisk() as asterisk:
        config = QUICK + "keepalive = 0.2\noriginateasync = no\n" + host_line(asterisk)
        program = proxy(config)
        wait_connected(program)
        with program.client() as client:
            client.send(
                "Action: Originate", "Channel: Local/never@x", "Timeout: 1500", "Context: c",
                "Exten: 1", "Priority: 1", "ActionID: long",
            )  # fmt: skip
            assert "Message: Originate failed" in client.read_until(is_response)
        assert asterisk.accepted == 1
