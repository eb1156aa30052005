# SPDX-License-Identifier: GPL-2.0-or-later
"""JSON: one object on each line, in the same form in and out."""

from __future__ import annotations

import json
import shutil
import subprocess
from typing import Any

import pytest
from hypothesis import given

from amiproxy.message import END, Message
from tests.handlers.support import WIDE, messages, read, recorded, write


def shown(*lines: str) -> dict[str, Any]:
    """Return the object written of a message of *lines*."""
    data = write("json", Message("\r\n".join(lines).encode("latin-1") + END))
    assert data.endswith(b"\n")
    assert data.count(b"\n") == 1
    found: dict[str, Any] = json.loads(data)
    return found


@pytest.mark.parametrize(
    ("lines", "value"),
    [
        (["Event: X", "Empty: ", "A: b: c"], {"Event": "X", "Empty": "", "A": "b: c"}),
        (["V: 1", "V: 2", "W: 3"], {"V": ["1", "2"], "W": "3"}),
        (["V: 1", "W: 2", "V: 3"], {"V": ["1", "3"], "W": "2", ":order": ["V", "W", "V"]}),
        (
            ["R: Follows", "text", "", "--END"],
            {"R": "Follows", "UnparsedText": ["text", "", "--END"]},
        ),
        (["text"], {"UnparsedText": ["text"]}),
        (["A:b", "UnparsedText: c"], {"UnparsedText": ["A:b", "UnparsedText: c"]}),
        (['A: "q\\"', 'N"ame: x'], {"A": '"q\\"', 'N"ame': "x"}),
        (
            ["U: \xc3\xa9", "L: \xe9", "T: a\tb\x01"],
            {"U": "\xe9", "L": "\xe9", "T": "a\tb\x01", ":charset": {"L": "latin-1"}},
        ),
        (
            ["V: \xc3\xa9", "V: \xe9", "x \xff"],
            {
                "V": ["\xe9", "\xe9"],
                "UnparsedText": ["x \xff"],
                ":charset": {"V": ["utf-8", "latin-1"], "UnparsedText": ["latin-1"]},
            },
        ),
        (["N\xe9: a"], {"UnparsedText": ["N\xe9: a"], ":charset": {"UnparsedText": ["latin-1"]}}),
        (["N\xc3\xa9: a"], {"N\xe9": "a"}),
        (["Uniqueid: 1", "UniqueID: 2"], {"Uniqueid": "1", "UniqueID": "2"}),
        (["ChanVariable(SIP/1): a=b"], {"ChanVariable(SIP/1)": "a=b"}),
    ],
)
def test_headers_are_keys(lines: list[str], value: dict[str, Any]) -> None:
    """In order; repeated ones are arrays, and a line that is not a header keeps its text."""
    assert list(shown(*lines).items()) == list(value.items())


def test_output_is_compact_and_keeps_utf_8() -> None:
    """It escapes only what it must; bytes that are not UTF-8 are latin-1."""
    assert write("json", Message(b"A: \xc3\xa9\r\nB: 1\r\n\r\n")) == b'{"A":"\xc3\xa9","B":"1"}\n'
    assert write("json", Message(b"A: \xe9\r\n\r\n")) == (
        b'{"A":"\xc3\xa9",":charset":{"A":"latin-1"}}\n'
    )


def test_every_recorded_message_parses() -> None:
    """json.loads and jq find each header that Asterisk sent."""
    data = b"".join(write("json", message) for message in recorded())

    objects = [json.loads(line) for line in data.splitlines()]

    assert len(objects) == len(recorded())
    for message, one in zip(recorded(), objects):
        if message.has("Event") and message.lines[0].startswith("Event: "):
            assert message.get("Event") in (one["Event"], one["Event"][0])
    if shutil.which("jq"):
        run = subprocess.run(["jq", "-c", "length"], input=data, capture_output=True, check=True)
        assert len(run.stdout.split()) == len(objects)


@given(message=messages)
def test_any_message_is_one_line_of_json(message: Message) -> None:
    """Whatever bytes it has, and to any parser: UTF-8, and no half of a surrogate pair."""
    assert isinstance(shown(*message.lines), dict)
    data = write("json", message)
    assert "\\ud" not in data.decode().replace("\\\\", "")


@given(message=messages.filter(lambda message: b"\r" not in message.raw.replace(b"\r\n", b"")))
def test_any_bytes_come_back_as_they_were(message: Message) -> None:
    """What was written as latin-1 is read as that."""
    assert read("json", write("json", message), limits=WIDE) == [message]


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ('{"Action":"Ping","ActionID":"1"}', ["Action: Ping", "ActionID: 1"]),
        ('  { "Action" : "Ping" }  \r', ["Action: Ping"]),
        ('{"V":["a","b"],"W":"c"}', ["V: a", "V: b", "W: c"]),
        ('{"V":"a","V":"b"}', ["V: a", "V: b"]),
        (
            '{"A":1,"B":1.10,"C":1e3,"D":true,"E":false,"F":-0}',
            ["A: 1", "B: 1.10", "C: 1e3", "D: true", "E: false", "F: -0"],
        ),
        ('{"A":' + "9" * 5000 + "}", ["A: " + "9" * 5000]),
        ('{"A":"","B":[]}', ["A: "]),
        ('{"UnparsedText":["one","two"]}', ["one", "two"]),
        ('{"UnparsedText":"one"}', ["one"]),
        ('{":order":["V","W","V"],"V":["1","3"],"W":"2"}', ["V: 1", "W: 2", "V: 3"]),
        ('{"A":"\\u00e9\\udce9\\ud83d\\ude00"}', ["A: \xc3\xa9\xe9\xf0\x9f\x98\x80"]),
        ('{"A":"x\\ty"}', ["A: x\ty"]),
        ('{"A":"\\u00e9",":charset":{"A":"latin-1"}}', ["A: \xe9"]),
        (
            '{":charset":{"A":["UTF-8","Latin-1"]},"A":["\\u00e9","\\u00e9"]}',
            ["A: \xc3\xa9", "A: \xe9"],
        ),
        ('{"A":"b",":charset":{}}', ["A: b"]),
        ('{"UnparsedText":["\\u00ff"],":charset":{"UnparsedText":["latin-1"]}}', ["\xff"]),
    ],
)
def test_an_object_is_a_block(text: str, lines: list[str]) -> None:
    """Keys are headers in order, arrays repeat them, numbers stay as written."""
    (message,) = read("json", text.encode() + b"\n")

    assert list(message.lines) == lines


@pytest.mark.parametrize("text", ["{}", '{"A":[]}', '{"UnparsedText":""}', "", "  ", "\r"])
def test_an_empty_object_is_an_empty_block(text: str) -> None:
    """It is ignored, as a blank line is."""
    assert read("json", text.encode() + b"\n") == []


@pytest.mark.parametrize(
    "text",
    [
        "Action: Ping",
        "[]",
        '"Action"',
        "1",
        "null",
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"A":{"B":"c"}}',
        '{"A":[["b"]]}',
        '{"A":null}',
        '{"A":NaN}',
        '{"A":"b"} {"C":"d"}',
        '{"A":"b",}',
        "{'A':'b'}",
        '{"":"b"}',
        '{"Action:Logoff":"b"}',
        '{"A\\r\\nAction":"b"}',
        '{"A\\u0000":"b"}',
        '{"A":"b\\r\\n\\r\\nAction: Logoff"}',
        '{"A":"b\\n"}',
        '{"A":"b\\u0000"}',
        '{"UnparsedText":"a\\nAction: Logoff"}',
        '{"A":"\\ud800"}',
        '{":order":["A","A"],"A":["1"]}',
        '{":order":["B"],"A":["1"]}',
        '{":order":["A","A"],"A":"1","B":"2"}',
        '{"A":"b",":charset":"latin-1"}',
        '{"A":"b",":charset":{"B":"latin-1"}}',
        '{"A":"b",":charset":{"A":"utf-16"}}',
        '{"A":"b",":charset":{"A":["latin-1","latin-1"]}}',
        '{"A":["b","c"],":charset":{"A":"latin-1"}}',
        '{"A":"\\u20ac",":charset":{"A":"latin-1"}}',
        '{"A":"\\ud800",":charset":{"A":"latin-1"}}',
        '{"A":"b\\n",":charset":{"A":"latin-1"}}',
        '{"A":"b",":charset":{"A":{"x":"y"}}}',
    ],
)
def test_a_line_that_is_not_a_block_is_refused_and_the_next_one_read(text: str) -> None:
    """The client gets the reason, and the session goes on."""
    refused, message = read("json", text.encode() + b'\n{"Action":"Ping"}\n')

    assert refused.reply.lines[0] == "Response: Error"
    assert not refused.close
    assert message.lines == ("Action: Ping",)


def test_a_refusal_echoes_the_actionid() -> None:
    """It tells the client which of its actions was refused."""
    (refused,) = read("json", b'{"ActionID":7,"A":"b\\nc"}\n')

    assert refused.reply.lines[1] == "ActionID: 7"
