# SPDX-License-Identifier: GPL-2.0-or-later
"""Status and bodies of HTTP answers."""

from __future__ import annotations

import json
import xml.etree.ElementTree as ET
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy import replies
from amiproxy.formats import load_formats
from amiproxy.httpmessages import Response
from amiproxy.message import Message
from amiproxy.web import answers
from amiproxy.web.answers import Answer
from tests.support import ROOT

FORMATS = load_formats(ROOT / "handlers")
PONG = Message.of("Response: Success", "ActionID: 3", "Ping: Pong", "Timestamp: 1795412570.058459")
DONE = Message.of("Event: CoreShowChannelsComplete", "EventList: Complete", "ListItems: 0")


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("standard", "text/plain"),
        ("xml", "text/xml"),
        ("csv", "text/csv"),
        ("json", "application/json"),
    ],
)
def test_one_message_is_as_its_handler_writes_it(name: str, content_type: str) -> None:
    """Nothing stands around it."""
    response = answers.respond(200, [PONG], FORMATS[name])

    assert response.content_type == content_type
    write = FORMATS[name].write
    assert write is not None
    assert response.body == write(PONG)
    stream = answers.respond(200, [PONG], FORMATS[name].as_stream)
    assert stream.body == response.body


@pytest.mark.parametrize("count", [0, 2, 3, 500])
def test_a_list_is_one_document(count: int) -> None:
    """A parser of JSON, and one of XML, reads all of it at once, in order; nothing at all, too."""
    messages = [Message.of(f"Event: E{n}", 'Text: a "b" <c> ]}') for n in range(count)]

    as_json = answers.respond(200, messages, FORMATS["json"])
    as_xml = answers.respond(200, messages, FORMATS["xml"])

    names = [f"E{n}" for n in range(count)]
    assert as_json.content_type == "application/json"
    assert [each["Event"] for each in json.loads(as_json.body)] == names
    root = ET.fromstring(as_xml.body)
    assert root.tag == "AsteriskManagerAnswer"
    assert [each[0].get("Value") for each in root] == names


def test_a_list_as_lines() -> None:
    """Who reads messages as they come gets them so, and CSV and text stay as they are."""
    response = answers.respond(200, [PONG, DONE], FORMATS["json"].as_stream)
    assert response.content_type == "application/x-ndjson"
    pong, done = map(json.loads, response.body.splitlines())
    assert (pong["Ping"], done["ListItems"]) == ("Pong", "0")
    for name in ("standard", "csv"):
        write = FORMATS[name].write
        assert write is not None
        assert answers.respond(200, [PONG] * 2, FORMATS[name]).body == write(PONG) * 2


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        ("standard", "text/plain; charset=utf-8"),
        ("csv", "text/csv; charset=utf-8"),
        ("xml", "text/xml"),
        ("json", "application/json"),
    ],
)
def test_utf_8_is_called_so(name: str, content_type: str) -> None:
    """Text that cannot tell its encoding has it in its type, or a browser shows MÃ¼ller."""
    message = Message("Name: Müller\r\n\r\n".encode())

    assert answers.respond(200, [message], FORMATS[name]).content_type == content_type


def test_other_bytes_get_no_charset() -> None:
    """What is not UTF-8 is not called so."""
    message = Message(b"Name: M\xfcller\r\n\r\n")

    assert answers.respond(200, [message], FORMATS["standard"]).content_type == "text/plain"


def test_a_handler_that_fails_is_500() -> None:
    """Its client gets a status and not what else was in the answer."""
    form = replace(FORMATS["standard"], write=broken)

    response = answers.respond(200, [PONG], form, (("A", "b"),))

    assert response == Response(500, "text/plain", b"The output handler failed\n", (("A", "b"),))


def broken(message: Message) -> bytes:
    """Raise, as a handler may."""
    raise RuntimeError(message.raw)


def ajam(style: str, *messages: Message) -> tuple[str, bytes]:
    response = answers.respond_ajam(200, messages, style)
    return response.content_type, response.body


def test_rawman_is_the_manager_format() -> None:
    """Messages as Asterisk sends them."""
    assert ajam("rawman", PONG, DONE) == ("text/plain", PONG.raw + DONE.raw)


def test_mxml_is_what_asterisk_writes() -> None:
    """As recorded from Asterisk 22."""
    kind, body = ajam("mxml", PONG)

    assert kind == "text/xml"
    assert body == (
        b"<ajax-response>\n<response type='object' id='unknown'><generic response='Success'"
        b" actionid='3' ping='Pong' timestamp='1795412570.058459' /></response>\n</ajax-response>\n"
    )


def test_mxml_numbers_repeated_names_and_escapes() -> None:
    """A second Output is output-2; quotes and angles are escaped; odd names become names."""
    message = Message.of("Output: a<&'\">", "Output: b", "ChanVariable(x): 1", "9: n", "no colon")

    _, body = ajam("mxml", message)

    generic = ET.fromstring(body)[0][0]
    assert generic.attrib == {
        "output": "a<&'\">",
        "output-2": "b",
        "chanvariable_x_": "1",
        "_9": "n",
        "opaque_data": "no colon",
    }


def test_blanks_at_the_ends_of_a_value_are_not_in_xml() -> None:
    """Asterisk takes them away, tabs and control characters too; not those in the middle."""
    message = Message.of("Value:  \t a  b \x07\t ", "Empty:   ")

    _, body = ajam("mxml", message)

    assert b"<generic value='a  b' empty='' />" in body


def test_html_numbers_repeated_names() -> None:
    """As Asterisk's table does."""
    _, body = ajam("manager", Message.of("Output: a", "Output:  b", "output: c", "no colon"))

    assert b"<td>Output</td><td>a</td>" in body
    assert b"<td>Output-2</td><td> b</td>" in body
    assert b"<td>Opaque-data</td><td>no colon</td>" in body


def test_html_escapes() -> None:
    """Values are text in the table, whatever they hold."""
    kind, body = ajam("manager", Message.of("A: <script>"))

    assert kind == "text/html; charset=utf-8"
    assert b"<td>A</td><td>&lt;script&gt;</td>" in body


def test_the_page_has_a_form() -> None:
    """It posts to the root, below whatever path that is; Asterisk's to manager."""
    assert b'<form action="./" method="post">' in answers.page("")
    assert b'<form action="manager" method="post">' in answers.page("manager")


ERROR = Message.of("Response: Error", "Message: No such thing")
LATE = Message.of("Response: Error", "Message: Server a did not answer in time", "CarriedOut: no")
GONE = Message.of("Response: Error", "Message: Server pbx is not connected")


@pytest.mark.parametrize(
    ("messages", "complete", "options", "status"),
    [
        ([PONG], True, {}, 200),
        ([ERROR], True, {}, 200),
        ([ERROR], True, {"allowed": False}, 401),
        ([ERROR], True, {"action": "login"}, 401),
        ([PONG], True, {"allowed": False}, 200),
        ([GONE], True, {}, 503),
        ([DONE, GONE], True, {}, 503),
        ([GONE.setting("Response", "ERROR")], True, {}, 503),
        ([LATE], True, {}, 504),
        ([LATE.setting("Message", "Server a did not answer in time (at b)")], True, {}, 504),
        ([PONG, replies.SHUTTING_DOWN], True, {}, 503),
        ([], False, {}, 504),
        ([PONG], False, {}, 504),
        ([PONG], False, {"until": True}, 200),
        ([DONE], False, {"until": True}, 504),
    ],
)
def test_the_status_of_an_answer(
    messages: list[Message], complete: bool, options: dict[str, Any], status: int
) -> None:
    """Refusals, an Asterisk that is not there and one that is silent have a status each."""
    answer = Answer(tuple(messages), complete)

    got = answer.status(**{"action": "ping", "allowed": True, "until": False, **options})

    assert got == status


LINES = st.lists(
    st.text(st.characters(max_codepoint=255, blacklist_characters="\r\n"), max_size=40), min_size=1
)


@given(LINES)
def test_mxml_of_any_message_parses(lines: list[str]) -> None:
    """A stock parser reads what we write, whatever bytes a message holds."""
    _, body = ajam("mxml", Message.of(*lines))

    assert ET.fromstring(body).tag == "ajax-response"


@given(LINES)
def test_html_of_any_message_is_text(lines: list[str]) -> None:
    """No value can open a tag."""
    _, body = ajam("manager", Message.of(*lines))

    assert body.count(b"<") == ajam("manager", Message.of(*["a"] * len(lines)))[1].count(b"<")
