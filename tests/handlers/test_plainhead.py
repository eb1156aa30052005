# SPDX-License-Identifier: GPL-2.0-or-later
"""Plain requests, which are read in one step, are what h11 reads; what it refuses is not plain.

``ASTMANPROXY_HISTORIES=300000 pytest --timeout 0 tests/handlers/test_plainhead.py`` tries as many.
"""

from __future__ import annotations

import os
import random
from typing import TYPE_CHECKING

import pytest

from amiproxy.formats import Limits
from amiproxy.httpmessages import BadRequest, Request
from amiproxy.limits import STRANGER
from amiproxy.plainhead import MAX_HEADERS, PlainHeads
from tests.handlers.http_support import OK, PING, talk

if TYPE_CHECKING:
    from amiproxy.formats import Conversation

TRIES = int(os.environ.get("ASTMANPROXY_HISTORIES", "3000"))

METHODS = (
    [b"GET"] * 8 + [b"HEAD"] * 3 + [b"POST", b"get", b"OPTIONS", b"GETS", b"PRI", b"G\xc3T", b""]
)
TARGETS = [
    b"/", b"/?Action=Ping", b"/?Action=Ping&ActionID=c1-2", b"/rawman?action=ping", b"/v1/state?a=%20",
    b"http://x/?Action=Ping", b"*", b"/a b", b"/?a=b c", b"/?a= HTTP/1.1", b"/\xfc", b"/\t", b"/#x", b"",
    b"//x/y", b"/?a=HTTP/1.1", b"/%0d%0a", b"x", b"/?" + b"a" * 8160, b"/?" + b"a" * 8190, b"/?" + b"a" * 9000,
]  # fmt: skip
VERSIONS = [b" HTTP/1.1"] * 12 + [
    b" HTTP/1.0", b" HTTP/1.9", b" HTTP/2.0", b" http/1.1", b"  HTTP/1.1", b" HTTP/1.1 ", b"", b" HTTP/1.1x",
]  # fmt: skip
HEADERS = [
    b"Accept: */*", b"Accept-Encoding: gzip", b"User-Agent: curl/8", b"X-Y:  z ", b"X-Y:\tz\t", b"X:", b"X: ",
    b"Connection: close", b"Connection: keep-alive", b"connection: Keep-Alive, Upgrade", b"Connection: x",
    b"Connection:", b"Authorization: Basic am9lOnNlY3JldA==", b"Cookie: a=b; c=d", b"X-Until-Event: Hangup",
    b"Content-Length: 0", b"Content-Length: 3", b"Content-Length: x", b"Transfer-Encoding: chunked",
    b"Transfer-Encoding: gzip", b"Expect: 100-continue", b"expect: x", b"Upgrade: h2c", b"TE: trailers",
    b"Trailer: x", b"HTTP2-Settings: x", b"Host: y", b"hOST:z", b" folded", b"\tfolded", b"no colon",
    b"X : y", b": y", b"X\0: y", b"X: \0", b"X: \x7f", b"X: \x80", b"X: a\x0bb", b"X(y): z", b"", b"X: a\rb",
    b"Content-Length : 3", b"Content_Length: 3", b"X: " + b"a" * 300, b"X:y:z", b"\xef\xbb\xbfX: y",
]  # fmt: skip
ENDS = [b"\r\n"] * 30 + [b"\n", b"\r\r\n", b"\r", b"\n\r\n", b" \r\n"]
NOISE = [
    b"\r",
    b"\n",
    b"\r\n",
    b"\0",
    b" ",
    b":",
    b"\t",
    b"\x80",
    b"GET ",
    b" HTTP/1.1",
    b"Host: q\r\n",
]


def head(generator: random.Random) -> bytes:
    """Return a head of a request: right, odd or wrong."""
    pick = generator.choice
    odd = generator.randrange(2)  # or few of the others would be right but for one thing
    headers = [pick(HEADERS if odd else HEADERS[:15]) for _ in range(generator.randrange(5))]
    if pick(range(12)):
        host = pick((b"Host: x", b"host:x", b"HOST: x:80", b"Host: "))
        headers.insert(pick((0, len(headers))), host)
    if not pick(range(60)):
        headers += [b"X: %d" % number for number in range(pick((125, 127, 128, 129, 600)))]
    target = pick(TARGETS if odd else TARGETS[:5])
    method, version = (pick(each if odd else each[:11]) for each in (METHODS, VERSIONS))
    lines = [method + b" " + target + version, *headers]
    ends = ENDS if odd else ENDS[:1]
    data = b"".join([line + pick(ends) for line in lines])
    return data + pick((b"\r\n",) * 12 + (b"\n", b"", b"\r\n\r\n", b"abc"))


def stream(generator: random.Random) -> list[bytes]:
    """Return what a connection brings, in pieces, up to its end."""
    data = bytearray(b"".join(head(generator) for _ in range(generator.choice((1, 1, 2, 3)))))
    if not generator.randrange(8):
        at = generator.randrange(len(data))
        data[at : at + generator.randrange(3)] = generator.choice(NOISE)
    if not generator.randrange(40):
        data[0:0] = generator.choice((b"\xef\xbb\xbf", b"\r\n", b"\n"))
    cuts = sorted(
        generator.randrange(len(data) + 1) for _ in range(generator.choice((0, 0, 0, 1, 3)))
    )
    edges = [0, *cuts, len(data)]
    pieces = [bytes(data[a:b]) for a, b in zip(edges, edges[1:]) if a < b]
    return [*pieces, b""] if generator.randrange(4) else pieces


def told(conversation: Conversation, pieces: list[bytes]) -> list[object]:
    """Return all that *conversation* makes of *pieces*."""
    found: list[object] = []
    try:
        for piece in pieces:
            conversation.feed(piece)
            while (request := conversation.next()) is not None:
                assert conversation.next() is None  # it comes when this one has its answer
                found += [request, conversation.answer(OK, 0), conversation.stage]
            found += [conversation.interim(), conversation.stage]
    except BadRequest as error:
        found += [error.status, str(error), conversation.refuse(OK, 0)]
    return [*found, conversation.stage]


def test_a_plain_request_is_what_h11_reads(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever comes, in whichever pieces: the same requests, answers and refusals."""
    generator = random.Random(os.environ.get("ASTMANPROXY_SEED", "plain"))
    taken: list[Request] = []
    read, is_quick = PlainHeads.read, True

    def noting(self: PlainHeads, data: bytearray) -> tuple[Request, bytearray] | None:
        found = read(self, data) if is_quick else None
        if found is not None:
            taken.append(found[0])
        return found

    monkeypatch.setattr(PlainHeads, "read", noting)
    for _ in range(TRIES):
        pieces = stream(generator)
        limits = Limits(block=generator.choice((2, 131072)))
        is_quick = True
        quick = told(talk(limits=limits), pieces)
        is_quick = False
        assert quick == told(talk(limits=limits), pieces), pieces

    assert len(taken) > TRIES / 4
    assert {each.method for each in taken} == {"GET", "HEAD"}
    assert {each.keep_alive for each in taken} == {True, False}


@pytest.mark.parametrize(
    "data",
    [
        PING[:-1],
        PING.replace(b"GET", b"POST"),
        PING.replace(b"1.1", b"1.0"),
        PING.replace(b"Host: x\r\n", b""),
        PING.replace(b"Host: x\r\n", b"Host: x\r\nHost: x\r\n"),
        PING.replace(b"Host: x", b"Host: x\r\n y"),
        PING.replace(b"Host: x", b"Host: \xfc"),
        PING.replace(b"Host:", b"Host :"),
        PING.replace(b"Host: x\r\n", b"Host: x\n"),
        PING.replace(b"/?", b"http://x/?"),
        PING.replace(b"Ping", b"Ping a"),
        PING.replace(b"Ping", b"a" * STRANGER),
        PING.replace(b"Host", b"X: y\r\n" * MAX_HEADERS + b"Host"),
        *(
            PING.replace(b"Host", header + b": 1\r\nHost")
            for header in (b"Content-Length", b"transfer-encoding", b"EXPECT", b"Upgrade", b"Te")
        ),
    ],
    ids=lambda data: data[-60:],
)
def test_what_is_not_plain_is_left_to_h11(data: bytes) -> None:
    """One thing that is not as usual is enough; without it the request is plain."""
    assert PlainHeads().read(bytearray(PING)) is not None
    assert PlainHeads().read(bytearray(data)) is None


def test_requests_with_the_same_headers_share_them() -> None:
    """What they say need not be found out twice; other headers are others."""
    plain = PlainHeads()
    first, second, other, again = (
        plain.read(bytearray(data))
        for data in (PING, PING.replace(b"Ping", b"x"), PING.replace(b"*/*", b"x"), PING)
    )
    assert first is not None
    assert second is not None
    assert other is not None
    assert again is not None
    assert first[0].headers is second[0].headers
    assert other[0].headers != first[0].headers
    assert again[0].headers == first[0].headers
