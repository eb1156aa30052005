# SPDX-License-Identifier: GPL-2.0-or-later
"""Connecting to an Asterisk: names, addresses, TLS, all within time limits."""

from __future__ import annotations

import math
import socket
from typing import TYPE_CHECKING, Callable

from amiproxy.errors import ConfigError, PeerError, PeerGone
from amiproxy.threads.net.race import Race, alternating, resolve
from amiproxy.threads.net.tls import server_context
from amiproxy.threads.net.transport import Transport

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.settings.config import Config, ServerSpec
    from amiproxy.threads.net.flusher import Flusher
    from amiproxy.threads.net.race import Place

#: Bytes of actions that may wait for Asterisk; with more the connection is dropped.
MAX_BACKLOG = 8 * 1024 * 1024

#: For how long the other host may confirm nothing where the file has no limit, in seconds.
_WITHOUT = 60
#: The most seconds that Linux accepts (MAX_TCP_KEEPIDLE).
_LONGEST = 32767


class Route:
    """The way to one Asterisk: which of the addresses of its name to try first.

    For the thread of that server only.  *found* is called with an IP address once somebody
    answers there, even if TLS then fails: administrators look for the server by it.
    *wanted* returns whether a connection is still wanted.
    """

    def __init__(
        self, found: Callable[[str], object], wanted: Callable[[], bool] = lambda: True
    ) -> None:
        self.wanted = wanted
        self._found = found
        self._reached = ""  # the address of the last connection
        self._first = ""  # what worked last
        self._last = ""  # where somebody answers who did not let us in

    def reached(self, address: str) -> None:
        """Somebody answers at *address*."""
        self._reached = address
        self._found(address)

    def worked(self) -> None:
        """The log-in succeeded there: next time it is tried first."""
        self._first, self._last = self._reached, ""

    def failed(self) -> None:
        """TLS or the log-in failed there: next time the others are tried before."""
        self._last = self._reached
        if self._first == self._last:
            self._first = ""

    def ordered(self, places: Iterable[Place]) -> list[Place]:
        """Return *places* in the order in which they are to be tried."""
        places = sorted(places, key=lambda one: one.ip != self._first)
        last = [place for place in places if place.ip == self._last]
        return [*alternating(place for place in places if place not in last), *last]


def connect(spec: ServerSpec, config: Config, route: Route, *, flusher: Flusher) -> Transport:
    """Connect to *spec* by *route*, with TLS if it says so.

    Raises:
        PeerError: no connection within ``connecttimeout``, or no TLS in the same time after
            it, and why.

    """
    places = route.ordered(resolve(spec.host, spec.port))
    sock, place = Race(places, config.connect_timeout, route.wanted).run()
    route.reached(place.ip)
    try:
        return transport_over(sock, spec, config, flusher)
    except PeerError:
        route.failed()
        raise


def transport_over(
    sock: socket.socket, spec: ServerSpec, config: Config, flusher: Flusher
) -> Transport:
    """Return the transport over the connected *sock*, with TLS if *spec* says so.

    Raises:
        PeerError: no TLS within ``connecttimeout``, and why.

    """
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    watch_host(sock, config.keepalive)
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
                timeout=config.connect_timeout,
                server_hostname=spec.host,
            )
        except BaseException:
            transport.close()
            raise
    return transport


def watch_host(sock: socket.socket, keepalive: float) -> None:
    """Have the kernel end a connection whose other host has gone, by the setting *keepalive*.

    That is where it confirms nothing of what was sent for so long, or no probe of a connection on
    which nothing is sent.  What runs there may be busy: its kernel confirms all the same.
    """
    seconds = min(max(1, math.ceil(keepalive or _WITHOUT)), _LONGEST)
    keep_alive(sock, seconds, min(max(1, seconds // 3), 10))
    option = getattr(socket, "TCP_USER_TIMEOUT", None)
    if option is not None:
        sock.setsockopt(socket.IPPROTO_TCP, option, seconds * 1000)


def keep_alive(sock: socket.socket, idle: int, interval: int = 10) -> None:
    """Have the kernel probe a silent connection, after *idle* seconds and each *interval* then."""
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    times = (("TCP_KEEPIDLE", min(idle, _LONGEST)), ("TCP_KEEPINTVL", interval), ("TCP_KEEPCNT", 3))
    for name, value in times:
        option = getattr(socket, name, None)
        if option is not None:
            sock.setsockopt(socket.IPPROTO_TCP, option, value)
