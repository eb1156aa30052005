# SPDX-License-Identifier: GPL-2.0-or-later
"""The HTTP conversation: bytes in, requests out."""

from __future__ import annotations

import pytest

from amiproxy.httpmessages import BadRequest, Response, Stage
from tests.handlers.http_support import OK, PING, head_of, request_of, talk

POST = b"POST / HTTP/1.1\r\nHost: x\r\nAccept: */*\r\n"


def test_a_request_comes_out_whole() -> None:
    """Method, target, headers in lower case, body and version are what was sent."""
    conversation = talk(
        b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nX-Y:  z \r\nContent-Length: 2\r\n\r\nhi"
    )

    request = request_of(conversation)

    assert (request.method, request.target, request.version) == ("POST", "/a?b=c", "1.1")
    assert request.header("x-y") == "z"
    assert request.body == b"hi"


def test_a_request_shows_no_secrets_in_its_repr() -> None:
    """Neither URL nor headers are in the repr: it may be logged."""
    conversation = talk(b"GET /?Secret=pass1 HTTP/1.1\r\nHost: x\r\nAuthorization: pass2\r\n\r\n")

    assert "pass" not in repr(request_of(conversation))


def test_the_stage_says_how_far_a_request_has_come() -> None:
    """Blank lines before a request are not part of it; then come its head and its body."""
    conversation = talk(b"\r\n")
    assert conversation.stage is Stage.IDLE
    head, body = POST + b"Content-Length: 2\r\n\r\n", b"hi"
    for data, stage in ((head[:5], Stage.HEAD), (head[5:], Stage.BODY), (body, Stage.ANSWER)):
        conversation.feed(data)
        conversation.next()
        assert conversation.stage is stage
    conversation.answer(OK, 0)
    assert conversation.stage is Stage.IDLE


def test_pipelined_requests_wait_for_their_turn() -> None:
    """The second request comes out when the first has its answer."""
    conversation = talk(PING + PING.replace(b"Ping", b"Pong"))

    assert request_of(conversation).target == "/?Action=Ping"
    assert conversation.next() is None
    conversation.answer(OK, 0)
    assert conversation.stage is Stage.HEAD
    assert request_of(conversation).target == "/?Action=Pong"


def test_a_client_that_waits_is_told_to_go_on_once() -> None:
    """Expect: 100-continue draws 100 Continue, then the body is read."""
    conversation = talk(
        b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    )
    assert conversation.next() is None

    assert conversation.interim() == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert conversation.interim() == b""
    conversation.feed(b"abc")
    assert request_of(conversation).body == b"abc"


def test_a_client_is_not_told_to_send_what_would_be_refused() -> None:
    """Expect: 100-continue with too long a body draws 413 at once."""
    conversation = talk(
        b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"
    )

    with pytest.raises(BadRequest) as error:
        conversation.next()

    assert error.value.status == 413
    assert conversation.interim() == b""


def test_a_chunked_body_is_put_together() -> None:
    """Chunks, their extensions and the trailer make one body."""
    conversation = talk(
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrail: er\r\n\r\n",
    )

    assert request_of(conversation).body == b"abcde"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"rubbish\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nno colon\r\n\r\n", 400),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: \0\r\n\r\n", 400),
        (POST + b"Content-Length: -1\r\n\r\n", 400),
        (POST + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\n", 400),
        (POST + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
        (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (POST + b"Content-Length: 1048577\r\n\r\n", 413),
        (POST + b"Transfer-Encoding: chunked\r\n\r\n100001\r\n" + b"a" * 1048577, 413),
        (b"GET /" + b"a" * 70000, 431),
        (b"GET /" + b"a" * 70000 + b" HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\n" + b"A: b\r\n" * 20000 + b"\r\n", 431),
        (b"GET / HTTP/1.1\r\nHost: x\r\nA: b\r\n" + b" c\r\n" * 127 + b"\r\n", 431),
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ],
    ids=lambda value: value[-20:] if isinstance(value, bytes) else None,
)
def test_what_is_not_a_request_has_its_status(data: bytes, status: int) -> None:
    """Each fault is told apart, the text quotes nothing, and the connection is over."""
    conversation = talk(data)

    with pytest.raises(BadRequest) as error:
        conversation.next()

    assert error.value.status == status
    assert not {"rubbish", "colon", "aaa"} & set(str(error.value).split())
    assert conversation.stage is Stage.OVER
    line, headers = head_of(conversation.refuse(Response(status), 0))
    assert line.startswith(f"HTTP/1.1 {status} ")
    assert headers["connection"] == "close"
    assert conversation.next() is None


def test_the_end_of_an_idle_connection_is_no_fault() -> None:
    """A client that says nothing, or nothing more, and leaves gets no answer."""
    silent = talk(b"")
    assert silent.next() is None
    assert silent.stage is Stage.OVER

    done = talk(PING, b"")
    assert done.next() is not None
    done.answer(OK, 0)
    assert done.next() is None
    assert done.stage is Stage.OVER


def test_a_request_cut_off_by_its_end_is_a_fault() -> None:
    """A client that half-closes in the middle of a request gets 400."""
    with pytest.raises(BadRequest):
        talk(PING[:-2], b"").next()
