# SPDX-License-Identifier: GPL-2.0-or-later
"""The TCP ports of this machine that are listened on.

The tests ask a hundred times a second whether a program has started.  /proc/net/tcp
takes 10 ms to read once thousands of connections are in TIME_WAIT, the kernel's
sock_diag(7) less than 0.1 ms, as it can be asked for listeners only.
"""

from __future__ import annotations

import contextlib
import socket
import struct
from pathlib import Path

SOCK_DIAG = 4  # NETLINK_SOCK_DIAG
BY_FAMILY = 20  # SOCK_DIAG_BY_FAMILY
REQUEST_DUMP = 0x301  # NLM_F_REQUEST | NLM_F_DUMP
LISTEN = 10  # TCP_LISTEN

_HEADER = struct.Struct("=IHHII")
#: struct inet_diag_req_v2: family, protocol, extensions, padding, states, socket.
_REQUEST = struct.Struct("=BBBBI48s")
#: The port in struct inet_diag_msg, which follows the header.
_PORT = struct.Struct("!H")
_PORT_AT = _HEADER.size + 4


def listening_ports() -> set[int]:
    """Return all TCP ports that any process listens on, of IPv4 and IPv6."""
    try:
        return _asked(socket.AF_INET) | _asked(socket.AF_INET6)
    except OSError:  # a kernel without tcp_diag
        return _read("/proc/net/tcp") | _read("/proc/net/tcp6")


def _asked(family: int) -> set[int]:
    """Return the ports of *family* by sock_diag; raise OSError if the kernel has none."""
    request = _REQUEST.pack(family, socket.IPPROTO_TCP, 0, 0, 1 << LISTEN, b"")
    header = _HEADER.pack(_HEADER.size + len(request), BY_FAMILY, REQUEST_DUMP, 1, 0)
    ports: set[int] = set()
    with socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, SOCK_DIAG) as kernel:
        kernel.settimeout(5)
        kernel.send(header + request)
        while True:
            data = kernel.recv(65536)
            while data:
                length, kind = struct.unpack_from("=IH", data)
                if kind == 2:  # NLMSG_ERROR
                    raise OSError("sock_diag failed")
                if kind != BY_FAMILY:  # NLMSG_DONE
                    return ports
                ports.add(_PORT.unpack_from(data, _PORT_AT)[0])
                data = data[(length + 3) & ~3 :]


def _read(table: str) -> set[int]:
    """Return the ports of *table*, a file of /proc/net, if there is one."""
    found: set[int] = set()
    with contextlib.suppress(FileNotFoundError), Path(table).open() as file:
        for line in file.readlines()[1:]:
            _, local, _, state = line.split()[:4]
            if state == "0A":
                found.add(int(local.rpartition(":")[2], 16))
    return found
