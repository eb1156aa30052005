# SPDX-License-Identifier: GPL-2.0-or-later
"""Asterisk servers that come, go, stay silent, refuse or half-die."""

from __future__ import annotations

import contextlib
import signal
import socket
import tempfile
import time
from pathlib import Path

import psutil
import pytest

from simulator.behaviour import Behaviour
from simulator.faults import Faults
from simulator.server import SimulatedAsterisk
from tests.support import free_port, wait_until
from tests.system.peers import (
    QUICK,
    BareServer,
    certificate,
    host_line,
    is_response,
    read_block,
    value,
    wait_connected,
)

NOT_CONNECTED = "Message: No Asterisk server connected"


def ping(client, *lines):
    """Send a Ping and return its answer."""
    client.send("Action: Ping", *lines)
    return client.read_until(is_response)


def wait_served(client, timeout=10.0):
    """Wait until a Ping is answered by Asterisk."""
    return wait_until(lambda: "Ping: Pong" in ping(client), timeout, "a Pong")


def sleeps(program):
    """Tell whether the program uses next to no processor time."""
    process = psutil.Process(program.pid)
    before = sum(process.cpu_times()[:2])
    time.sleep(0.5)
    return sum(process.cpu_times()[:2]) - before < 0.2


def test_it_logs_in_as_told_and_passes_nothing_on_before_fullybooted(proxy):
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
            assert read_block(link) == ["Action: Ping"]
        assert server.logins == [
            ["Action: Login", "Username: Ann", "Secret: S;e#c Ret", "Events: on"]
        ]
        assert "S;e#c" not in program.log()


def chatter(link):
    """Send an event every 0.2 s, as a busy Asterisk does, and answer each action."""
    link.settimeout(0.2)
    while True:
        link.sendall(b"Event: Newexten\r\nPrivilege: call,all\r\n\r\n")
        with contextlib.suppress(socket.timeout):
            if link.recv(4096):
                link.sendall(b"Response: Pong\r\n\r\n")


@pytest.mark.parametrize(
    ("banner", "events"),
    [
        (b"Asterisk Call Manager/1.0\r\n", "on"),
        # A mask without system draws no FullyBooted from any Asterisk.
        (BareServer.BANNER, "call"),
    ],
)
def test_an_asterisk_that_never_sends_fullybooted_counts_after_three_seconds(proxy, banner, events):
    """Silent or busy; one with events off counts at once."""
    accepted = b"Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
    with (
        SimulatedAsterisk(behaviour=Behaviour(boot=False)) as old,
        SimulatedAsterisk("127.0.0.2", behaviour=Behaviour(boot=False)) as quiet,
        BareServer("127.0.0.3", banner=banner, welcome=accepted, script=chatter) as busy,
    ):
        hosts = host_line(old) + host_line(quiet, events="off") + host_line(busy, events=events)
        program = proxy(QUICK + hosts)
        start = time.monotonic()
        with program.client() as client:
            wait_served(client)
            assert time.monotonic() - start < 2
            assert value(ping(client), "Server") == "127.0.0.2"
            wait_until(lambda: value(ping(client), "Server") == "127.0.0.1", what="the old one")
            assert 2 < time.monotonic() - start < 8
        program.wait_log("connected (127.0.0.3)", 5)


def test_without_any_reachable_server_it_starts_and_finds_it_later(proxy):
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
def test_a_server_that_accepts_and_says_nothing_hangs_nothing(proxy, fault):
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


def test_a_slow_login_is_waited_for(proxy):
    """As long as the limit says."""
    with SimulatedAsterisk(faults=Faults(login_delay=0.8, banner_delay=0.3)) as asterisk:
        program = proxy(QUICK + host_line(asterisk))
        wait_connected(program)
        assert asterisk.accepted == 1


@pytest.mark.parametrize("kind", ["close_on_accept", "reset_on_accept", "garbage"])
def test_connections_cut_short_are_tried_again_with_pauses(proxy, kind):
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


@pytest.mark.parametrize(
    "text", ["Authentication failed", "Permission denied", "No such user here", "x"]
)
@pytest.mark.parametrize("keep", [False, True])
def test_a_refused_login_is_not_hammered_and_tried_again_at_sighup(proxy, text, keep):
    """Whatever the refusal says, and whether or not Asterisk closes."""
    faults = Faults(login_error=text, keep_refused=keep)
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


def test_addserver_brings_a_given_up_server_back(proxy):
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
            assert len(client.read_until(is_response)) == 2


def test_maxretries_counts_each_failed_try_once_and_starts_anew_after_a_success(proxy):
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


def test_a_server_that_is_not_there_is_tried_exactly_maxretries_times(proxy):
    """One line in the log for each."""
    asterisk = SimulatedAsterisk(port=free_port())
    program = proxy(QUICK + "maxretries = 3\n" + host_line(asterisk))
    log = program.wait_log("given up after 3 tries")
    assert log.count("cannot connect") == 3


def test_the_keepalive_ping_is_seen_by_nobody(proxy):
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


def test_a_half_dead_connection_is_found_and_replaced(proxy):
    """It takes everything and answers nothing; clients stay and are told errors."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(QUICK + "keepalive = 0.2\nautofilter = unique\n" + host_line(asterisk))
        wait_connected(program)
        asterisk.faults.mute = True
        with program.client() as client:
            client.send("Action: CoreShowChannels", "ActionID: lost")
            answer = client.read_until(is_response)
            assert answer[0] == "Response: Error"
            assert answer[-1] == "ActionID: lost"
            asterisk.faults.mute = False
            wait_served(client)
        assert asterisk.accepted >= 2
        program.wait_log("a Ping was not answered")


def test_a_long_synchronous_call_is_not_taken_for_death(proxy):
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


def test_events_off_upstream_is_said_so_and_answers_still_come(proxy):
    """No FullyBooted is waited for; no events come."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(QUICK + host_line(asterisk, events="off"))
        wait_connected(program)
        assert b"Events: off\r\n" in asterisk.actions("Login")[0]
        with program.client() as client:
            wait_served(client)
            asterisk.event("UserEvent", UserEvent="Unheard")
            assert "Ping: Pong" in client.ask("Action: Ping")


@pytest.mark.parametrize("speak", ["1.8", "13", "22"])
def test_every_generation_of_asterisk_is_spoken_to(proxy, speak):
    """Commands come whole in the style of each; lists end; all in unique mode."""
    with SimulatedAsterisk(behaviour=Behaviour(speak=speak)) as asterisk:
        program = proxy(QUICK + "autofilter = unique\n" + host_line(asterisk))
        wait_connected(program)
        with program.client() as client, program.client() as other:
            client.send("Action: Command", "Command: large output", "ActionID: c")
            client.send("Action: QueueStatus", "ActionID: q")
            client.send("Action: Ping", "ActionID: p")
            client.read_until(lambda message: value(message, "ActionID") == "c")
            end = client.read_until("Event: QueueStatusComplete")
            assert "ActionID: q" in end
            client.read_until(lambda message: value(message, "ActionID") == "p")
            other.send("Action: Ping", "ActionID: o")
            assert "ActionID: o" in other.read_until(is_response)


# -- TLS towards Asterisk ----------------------------------------------------------------------


def test_tls_to_asterisk_is_made_again_after_each_loss(proxy, tmp_path):
    """The C program never did; lists, long output and events go through it."""
    pem = certificate(tmp_path)
    with SimulatedAsterisk(tls=pem) as asterisk:
        program = proxy(QUICK + host_line(asterisk, tls="on"))
        wait_connected(program)
        with program.client() as client:
            for number in range(2, 6):
                wait_served(client)
                client.send("Action: Command", "Command: large output", "ActionID: c")
                reply = client.read_until(lambda message: value(message, "ActionID") == "c")
                assert len(reply) > 2000
                asterisk.event("UserEvent", UserEvent=f"Round{number}")
                client.read_until(f"UserEvent: Round{number}")
                asterisk.stop(reset=number % 2 == 0)
                asterisk.start()
                wait_connected(program, number)


def test_a_tls_server_is_verified_where_sslverify_says_so(proxy, tmp_path):
    """With its own certificate as CA it is accepted, without one it is not."""
    pem = certificate(tmp_path)
    with SimulatedAsterisk(tls=pem) as asterisk, tempfile.TemporaryDirectory() as directory:
        config = QUICK + "sslverify = yes\n" + host_line(asterisk, tls="on")
        program = proxy(config)
        program.wait_log("TLS handshake")
        assert ": connected (" not in program.log()
        # The proxy reads it as the user it has become.
        Path(directory).chmod(0o755)
        authority = Path(directory) / "ca.pem"
        authority.write_bytes(pem.read_bytes().partition(b"-----END CERTIFICATE-----\n")[0])
        with authority.open("ab") as file:
            file.write(b"-----END CERTIFICATE-----\n")
        wait_connected(proxy(config + f'sslcafile = "{authority}"\n'))


@pytest.mark.parametrize("plain_speaks_tls", [True, False])
def test_tls_and_plain_text_mixed_up_end_in_a_line_in_the_log(proxy, plain_speaks_tls, tmp_path):
    """No hang, no spin: tried again like any other failure."""
    pem = certificate(tmp_path)
    with SimulatedAsterisk(tls=None if plain_speaks_tls else pem) as asterisk:
        config = QUICK + "connecttimeout = 0.5\nlogintimeout = 0.5\n"
        program = proxy(config + host_line(asterisk, tls="on" if plain_speaks_tls else "off"))
        wait_until(lambda: asterisk.accepted >= 2, what="tries")
        program.wait_log("trying again")
        with program.client() as client:
            assert NOT_CONNECTED in ping(client)


# -- SIGHUP -----------------------------------------------------------------------------------------


def test_sighup_connects_new_servers_and_lets_go_of_the_others(proxy):
    """Clients and the servers that stay are not disturbed."""
    with (
        SimulatedAsterisk() as stays,
        SimulatedAsterisk("127.0.0.2") as goes,
        SimulatedAsterisk("127.0.0.3") as comes,
    ):
        program = proxy(QUICK + host_line(goes) + host_line(stays))
        wait_connected(program, 2)
        with program.client() as client:
            program.write_config(QUICK + host_line(stays) + host_line(comes))
            program.send_signal(signal.SIGHUP)
            comes.wait_for_session()
            goes.wait_for_action("Logoff")
            wait_connected(program, 3)
            wait_until(lambda: value(ping(client), "Server") == "127.0.0.1", what="the order")
            assert value(ping(client, "Server: 127.0.0.3"), "Server") == "127.0.0.3"
        assert stays.accepted == 1


def test_sighup_changes_how_long_a_connection_there_is_may_stall(proxy):
    """Not the next one only: it may be up for months."""
    with SimulatedAsterisk() as asterisk:
        host = host_line(asterisk)
        program = proxy(QUICK + "asteriskwritetimeout = 60000\n" + host)
        wait_connected(program)
        asterisk.faults.deaf = True
        program.write_config(QUICK + "asteriskwritetimeout = 150\n" + host)
        program.send_signal(signal.SIGHUP)
        program.wait_log("reread permissions")
        with program.client() as client:
            line = "X: " + "x" * 900
            client.send_raw(f"Action: UserEvent\r\nUserEvent: a\r\n{line}\r\n\r\n" * 10000)
        assert "took nothing for 150 ms" in program.wait_log("took nothing")


def test_an_unreachable_server_does_not_hold_up_the_others(proxy):
    """One listens and never accepts: its backlog is full."""
    with socket.create_server(("127.0.0.4", 0), backlog=0) as full, contextlib.ExitStack() as stack:
        address = full.getsockname()
        for _ in range(3):
            sock = stack.enter_context(socket.socket())
            sock.setblocking(False)
            sock.connect_ex(address)
        with SimulatedAsterisk() as good:
            line = f"host = {address[0]}, {address[1]}, u, s, on, off\n"
            program = proxy(line + host_line(good))
            wait_connected(program)
            with program.client() as client:
                wait_served(client)
                start = time.monotonic()
                assert program.stop() == 0
                assert time.monotonic() - start < 5


# -- a proxy before a proxy -------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["off", "unique"])
def test_proxies_can_be_chained(proxy, mode):
    """A proxy is a server to the next one: log-in, lists, events, two Server headers."""
    with SimulatedAsterisk() as asterisk:
        config = QUICK + f"autofilter = {mode}\n"
        inner = proxy(config + host_line(asterisk))
        wait_connected(inner)
        outer = proxy(config + f"host = 127.0.0.1, {inner.port}, any, what, on, off\n")
        wait_connected(outer)
        with outer.client() as one, outer.client() as two:
            for client, action_id in ((one, "x" * 60), (two, "")):
                client.send("Action: QueueStatus", *([f"ActionID: {action_id}"] * bool(action_id)))
                end = client.read_until("Event: QueueStatusComplete")
                assert value(end, "ActionID") == (action_id or None) or mode == "off"
                assert end[-2:] == ["Server: 127.0.0.1", "Server: 127.0.0.1"]
            asterisk.event("UserEvent", UserEvent="Through")
            for client in (one, two):
                client.read_until("UserEvent: Through")
            assert inner.stop() == 0
            wait_until(lambda: NOT_CONNECTED in ping(one), what="the loss to be noticed")


def test_two_thousand_actions_in_one_write_are_answered_in_order(proxy):
    """As fast as Asterisk takes them; none is lost."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(
            QUICK + "autofilter = unique\nclientwritetimeout = 20000\n" + host_line(asterisk)
        )
        wait_connected(program)
        with program.client() as client:
            client.send_raw(
                "".join(f"Action: Ping\r\nActionID: {number}\r\n\r\n" for number in range(2000))
            )
            got = []
            while len(got) < 2000:
                message = client.read_message()
                if is_response(message):
                    got.append(value(message, "ActionID"))
            assert got == [str(number) for number in range(2000)]
