# SPDX-License-Identifier: GPL-2.0-or-later
"""Whose answer it is, however many ask, and how long it may be."""

from __future__ import annotations

import csv
import http.client
import json
import random
import threading
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest

from tests.support import ManagerClient
from tests.system.web.support import FORMATS, curl, needs_curl, read_body

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.server import SimulatedAsterisk
    from tests.support import ProxyProcess

pytestmark = [needs_curl, pytest.mark.asterisk(queue_members=5000)]


def noise(asterisk: SimulatedAsterisk, stop: threading.Event) -> None:
    """Send events until *stop* is set."""
    while not stop.wait(0.002):
        asterisk.event("Noise", "system,all", Channel="SIP/noise-1", Uniqueid="9.9")


@pytest.fixture
def noisy(asterisk: SimulatedAsterisk) -> Iterator[None]:
    """Have *asterisk* send events that no answer may hold."""
    stop = threading.Event()
    thread = threading.Thread(target=noise, args=(asterisk, stop))
    thread.start()
    yield
    stop.set()
    thread.join()


def ask(connection: http.client.HTTPConnection, number: int) -> None:
    """Ask for a number of our own and ensure that its answer comes, and only that."""
    action = random.Random(number).choice(["Ping", "CoreShowChannels", "Getvar"])
    target = f"/?Action={action}&Variable=x&ActionID=mine-{number}"
    connection.request("GET", target)
    response = connection.getresponse()
    body = response.read().decode()
    assert response.status == 200
    messages = body.split("\r\n\r\n")
    assert messages.pop() == ""
    assert all(f"\r\nActionID: mine-{number}\r\n" in message for message in messages), body
    assert messages[0].startswith("Response: ")
    assert len(messages) == 1 or "\r\nEventList: Complete" in messages[-1]


def test_a_thousand_requests_over_kept_connections(web: ProxyProcess, noisy: None) -> None:
    """20 threads, 50 requests each: each gets its own answer and only that."""

    def work(thread: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
        ask(connection, thread * 1000)
        sock = connection.sock
        for number in range(1, 50):
            ask(connection, thread * 1000 + number)
        assert connection.sock is sock  # never closed in between
        connection.close()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(work, range(20)))


def test_a_thousand_requests_over_fresh_connections(web: ProxyProcess, noisy: None) -> None:
    """20 threads, 50 connections each: each gets its own answer and only that."""

    def work(thread: int) -> None:
        for number in range(50):
            connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
            ask(connection, thread * 1000 + number)
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(work, range(20)))


def test_requests_without_action_id_get_their_own(web: ProxyProcess, noisy: None) -> None:
    """The proxy gives an ActionID upstream and takes it out of the answer."""

    def work(number: int) -> None:
        _, _, body = curl(web, f"/?Action=Getvar&Variable=v{number}")
        assert f"Variable: v{number}\r\n" in body
        assert "ActionID" not in body
        assert body.count("\r\n\r\n") == 1

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, range(50)))


@pytest.mark.parametrize("name", FORMATS)
def test_a_list_of_5000_members(web: ProxyProcess, name: str) -> None:
    """QueueStatus arrives whole in every format."""
    status, _, body = curl(web, f"/?Action=QueueStatus&format={name}")

    messages = read_body(name, body)
    assert status == 200
    assert sum(message.get("Event") == "QueueMember" for message in messages) == 5000
    assert messages[-1]["Event"] == "QueueStatusComplete"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name", FORMATS)
def test_5_mb_of_command_output(
    web: ProxyProcess, asterisk: SimulatedAsterisk, name: str, scheme: str
) -> None:
    """The output of a command arrives whole in every format."""
    lines = [f"line {n} " + "x" * 90 for n in range(50000)]
    output = "".join(f"Output: {line}\r\n" for line in lines)
    answer = f"Response: Success\r\nActionID: {{ActionID}}\r\nMessage: Command output follows\r\n{output}\r\n"
    asterisk.answer("Command", answer.encode())

    status, _, body = curl(web, f"/?Action=Command&Command=x&format={name}", scheme=scheme)

    asterisk.answer("Command", None)
    assert status == 200
    assert len(body) > 5_000_000
    if name == "xml":
        (message,) = ET.fromstring(f"<all>{body}</all>")
        found = [field.get("Value") for field in message if field.tag == "Output"]
    elif name == "json":
        found = json.loads(body)["Output"]
    elif name == "csv":
        (row,) = [row for row in csv.reader([body.strip()], skipinitialspace=True) if row]
        found = [field[8:] for field in row if field.startswith("Output: ")]
    else:
        found = [line[8:] for line in body.split("\r\n") if line.startswith("Output: ")]
    assert found == lines


def test_a_client_that_does_not_read_delays_nobody(
    web: ProxyProcess, asterisk: SimulatedAsterisk
) -> None:
    """While a client leaves its answers unread, others are served."""
    with ManagerClient(web.port) as idle:
        idle.send_raw("GET /?Action=QueueStatus HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        for number in range(5):
            assert curl(web, f"/?Action=Ping&ActionID={number}")[0] == 200
