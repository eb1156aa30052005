# SPDX-License-Identifier: GPL-2.0-or-later
"""Connecting to an Asterisk: names, addresses, TLS, all within a time limit."""

from __future__ import annotations

import socket
from typing import TYPE_CHECKING, Callable

from amiproxy.basics.deadline import Deadline
from amiproxy.errors import ConfigError, PeerGone
from amiproxy.threads.net.tls import server_context
from amiproxy.threads.net.transport import Transport

if TYPE_CHECKING:
    from amiproxy.settings.config import Config, ServerSpec
    from amiproxy.threads.net.flusher import Flusher

#: Bytes of actions that may wait for Asterisk; with more the connection is dropped.
MAX_BACKLOG = 8 * 1024 * 1024


def connect(
    spec: ServerSpec, config: Config, found: Callable[[str], None], *, flusher: Flusher
) -> Transport:
    """Connect to *spec*, with TLS if it says so.

    *found* is called with the IP address once somebody answers there, even if TLS then
    fails: administrators look for the server by it.

    Raises:
        PeerError: no connection within ``connecttimeout``, and why.

    """
    deadline = Deadline(config.connect_timeout)
    sock, address = dial(spec, deadline)
    found(address)
    return transport_over(sock, spec, config, flusher, deadline)


def dial(spec: ServerSpec, deadline: Deadline) -> tuple[socket.socket, str]:
    """Connect by TCP to *spec*; return the socket and the IP address it leads to.

    All addresses of a name are tried until *deadline*; the last ones for a tenth of a
    second each.  The system's resolver has limits of its own.

    Raises:
        PeerGone: no connection, and why.

    """
    try:
        found = socket.getaddrinfo(spec.host, spec.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError, LookupError) as error:  # LookupError: no codec for it
        raise PeerGone(f"cannot resolve {spec.host}: {error}") from error
    last: OSError = OSError("no address")
    for family, kind, proto, _, address in found:
        try:
            sock = socket.socket(family, kind, proto)
        except OSError as error:  # no descriptors left, or no such family here
            last = error
            continue
        try:
            sock.settimeout(deadline.left(at_least=0.1))
            sock.connect(address)
        except OSError as error:
            sock.close()
            last = error
            continue
        return sock, str(address[0])
    raise PeerGone(f"cannot connect: {last}") from last


def transport_over(
    sock: socket.socket, spec: ServerSpec, config: Config, flusher: Flusher, deadline: Deadline
) -> Transport:
    """Return the transport over the connected *sock*, with TLS if *spec* says so.

    Raises:
        PeerError: no TLS by *deadline*, and why.

    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    keep_alive(sock, max(1, int(config.keepalive or 60)))
    transport = Transport(
        sock,
        "the connection",  # the log lines name the server
        flusher=flusher,
        write_timeout=config.server_write_timeout,
        max_backlog=MAX_BACKLOG,
    )
    if spec.tls:
        # The authority's file may have been replaced since the start.
        try:
            context = server_context(config)
        except ConfigError as error:
            transport.close()
            raise PeerGone(str(error)) from error
        try:
            transport.start_tls(
                context,
                server_side=False,
                timeout=deadline.left(at_least=0.1),
                server_hostname=spec.host,
            )
        except BaseException:
            transport.close()
            raise
    return transport


def keep_alive(sock: socket.socket, idle: int) -> None:
    """Have the kernel probe a silent connection, first after *idle* seconds."""
    idle = min(idle, 32767)  # the most Linux accepts (MAX_TCP_KEEPIDLE)
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    for name, value in (("TCP_KEEPIDLE", idle), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3)):
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
