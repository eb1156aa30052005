# SPDX-License-Identifier: GPL-2.0-or-later
"""CSV: any CSV reader reads the output, and input is read as a CSV reader does."""

from __future__ import annotations

import csv
import io

import pytest
from hypothesis import given

from amiproxy.message import END, Message
from tests.handlers.support import SMALL, messages, read, recorded, write


def rows(data: bytes) -> list[list[str]]:
    """Return the rows that the standard library reads of *data*."""
    text = io.StringIO(data.decode("latin-1"), newline="")
    return [row for row in csv.reader(text, skipinitialspace=True, strict=True) if row]


def test_output_has_the_bytes_of_the_c_program() -> None:
    """Quoted fields with a comma and a blank between them, then CRLF CRLF."""
    message = Message.of("Response: Success", "ActionID: 2", "Empty: ", "Server: 127.0.0.1")

    assert write("csv", message) == (
        b'"Response: Success", "ActionID: 2", "Empty: ", "Server: 127.0.0.1"\r\n\r\n'
    )


def test_quotes_are_doubled_and_bytes_kept() -> None:
    """The C program did not double them, so no reader could read the fields back."""
    assert write("csv", Message(b'A: "q", and\xe9 comma\r\n\r\n')) == (
        b'"A: ""q"", and\xe9 comma"\r\n\r\n'
    )


def test_every_recorded_message_is_read_by_the_standard_library() -> None:
    """One row a message, one field a line."""
    for message in recorded():
        assert rows(write("csv", message)) == [list(message.lines)]


@given(message=messages)
def test_any_message_is_read_by_the_standard_library(message: Message) -> None:
    """Whatever bytes a message has, its fields are its lines."""
    assert rows(write("csv", message)) == [list(message.lines)]


@pytest.mark.parametrize(
    ("record", "lines"),
    [
        (b'"Action: Ping", "ActionID: 1"\r\n', ["Action: Ping", "ActionID: 1"]),
        (b'"Action: Ping","ActionID: 1"\n', ["Action: Ping", "ActionID: 1"]),
        (b"Action: Ping,ActionID: 1\n", ["Action: Ping", "ActionID: 1"]),
        (b'"A: b, c", "D: ""e"""\n', ["A: b, c", 'D: "e"']),
        (b'"A: b", "", "C: d",\n', ["A: b", "C: d"]),
        (b'A: 5" disk\n', ['A: 5" disk']),
    ],
)
def test_a_record_is_a_block(record: bytes, lines: list[str]) -> None:
    """One line is one block, without a blank line after it; empty fields are left out."""
    assert read("csv", record + b"\r\n") == [Message.of(*lines)]


@pytest.mark.parametrize(
    "record",
    [
        b'"Action: Ping"x',
        b'"Action: Ping", "x"y"z"',
        b'"a" "b"',
        b'"A: b\rAction: Logoff"',
        b"A: b\rC: d",
    ],
)
def test_a_bad_record_is_refused_and_the_next_one_read(record: bytes) -> None:
    """The client gets the reason, and the session goes on."""
    refused, message = read("csv", record + b'\r\n\r\n"Action: Ping"\r\n')

    assert refused.reply.lines[0] == "Response: Error"
    assert not refused.close
    assert message == Message(b"Action: Ping" + END)


@pytest.mark.parametrize("value", ["a\r\nAction: Logoff", 'a\n\nAction: ""Logoff""\n', '"'])
def test_a_line_of_a_value_is_not_a_record(value: str) -> None:
    """A value with a line break, as CSV writers quote it, ends the session (spec 12.7)."""
    text = io.StringIO()
    csv.writer(text).writerow(["Action: UserEvent", "Header: " + value + "\n"])

    refused = read("csv", text.getvalue().encode())[0]

    assert refused.reply.lines == ("Response: Error", "Message: Invalid CSV Input")
    assert refused.close


def test_what_follows_a_value_too_long_is_not_a_record() -> None:
    """The next line might be a record or still the value."""
    refused = read("csv", b'"Header: ' + b"x" * 400 + b'\r\nAction: Logoff"\r\n', limits=SMALL)[0]

    assert refused.close


def test_limits_may_exceed_those_of_the_csv_module() -> None:
    """A field may be as long as the administrator allows."""
    message = Message.of("A: " + "x" * 300_000)

    assert read("csv", write("csv", message)) == [message]
