# SPDX-License-Identifier: GPL-2.0-or-later
"""Servers of every generation, several at once, one behind the other, changed by SIGHUP."""

from __future__ import annotations

import contextlib
import signal
import socket
import time

import pytest

from simulator.behaviour import Behaviour
from simulator.dialects import DIALECTS
from simulator.server import SimulatedAsterisk
from tests.support import StartProxy, wait_until
from tests.system.peers import (
    QUICK,
    host_line,
    is_response,
    value,
    wait_connected,
)
from tests.system.servers import NOT_CONNECTED, ping, wait_served


def test_events_off_upstream_is_said_so_and_answers_still_come(proxy: StartProxy) -> None:
    """No FullyBooted is waited for; no events come."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(QUICK + host_line(asterisk, events="off"))
        wait_connected(program)
        assert b"Events: off\r\n" in asterisk.actions("Login")[0]
        with program.client() as client:
            wait_served(client)
            asterisk.event("UserEvent", UserEvent="Unheard")
            assert "Ping: Pong" in client.ask("Action: Ping")


@pytest.mark.parametrize("speak", DIALECTS)
def test_every_generation_of_asterisk_is_spoken_to(proxy: StartProxy, speak: str) -> None:
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


def test_sighup_connects_new_servers_and_lets_go_of_the_others(proxy: StartProxy) -> None:
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
            # It is used from its FullyBooted on, which comes after the login.
            wait_until(lambda: value(ping(client, "Server: 127.0.0.3"), "Server") == "127.0.0.3")
        assert stays.accepted == 1


def test_an_unreachable_server_does_not_hold_up_the_others(proxy: StartProxy) -> None:
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


@pytest.mark.parametrize("mode", ["off", "unique"])
def test_proxies_can_be_chained(proxy: StartProxy, mode: str) -> None:
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


def test_two_thousand_actions_in_one_write_are_answered_in_order(proxy: StartProxy) -> None:
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
            got: list[str | None] = []
            while len(got) < 2000:
                message = client.read_message()
                if is_response(message):
                    got.append(value(message, "ActionID"))
            assert got == [str(number) for number in range(2000)]
