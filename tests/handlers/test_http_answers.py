# SPDX-License-Identifier: GPL-2.0-or-later
"""The HTTP conversation: answers in, bytes out."""

from __future__ import annotations

import pytest

from amiproxy.httpmessages import Response, Stage
from tests.handlers.http_support import OK, PING, head_of, talk


def test_an_answer_has_length_date_and_type() -> None:
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
def test_the_client_decides_whether_the_connection_stays(
    version: bytes, connection: bytes, stays: bool
) -> None:
    """HTTP/1.1 stays unless told otherwise, HTTP/1.0 goes unless told otherwise."""
    conversation = talk(b"GET / HTTP/" + version + b"\r\nHost: x\r\n" + connection + b"\r\n" + PING)
    conversation.next()

    _, headers = head_of(conversation.answer(OK, 0))

    assert headers["connection"] == ("keep-alive" if stays else "close")
    assert (conversation.stage is Stage.OVER) is not stays
    assert (conversation.next() is not None) is stays


def test_an_answer_may_end_the_connection() -> None:
    """``close`` outweighs the client's wish."""
    conversation = talk(PING)
    conversation.next()

    _, headers = head_of(conversation.answer(Response(200, close=True), 0))

    assert headers["connection"] == "close"
    assert conversation.stage is Stage.OVER


def test_head_has_the_headers_of_get_and_no_body() -> None:
    """A HEAD request is answered with the length the body would have."""
    conversation = talk(b"HEAD / HTTP/1.1\r\nHost: x\r\n\r\n")
    conversation.next()

    data = conversation.answer(OK, 0)

    assert data.endswith(b"\r\n\r\n")
    assert head_of(data)[1]["content-length"] == "4"


def test_no_content_has_no_length() -> None:
    """204 has neither body nor Content-Length (RFC 9110, section 8.6)."""
    conversation = talk(PING)
    conversation.next()

    data = conversation.answer(Response(204), 0)

    assert "content-length" not in head_of(data)[1]
    assert data.endswith(b"\r\n\r\n")


@pytest.mark.parametrize("text", ["b\r\nC: d", "b\nC: d", "b\rC: d", "b\0"])
def test_an_answer_cannot_forge_headers(text: str) -> None:
    """A line end in a header of an answer is a bug that shows itself."""
    for response in (
        Response(200, headers=(("A", text),)),
        Response(200, headers=((text, "A"),)),
        Response(200, text),
    ):
        conversation = talk(PING)
        conversation.next()

        with pytest.raises(AssertionError):
            conversation.answer(response, 0)


def test_the_date_is_that_of_the_answer() -> None:
    """Also where it is the next second."""
    conversation = talk(2 * PING)
    dates = []
    for now in (1.9, 2.0):
        conversation.next()
        dates.append(head_of(conversation.answer(OK, now))[1]["date"])

    assert dates == ["Thu, 01 Jan 1970 00:00:01 GMT", "Thu, 01 Jan 1970 00:00:02 GMT"]
