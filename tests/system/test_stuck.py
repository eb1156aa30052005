# SPDX-License-Identifier: GPL-2.0-or-later
"""A client that reads slowly, or not at all, costs no other client anything."""

from __future__ import annotations

import contextlib
import socket
import time
from typing import TYPE_CHECKING

import psutil
import pytest

from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.system.peers import (
    Collector,
    certificate,
    host_line,
    is_response,
    wait_connected,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support import ManagerClient, ProxyProcess, StartProxy

CONFIG = "retryinterval = 0.1\nasteriskwritetimeout = 20000\n"
EVENT = b"Event: UserEvent\r\nPrivilege: user,all\r\nN: %d\r\nFilling: " + b"x" * 900 + b"\r\n\r\n"


def known_client(program: ProxyProcess, tls: bool = False) -> ManagerClient:
    """Return a client that the proxy has in its list."""
    client = program.client(tls=tls)
    client.send("ProxyAction: ListServers")
    client.read_until(is_response)
    return client


def stuck_client(program: ProxyProcess, size: int = 4096, tls: bool = False) -> ManagerClient:
    """Return a client with a small receive buffer; by itself it reads nothing."""
    client = known_client(program, tls)
    client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, size)
    return client


def sessions(program: ProxyProcess) -> int:
    """Return how many clients the proxy has, one more than it had before."""
    with program.client() as client:
        client.send("ProxyAction: ListSessions")
        return client.read_until(is_response).count("ProxyClientOutputHandler: standard")


def numbers(data: bytes) -> list[int]:
    """Return the N of each event in *data*."""
    return [int(part.partition(b"\r\n")[0]) for part in data.split(b"\r\nN: ")[1:]]


def test_one_client_that_stops_reading_costs_twenty_others_nothing(proxy: StartProxy) -> None:
    """They get every event, in order and at once; it is dropped, and memory stays bounded."""
    count = 12_000  # 12 MB, more than kernel and backlog hold
    with contextlib.ExitStack() as stack:
        asterisk = stack.enter_context(SimulatedAsterisk(behaviour=Behaviour(write_timeout=30)))
        program = proxy(
            CONFIG + "clientwritetimeout = 3000\nclientbacklog = 500000\n" + host_line(asterisk)
        )
        wait_connected(program)
        stack.enter_context(stuck_client(program))
        readers = [
            stack.enter_context(Collector(stack.enter_context(known_client(program))))
            for _ in range(20)
        ]
        before = psutil.Process(program.pid).memory_info().rss
        for start in range(0, count, 200):
            asterisk.send(b"".join(EVENT % n for n in range(start, start + 200)))
            # As fast as the slowest reader; only the stuck one must not count.
            for reader in readers:
                reader.wait_size(start * 900)
        for reader in readers:
            reader.wait_for(b"\r\nN: %d\r\n" % (count - 1))

        log = program.wait_log("(clientbacklog)")
        grown = psutil.Process(program.pid).memory_info().rss - before
        assert grown < 40_000_000
        assert log.count("clientbacklog") == 1
        wait_until(lambda: sessions(program) == 21)
        asterisk.send(EVENT % count)
        for reader in readers:
            reader.wait_for(b"\r\nN: %d\r\n" % count)
    for reader in readers:
        assert numbers(reader.data) == list(range(count + 1))


def test_a_client_that_takes_nothing_for_clientwritetimeout_is_dropped(proxy: StartProxy) -> None:
    """With a line in the log that says so; other clients are not delayed."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(CONFIG + "clientwritetimeout = 300\n" + host_line(asterisk))
        wait_connected(program)
        with stuck_client(program), known_client(program) as other:
            with Collector(other) as reader:
                start = time.monotonic()
                asterisk.send(b"".join(EVENT % n for n in range(5000)))
                reader.wait_for(b"\r\nN: 4999\r\n")
                log = program.wait_log("took nothing for 300 ms")
                assert time.monotonic() - start < 10
                assert log.count("took nothing") == 1
                assert "dropped" in log
            wait_until(lambda: sessions(program) == 2)


def test_clientbacklog_bounds_a_client_that_has_much_time(proxy: StartProxy) -> None:
    """More than that waits for no longer than a second, also for one that is alone."""
    config = CONFIG + "clientwritetimeout = 600000\nclientbacklog = 500000\n"
    with SimulatedAsterisk() as asterisk:
        program = proxy(config + host_line(asterisk))
        wait_connected(program)
        with stuck_client(program):
            asterisk.send(b"".join(EVENT % n for n in range(5000)))

            program.wait_log("took nothing for 1000 ms", 20)


def test_a_client_that_reads_slowly_but_steadily_stays_and_loses_nothing(proxy: StartProxy) -> None:
    """Only a client that takes nothing at all is dropped."""
    count = 4000
    with SimulatedAsterisk() as asterisk:
        program = proxy(CONFIG + "clientwritetimeout = 1000\n" + host_line(asterisk))
        wait_connected(program)
        with stuck_client(program, 65536) as slow:
            asterisk.send(b"".join(EVENT % n for n in range(count)))
            data = b""
            end = b"\r\nN: %d\r\n" % (count - 1)
            while end not in data[-3000:]:
                more = slow.sock.recv(40_000)
                assert more
                data += more
                time.sleep(0.01)  # what makes it slow
        assert numbers(data) == list(range(count))
        assert "dropped" not in program.log()


def test_a_message_is_never_cut_for_a_client_that_stays(proxy: StartProxy) -> None:
    """3 MB in one message, which a full socket takes in parts, arrive whole."""
    with SimulatedAsterisk() as asterisk:
        program = proxy(CONFIG + "clientwritetimeout = 5000\n" + host_line(asterisk))
        wait_connected(program)
        big = b"Event: Big\r\nPrivilege: user,all\r\nValue: " + b"y" * 3_000_000 + b"\r\n"
        with stuck_client(program, 65536) as client:
            asterisk.send(big + b"\r\n" + EVENT % 1)
            client.sock.recv(1, socket.MSG_PEEK)  # the proxy has sent what fitted
            assert len(client.read_until(lambda lines: lines[0] == "Event: Big")[2]) == 3_000_007
            assert client.read_until("N: 1")[-1] == "Server: 127.0.0.1"


@pytest.mark.parametrize(
    ("size", "count", "tls"),
    [(20_000_000, 1, False), (12_000_000, 4, False), (60_000_000, 1, False), (20_000_000, 1, True)],
)
def test_no_client_that_reads_is_dropped_for_the_size_of_an_answer(
    proxy: StartProxy, size: int, count: int, tls: bool, tmp_path: Path
) -> None:
    """With autofilter off all get it; clientbacklog has its default; memory holds it once."""
    answer = b"Response: Success\r\nActionID: x\r\nValue: " + b"z" * size + b"\r\n\r\n"
    with contextlib.ExitStack() as stack:
        behaviour = Behaviour(write_timeout=30)
        asterisk = stack.enter_context(SimulatedAsterisk(behaviour=behaviour))
        # A busy machine may give a reader no time for a tenth of a second.
        config = "clientwritetimeout = 5000\n" + host_line(asterisk)
        if tls:
            pem = certificate(tmp_path)
            tmp_path.chmod(0o755)
            config += f"acceptencryptedconnection = yes\ncertfile = {pem}\n"
        program = proxy(config)
        wait_connected(program)
        readers = [
            stack.enter_context(Collector(stack.enter_context(stuck_client(program, 65536, tls))))
            for _ in range(6)
        ]
        before = psutil.Process(program.pid).memory_info().rss

        asterisk.send(answer * count + EVENT % 1)

        for reader in readers:
            reader.wait_for(b"\r\nN: 1\r\n")
            assert reader.count > size * count
        grown = psutil.Process(program.pid).memory_info().rss - before
        assert grown < 4 * size * count + 60_000_000
        assert "dropped" not in program.log()


@pytest.mark.parametrize("tls", [False, True])
def test_an_asterisk_that_stops_reading_delays_no_client(
    proxy: StartProxy, tls: bool, tmp_path: Path
) -> None:
    """Actions wait for it; its events and those of another server still come."""
    pem = certificate(tmp_path) if tls else None
    with SimulatedAsterisk(tls=pem) as deaf, SimulatedAsterisk("127.0.0.2") as well:
        program = proxy(CONFIG + host_line(deaf, tls="on" if tls else "off") + host_line(well))
        wait_connected(program, 2)
        deaf.faults.deaf = True
        with known_client(program) as asker, known_client(program) as other:
            for number in range(300):
                asker.send("Action: Getvar", f"Variable: {'x' * 900}", f"ActionID: {number}")
            other.send("Action: Ping", "Server: 127.0.0.2", "ActionID: quick")
            start = time.monotonic()
            assert "Ping: Pong" in other.read_until(lambda m: "ActionID: quick" in m)
            deaf.event("UserEvent", UserEvent="Mine")
            other.read_until("UserEvent: Mine")
            assert time.monotonic() - start < 2
