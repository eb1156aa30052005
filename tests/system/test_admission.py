# SPDX-License-Identifier: GPL-2.0-or-later
"""Floods and brute force against the running program: limits hold, others get in."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
import pytest

from tests.support import wait_until
from tests.system.people import answer, closed, is_in, log_in, logged_in

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.support import ProxyProcess, StartProxy

DENIED = ["Response: Error", "Message: Authentication failed"]

#: Connection attempts of a flood.
FLOOD = 5000


def descriptors(program: ProxyProcess) -> int:
    """Return how many descriptors the program holds."""
    return len(list(Path(f"/proc/{program.pid}/fd").iterdir()))


def flood(program: ProxyProcess, count: int, source: Callable[[int], str]) -> list[socket.socket]:
    """Connect *count* times and return the sockets that stay open.

    *source* makes the address of the number.
    """
    kept = []
    for number in range(count):
        with contextlib.suppress(OSError):
            kept.append(
                socket.create_connection(("127.0.0.1", program.port), 10, (source(number), 0))
            )
        if len(kept) >= 400:
            kept = still_open(kept)
    return still_open(kept)


def still_open(sockets: list[socket.socket]) -> list[socket.socket]:
    """Close those of *sockets* that the program has closed; return the others."""
    left = []
    for sock in sockets:
        sock.settimeout(1.0)
        try:
            # A greeting stays in the queue; an end or a reset does not.
            alive = bool(sock.recv(1, socket.MSG_PEEK))
        except OSError:
            alive = False
        if alive:
            left.append(sock)
        else:
            sock.close()
    return left


@pytest.fixture
def closing() -> Iterator[list[socket.socket]]:
    """A list of sockets that are closed in the end."""
    with contextlib.ExitStack() as stack:
        sockets: list[socket.socket] = []
        yield sockets
        for sock in sockets:
            stack.callback(sock.close)


def one_address(_number: int) -> str:
    """Everything from one address."""
    return "127.0.0.2"


def many_addresses(number: int) -> str:
    """Every attempt from another one."""
    return f"127.7.{number // 250}.{number % 250 + 1}"


@pytest.mark.parametrize("source", [one_address, many_addresses])
def test_authlimit_holds_under_a_flood(
    proxy: StartProxy, closing: list[socket.socket], source: Callable[[int], str]
) -> None:
    """5000 attempts, 50 stay; logged-in clients are served; no descriptor and no thread leaks."""
    program = proxy(closed(more="authtimeout = 60\n"), "joe=secret")
    process = psutil.Process(program.pid)
    with logged_in(program, "joe") as joe:
        before, threads = descriptors(program), process.num_threads()
        began = time.monotonic()
        closing += flood(program, FLOOD, source)
        assert len(closing) == 50
        assert descriptors(program) <= before + 50 + 5
        assert answer(joe, "ProxyAction: ListIOHandlers")[0] == "ProxyResponse: Success"
        assert time.monotonic() - began < 60
        for sock in closing:
            sock.close()
        wait_until(lambda: descriptors(program) <= before, what="all descriptors back")
        wait_until(lambda: process.num_threads() <= threads, what="all threads gone")
        with program.client(source="127.0.0.2") as client:
            assert is_in(log_in(client, "joe"))
    program.wait_log("(authlimit)")
    # One attacker does not fill the log: lines beyond a limit are counted.
    assert program.log().count(" refused: ") < 1000


@pytest.mark.parametrize(("limit", "stay"), [("maxclients = 100", 99), ("maxperaddress = 20", 20)])
def test_maxclients_and_maxperaddress_hold_under_a_flood(
    proxy: StartProxy, closing: list[socket.socket], limit: Any, stay: Any
) -> None:
    """Also where nobody has to log in; places become free again."""
    program = proxy(closed(more=f"authrequired = no\n{limit}\n"))
    with program.client(source="127.0.0.3") as client:
        answer(client, "ProxyAction: ListIOHandlers")
        before = descriptors(program)
        closing += flood(program, FLOOD, one_address)
        assert len(closing) == stay
        assert answer(client, "ProxyAction: ListIOHandlers")[0] == "ProxyResponse: Success"
        for sock in closing:
            sock.close()
        wait_until(lambda: descriptors(program) <= before, what="all descriptors back")
        closing += flood(program, 5, one_address)
        assert len(still_open(closing[stay:])) == 5


@pytest.mark.parametrize("key", ["authlimit", "maxclients", "maxperaddress"])
def test_limits_in_the_users_file(
    proxy: StartProxy, closing: list[socket.socket], key: str
) -> None:
    """[general] of the users file says the same, and counts before astmanproxy.conf."""
    program = proxy(closed(more=f"{key} = 100\n"), f"[general]\n{key} = 7\n")
    closing += flood(program, 20, one_address)
    assert len(closing) == 7
    program.wait_log(f"({key})")


def test_a_flood_of_one_address_leaves_room_for_others(
    proxy: StartProxy, closing: list[socket.socket]
) -> None:
    """An address with all slots of authlimit loses some, to other addresses only."""
    program = proxy(closed(more="authlimit = 10\nauthtimeout = 60\n"), "joe=secret")
    closing += flood(program, 30, one_address)
    assert len(closing) == 10
    with program.client(source="127.0.0.3") as client:
        assert is_in(log_in(client, "joe"))
        # The oldest made room.
        closing[0].settimeout(5)
        assert b"".join(iter(lambda: closing[0].recv(100), b"")).startswith(b"Asterisk Call")
        assert len(still_open(closing[1:])) == 9
        with program.client(source="127.0.0.3") as second:
            assert is_in(log_in(second, "joe"))
    program.wait_log("made room for another address")


def test_brute_force_slows_its_address_and_nobody_else(proxy: StartProxy) -> None:
    """60 connections that guess, more than authlimit: 127.0.0.3 logs in at once all the while."""
    program = proxy(closed(more="authtimeout = 60\n"), "joe=secret")
    over = threading.Event()
    tries: list[list[str]] = []

    def guess() -> None:
        while not over.is_set():
            with (
                contextlib.suppress(OSError, EOFError),
                program.client(source="127.0.0.2") as client,
            ):
                while not over.is_set():
                    tries.append(log_in(client, "joe", f"guess{len(tries)}"))

    threads = [threading.Thread(target=guess) for _ in range(60)]
    for thread in threads:
        thread.start()
    try:
        wait_until(lambda: len(tries) >= 5, what="five failed logins")
        longest = 0.0
        for _ in range(20):
            began = time.monotonic()
            with program.client(source="127.0.0.3") as client:
                assert is_in(log_in(client, "joe"))
            longest = max(longest, time.monotonic() - began)
        assert longest < 1.5
    finally:
        over.set()
        program.stop()
        for thread in threads:
            thread.join()
    assert all(reply == DENIED for reply in tries)


def test_the_wait_of_an_address_grows(proxy: StartProxy) -> None:
    """Three failures are free, then it takes longer each time; the right secret waits too."""
    program = proxy(closed(), "joe=secret")
    with program.client(source="127.0.0.2") as client:
        took = []
        for _ in range(6):
            began = time.monotonic()
            assert log_in(client, "joe", "wrong") == DENIED
            took.append(time.monotonic() - began)
        assert max(took[:4]) < 0.4
        assert 0.4 < took[4] < took[5]
        began = time.monotonic()
        with program.client(source="127.0.0.3") as other:
            assert is_in(log_in(other, "joe"))
        assert time.monotonic() - began < 0.4


def test_a_wrong_proxy_key_counts_as_a_failed_login(proxy: StartProxy) -> None:
    """Guessing the key is slowed by address, and told to fail2ban."""
    program = proxy(closed(more="proxykey = k3y\n"))
    for number in range(4):
        with program.client(source="127.0.0.2") as client:
            assert answer(client, "Action: Ping", f"ProxyKey: {number}")[0] == "Response: Error"
    with program.client(source="127.0.0.2") as client:
        began = time.monotonic()
        answer(client, "Action: Ping", "ProxyKey: 5")
        assert time.monotonic() - began > 0.3
    program.wait_log('login failed from 127.0.0.2 as "": wrong ProxyKey')


def test_unauthenticated_clients_that_come_and_go_leave_nothing(proxy: StartProxy) -> None:
    """500 that connect and leave at once, in the midst of a login or a block."""
    program = proxy(closed(more="maxclients = 1000\nauthlimit = 1000\n"), "joe=secret")
    with logged_in(program, "joe"):
        before = descriptors(program)
        for number in range(500):
            with socket.create_connection(("127.0.0.1", program.port), 10) as sock:
                sock.sendall([b"", b"Action: Lo", b"Action: Challenge\r\n\r\n"][number % 3])
        wait_until(lambda: descriptors(program) <= before, what="all descriptors back")
