# SPDX-License-Identifier: GPL-2.0-or-later
"""The PROXY protocol's header: what load balancers write is read, all else refused."""

from __future__ import annotations

import ipaddress
import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.errors import ProtocolError
from amiproxy.wire.proxyheader import LONGEST, SIGNATURE, HeaderReader, Source, begins_header


def v2(command: int, family: int, rest: bytes, *, length: int = -1) -> bytes:
    """Return a header of version 2."""
    size = len(rest) if length < 0 else length
    return SIGNATURE + struct.pack("!BBH", command, family, size) + rest


IPV4 = ipaddress.ip_address("192.0.2.1").packed + ipaddress.ip_address("198.51.100.9").packed
IPV6 = ipaddress.ip_address("2001:db8::1").packed + ipaddress.ip_address("2001:db8::2").packed
MAPPED = ipaddress.ip_address("::ffff:192.0.2.1").packed * 2
PORTS = struct.pack("!HH", 51000, 1234)

GOOD = [
    (b"PROXY TCP4 192.0.2.1 198.51.100.9 51000 1234\r\n", Source("192.0.2.1", 51000)),
    (b"PROXY TCP6 2001:DB8::1 2001:db8::2 0 65535\r\n", Source("2001:db8::1", 0)),
    (b"PROXY TCP6 ::ffff:192.0.2.1 ::ffff:198.51.100.9 5 6\r\n", Source("192.0.2.1", 5)),
    (b"PROXY UNKNOWN\r\n", Source()),
    (b"PROXY UNKNOWN ffff::1 ffff::1 65535 65535\r\n", Source()),
    (v2(0x21, 0x11, IPV4 + PORTS), Source("192.0.2.1", 51000)),
    (v2(0x21, 0x21, IPV6 + PORTS), Source("2001:db8::1", 51000)),
    (v2(0x21, 0x21, MAPPED + PORTS), Source("192.0.2.1", 51000)),
    (v2(0x21, 0x11, IPV4 + PORTS + b"\x04\0\3abc" * 9), Source("192.0.2.1", 51000)),
    (v2(0x21, 0x11, (IPV4 + PORTS).ljust(LONGEST - 16, b"x")), Source("192.0.2.1", 51000)),
    (v2(0x20, 0x00, b""), Source()),
    (v2(0x20, 0x11, IPV4 + PORTS), Source()),
    (v2(0x20, 0xFF, b"?"), Source()),
    (v2(0x21, 0x00, b""), Source()),
    (v2(0x21, 0x12, IPV4 + PORTS), Source()),
    (v2(0x21, 0x31, bytes(216)), Source()),
]
BAD = [
    b"GET / HTTP/1.1\r\n",
    b"\x16\x03\x01\x02\x00",
    b"Action: Login\r\n",
    b"proxy UNKNOWN\r\n",
    b"PROXY \r\n",
    b"PROXY TCP4\r\n",
    b"PROXY UNKNOWN\n",
    b"PROXY UNKNOWNx\r\n",
    b"PROXY UNKNOWN " + b"x" * 92 + b"\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.9 51000 1234\n",
    b"PROXY TCP4 192.0.2.1  198.51.100.9 51000 1234\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.9 51000 1234 \r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.9 65536 1234\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.9 051 1234\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.9 -1 1234\r\n",
    b"PROXY TCP4 192.0.2.1 198.51.100.9 51000\r\n",
    b"PROXY TCP4 192.0.2.256 198.51.100.9 51000 1234\r\n",
    b"PROXY TCP4 192.0.02.1 198.51.100.9 51000 1234\r\n",
    b"PROXY TCP4 2001:db8::1 2001:db8::2 51000 1234\r\n",
    b"PROXY TCP6 192.0.2.1 198.51.100.9 51000 1234\r\n",
    b"PROXY TCP6 fe80::1%eth0 fe80::2 51000 1234\r\n",
    b"PROXY TCP5 192.0.2.1 198.51.100.9 51000 1234\r\n",
    b"PROXY TCP4 pbx.example.com 198.51.100.9 51000 1234\r\n",
    v2(0x11, 0x11, IPV4 + PORTS),
    v2(0x22, 0x11, IPV4 + PORTS),
    v2(0x21, 0x13, IPV4 + PORTS),
    v2(0x21, 0x41, IPV4 + PORTS),
    v2(0x21, 0x11, IPV4),
    v2(0x21, 0x21, IPV4 + PORTS),
    v2(0x21, 0x11, b"", length=65535),
    v2(0x20, 0x00, b"", length=LONGEST - 15),
]


@pytest.mark.parametrize(("header", "source"), GOOD)
def test_a_header_tells_where_a_connection_comes_from(header: bytes, source: Source) -> None:
    """In one piece or in many; what comes behind it is not touched."""
    whole = HeaderReader()
    assert whole.feed(header + b"\x16\x03\x01PROXY ") == len(header)
    assert whole.source == source

    pieces = HeaderReader()
    for at in range(len(header)):
        assert pieces.source is None
        assert pieces.feed(header[at : at + 1]) == 1
    assert pieces.source == source


@pytest.mark.parametrize("data", BAD)
def test_what_is_no_header_is_refused(data: bytes) -> None:
    """In one piece or in many."""
    with pytest.raises(ProtocolError, match="PROXY protocol header"):
        HeaderReader().feed(data)
    pieces = HeaderReader()
    with pytest.raises(ProtocolError, match="PROXY protocol header"):
        any(pieces.feed(data[at : at + 1]) == 0 for at in range(len(data)))


_PIECES = st.lists(
    st.one_of(
        st.binary(max_size=40),
        st.sampled_from([SIGNATURE, b"PROXY ", b"TCP4 ", b"1.2.3.4 ", b"\r\n", b"\x21\x11\0\x0c"]),
    )
)


@given(_PIECES, st.binary(max_size=20))
def test_whatever_comes_it_ends_within_the_limits(pieces: list[bytes], rest: bytes) -> None:
    """With a source, an error or the wish for more; never with another exception."""
    reader, taken = HeaderReader(), 0
    try:
        for piece in [*pieces, rest]:
            if reader.source is not None:
                break
            count = reader.feed(piece)
            assert 0 <= count <= len(piece)
            taken += count
    except ProtocolError:
        return
    assert taken <= LONGEST


@given(st.ip_addresses(), st.integers(0, 65535), st.integers(0, 65535))
def test_both_versions_say_the_same(address: object, port: int, other: int) -> None:
    """Every address and port."""
    found = ipaddress.ip_address(str(address))
    kind, family = ("TCP4", 0x11) if found.version == 4 else ("TCP6", 0x21)
    line = f"PROXY {kind} {found} {found} {port} {other}\r\n".encode()
    binary = v2(0x21, family, found.packed * 2 + struct.pack("!HH", port, other))
    one, two = HeaderReader(), HeaderReader()

    assert (one.feed(line), two.feed(binary)) == (len(line), len(binary))

    assert one.source == two.source
    assert one.source is not None
    assert one.source.port == port


def test_the_beginning_of_either_version_is_known() -> None:
    """No action begins so, nor any request that a browser sends."""
    assert all(begins_header(header) for header, _ in GOOD)
    assert not any(map(begins_header, (b"", b"PROXY", b"PROXYAction: x", b"\r\n\r\n", b"QUIT\n")))
