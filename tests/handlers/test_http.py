# SPDX-License-Identifier: GPL-2.0-or-later
"""The HTTP conversation: bytes in, requests out, and back."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.formats import Limits, load_formats
from amiproxy.web.messages import BadRequest, Response
from tests.support import ROOT

HTTP = load_formats(ROOT / "handlers")["http"]
PING = b"GET /?Action=Ping HTTP/1.1\r\nHost: x\r\n\r\n"
OK = Response(200, "text/plain", b"fine")


def talk(*chunks, limits=None):
    conversation = HTTP.conversation(limits or Limits())
    for chunk in chunks:
        conversation.feed(chunk)
    return conversation


def head_of(data):
    """Return status line and headers (lower case) of the answer *data*."""
    head = data.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    return head[0], {line.partition(": ")[0].lower(): line.partition(": ")[2] for line in head[1:]}


def test_a_request_comes_out_whole():
    """Method, target, headers in lower case, body and version are what was sent."""
    conversation = talk(
        b"POST /a?b=c HTTP/1.1\r\nHost: x\r\nX-Y:  z \r\nContent-Length: 2\r\n\r\nhi"
    )

    request = conversation.next()

    assert (request.method, request.target, request.version) == ("POST", "/a?b=c", "1.1")
    assert request.header("x-y") == "z"
    assert request.body == b"hi"


def test_a_request_shows_no_secrets_in_its_repr():
    """Neither URL nor headers are in the repr: it may end in a log."""
    request = talk(b"GET /?Secret=pass1 HTTP/1.1\r\nHost: x\r\nAuthorization: pass2\r\n\r\n").next()

    assert "pass" not in repr(request)


def test_half_a_request_is_partial():
    """Before the first byte nothing is partial; then it is, until the request is whole."""
    conversation = talk(b"\r\n")
    assert not conversation.partial
    conversation.feed(PING[:5])
    assert conversation.partial
    assert conversation.next() is None
    conversation.feed(PING[5:])
    assert conversation.next() is not None
    assert not conversation.partial


def test_pipelined_requests_wait_for_their_turn():
    """The second request comes out when the first has its answer."""
    conversation = talk(PING + PING.replace(b"Ping", b"Pong"))

    assert conversation.next().target == "/?Action=Ping"
    assert conversation.next() is None
    assert conversation.backlog > 0
    conversation.answer(OK, 0)
    assert conversation.next().target == "/?Action=Pong"
    assert conversation.backlog == 0


def test_an_answer_has_length_date_and_type():
    """An answer carries all that HTTP/1.1 wants of it."""
    conversation = talk(PING)
    conversation.next()

    data = conversation.answer(OK, 0)

    status, headers = head_of(data)
    assert status == "HTTP/1.1 200 OK"
    assert headers["date"] == "Thu, 01 Jan 1970 00:00:00 GMT"
    assert headers["content-length"] == "4"
    assert headers["content-type"] == "text/plain"
    assert headers["server"].startswith("Asterisk Call Manager Proxy/")
    assert data.endswith(b"\r\n\r\nfine")


@pytest.mark.parametrize(
    ("version", "connection", "stays"),
    [
        (b"1.1", b"", True),
        (b"1.1", b"Connection: close\r\n", False),
        (b"1.1", b"Connection: Keep-Alive\r\n", True),
        (b"1.0", b"", False),
        (b"1.0", b"Connection: Keep-Alive\r\n", True),
        (b"1.0", b"Connection: foo, close\r\n", False),
    ],
)
def test_the_client_decides_whether_the_connection_stays(version, connection, stays):
    """HTTP/1.1 stays unless told otherwise, HTTP/1.0 goes unless told otherwise."""
    conversation = talk(b"GET / HTTP/" + version + b"\r\nHost: x\r\n" + connection + b"\r\n" + PING)
    conversation.next()

    _, headers = head_of(conversation.answer(OK, 0))

    assert headers["connection"] == ("keep-alive" if stays else "close")
    assert conversation.over is not stays
    assert (conversation.next() is not None) is stays


def test_an_answer_may_end_the_connection():
    """``close`` outweighs the client's wish."""
    conversation = talk(PING)
    conversation.next()

    _, headers = head_of(conversation.answer(Response(200, close=True), 0))

    assert headers["connection"] == "close"
    assert conversation.over


def test_head_has_the_headers_of_get_and_no_body():
    """A HEAD request is answered with the length the body would have."""
    conversation = talk(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    conversation.next()

    data = conversation.answer(OK, 0)

    assert data.endswith(b"\r\n\r\n")
    assert head_of(data)[1]["content-length"] == "4"


def test_no_content_has_no_length():
    """204 has neither body nor Content-Length (RFC 9110, section 8.6)."""
    conversation = talk(PING)
    conversation.next()

    data = conversation.answer(Response(204), 0)

    assert "content-length" not in head_of(data)[1]
    assert data.endswith(b"\r\n\r\n")


def test_a_client_that_waits_is_told_to_go_on_once():
    """Expect: 100-continue draws 100 Continue, then the body is read."""
    conversation = talk(
        b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    )
    assert conversation.next() is None

    assert conversation.interim() == b"HTTP/1.1 100 Continue\r\n\r\n"
    assert conversation.interim() == b""
    conversation.feed(b"abc")
    assert conversation.next().body == b"abc"


def test_a_client_is_not_told_to_send_what_would_be_refused():
    """Expect: 100-continue with too long a body draws 413 at once."""
    conversation = talk(
        b"POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 99999999\r\n\r\n"
    )

    with pytest.raises(BadRequest) as error:
        conversation.next()

    assert error.value.status == 413
    assert conversation.interim() == b""


def test_a_chunked_body_is_put_together():
    """Chunks, their extensions and the trailer make one body."""
    conversation = talk(
        b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nTrail: er\r\n\r\n",
    )

    assert conversation.next().body == b"abcde"


POST = b"POST / HTTP/1.1\r\nHost: x\r\n"


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET /x\r\n\r\n", 400),
        (b"rubbish\r\n\r\n", 400),
        (b"\x16\x03\x01\x02\x00", 400),
        (b"GET / HTTP/1.1\r\n\r\n", 400),  # no Host
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
        (POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
        (b"GET / HTTP/2.0\r\nHost: x\r\n\r\n", 505),
        (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505),
    ],
    ids=lambda value: value[-20:] if isinstance(value, bytes) else None,
)
def test_what_is_no_request_has_its_status(data, status):
    """Each fault is told apart, the text quotes nothing, and the connection is over."""
    conversation = talk(data)

    with pytest.raises(BadRequest) as error:
        conversation.next()

    assert error.value.status == status
    assert not {"rubbish", "colon", "aaa"} & set(str(error.value).split())
    assert conversation.over
    line, headers = head_of(conversation.refuse(Response(status), 0))
    assert line.startswith(f"HTTP/1.1 {status} ")
    assert headers["connection"] == "close"
    assert conversation.next() is None


def test_the_end_of_an_idle_connection_is_no_fault():
    """A client that says nothing, or nothing more, and leaves gets no answer."""
    silent = talk(b"")
    assert silent.next() is None
    assert silent.over

    done = talk(PING, b"")
    assert done.next() is not None
    done.answer(OK, 0)
    assert done.next() is None
    assert done.over


def test_a_request_cut_off_by_its_end_is_a_fault():
    """A client that half-closes in the middle of a request gets 400."""
    with pytest.raises(BadRequest):
        talk(PING[:-2], b"").next()


def test_an_answer_cannot_forge_headers():
    """A line end in a header of an answer is a bug that shows itself."""
    conversation = talk(PING)
    conversation.next()

    with pytest.raises(AssertionError):
        conversation.answer(Response(200, headers=(("A", "b\r\nC: d"),)), 0)


STREAM = (
    b"\r\nGET /?Action=Ping HTTP/1.1\r\nHost: x\r\n\r\n"
    b"POST /rawman HTTP/1.1\r\nHost: x\r\nContent-Length: 11\r\n\r\naction=ping"
    b"POST /mxml HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n4\r\nabcd\r\n0\r\n\r\n\r\n"
    b"HEAD / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
)


def requests_of(chunks):
    """Return all requests that *chunks* bring, answering each."""
    conversation = HTTP.conversation(Limits())
    found = []
    for chunk in [*chunks, b""]:
        conversation.feed(chunk)
        while (request := conversation.next()) is not None:
            found.append((request.method, request.target, request.body))
            conversation.answer(OK, 0)
    assert conversation.over
    return found


@given(cuts=st.lists(st.integers(0, len(STREAM))))
def test_requests_do_not_depend_on_how_bytes_arrive(cuts):
    """However TCP cuts the stream, the same requests come out."""
    edges = [0, *sorted(cuts), len(STREAM)]
    chunks = [STREAM[a:b] for a, b in zip(edges, edges[1:]) if a < b]

    assert requests_of(chunks) == [
        ("GET", "/?Action=Ping", b""),
        ("POST", "/rawman", b"action=ping"),
        ("POST", "/mxml", b"abcd"),
        ("HEAD", "/", b""),
    ]


PIECES = [
    b"GET ", b"POST ", b"/", b"/?Action=Ping", b" HTTP/1.1", b" HTTP/1.0", b"\r\n", b"\n", b"\r",
    b"\r\n\r\n", b"Host: x\r\n", b"Content-Length: ", b"5", b"99999999999", b"-1",
    b"Transfer-Encoding: chunked\r\n", b"Expect: 100-continue\r\n", b"Connection: close\r\n",
    b"0\r\n\r\n", b"3\r\nabc\r\n", b"Upgrade: h2c\r\n", b" ", b"\t", b":", b"\0", b"\xff", b"CONNECT ",
]  # fmt: skip


@given(st.lists(st.one_of(st.sampled_from(PIECES), st.binary(max_size=64)), max_size=30))
def test_any_bytes_are_requests_or_refused(chunks):
    """Noise gives requests or BadRequest, and no other exception."""
    conversation = HTTP.conversation(Limits(block=64))

    refused = answer_all(conversation, [*chunks, b""])

    if refused is not None:
        assert conversation.refuse(Response(refused), 0).endswith(b"\r\n\r\n")
    assert conversation.over


def answer_all(conversation, chunks):
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


GOOD = [
    PING,
    (
        b"POST /?format=xml HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
        b'Content-Length: 17\r\n\r\n{"Action":"Ping"}'
    ),
    b"POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nb\r\nAction=Ping\r\n0\r\n\r\n",
]


def damaged(generator):
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


def test_fifty_thousand_damaged_requests():
    """Almost right is as harmless as noise."""
    generator = random.Random(7)
    seen = set()
    for _ in range(50_000):
        conversation = HTTP.conversation(Limits())
        seen.add(answer_all(conversation, [damaged(generator), b""]))
        assert conversation.over
    assert seen >= {None, 400, 501, 505}
