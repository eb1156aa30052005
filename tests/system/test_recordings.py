# SPDX-License-Identifier: GPL-2.0-or-later
"""Recordings of a real Asterisk reach a standard client through the running program."""

from __future__ import annotations

import contextlib
import random
import re
from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.message import Message
from simulator.recordings import read_traffic
from tests.handlers.support import write
from tests.recordings import RECORDINGS
from tests.support import ProxyProcess
from tests.system.order_stage import Asterisk
from tests.system.peers import PATIENT, BareServer, Collector, host_line, value, wait_connected

if TYPE_CHECKING:
    import socket
    from collections.abc import Iterator

    #: A proxy, and the connection of its server to it.
    Replayed = tuple[ProxyProcess, socket.socket]

ENDING = b"Event: TheEnd\r\nPrivilege: user,all\r\n\r\n"


def expected(data: bytes, host: str) -> list[bytes]:
    """Return the messages that a standard client must get of *data* from server *host*.

    It reads line by line, by spec section 4, and shares no code with the proxy.
    """
    out: list[bytes] = []
    lines: list[bytes] = []  # with their ends
    in_text = False
    for piece in data.split(b"\n")[:-1]:
        line = piece[:-1] if piece.endswith(b"\r") else piece
        if in_text:
            in_text = not line.endswith(b"--END COMMAND--")
            lines.append(piece + b"\n" if in_text else line + b"\r\n")
        elif line:
            in_text = not lines and line == b"Response: Follows"
            lines.append(line + b"\r\n")
        elif lines:
            lines.insert(place_of_server(lines), b"Server: %b\r\n" % host.encode())
            out.append(b"".join([*lines, b"\r\n"]))
            lines = []
    return out


def place_of_server(lines: list[bytes]) -> int:
    """Return before which of *lines* the header Server belongs (spec 12.27)."""
    if lines[0] == b"Response: Follows\r\n":
        return 1
    output = [n for n, line in enumerate(lines) if line.startswith(b"Output:")]
    return output[0] if output and not lines[0].startswith(b"Event:") else len(lines)


def cut(data: bytes, rng: random.Random, most: int) -> list[bytes]:
    """Return *data* in pieces of 1 to *most* bytes."""
    pieces = []
    at = 0
    while at < len(data):
        size = rng.randint(1, most)
        pieces.append(data[at : at + size])
        at += size
    return pieces


def whole(data: bytes) -> list[bytes]:
    """Return *data* as one piece."""
    return [data]


def single_bytes(data: bytes) -> list[bytes]:
    """Return *data* byte by byte; nothing if those are 1000 pieces or more."""
    return [data[at : at + 1] for at in range(len(data))] if len(data) < 1000 else []


def random_pieces(data: bytes) -> list[bytes]:
    """Return *data* cut anywhere, in few pieces or in many."""
    rng = random.Random(len(data))
    return (
        cut(data, rng, rng.choice([7, 100, 1500]))
        if len(data) < 100_000
        else cut(data, rng, 40_000)
    )


def spoken(name: str) -> bytes:
    """Return the traffic of the recording *name*, and a last message, ENDING."""
    # A recording may end within a message: the blank line ends that.
    return read_traffic(RECORDINGS[name]) + b"\r\n\r\n" + ENDING


@pytest.mark.parametrize("cutter", [whole, random_pieces, single_bytes])
def test_every_recording_reaches_a_client_whole_and_in_order(
    cutter: Callable[[bytes], list[bytes]],
) -> None:
    """However the bytes are cut, each message arrives byte for byte, with its Server header."""
    with contextlib.ExitStack() as stack:
        servers = []
        for number, name in enumerate(RECORDINGS):
            pieces = cutter(spoken(name))
            if pieces:
                server = BareServer(f"127.1.{number // 250}.{number % 250 + 1}")
                servers.append((name, stack.enter_context(server), pieces))
        config = PATIENT + "".join(host_line(server) for _, server, _ in servers)
        proxy = stack.enter_context(ProxyProcess(config))
        collector = stack.enter_context(Collector(stack.enter_context(proxy.client())))
        wait_connected(proxy, len(servers))
        for _, server, pieces in servers:
            link = server.wait_link()
            for piece in pieces:
                link.sendall(piece)
        mark = ENDING[:-2] + b"Server: 127.1."
        collector.wait_count(mark, len(servers), timeout=60)
        got = collector.data
    found: dict[str, list[bytes]] = {}
    # Old command output may contain blank lines, but ends with its mark.
    for message in re.findall(
        rb"Response: Follows\r\n.*?--END COMMAND--\r\n\r\n|.*?\r\n\r\n", got, re.DOTALL
    ):
        of = re.search(rb"\r\nServer: (127\.1\.\d+\.\d+)\r\n", message)
        if of:
            found.setdefault(of[1].decode(), []).append(message)
    wrong = []
    for name, server, pieces in servers:
        messages = found.get(server.host, [])
        if messages and b"Event: FullyBooted" in messages[0]:
            del messages[0]  # of the proxy's login
        if messages != expected(b"".join(pieces), server.host):
            wrong.append(name)
    assert not wrong
    assert len(servers) > 20


@pytest.fixture(scope="module")
def replayed() -> Iterator[Replayed]:
    """A proxy, and the connection of a bare server that it is logged in to."""
    with BareServer() as server, ProxyProcess(PATIENT + host_line(server)) as proxy:
        link = server.wait_link()
        wait_connected(proxy)
        yield proxy, link


def play(replayed: Replayed, data: bytes, pieces: list[bytes] | None = None) -> bytes:
    """Send *data*, in *pieces* if given, and return what a client gets of it."""
    proxy, link = replayed
    with proxy.client() as client, Collector(client) as collector:
        # A client that has its banner may not be registered yet; once it has an answer, it is.
        client.send("ProxyAction: ListServers")
        start = collector.wait_for(b"\r\n\r\n")
        for piece in pieces or [data]:
            link.sendall(piece)
        link.sendall(ENDING)
        mark = ENDING[:-2] + b"Server: 127.0.0.1\r\n\r\n"
        return collector.wait_for(mark)[len(start) : -len(mark)]


#: Transfers, queues, 4 KB values and UTF-8 in UserEvents, of PJSIP and of Asterisk 11.
CALLS = [
    "pjsip_blind",
    "pjsip_dialplan",
    "pjsip_queue",
    "asterisk11_attended",
    "asterisk11_dialplan",
]


@pytest.mark.parametrize("form", ["json", "xml", "csv"])
def test_recorded_calls_reach_clients_of_every_format(replayed: Replayed, form: str) -> None:
    """Each event, in order, as the format writes it, while the bytes come in pieces."""
    proxy, link = replayed
    data = b"".join(read_traffic(RECORDINGS[name]) + b"\r\n\r\n" for name in CALLS)
    events = expected(data + ENDING, "127.0.0.1")
    wanted = b"".join(write(form, Message(event)) for event in events)

    with proxy.client() as client, Collector(client) as collector:
        client.send("ProxyAction: SetOutputFormat", f"OutputFormat: {form}", "ActionID: set")
        collector.wait_for(b"set")
        # The answer is written whole before an event is.
        for piece in cut(data + ENDING, random.Random(1), 20_000):
            link.sendall(piece)
        got = collector.wait_for(write(form, Message(events[-1])))

    assert len(events) > 1500
    assert got[-len(wanted) :] == wanted


def test_old_command_output_keeps_its_blank_lines_and_its_server_header(replayed: Replayed) -> None:
    """Raw text after Response: Follows arrives whole: blank lines, 400 lines, its end."""
    text = b"".join(b"line %d\n%s" % (n, b"\n" if n % 3 == 0 else b"") for n in range(400))
    block = (
        b"Response: Follows\r\nPrivilege: Command\r\nActionID: 7\r\n"
        + text
        + b"\n\nEvent: Inside\n\n--END COMMAND--\r\n\r\n"
    )
    event = b"Event: Next\r\nPrivilege: call,all\r\n\r\n"

    program, link = replayed
    with program.client() as client:

        def answer() -> bytes:
            client.send("Action: Command", "Command: x", "ActionID: 7")
            asked = value(Asterisk(link).next(), "ActionID")
            assert asked
            return block.replace(b"ActionID: 7", f"ActionID: {asked}".encode()) + event

        got = play(replayed, answer())

        assert got == b"".join(expected(block + event, "127.0.0.1"))
        assert got.count(b"Server: 127.0.0.1\r\n") == 2
        assert text in got
        assert play(replayed, b"", cut(answer(), random.Random(1), 50)) == got


def test_an_event_that_holds_the_words_response_follows_swallows_nothing(
    replayed: Replayed,
) -> None:
    """Only a first header of that name and value starts raw text."""
    data = (
        b"Event: UserEvent\r\nPrivilege: user,all\r\nNote: x Response: Follows\r\n\r\n"
        b"Event: UserEvent\r\nPrivilege: user,all\r\nResponse: Follows\r\n\r\n"
        b"Event: After\r\nPrivilege: user,all\r\n\r\n"
    )

    assert play(replayed, data) == b"".join(expected(data, "127.0.0.1"))


@pytest.mark.parametrize(
    "value", [b"x" * 65536, "ünï".encode() * 3000, bytes(range(14, 256)) * 200, b""]
)
def test_long_and_odd_values_pass_unchanged(replayed: Replayed, value: bytes) -> None:
    """64 KB, UTF-8, all bytes but line ends, an empty value."""
    data = b"Event: VarSet\r\nPrivilege: dialplan,all\r\nValue: " + value + b"\r\nLast: 1\r\n\r\n"

    assert play(replayed, data) == b"".join(expected(data, "127.0.0.1"))


def test_a_message_of_five_megabytes_arrives_whole(replayed: Replayed) -> None:
    """Nothing is cut off, however many lines and bytes a message has."""
    lines = b"".join(b"Output: line %d of a very long listing\r\n" % n for n in range(120_000))
    data = b"Response: Success\r\nMessage: Command output follows\r\n" + lines + b"\r\n"
    assert len(data) > 5_000_000

    got = play(replayed, data)

    assert got == b"".join(expected(data, "127.0.0.1"))


@pytest.mark.parametrize(
    "data",
    [
        b"Event: A\r\nCallStarted: 1\nLoggedInTime: 2\r\n\r\nEvent: B\r\nX: y\r\n\r\n",
        b"Response: Success\r\nMessage: Park successful\n\r\n\r\nEvent: B\r\nX: y\r\n\r\n",
        b"Event: QueueRule\r\nX: y\r\n\r\n\r\nEvent: B\r\nX: y\r\n\r\n",
        b"\r\nResponse: Success\r\nPing: Pong\r\n\r\n",
        b"IAX2/1  10 20 30\n  IAX2/2 1 2\n\r\nEvent: B\r\nX: y\r\n\r\n",
        b"\r\n\r\n\n\n\r\nEvent: B\nX: y\n\n",
        b"Event: Alone\r\n\r\n",
        b"Message: a\r\nMessage: b\r\nmessage: c\r\nVariable: 1\r\nVariable: 2\r\n\r\n",
        b"Event: B\r\nServer: pbx-behind-us\r\n\r\n",
        b"NoColonHere\r\n:\r\n: x\r\n\r\n",
    ],
)
def test_broken_output_of_asterisk_is_repaired_and_nothing_is_lost(
    replayed: Replayed, data: bytes
) -> None:
    """Bare LFs, extra blank lines, repeated headers, text that is not a message."""
    want = b"".join(expected(data, "127.0.0.1"))

    assert play(replayed, data) == want
    assert play(replayed, data, [data[at : at + 1] for at in range(len(data))]) == want
