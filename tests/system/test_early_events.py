# SPDX-License-Identifier: GPL-2.0-or-later
"""No event before the answer to a client's first block (spec 12.29), and none lost."""

from __future__ import annotations

import re
import threading
from typing import TYPE_CHECKING, Any

import pytest

from tests.support import ProxyProcess
from tests.system.peers import PATIENT, BareServer, host_line, wait_connected

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator
    from pathlib import Path

LOG_IN = b"Action: Login\r\nUsername: joe\r\nSecret: secret\r\n\r\n"
TICK = b"Event: Tick\r\nPrivilege: user,all\r\nN: %d\r\n\r\n"
NUMBER = re.compile(rb"\bN(?: Value)?[^\w<>]{1,4}(\d+)")


class Flood:
    """An Asterisk that never stops to send numbered events, until the test ends."""

    def __init__(self) -> None:
        self.over = threading.Event()
        self.server = BareServer(script=self._send)

    def _send(self, sock: socket.socket) -> None:
        number = 0
        while not self.over.wait(0.002):
            number += 5
            ticks = [TICK % each for each in range(number, number + 5)]
            sock.sendall(b"".join(ticks))


@pytest.fixture(scope="module")
def flood() -> Iterator[Flood]:
    """The same Asterisk for all proxies."""
    flood = Flood()
    with flood.server:
        yield flood
        flood.over.set()


@pytest.fixture(scope="module", params=["standard", "json"])
def program(request: Any, flood: Flood, certificate: Path) -> Iterator[ProxyProcess]:
    """A proxy that nobody has to log in to."""
    config = PATIENT + f"outputformat = {request.param}\nautofilter = unique\n"
    config += f"acceptencryptedconnection = yes\ncertfile = {certificate}\n"
    with ProxyProcess(config + host_line(flood.server), "joe=secret\n") as program:
        wait_connected(program)
        yield program


def numbers(data: bytes) -> list[int]:
    """Return the numbers of the events in *data*, in order; the last one may be cut."""
    return [int(found) for found in NUMBER.findall(data)][:-1]


def receive(client: Any) -> bytes:
    """Return what comes next."""
    data: bytes = client.sock.recv(65536)
    assert data, "closed"
    return data


def read(client: Any, least: int) -> bytes:
    """Return what comes, *least* events or more."""
    data = client.take()
    while len(numbers(data)) < least:
        data += receive(client)
    return bytes(data)


def assert_whole(data: bytes) -> None:
    """Assert that no event is missing, nor there twice."""
    found = numbers(data)
    assert found == list(range(found[0], found[0] + len(found)))


@pytest.mark.parametrize("tls", [False, True])
def test_a_log_in_is_answered_before_any_event(program: ProxyProcess, tls: Any) -> None:
    """As at Asterisk: some client libraries take what comes first for the answer."""
    for _ in range(3):
        with program.client(banner=False, tls=tls) as client:
            client.send_raw(LOG_IN)
            data = read(client, 30)

        assert b"Authentication accepted" in data
        assert not numbers(data.partition(b"Authentication accepted")[0])
        assert b"FullyBooted" in data[: data.index(b"Tick")]
        assert_whole(data)


@pytest.mark.parametrize("tls", [False, True])
def test_who_asks_nothing_gets_every_event(program: ProxyProcess, tls: Any) -> None:
    """In order, none lost, none doubled, though the first ones are held back."""
    with program.client(tls=tls) as client:
        assert_whole(read(client, 800))


def test_half_a_block_keeps_no_event_back_for_long(program: ProxyProcess) -> None:
    """Nor is the answer lost that comes when the block is whole."""
    with program.client() as client:
        client.send_raw(LOG_IN[:20])
        data = read(client, 100)
        client.send_raw(LOG_IN[20:])
        while b"Authentication accepted" not in data:
            data += receive(client)

    assert_whole(data.partition(b"Authentication accepted")[0])


def test_the_first_block_may_change_the_format(program: ProxyProcess) -> None:
    """What was held back is written in the new one, behind the answer."""
    with program.client() as client:
        client.send("ProxyAction: SetOutputFormat", "OutputFormat: json")
        data = read(client, 30)

    assert b"Tick" not in data.partition(b"\n")[0]
    assert data.partition(b"\n")[2].startswith(b'{"Event":"Tick"')
    assert_whole(data)
