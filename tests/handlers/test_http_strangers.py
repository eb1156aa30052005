# SPDX-License-Identifier: GPL-2.0-or-later
"""The head of a large request must prove who sends it before the rest is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.formats import Limits
from amiproxy.httpmessages import BadRequest, Stage
from amiproxy.limits import STRANGER
from tests.handlers.http_support import OK, request_of, talk

if TYPE_CHECKING:
    from amiproxy.httpmessages import Request

HEAD = b"POST / HTTP/1.1\r\nHost: x\r\n"
LARGE = b"a" * (STRANGER + 1)
CHUNKED = b"Transfer-Encoding: chunked\r\n\r\n"

REQUESTS = {
    "length": HEAD + b"Content-Length: %d\r\n\r\n%b" % (len(LARGE), LARGE),
    "chunk": HEAD + CHUNKED + b"%x\r\n%b\r\n0\r\n\r\n" % (len(LARGE), LARGE),
    "chunks": HEAD + CHUNKED + b"a\r\n0123456789\r\n" * 900 + b"0\r\n\r\n",
    "target": b"GET /?a=%b HTTP/1.1\r\nHost: x\r\n\r\n" % LARGE,
}


class Entrance:
    """Notes the heads of large requests; lets in those that have a header Key."""

    def __init__(self) -> None:
        self.asked: list[Request] = []

    def __call__(self, head: Request) -> None:
        """Let *head* in, or not."""
        self.asked.append(head)
        if not head.has("key"):
            raise BadRequest(401, "who are you")


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("step", [100, 1448, 65536])
def test_a_large_request_is_let_in_by_its_head(request_: bytes, step: int) -> None:
    """However it comes; each request is asked for once."""
    conversation, entrance = talk(), Entrance()
    conversation.entrance = entrance
    stream = 2 * request_.replace(b"\r\n", b"\r\nKey: x\r\n", 1)
    found = []
    for at in range(0, len(stream), step):
        conversation.feed(stream[at : at + step])
        while (request := conversation.next()) is not None:
            found.append(len(request.body) + len(request.target))
            conversation.answer(OK, 0)

    assert [size > STRANGER for size in found] == [True, True]
    assert len(entrance.asked) == 2
    assert all(head.body == b"" for head in entrance.asked)


@pytest.mark.parametrize("request_", REQUESTS.values(), ids=REQUESTS)
@pytest.mark.parametrize("step", [100, 1448, 65536])
def test_a_large_request_of_a_stranger_is_not_read(request_: bytes, step: int) -> None:
    """It is the end of the conversation, whatever else has come."""
    conversation = talk()
    conversation.entrance = Entrance()
    fed, caught = 0, None
    while caught is None:
        conversation.feed(request_[fed : fed + step])
        fed += step
        try:
            assert conversation.next() is None
        except BadRequest as error:
            caught = error

    assert caught.status == 401
    assert fed <= STRANGER + 6 * 900 + 2 * step  # the chunks' own lines among them
    assert conversation.stage is Stage.OVER
    assert conversation.next() is None


def test_a_small_request_is_nobodys_business() -> None:
    """A log-in form must come through; and where everybody may ask nobody is asked."""
    small = HEAD + b"Content-Length: %d\r\n\r\n%b" % (STRANGER, b"a" * STRANGER)
    wary = talk(small)
    wary.entrance = Entrance()

    assert len(request_of(wary).body) == STRANGER
    assert request_of(talk(REQUESTS["length"])).body == LARGE


def test_a_body_of_very_many_chunks_is_refused() -> None:
    """Each is parsed by itself; a few thousand are enough for any body that is allowed."""
    conversation = talk(HEAD + CHUNKED + b"1\r\na\r\n" * 5000, limits=Limits())

    with pytest.raises(BadRequest) as caught:
        conversation.next()

    assert caught.value.status == 413


def test_a_head_of_very_many_headers_is_refused() -> None:
    """All look-ups in it would be slow."""
    conversation = talk(HEAD + b"A: b\r\n" * 200 + b"\r\n")

    with pytest.raises(BadRequest) as caught:
        conversation.next()

    assert caught.value.status == 431
