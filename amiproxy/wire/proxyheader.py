# SPDX-License-Identifier: GPL-2.0-or-later
"""The PROXY protocol's header, by which a load balancer tells whom a connection comes from.

Versions 1 and 2 as the specification of HAProxy has them (proxy-protocol.txt, sections 2.1
and 2.2).  It stands before everything else on a connection, TLS too.
"""

from __future__ import annotations

import ipaddress
import re
from typing import NamedTuple

from amiproxy.errors import ProtocolError

#: How a header of version 2 begins.
SIGNATURE = b"\r\n\r\n\0\r\nQUIT\n"

_V1 = b"PROXY "
_V1_LONGEST = 107  # bytes, with CRLF (section 2.1)
_V1_LINE = re.compile(
    rb"PROXY (?:(?P<kind>TCP4|TCP6) (?P<source>[0-9A-Fa-f.:]+) (?P<target>[0-9A-Fa-f.:]+)"
    rb" (?P<port>0|[1-9][0-9]{0,4}) (?:0|[1-9][0-9]{0,4})|UNKNOWN(?: .*)?)\r\n"
)

#: What of version 2 comes before the addresses: signature, version and command, family and
#: protocol, length of the rest.
_V2_FIXED = 16

#: Bytes of a header of version 2.  Behind the addresses stand values that nobody here reads;
#: the largest that load balancers write is a client's certificate.
LONGEST = 8192

_LOCAL, _PROXY = 0x20, 0x21  # version 2, and the command
_ADDRESS_SIZES = {0x11: 4, 0x21: 16}  # family and protocol: TCP over IPv4, over IPv6
#: What version 2 may say besides: unspecified, UDP, UNIX sockets.
_OTHERS = frozenset({0x00, 0x12, 0x22, 0x31, 0x32})


class Source(NamedTuple):
    """Where a connection comes from; no address: from the peer itself."""

    address: str = ""
    port: int = 0


#: What to do about a connection that begins without a header.
NEEDED = (
    "have the load balancer send it (haproxy: send-proxy-v2), or take its address"
    " out of proxyprotocol"
)


class HeaderReader:
    """Reads the header at the start of one connection, in whatever pieces it comes."""

    def __init__(self) -> None:
        self._data = b""
        #: What the header says, once all of it has come.
        self.source: Source | None = None

    def feed(self, data: bytes) -> int:
        """Take the next *data*; return how many bytes of it belong to the header.

        Raises:
            ProtocolError: this is no such header.

        """
        before = len(self._data)
        self._data += data[: LONGEST + 1]
        if self._is(SIGNATURE):
            size = self._read_v2()
        elif self._is(_V1):
            size = self._read_v1()
        else:
            raise ProtocolError(f"no PROXY protocol header: {NEEDED}")
        return (len(self._data) if size is None else size) - before

    def _is(self, begin: bytes) -> bool:
        """Return whether what has come begins with *begin*, as far as it goes."""
        return self._data[: len(begin)] == begin[: len(self._data)]

    def _read_v1(self) -> int | None:
        """Return the length of the header, None if it has not come whole."""
        line, line_feed, _ = self._data[:_V1_LONGEST].partition(b"\n")
        line += line_feed
        if not line_feed and len(line) < _V1_LONGEST:
            return None
        found = _V1_LINE.fullmatch(line)
        if found is None or int(found["port"] or 0) > 65535:
            raise _wrong(1)
        if found["kind"] is None:
            self.source = Source()
        else:
            version = 4 if found["kind"] == b"TCP4" else 6
            address = _address(found["source"].decode(), version)
            _address(found["target"].decode(), version)
            self.source = Source(address, int(found["port"]))
        return len(line)

    def _read_v2(self) -> int | None:
        """Return the length of the header, None if it has not come whole."""
        data = self._data
        if len(data) < _V2_FIXED:
            return None
        command, family = data[12], data[13]
        rest = int.from_bytes(data[14:16], "big")
        if command not in (_LOCAL, _PROXY):
            raise _wrong(2)
        if _V2_FIXED + rest > LONGEST:
            raise ProtocolError(f"PROXY protocol header of {_V2_FIXED + rest} bytes")
        size = 0 if command == _LOCAL else _ADDRESS_SIZES.get(family, 0)
        is_known = command == _LOCAL or size or family in _OTHERS
        if not is_known or (size and 2 * size + 4 > rest):  # two addresses and ports
            raise _wrong(2)
        if len(data) < _V2_FIXED + rest:
            return None
        self.source = Source()
        if size:
            packed = data[_V2_FIXED : _V2_FIXED + size]
            at = _V2_FIXED + 2 * size  # behind both addresses
            port = int.from_bytes(data[at : at + 2], "big")
            self.source = Source(_shown(ipaddress.ip_address(packed)), port)
        return _V2_FIXED + rest


def begins_header(data: bytes) -> bool:
    """Return whether *data*, what a connection begins with, begins a header of either version."""
    return data.startswith((b"PROXY TCP", b"PROXY UNKNOWN", SIGNATURE))


def _address(text: str, version: int) -> str:
    """Return the address *text* of IP *version*; raises ProtocolError."""
    try:
        found = ipaddress.ip_address(text)
    except ValueError:
        raise _wrong(1) from None
    if found.version != version:
        raise _wrong(1)
    return _shown(found)


def _shown(address: ipaddress.IPv4Address | ipaddress.IPv6Address) -> str:
    """Return *address* as sockets show it; one of IPv4 within IPv6 in its usual form."""
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    return str(address)


def _wrong(version: int) -> ProtocolError:
    return ProtocolError(f"PROXY protocol header of version {version} that is malformed")
