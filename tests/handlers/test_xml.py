# SPDX-License-Identifier: GPL-2.0-or-later
"""XML: the form of the C program, for any parser, without the dangers of parsers."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.formats import Limits
from amiproxy.message import END, Message
from tests.handlers.support import kinds, messages, read, write


def document(*elements: str, root: str = "AsteriskManagerInput") -> bytes:
    """Return a document of *elements*."""
    return f"<{root}>{''.join(elements)}</{root}>".encode()


LATIN_1_DOCUMENT = b"<AsteriskManagerInput><A Value='\xe9'/></AsteriskManagerInput>"
INVALID = b"ProxyResponse: Error\r\nMessage: Invalid XML Input\r\n\r\n"


def test_output_has_the_bytes_of_the_c_program() -> None:
    """Each header on a line with CRLF, then the closing tag and a blank line."""
    message = Message(b"Response: Success\r\nActionID: foo\r\nEmpty: \r\nServer: 127.0.0.1\r\n\r\n")

    assert write("xml", message) == (
        b"<AsteriskManagerOutput>\r\n"
        b' <Response Value="Success"/>\r\n'
        b' <ActionID Value="foo"/>\r\n'
        b' <Empty Value=""/>\r\n'
        b' <Server Value="127.0.0.1"/>\r\n'
        b"</AsteriskManagerOutput>\r\n\r\n"
    )


def test_the_proxys_own_messages_have_their_own_root() -> None:
    """So clients can tell them from those of Asterisk."""
    assert write("xml", Message.of("ProxyMessage: Proxy Shutting Down", own=True)) == (
        b"<AsteriskManagerProxyOutput>\r\n"
        b' <ProxyMessage Value="Proxy Shutting Down"/>\r\n'
        b"</AsteriskManagerProxyOutput>\r\n\r\n"
    )


@pytest.mark.parametrize(
    ("line", "element"),
    [
        (b"N: " + b"a" * 5000, b'<N Value="' + b"a" * 5000 + b'"/>'),
        (b"A: <b>&\"q\"'x'", b"<A Value=\"&lt;b&gt;&amp;&quot;q&quot;'x'\"/>"),
        (b"Sp<ec>ial: x", b'<UnparsedText Value="Sp&lt;ec&gt;ial: x"/>'),
        (b"no colon here", b'<UnparsedText Value="no colon here"/>'),
        (b" Lead: y", b'<UnparsedText Value=" Lead: y"/>'),
        (b"Colon:nospace", b'<UnparsedText Value="Colon:nospace"/>'),
        (b"T: a: b", b'<T Value="a: b"/>'),
        (b"UTF: \xc3\xa9", b'<UTF Value="\xc3\xa9"/>'),
        (b"1st: x", b'<UnparsedText Value="1st: x"/>'),
        (b"ChanVariable(SIP/1): a=b", b'<UnparsedText Value="ChanVariable(SIP/1): a=b"/>'),
        (b"UnparsedText: x", b'<UnparsedText Value="UnparsedText: x"/>'),
        (b"Tab: a\tb\rc", b'<Tab Value="a&#9;b&#13;c"/>'),
        (b"Name: Jos\xe9", b'<Name Value="Jos\xc3\xa9" Charset="latin-1"/>'),
        (b"Bell: \x07\xe9", b'<Bell Value="\xe2\x90\x87\xc3\xa9" Charset="latin-1"/>'),
        (b"Non: \xef\xbf\xbf", b'<Non Value="\xc3\xaf\xc2\xbf\xc2\xbf" Charset="latin-1"/>'),
    ],
)
def test_each_line_has_its_element(line: bytes, element: bytes) -> None:
    """Invalid names, markup and bytes that are not text keep the XML well-formed."""
    written = write("xml", Message(line + END))

    assert written == (
        b"<AsteriskManagerOutput>\r\n " + element + b"\r\n</AsteriskManagerOutput>\r\n\r\n"
    )
    ET.fromstring(written)


def test_blank_lines_of_command_output_are_kept() -> None:
    """A blank line is an empty UnparsedText."""
    message = Message(b"Response: Follows\r\none\r\n\r\ntwo\r\n--END COMMAND--\r\n\r\n")

    assert [child.get("Value") for child in ET.fromstring(write("xml", message))] == [
        "Follows",
        "one",
        "",
        "two",
        "--END COMMAND--",
    ]


def test_every_kind_of_recorded_message_parses() -> None:
    """A stock parser finds each header that Asterisk sent, in order."""
    for message in kinds():
        root = ET.fromstring(write("xml", message))

        assert root.tag == "AsteriskManagerOutput"
        assert [child.get("Value") for child in root] == [
            line if child.tag == "UnparsedText" else line.partition(": ")[2]
            for line, child in zip(map(_shown, message.lines), root)
        ]


def _shown(line: str) -> str:
    raw = line.encode("latin-1")
    try:
        text = raw.decode()
    except UnicodeDecodeError:
        text = line
    # All lines with control characters in the recordings are ASCII.
    return "".join(chr(0x2400 + ord(c)) if c < " " and c not in "\t\r" else c for c in text)


@settings(deadline=None)
@given(message=messages)
def test_any_message_parses_by_itself(message: Message) -> None:
    """Whatever bytes a message has, its XML is well-formed, with one element a line."""
    assert len(ET.fromstring(write("xml", message))) == len(message.lines)


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        (document('<Action Value="Ping"/>'), ["Action: Ping"]),
        (document('\r\n   <Action Value="Ping"/>\r\n') + b"\r\n\r\n", ["Action: Ping"]),
        (document("<Action Value='Ping'/>"), ["Action: Ping"]),
        (document('<Action Value="Ping"></Action>'), ["Action: Ping"]),
        (document('<Action value = "Ping" />'), ["Action: Ping"]),
        (document('<Action x="Ping"/>'), ["Action: Ping"]),
        (document('<!-- </a> --><Action Value="Ping"/><!-- <b> -->'), ["Action: Ping"]),
        (
            document('<A Value="a &amp; b &lt;c&gt; &quot;d&apos; &#233;&#x41;"/>'),
            ["A: a & b <c> \"d' \xc3\xa9A"],
        ),
        (document('<A Value="x > y"/>', '<B Value=""/>'), ["A: x > y", "B: "]),
        (document('<A Value="1"/><A Value="2"/>'), ["A: 1", "A: 2"]),
        (document('<UnparsedText Value="no colon"/>'), ["no colon"]),
        (
            b"<?xml version='1.0' encoding='UTF-8'?>\n" + document("<A Value='\u00e9'/>"),
            ["A: \xc3\xa9"],
        ),
        (
            b"<?xml version='1.0' encoding='iso-8859-1'?>" + LATIN_1_DOCUMENT,
            ["A: \xc3\xa9"],
        ),
        (b"\xef\xbb\xbf" + document('<A Value="1"/>'), ["A: 1"]),
        (document('<A Value="1"/>', root="AsteriskManagerOutput"), ["A: 1"]),
    ],
)
def test_a_document_is_a_block(text: bytes, lines: list[str]) -> None:
    """In any notation of XML, entities decoded, without a blank line after it."""
    (message,) = read("xml", text)

    assert list(message.lines) == lines
    assert read("xml", *(bytes([byte]) for byte in text)) == [message]


def test_documents_follow_one_another() -> None:
    """One connection carries many; each is read when it ends."""
    text = document('<Action Value="Ping"/>')

    assert len(read("xml", text * 3)) == 3
    assert len(read("xml", (text + b"\r\n\r\n") * 3)) == 3
    assert read("xml", document()) == []


@pytest.mark.parametrize(
    "text",
    [
        b"Action: Ping\r\n\r\n",
        b"bad\r\n\r\n",
        b"<html>",
        b"<AsteriskManagerInput>text</AsteriskManagerInput>",
        document("<Action/>"),
        document("<Action>Ping</Action>"),
        document("<Action Value=Ping/>"),
        document("<Action Value/>"),
        document("<a Value='1'><b Value='2'/></a>"),
        document("<a Value='1'>"),
        document("<a Value='1' Value='2'/>"),
        document("<a Value='<'/>"),
        document("<a Value='&#0;'/>"),
        document("<a Value='&unknown;'/>"),
        document("<a:b Value='1'/>"),
        document("<1a Value='1'/>"),
        document("<![CDATA[x]]>"),
        document("<a Value='\u0107' Charset='latin-1'/>"),
        LATIN_1_DOCUMENT,
        b"</AsteriskManagerInput>",
        b"<?xml version='1.0' encoding='utf-16'?><AsteriskManagerInput>",
        b"<?xml version='1.0' encoding='rot13'?><AsteriskManagerInput>",
        "<AsteriskManagerInput/>".encode("utf-16"),
        b'<!DOCTYPE a [<!ENTITY a "x"><!ENTITY b "&a;&a;&a;&a;">]><AsteriskManagerInput>',
        b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><AsteriskManagerInput>',
        b'<AsteriskManagerInput><!ENTITY x SYSTEM "file:///etc/passwd">',
        b"<AsteriskManagerInput><x Value='&#60' <",
    ],
)
def test_malformed_xml_is_answered_and_closed(text: bytes) -> None:
    """The answer is that of the C program, and nothing after it is read."""
    (refused,) = read("xml", text + b"\r\n\r\n" + document("<Action Value='Ping'/>"), b"more <")

    assert refused.reply.raw == INVALID
    assert refused.close
    assert is_refused_in_single_bytes(text)


def is_refused_in_single_bytes(text: bytes) -> bool:
    """Return whether the answer is the same if *text* is fed byte by byte."""
    found = read("xml", *(bytes([byte]) for byte in text + b"\r\n\r\n<a>"))
    return [one.reply.raw for one in found] == [INVALID]


@pytest.mark.parametrize("reference", ["&#10;", "&#13;", "&#xA;", "&#13;&#10;", "\n", "\r\n", "\r"])
def test_a_line_break_in_a_value_is_refused(reference: str) -> None:
    """It would inject an action; the error says so, and the session goes on."""
    bad = document("<ActionID Value='1'/>", f"<A Value='x{reference}Action: Logoff'/>")

    refused, message = read("xml", bad + document("<Action Value='Ping'/>"))

    assert refused.reply.lines == (
        "Response: Error",
        "ActionID: 1",
        "Message: Failed to parse message: CR, LF or NUL inside a header",
    )
    assert not refused.close
    assert message.lines == ("Action: Ping",)


def test_a_line_break_in_unparsed_text_is_refused() -> None:
    """Also if it is written as a control picture of latin-1."""
    for value in ("a&#10;&#10;Action: Logoff", "a\u240aAction: Logoff"):
        (refused,) = read("xml", document(f"<UnparsedText Value='{value}' Charset='latin-1'/>"))

        assert "CR, LF or NUL" in refused.reason


@given(st.integers(0, 200))
@settings(deadline=None, max_examples=20)
def test_a_document_is_read_when_its_last_byte_arrives(edge: int) -> None:
    """It does not wait for what follows."""
    text = document("<Action Value='Ping'/>", "<Data Value='" + "a>" * 40 + "'/>")
    edge %= len(text)

    assert len(read("xml", text[:edge], text[edge:])) == 1


def test_a_document_without_end_is_refused() -> None:
    """Endless elements are limited as blocks are."""
    found = read(
        "xml",
        b"<AsteriskManagerInput>",
        *[b"<A Value='1'/>" * 100] * 100,
        limits=Limits(block=5000),
    )

    assert [(one.reply.get("Message"), one.close) for one in found] == [
        ("Failed to parse message: message too long", True)
    ]
