# SPDX-License-Identifier: GPL-2.0-or-later
"""The HTTP conversation, however its bytes are cut and whatever they are."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.formats import Limits
from amiproxy.httpmessages import BadRequest, Response, Stage
from tests.handlers.http_support import OK, PING, talk

if TYPE_CHECKING:
    from amiproxy.formats import Conversation

STREAM = (
    b"\r\nGET /?Action=Ping HTTP/1.1\r\nHost: x\r\nAccept: x\r\n\r\n"
    b"POST /rawman HTTP/1.1\r\nHost: x\r\nAccept: x\r\nContent-Length: 11\r\n\r\naction=ping"
    b"POST /mxml HTTP/1.1\r\nHost: x\r\nAccept: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n\r\n"
    b"HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
)

PIECES = [
    b"GET ", b"POST ", b"/", b"/?Action=Ping", b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b"\n", b"\r",
    b"\r\n\r\n", b"Host: x\r\n", b"Content-Length: ", b"5", b"99999999999", b"-1",
    b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n",
    b"0\r\n\r\n", b"3\r\nabc\r\n", b"Upgrade: h2c\r\n", b" ", b"\t", b":", b"\0", b"\xff", b"CONNECT ",
]  # fmt: skip

GOOD = [
    PING,
    (
        b"POST /?format=xml HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b'Content-Length: 17\r\n\r\n{"Action":"Ping"}'
    ),
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nAction=Ping\r\n0\r\n\r\n",
]


def requests_of(chunks: list[bytes]) -> list[tuple[str, str, bytes]]:
    """Return all requests that *chunks* bring, answering each."""
    conversation = talk()
    found = []
    for chunk in [*chunks, b""]:
        conversation.feed(chunk)
        while (request := conversation.next()) is not None:
            found.append((request.method, request.target, request.body))
            conversation.answer(OK, 0)
    assert conversation.stage is Stage.OVER
    return found


@given(cuts=st.lists(st.integers(0, len(STREAM))))
def test_requests_do_not_depend_on_how_bytes_arrive(cuts: list[int]) -> None:
    """However TCP cuts the stream, the same requests come out."""
    edges = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[a:b] for a, b in zip(edges, edges[1:]) if a < b]

    assert requests_of(chunks) == [
        ("GET", "/?Action=Ping", b""),
        ("POST", "/rawman", b"action=ping"),
        ("POST", "/mxml", b"abcd"),
        ("HEAD", "/", b""),
    ]


def answer_all(conversation: Conversation, chunks: list[bytes]) -> int | None:
    """Feed *chunks* and answer what comes; return the status of the request refused, or None."""
    try:
        for chunk in chunks:
            conversation.feed(chunk)
            while conversation.next() is not None:
                assert conversation.answer(OK, 0).startswith(b"HTTP/1.1 200 OK\r\n")
            conversation.interim()
    except BadRequest as error:
        return error.status
    return None


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=64)), max_size=30))
def test_any_bytes_are_requests_or_refused(chunks: list[bytes]) -> None:
    """Noise gives requests or BadRequest, and no other exception."""
    conversation = talk(limits=Limits(block=64))

    refused = answer_all(conversation, [*chunks, b""])

    if refused is not None:
        assert conversation.refuse(Response(refused), 0).endswith(b"\r\n\r\n")
    assert conversation.stage is Stage.OVER


def damaged(generator: random.Random) -> bytes:
    """Return a request with a few bytes changed, taken out or put in."""
    data = bytearray(generator.choice(GOOD))
    for _ in range(generator.randrange(1, 5)):
        at = generator.randrange(len(data))
        kind = generator.randrange(3)
        if kind == 0:
            data[at] = generator.randrange(256)
        elif kind == 1:
            del data[at : at + generator.randrange(1, 6)]
        else:
            data[at:at] = generator.choice(PIECES)
        data = data or bytearray(b"x")
    return bytes(data)


def test_damaged_requests_are_refused() -> None:
    """Almost right is as harmless as noise."""
    generator = random.Random(7)
    seen = set()
    for _ in range(3_000):
        conversation = talk()
        seen.add(answer_all(conversation, [damaged(generator), b""]))
        assert conversation.stage is Stage.OVER
    assert seen >= {None, 400, 501}
