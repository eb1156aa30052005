# SPDX-License-Identifier: GPL-2.0-or-later
"""``reuseport``: several processes on one port; each gets clients, and one that stops refuses none."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

import pytest

from tests.support import ProxyProcess, free_port, wait_until
from tests.system.files import run

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARED = "reuseport = yes\n"
GREETING = b"Asterisk Call Manager"


class Callers:
    """Threads that connect again and again to *port* and read the greeting; what went wrong."""

    def __init__(self, port: int, many: int = 4) -> None:
        self.port = port
        self.greeted = 0
        self.problems: list[str] = []
        self._over = threading.Event()
        self._threads = [threading.Thread(target=self._run) for _ in range(many)]

    def __enter__(self) -> Callers:
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for each in self._threads:
            each.join()

    def wait_for_more(self) -> None:
        """Wait until some more clients were greeted."""
        before = self.greeted
        wait_until(lambda: self.greeted > before + 20, 30, "clients that are greeted")

    def _run(self) -> None:
        while not self._over.is_set():
            try:
                with socket.create_connection(("127.0.0.1", self.port), 10) as sock:
                    greeting = sock.recv(100)
            except OSError as error:
                self.problems.append(repr(error))
                continue
            if not greeting.startswith(GREETING):
                self.problems.append(repr(greeting))
            self.greeted += 1


def got(program: ProxyProcess) -> int:
    """Return how many clients *program* was given."""
    return program.log().count("Connection received from")


@pytest.fixture
def port() -> int:
    return free_port()


@contextlib.contextmanager
def pair(port: int) -> Iterator[tuple[ProxyProcess, ProxyProcess]]:
    """Two processes on one port."""
    with ProxyProcess(SHARED, port=port) as one, ProxyProcess(SHARED, port=port) as two:
        yield one, two


def test_each_of_two_processes_gets_clients(port: int) -> None:
    """The kernel spreads the connections."""
    with pair(port) as (one, two), Callers(port) as callers:
        wait_until(lambda: got(one) > 20 and got(two) > 20, 30, "clients at both")

    assert callers.problems == []


def test_nobody_is_refused_while_one_of_two_stops_and_comes_back(port: int) -> None:
    """Every connection is greeted: before, while and after one process stops."""
    with ProxyProcess(SHARED, port=port) as stays, Callers(port) as callers:
        for _ in range(3):
            with ProxyProcess(SHARED, port=port) as leaves:
                before = got(stays)
                wait_until(lambda: got(leaves) > 50, 30, "clients at the second one")
                assert leaves.stop() == 0
            callers.wait_for_more()
            assert got(stays) > before

    assert callers.problems == []


@pytest.mark.parametrize(("first", "second"), [(SHARED, ""), ("", SHARED), ("", "")])
def test_without_the_key_in_both_the_second_is_told_who_listens_there(
    port: int, first: str, second: str
) -> None:
    """A port is shared only by those who all say so."""
    with ProxyProcess(first, port=port), pytest.raises(AssertionError) as caught:
        ProxyProcess(second, port=port)
    assert "Address already in use" in str(caught.value)
    assert ("must say reuseport = yes, too" in str(caught.value)) == bool(second)


def test_a_unix_socket_is_of_one_process(port: int) -> None:
    """The second one is told who listens there, as ever."""
    with (
        ProxyProcess(SHARED + "listen = unix:{dir}/ami.sock\n", port=port) as first,
        pytest.raises(AssertionError) as caught,
    ):
        ProxyProcess(SHARED + f"listen = unix:{first.dir}/ami.sock\n", port=port)
    assert "listens there: end it, or name another path" in str(caught.value)


def test_the_check_says_that_a_port_is_shared(port: int) -> None:
    """And does not disturb who listens there: it gets no clients."""
    with ProxyProcess(SHARED, port=port) as program, Callers(port) as callers:
        said = run("-t", "-c", str(program.config_file), "-u", str(program.users_file)).stdout
        callers.wait_for_more()

    assert "plain text, shared with other processes" in said
    assert callers.problems == []


def test_a_process_that_is_alone_refuses_as_soon_as_it_has_stopped(port: int) -> None:
    """Who connects while it leaves is not left waiting."""
    with ProxyProcess(SHARED, port=port) as program:
        program.stop()
        began = time.monotonic()
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", port), 10)
        assert time.monotonic() - began < 1
