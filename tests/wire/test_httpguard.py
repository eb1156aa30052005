# SPDX-License-Identifier: GPL-2.0-or-later
"""The guard: HTTP is recognized however it is cut, and no client is taken for it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.message import Message
from amiproxy.wire.httpguard import LONGEST, HttpError, HttpGuard

ACTION = b"Action: Originate\r\nChannel: SIP/100\r\n\r\n"

REQUESTS = [
    b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
    b"POST /a HTTP/1.0\r\n\r\n",
    b"get / http/1.1\n",
    b"\r\n\r\n  POST / HTTP/1.1\r\n",
    b"\xef\xbb\xbfPOST / HTTP/1.1\r\n",
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"BREW coffee HTTP/3\r\n",
    b"M-SEARCH * HTTP/1.1\r\n",
    b"OPTIONS http://localhost:5038/x?y#z HTTP/1.1\r\n",
    b"CONNECT localhost:5038 HTTP/1.1\r\n",
    b"GET /a b\tc HTTP/1.1\r\n",
    b"GET\t/\tHTTP/1.1\r\n",
    b"GET HTTP/1.1\r\n",
    b"GET /?Action=Ping HTTP/1.1\r\n",
    b"GET /" + b"a" * (LONGEST - 20) + b" HTTP/1.1\r\n",
    b"GET /" + b"a" * LONGEST + b" HTTP/1.1\r\n",
    b"POST /" + b"a" * 200_000 + b" HTTP/1.1\r\n",
    b"Accept: */*\r\nHost: x\r\n",
    b"x\r\nhOsT \t: x\r\n",
    b"ActionID: 1\r\nX-Action: Ping\r\n \tHost:x\r\n",
    b"Action-X: Ping\r\nHost:x\r\n",
    b"x" * 3 * LONGEST + b" HTTP/1.1\r\nHost: localhost\r\n",
    b"GET /\r\n\r\nHost: x\r\n",
]

CLIENTS = [
    ACTION,
    b"\r\n\r\nAction: Ping\r\nHost: x\r\n\r\n",
    b"ActionID: 1\r\nproxyaction: AddServer\r\nHost: 10.0.0.1\r\n\r\n",
    b"Text: GET / HTTP/1.1\r\nAction: UserEvent\r\n\r\n",
    b'"Action: Ping"\r\n"Host: x"\r\n',
    b'{"Action": "Ping", "a": "/ HTTP/1.1"}\nHost: x\n',
    b'<?xml version="1.0"?>\n<AsteriskManagerInput>\n <Action Value="Ping"/>\nHost: x',
    b'<AsteriskManagerInput><ProxyAction Value="x"/>\nHost: x',
    b"login alice secret\nping\n",
    b'<AsteriskManagerInput><Data Value="GET / HTTP/1.1"/>\n',
    b'<AsteriskManagerInput><Data Value="%b"/>\n' % (b"x" * 2 * LONGEST),
    b'"Action: UserEvent", "Text: / HTTP/1.1"\n',
    b'"Action: UserEvent", "Text: %b"\n' % (b"x" * 2 * LONGEST),
    b'{"Text": "/ HTTP/1.1 %b"}\n' % (b"x" * 2 * LONGEST),
    b"Hostile: x\r\nGhost: y\r\nA-Host: z\r\n\r\n",
    b"say HTTP\n",
    b"a" * 3 * LONGEST + b"\r\n\r\n",
]


def cut(data: bytes, places: list[int]) -> list[bytes]:
    """Return *data* in pieces, cut at *places*."""
    edges = [0, *sorted(place % len(data) for place in places), len(data)]
    return [data[begin:end] for begin, end in zip(edges, edges[1:])]


def passed(pieces: list[bytes]) -> tuple[bytes, bool]:
    """Return what a guard lets through, and whether it says that this is HTTP."""
    guard, through = HttpGuard(), b""
    for piece in pieces:
        if guard.is_open:
            through += piece
            continue
        try:
            through += guard.admit(piece)
        except HttpError:
            return through, True
    return through, False


@given(st.sampled_from(REQUESTS), st.lists(st.integers(0, 1 << 18), max_size=20))
def test_http_is_recognized_however_it_is_cut(request: bytes, places: list[int]) -> None:
    """And no action behind it has passed by then."""
    through, is_http = passed(cut(request + b"X: y\r\n\r\n" + ACTION, places))

    assert is_http
    assert b"Action: O" not in through


@given(st.sampled_from(CLIENTS), st.lists(st.integers(0, 1 << 18), max_size=20))
def test_clients_pass_however_they_are_cut(data: bytes, places: list[int]) -> None:
    """Every byte, in order."""
    assert passed(cut(data, places)) == (data, False)


@pytest.mark.parametrize("data", [*REQUESTS, *CLIENTS], ids=lambda data: str(data[:24]))
def test_single_bytes_and_one_packet_are_judged_alike(data: bytes) -> None:
    """TCP decides how many bytes come at a time, or who attacks does."""
    data = data[:20_000]
    together = passed([data])

    assert passed([data[at : at + 1] for at in range(len(data))])[1] == together[1]


def test_what_cannot_become_a_request_is_not_held() -> None:
    """A format without lines is served at once; one with blanks when it is no request."""
    for data in (b"ping;", b"\x01\x02", b"<a/>", b"login alice secret;", b"Action: Ping"):
        assert HttpGuard().admit(data) == data
    guard = HttpGuard()

    assert [guard.admit(piece) for piece in (b"say", b" hello", b" H", b"a;")] == [
        b"say",
        b"",
        b"",
        b" hello Ha;",
    ]


def test_a_block_with_host_is_http_until_an_action_has_come() -> None:
    """In formats where no line begins with the header's name."""
    guard = HttpGuard()
    guard.judge(Message.of("Accept: */*"))
    with pytest.raises(HttpError):
        guard.judge(Message.of("hOST: x"))
    assert not guard.is_open

    guard.judge(Message.of("Host: x", "ProxyAction: AddServer"))

    assert guard.is_open
