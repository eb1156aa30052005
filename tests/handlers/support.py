# SPDX-License-Identifier: GPL-2.0-or-later
"""The formats as the proxy loads them, and messages to test them with."""

from __future__ import annotations

import re
from functools import cache
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st

from amiproxy.formats import Limits, load_formats
from amiproxy.message import END, Message
from tests.recordings import RECORDINGS, said
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.formats import Reader

FORMATS = load_formats(ROOT / "handlers")
WIDE = Limits(line=10**7, headers=10**5, block=10**8)
SMALL = Limits(line=40, headers=5, block=300)


def new_reader(name: str, limits: Limits) -> Reader:
    """Return a new reader of format *name*."""
    make_reader = FORMATS[name].reader
    assert make_reader is not None, f"{name} is an output format only"
    return make_reader(limits)


def read(name: str, *chunks: bytes, limits: Limits = WIDE) -> list[Any]:
    """Feed *chunks* to a new reader of format *name*; return all that it found."""
    reader = new_reader(name, limits)
    return [one for chunk in chunks for one in reader.feed(chunk)]


def write(name: str, message: Message) -> bytes:
    """Return *message* in format *name*."""
    write_message = FORMATS[name].write
    assert write_message is not None, f"{name} is an input format only"
    return write_message(message)


def cut(data: bytes, edges: Iterable[int]) -> list[bytes]:
    """Cut *data* at *edges*, numbers of any size, modulo its length."""
    places = [0, *sorted(edge % (len(data) + 1) for edge in edges), len(data)]
    return [data[a:b] for a, b in zip(places, places[1:])]


def everything(found: Iterable[Any]) -> list[Any]:
    """Return *found* as values that can be compared, replies included."""
    return [
        one if isinstance(one, Message) else (one.reply, one.reason, one.close) for one in found
    ]


@cache
def recorded() -> list[Message]:
    """Return all messages recorded from an Asterisk, without duplicates."""
    raws = set()
    for name in RECORDINGS:
        for raw in said(name).replace(b"\r\n", b"\n").split(b"\n\n"):
            if raw.strip(b"\n"):
                raws.add(raw.strip(b"\n").replace(b"\n", b"\r\n"))
    return [Message(raw + END) for raw in sorted(raws)]


def kinds() -> list[Message]:
    """Return one of all recorded messages that differ in numbers and ids only."""
    return list(
        {
            re.sub(rb"[0-9a-f-]*\d[0-9a-f-]*", b"0", message.raw): message for message in recorded()
        }.values()
    )


# Names and values as AMI allows them: any bytes but line ends.  A bare CR is
# data in AMI and refused in every other format (spec section 12.7).
_bytes = st.binary(max_size=12).map(lambda data: data.translate(None, b"\r\n\0"))
_likely = st.sampled_from(
    [
        b"Event",
        b"ActionID",
        b"Variable",
        b"UnparsedText",
        b"ChanVariable(SIP/1)",
        b"a: b",
        b"",
        b" x",
        b'"',
        b'""',
        b'", "',
        b"\\",
        b"<&>'\"",
        b"\t",
        b"\x01",
        b"\x07",
        "\u00e9\u20ac".encode(),
        b"\xe9",
        b"\xef\xbf\xbe",
        b"\xed\xa0\x80",
        b":order",
        b"]]>",
        b"--END COMMAND--",
        "\u2407".encode(),
    ]
)
texts = st.one_of(_likely, _bytes)
headers = st.tuples(texts, st.sampled_from([b": ", b":", b":  "]), texts).map(b"".join)
lines = st.one_of(headers, headers, headers, texts).filter(bool)
messages = st.lists(lines, min_size=1, max_size=8).map(
    lambda some: Message(b"\r\n".join(some) + END)
)

# Malicious input: parts of every format, in any order.
_parts = st.sampled_from(
    [
        b"<AsteriskManagerInput>",
        b"</AsteriskManagerInput>",
        b'<Action Value="Ping"/>',
        b"<a></a>",
        b"<a/>",
        b"<a Value='x'></a>",
        b"<!--",
        b"-->",
        b"<?xml version='1.0'?>",
        b"<!DOCTYPE a [",
        b"]>",
        b"<![CDATA[",
        b"&lt;",
        b"&#10;",
        b"&#0;",
        b"&x;",
        b'"Action: Ping"',
        b'"',
        b", ",
        b'{"Action":"Ping"}',
        b"{",
        b"}",
        b"[",
        b"]",
        b'":',
        b"null",
        b"1e5",
        b"NaN",
        b"\\ud800",
        b"\\u0000",
        b"Action: Ping\r\n",
        b"\r\n",
        b"\n",
        b"\r",
        b"\0",
        b"\r\n\r\n",
        b"ActionID: 7\r\n",
        b"x" * 50,
        b"\xe9",
        b"\xef\xbb\xbf",
        b" ",
    ]
)
noise = st.lists(st.one_of(_parts, st.binary(max_size=8)), max_size=30).map(b"".join)
