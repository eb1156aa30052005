# SPDX-License-Identifier: GPL-2.0-or-later
"""Requests that are not quite HTTP: what is read all the same, what is refused, and why."""

from __future__ import annotations

import pytest

from amiproxy.httpmessages import BadRequest, Stage
from tests.handlers.http_support import OK, PING, head_of, request_of, talk


@pytest.mark.parametrize(
    ("data", "target"),
    [
        (b"GET /?Action=Ping HTTP/1.1\r\n\r\n", "/?Action=Ping"),
        (b"GET /?Action=Ping HTTP/1.0\r\n\r\n", "/?Action=Ping"),
        (b"GET /?Action=Ping\r\n\r\n", "/?Action=Ping"),
        (b"GET /?Action=Ping\n\n", "/?Action=Ping"),
        (b"GET /?Action=Ping http/1.1\r\nhOST: x\r\n\r\n", "/?Action=Ping"),
        (b"GET  /?Action=Ping  HTTP/1.1 \r\nHost: x\r\n\r\n", "/?Action=Ping"),
        (b"\r\n\r\nGET /?Action=Ping HTTP/1.1\r\nHost: x\r\n\r\n", "/?Action=Ping"),
        (b"\xef\xbb\xbfGET /?Action=Ping HTTP/1.1\r\nHost: x\r\n\r\n", "/?Action=Ping"),
        (b"GET /?Command=core show  help HTTP/1.1\r\n\r\n", "/?Command=core%20show%20%20help"),
        (b"GET /?Command=core show help\r\n\r\n", "/?Command=core%20show%20help"),
        ("GET /?X=Jörg HTTP/1.1\r\nHost: x\r\n\r\n".encode(), "/?X=J%C3%B6rg"),
        (b"GET /?X=J\xf6rg HTTP/1.1\r\nHost: x\r\n\r\n", "/?X=J%F6rg"),
        (b"GET /\xff?X=1 HTTP/1.1\r\nHost: x\r\n\r\n", "/%FF?X=1"),
    ],
)
@pytest.mark.parametrize("is_whole", [True, False])
def test_what_can_mean_one_thing_only_is_read(data: bytes, target: str, *, is_whole: bool) -> None:
    """No Host, no version, raw blanks and bytes in the query, whatever the pieces it comes in."""
    pieces = [data] if is_whole else [data[at : at + 1] for at in range(len(data))]
    conversation = talk()
    found = None
    for piece in pieces:
        assert found is None
        conversation.feed(piece)
        found = conversation.next()

    assert found is not None
    assert found.target == target


@pytest.mark.parametrize(
    "line",
    [
        b"GET /?Action=Ping HTTP/1.1\r\n",
        b"GET /?Action=Ping\r\nConnection: keep-alive\r\n",
        b"GET /?A=b c HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n",
        b"GET /?A=\xff HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n",
        b"GET /?A=b  HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n",
        # Two headers for one, one for another.
        b"GET / HTTP/1.1\r\nHost: x\nContent-Length: 0\r\nConnection: keep-alive\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\n\tContent-Length: 0\r\nConnection: keep-alive\r\n",
        b"GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\n",
        b"GET / HTTP/1.0\r\nConnection: keep-alive\nX: y\r\n",
        # A body may follow, which is no request.
        b"POST / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive\r\n",
        # HTTP/1.0 knows no chunks: who stands in front may take them for the next request.
        b"POST / HTTP/1.0\r\nConnection: keep-alive\r\nTransfer-Encoding: chunked\r\n",
    ],
)
def test_nothing_is_read_behind_a_request_that_others_may_read_otherwise(line: bytes) -> None:
    """Such a request is the last of its connection: no other can be hidden behind it."""
    body = b"0\r\n\r\n" if b"chunked" in line else b""
    conversation = talk(line + b"\r\n" + body + PING)

    request_of(conversation)

    assert head_of(conversation.answer(OK, 0))[1]["connection"] == "close"
    assert conversation.stage is Stage.OVER
    assert conversation.next() is None


@pytest.mark.parametrize(
    ("data", "status", "told"),
    [
        (b"Action: Login\r\n", 400, "programs that speak AMI need a listener with inputformat"),
        (b"login\r\n", 400, "begins as in GET /?Action=Ping HTTP/1.1"),
        (b"rubbish\r\n", 400, "begins as in GET"),
        (b"GET\r\n\r\n", 400, "begins as in GET"),
        (b"GET HTTP/1.1\r\n\r\n", 400, "There is no URL"),
        (b"G" * 50, 400, "begins as in GET"),
        (b"\x16\x03\x01\x02\x00", 400, "begins as in GET"),
        (b"GET /a b HTTP/1.1\r\nHost: x\r\n\r\n", 400, "before its question mark"),
        (b"GET /?a=b\tc HTTP/1.1\r\nHost: x\r\n\r\n", 400, "write a tab as %09"),
        (b"GET /?a=b\rc HTTP/1.1\r\nHost: x\r\n\r\n", 400, "control character"),
        (b"GET /?a=\0 HTTP/1.1\r\nHost: x\r\n\r\n", 400, "control character"),
        (b"GET /?a HTTP/1.1 &b=c HTTP/1.1\r\nHost: x\r\n\r\n", 400, "stands twice"),
        (b"GET / http/1.1\t HTTP/1.1\r\nHost: x\r\n\r\n", 400, "control character"),
        (b"GET / HTTP/2\r\nHost: x\r\n\r\n", 505, "Only HTTP/1.0 and HTTP/1.1"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400, "Name: value"),
        (b"GET / HTTP/1.1\r\nHost : x\r\n\r\n", 400, "no blank before the colon"),
        (b"GET / HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", 400, "more than one Host"),
        (b"GET / HTTP/1.1\r\n\tHost: x\r\n\r\n", 400, "begins with a blank"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n", 400, "number of bytes"),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n",
            400,
            "two lengths",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n",
            400,
            "only one may be there",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
            400,
            "hexadecimal",
        ),
        (
            b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nabcd\r\n",
            400,
            "A chunk is longer",
        ),
        (b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501, "or chunked"),
    ],
    ids=lambda value: value[-20:] if isinstance(value, bytes) else None,
)
def test_an_error_says_what_is_wrong(data: bytes, status: int, told: str) -> None:
    """Each fault has its words; what could be two requests or inject a header is refused."""
    conversation = talk(data)

    with pytest.raises(BadRequest) as error:
        conversation.next()

    assert error.value.status == status
    assert told in str(error.value)
    assert conversation.stage is Stage.OVER


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (PING[:-2], "a blank line ends its headers"),
        (b"GET /?Action=Pi", "a blank line ends its headers"),
        (b"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\nabc", "The body was cut off"),
    ],
)
def test_a_request_that_was_cut_off_is_told_so(data: bytes, told: str) -> None:
    """A client that half-closes too early reads what was missing."""
    conversation = talk(data, b"")

    with pytest.raises(BadRequest, match=told):
        conversation.next()


def test_one_line_and_the_end() -> None:
    """``echo "GET /?Action=Ping" | nc -N`` is answered: nothing is missing in it."""
    assert request_of(talk(b"GET /?Action=Ping\n", b"")).target == "/?Action=Ping"


HEADERS = {
    "curl": b"User-Agent: curl/7.88.1\r\nAccept: */*\r\n",
    "PHP curl": b"Accept: */*\r\n",
    "http.client": b"Accept-Encoding: identity\r\n",
    "requests": b"User-Agent: python-requests/2.32\r\nAccept-Encoding: gzip\r\nAccept: */*\r\n"
    b"Connection: keep-alive\r\n",
    "Go": b"User-Agent: Go-http-client/1.1\r\nAccept-Encoding: gzip\r\n",
    "Java": b"User-Agent: Java-http-client/17\r\nConnection: Upgrade, HTTP2-Settings\r\n",
    "Perl": b"TE: deflate,gzip;q=0.3\r\nKeep-Alive: 300\r\nConnection: Keep-Alive, TE\r\n",
}


@pytest.mark.parametrize("name", HEADERS)
def test_the_connection_of_a_library_is_kept(name: str) -> None:
    """Who keeps connections is known by what it sends; HTTP/1.0 has to ask."""
    request = b"GET / HTTP/1.1\r\nHost: x\r\n" + HEADERS[name] + b"\r\n"
    conversation = talk(request)

    request_of(conversation)
    assert head_of(conversation.answer(OK, 0))[1]["connection"] == "keep-alive"


@pytest.mark.parametrize(
    "headers",
    [
        b"",
        b"User-Agent: my script\r\n",
        b"Authorization: Basic am9lOng=\r\nProxyKey: x\r\n",
        b"Accept: */*\r\nConnection: close\r\n",
        b"Accept: */*\r\nConnection: TE, close\r\n",
    ],
)
def test_the_connection_of_a_script_is_closed(headers: bytes) -> None:
    """Who reads to the end need not wait for our time limit."""
    conversation = talk(b"GET / HTTP/1.1\r\nHost: x\r\n" + headers + b"\r\n")

    request_of(conversation)
    assert head_of(conversation.answer(OK, 0))[1]["connection"] == "close"


def test_a_script_that_sends_its_requests_at_once_has_all_of_them_answered() -> None:
    """The next request is there: that is sign enough, unless it was not wanted."""
    bare = b"GET / HTTP/1.1\r\nHost: x\r\n\r\n"
    conversation = talk(bare + bare)

    request_of(conversation)
    assert head_of(conversation.answer(OK, 0))[1]["connection"] == "keep-alive"
    request_of(conversation)
    assert head_of(conversation.answer(OK, 0))[1]["connection"] == "close"

    conversation = talk(bare[:-2] + b"Connection: close\r\n\r\n" + bare)
    request_of(conversation)
    assert head_of(conversation.answer(OK, 0))[1]["connection"] == "close"
