# SPDX-License-Identifier: GPL-2.0-or-later
"""The listening socket: made early, while the process may still bind to it."""

from __future__ import annotations

import contextlib
import errno
import socket
from typing import TYPE_CHECKING

from amiproxy.errors import ConfigError

if TYPE_CHECKING:
    from amiproxy.settings.config import Config

#: How many connections the kernel may hold until they are accepted.
BACKLOG = 4096


def bind_listener(config: Config) -> socket.socket:
    """Return a listening socket at the configured address.

    ``*`` is every address, of both families where the machine has both; the kernel
    then shows an IPv4 client as ``::ffff:192.0.2.1``.

    Raises:
        ConfigError: it cannot listen there, with the line of the file to change.

    """
    address, port = config.listen_address, config.listen_port
    try:
        if address != "*":
            found = socket.getaddrinfo(address, port, type=socket.SOCK_STREAM)
            return _listen(found[0][0], found[0][4])
        with contextlib.suppress(OSError):
            if socket.has_dualstack_ipv6():
                return _listen(socket.AF_INET6, ("::", port))
        return _listen(socket.AF_INET, ("0.0.0.0", port))  # noqa: S104 - that is what * asks for
    except OSError as error:
        # An unknown name or another machine's address: the address is wrong, not the port.
        is_address = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
        place = config.place("listen_address" if is_address else "listen_port")
        raise ConfigError(
            f"{place}Cannot bind to listener socket! {address} port {port}: {error.strerror}"
        ) from error


def _listen(family: int, address: tuple[object, ...]) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        # A restarted proxy must be able to bind while old connections are in TIME_WAIT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address[0] == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener
