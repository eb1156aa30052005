# SPDX-License-Identifier: GPL-2.0-or-later
"""Framing: whatever Asterisk sends, however TCP cuts it, the same messages result."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.errors import ProtocolError
from amiproxy.wire import framing
from amiproxy.wire.framing import Framer
from tests.recordings import RECORDINGS, after_banner

ENDING = b"\r\nServer: pbx\r\n\r\n"
SERVER = b"Server: pbx\r\n"


def feed(*chunks: bytes, max_message: int = 1 << 26) -> list[bytes]:
    """Return the messages that *chunks* hold, in wire form."""
    framer = Framer(max_message, ENDING)
    messages: list[bytes] = []
    for chunk in chunks:
        whole = framer.feed(chunk)
        found = [message.raw for message in whole.messages()]
        if whole.exact is None:
            assert b"".join(found) == whole.wire
        if whole.only_events:
            assert all(message.startswith(b"Event: ") for message in found)
        messages += found
    assert all(message.count(SERVER) == 1 for message in messages)
    return [message.replace(SERVER, b"") for message in messages]


def cut(data: bytes, cuts: list[int]) -> list[bytes]:
    edges = [0, *sorted(cuts), len(data)]
    return [data[a:b] for a, b in zip(edges, edges[1:])]


def by_lines(data: bytes) -> list[bytes]:
    """Return the messages that *data* holds, found slowly and simply (spec section 4)."""
    messages: list[bytes] = []
    lines: list[bytes] = []
    text = False
    for piece in data.split(b"\n")[:-1]:
        line = piece[:-1] if piece.endswith(b"\r") else piece
        if text:
            text = not line.endswith(b"--END COMMAND--")
            # Text stays as it came.
            lines.append(piece + b"\n" if text else line + b"\r\n")
        elif line:
            text = not lines and re.fullmatch(rb"Response: Follows *", line) is not None
            lines.append(line + b"\r\n")
        elif lines:
            messages.append(b"".join(lines) + b"\r\n")
            lines = []
    return messages


OLD_COMMAND = (
    b"Response: Follows\r\nPrivilege: Command\r\nActionID: 5\r\n"
    b"one\n\nEvent: Fake\n\n\r\ntwo--END COMMAND--\r\n\r\n"
)
PONG = b"Response: Success\r\nPing: Pong\r\n\r\n"


@pytest.mark.parametrize("name", RECORDINGS)
def test_every_recording_gives_the_messages_its_lines_spell(name: str) -> None:
    """The quick way and the exact way agree on all that a real Asterisk sent."""
    data = after_banner(name)

    assert feed(data) == by_lines(data)
    assert feed(*cut(data, list(range(0, len(data), 977)))) == by_lines(data)


PIECES = st.sampled_from(
    [
        b"Event: A\r\nB: c\r\n\r\n",
        PONG,
        OLD_COMMAND,
        b"Event: X\r\nText: Response: Follows\r\n\r\n",
        b"CallStarted: 1\nLoggedInTime: 2\r\n\r\n",
        b"\r\n",
        b"\n",
        b"raw text\nof a command\n\r\n",
        b"Message: Park successful\n\r\n",
        b"Bare: a\rb\r\n\r\n",
        b"Long: " + b"x" * 3000 + b"\r\n\r\n",
        b"Event: half",
        b"Response: Follows\r\nx --END COMMAND-- y\n\n",
        b"--END COMMAND--",
        b"response:follows\r\nA: b\r\n\r\n",
        b"Response: Follows \r\nA: b\r\n\r\n",
        b"\r",
    ]
)


@given(st.lists(PIECES, max_size=12), st.data())
@settings(max_examples=300)
def test_messages_do_not_depend_on_how_bytes_arrive(
    pieces: list[bytes], data: st.DataObject
) -> None:
    """However TCP cuts the stream, the same messages come out, the exact ones."""
    stream = b"".join(pieces)
    cuts = data.draw(st.lists(st.integers(0, len(stream)), max_size=20))

    assert feed(*cut(stream, cuts)) == by_lines(stream)


@given(st.lists(st.binary(max_size=64)))
def test_any_bytes_are_framed_or_refused(chunks: list[bytes]) -> None:
    """Noise gives messages or ProtocolError, and no other exception."""
    framer = Framer(256)
    try:
        for chunk in chunks:
            framer.feed(chunk)
    except ProtocolError:
        pass


def test_blank_lines_inside_command_output_are_kept() -> None:
    """Old command output is one message, blank lines and all, up to its end mark."""
    assert feed(OLD_COMMAND + PONG) == [OLD_COMMAND, PONG]
    assert feed(*[bytes([byte]) for byte in OLD_COMMAND + PONG]) == [OLD_COMMAND, PONG]


def signed(data: bytes) -> list[bytes]:
    """Return the messages of *data* as clients get them."""
    return [message.raw for message in Framer(1 << 26, ENDING).feed(data).messages()]


def test_server_stands_behind_the_first_line_of_raw_text() -> None:
    """Libraries take all up to ``--END COMMAND--`` for text, and one line behind it."""
    text = OLD_COMMAND.partition(b"\r\n")[2]

    assert signed(OLD_COMMAND) == [b"Response: Follows\r\nServer: pbx\r\n" + text]
    assert signed(b"Response: Follows  \r\n" + text) == [
        b"Response: Follows  \r\nServer: pbx\r\n" + text
    ]


def test_server_stands_before_the_first_line_of_output() -> None:
    """Libraries take every line behind the first ``Output:`` for output."""
    head = b"Response: Success\r\nActionID: 5\r\nMessage: Command output follows\r\n"
    output = b"Output: a: b\r\nOutput: \r\nOutput: Server: no\r\n\r\n"
    wanted = head + b"Server: pbx\r\n" + output

    assert signed(head + output) == [wanted]
    assert signed(head + output + PONG) == [wanted, PONG[:-2] + b"Server: pbx\r\n\r\n"]
    # Cut line by line it is the same.
    assert signed(b"\n" + head + output.replace(b"\r\n", b"\n")) == [wanted]


@pytest.mark.parametrize(
    "message",
    [
        b"Event: UserEvent\r\nOutput: x\r\n\r\n",
        b"Response: Success\r\nText: Output: x\r\n\r\n",
        b"Response: Success\r\nMyOutput: x\r\n\r\n",
        b"Response: Followsup\r\nA: b\r\n\r\n",
        b"Output: alone\r\n\r\n",
    ],
)
def test_of_all_other_messages_server_is_the_last_line(message: bytes) -> None:
    """Events have no output; a value, or another name, is none."""
    wanted = message[:-2] + b"Server: pbx\r\n\r\n"

    assert signed(message) == [wanted]
    assert signed(message + PONG)[0] == wanted
    assert signed(b"\n" + message)[0] == wanted


def test_the_server_of_a_proxy_nearer_to_asterisk_comes_first() -> None:
    """In a chain the first Server is where a message is from, wherever they stand."""
    far = b"Server: far\r\n"
    text = b"Privilege: Command\r\nServer: text\n--END COMMAND--\r\n\r\n"

    assert signed(b"Response: Follows\r\n" + far + text) == [
        b"Response: Follows\r\n" + far + b"Server: pbx\r\n" + text
    ]
    assert signed(b"Response: Success\r\n" + far + b"Output: x\r\n\r\n") == [
        b"Response: Success\r\n" + far + b"Server: pbx\r\nOutput: x\r\n\r\n"
    ]


def test_headers_of_raw_text_have_crlf_even_if_all_came_with_lf() -> None:
    """What is replaced in them (ActionID) is found; the text stays as it came."""
    stream = b"Response: Follows\nPrivilege: Command\nActionID: 5\none\n\ntwo\n--END COMMAND--\n\n"

    head = b"Response: Follows\r\nServer: pbx\r\nPrivilege: Command\r\nActionID: 5\r\n"

    assert signed(stream) == [head + b"one\n\ntwo\n--END COMMAND--\r\n\r\n"]


def test_text_that_looks_like_a_header_stays_as_it_came() -> None:
    """Such as what ``manager show command`` prints."""
    text = b"Response: Follows\r\nActionID: 5\r\nPrivilege: x\nActionID: y\n--END COMMAND--\r\n\r\n"

    assert feed(text) == [text]


@pytest.mark.parametrize("ending", [ENDING, b"\r\n\r\n"])
@pytest.mark.parametrize("blank", [b"", b"\r\n", b"\r\n\r\n", b"\n"])
def test_events_are_known_as_such_with_and_without_the_header(ending: bytes, blank: bytes) -> None:
    """And never, if a blank line is too many, are two messages taken for one."""
    events = [b"Event: A\r\nB: c\r\n\r\n", b"Event: B\r\n\r\n"]

    chunk = Framer(1000, ending).feed(blank.join([*events, *events]))

    assert len(chunk.messages()) == 4
    assert chunk.only_events == (not blank)
    if chunk.exact is None:
        assert chunk.number in (0, 4)
    mixed = Framer(1000, ending).feed(events[0] + PONG)
    assert not mixed.only_events


def test_the_header_may_change_between_two_messages() -> None:
    """As it does at SIGHUP."""
    framer = Framer(1000, ENDING)
    first = framer.feed(PONG + PONG[:10]).messages()
    framer.end_with(b"\r\n\r\n")

    assert [one.raw for one in first] == [PONG[:-2] + b"Server: pbx\r\n\r\n"]
    assert [one.raw for one in framer.feed(PONG[10:]).messages()] == [PONG]


def test_a_value_that_says_response_follows_swallows_nothing() -> None:
    """Only a first header of that name and value starts raw text."""
    event = b"Event: X\r\nText: Response: Follows\r\n\r\n"

    assert feed(event + PONG) == [event, PONG]


def test_an_endless_message_is_an_error() -> None:
    """Setting maxmessage bounds a message, in whatever way it is cut."""
    with pytest.raises(ProtocolError, match="maxmessage is 1000"):
        feed(b"A: " + b"x" * 500, b"y" * 600, max_message=1000)
    with pytest.raises(ProtocolError):
        feed(b"Response: Follows\r\n", *[b"text\n\n" * 20] * 20, max_message=1000)


def test_a_large_message_is_not_cut() -> None:
    """5 MB of one value arrive whole."""
    message = b"Event: Big\r\nValue: " + b"v" * (5 << 20) + b"\r\n\r\n"

    assert feed(*cut(message + PONG, list(range(0, len(message), 65536)))) == [message, PONG]


ENDS_THE_TEXT = b"--END COMMAND--"


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
@pytest.mark.parametrize("step", [1, 13, 1448, 65536])
@pytest.mark.parametrize(
    "text",
    [
        b"one\n\n" + b"of many lines\n" * 3000,
        b"\nx --END COMMAND-- y\n" + b"of many lines\n" * 3000,
        b"\n" + b"x--END COMMAND--y\r\n\r\n" * 2000,
        b"\n--END COMMAND--" + b"\r" * 5000 + b"x\n\n" + b"\r\n" * 5000,
    ],
    ids=["blank", "once", "often", "returns"],
)
def test_no_byte_of_command_output_is_cut_often(
    monkeypatch: pytest.MonkeyPatch, text: bytes, step: int, ending: bytes
) -> None:
    """What is cut line by line is three times the output at the most, in whatever pieces."""
    stream = b"Response: Follows\r\n" + text + ENDS_THE_TEXT + ending + b"\r\n" + PONG
    cut_bytes = []
    exactly = framing._cut_exactly  # noqa: SLF001 - what is counted

    def counted(buffer: bytes, _is_ours: object) -> tuple[list[bytes], bytes, bool]:
        cut_bytes.append(len(buffer))
        return exactly(buffer)

    monkeypatch.setattr(framing, "_cut_exactly", counted)
    messages = feed(*cut(stream, list(range(step, len(stream), step))))

    assert messages == by_lines(stream)
    assert len(messages) == 2
    assert sum(cut_bytes) <= 3 * len(stream)


@pytest.mark.parametrize(
    "head", ["", "Privilege: Command\r\n", "ActionID: 7\r\n", "ours: 1\r\n", "text\r\n"]
)
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_only_what_was_asked_for_begins_text(head: str, end: str) -> None:
    """A value with a blank line can forge the beginning: what comes behind it is no text."""
    forged = f"Response: Follows{end}{head}\r\n".encode()

    for size in (1, 5, 1000):
        framer = Framer(1000, ENDING, lambda wire_id: wire_id == b"ours")
        data = b"Response: Success\r\nValue: a\r\n\r\n" + forged + PONG
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        found = [each.raw for piece in pieces for each in framer.feed(piece).messages()]

        assert found[-1].replace(SERVER, b"") == PONG


@pytest.mark.parametrize("server", ["", "Server: inner\r\n", "Server: a\r\nServer: b\r\n"])
@pytest.mark.parametrize("privilege", ["", "Privilege: Command\r\n", "Privilege: Command\n"])
@pytest.mark.parametrize("end", ["\r\n", "\n"])
def test_text_that_was_asked_for_is_one_message(server: str, privilege: str, end: str) -> None:
    """However it is cut, and whichever proxies are nearer to the Asterisk."""
    head = f"Response: Follows{end}{server}{privilege}ActionID: ours{end}"
    data = head.encode() + b"a\n\nEvent: b\r\n\r\n--END COMMAND--\r\n\r\n"

    for size in (1, 5, 1000):
        framer = Framer(1000, ENDING, lambda wire_id: wire_id == b"ours")
        pieces = [data[at : at + size] for at in range(0, len(data), size)]
        found = [each.raw for piece in pieces for each in framer.feed(piece).messages()]

        assert len(found) == 1
        assert found[0].endswith(b"a\n\nEvent: b\r\n\r\n--END COMMAND--\r\n\r\n")
