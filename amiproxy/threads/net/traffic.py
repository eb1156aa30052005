# SPDX-License-Identifier: GPL-2.0-or-later
"""Traffic: what the kernel has counted of a TCP connection, so that nobody here has to count."""

from __future__ import annotations

import contextlib
import socket
import struct
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.threads.net.plainsocket import unsent

if TYPE_CHECKING:
    from amiproxy.threads.net.transport import Transport

# Of struct tcp_info (linux/tcp.h): tcpi_last_data_recv in ms, tcpi_rtt in us, tcpi_bytes_acked
# and tcpi_bytes_received, which are there since Linux 4.1.
_INFO = struct.Struct("=52xI12xI48xQQ")


class Traffic(NamedTuple):
    """Bytes that were given to a socket and came out of it, those of TLS included.

    *quiet*: seconds since something came, or since it was connected.  *round_trip*: seconds to the
    other side and back, as TCP sees it.
    """

    sent: int
    received: int
    quiet: float
    round_trip: float


def traffic(sock: socket.socket) -> Traffic | None:
    """Return the traffic of *sock*; None where it is over, or this kernel does not count."""
    with contextlib.suppress(OSError, struct.error):
        info = sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_INFO, _INFO.size)
        quiet, round_trip, acknowledged, received = _INFO.unpack(info)
        sent = acknowledged + unsent(sock)
        return Traffic(sent, received, quiet / 1000, round_trip / 1_000_000)
    return None


def take_traffic(transport: Transport) -> Traffic | None:
    """Return the traffic of *transport*, whose owner leaves it, for a total; None: it is in one."""
    if transport.counted:
        return None
    transport.counted = True
    return traffic(transport.sock)


def local_name(sock: socket.socket) -> str:
    """Return the address of our side of *sock*, as ``192.0.2.1:1234``, "" if it is over."""
    with contextlib.suppress(OSError, ValueError):
        name = sock.getsockname()
        if sock.family == socket.AF_UNIX:
            return f"unix:{name}"
        host, port = name[:2]
        host = plain_address(host)
        return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"
    return ""


def plain_address(address: str) -> str:
    """Return an IPv4 address that a dual-stack socket shows as IPv6 in its usual form."""
    return address[7:] if address.startswith("::ffff:") and "." in address else address
