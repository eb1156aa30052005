# SPDX-License-Identifier: GPL-2.0-or-later
"""The listening socket: made early, while the process may still bind to it."""

from __future__ import annotations

import contextlib
import errno
import socket
import time
from typing import TYPE_CHECKING, Callable

from amiproxy.basics.deadline import Deadline
from amiproxy.errors import ConfigError, PassingError
from amiproxy.threads.net.holders import LISTENING, OURS, UNSEEN, holders, listening_inodes, sockets
from amiproxy.threads.net.sharing import share

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.settings.listenerspec import ListenerSpec

#: How many connections the kernel may hold until they are accepted.
BACKLOG = 4096

#: How long connections of a program that has ended may keep the port, in seconds: so long
#: Linux keeps a socket in TIME_WAIT (TCP_TIMEWAIT_LEN).
PATIENCE = 60.0

#: Between two tries to bind, in seconds.
_PAUSE = 0.25

#: States of sockets that are over but for the other side, and of one that listens, as
#: /proc/net/tcp has them (Linux, tcp_states.h): FIN_WAIT1, FIN_WAIT2, TIME_WAIT, CLOSE_WAIT,
#: LAST_ACK, CLOSING.
_ENDING = frozenset({"04", "05", "06", "08", "09", "0B"})


def bind_listener(
    spec: ListenerSpec, tell: Callable[[str], object] = print, *, patience: float = PATIENCE
) -> socket.socket:
    """Return a listening socket at the address and port of *spec*.

    ``*`` is every address, of both families where the machine has both; the kernel
    then shows an IPv4 client as ``::ffff:192.0.2.1``.

    Where nothing but connections that are ending keeps the port, those of a program that did
    not say SO_REUSEADDR, it *tells* so and tries again for *patience* seconds, if that is not 0.

    Raises:
        ConfigError: it cannot listen there, with the line of the file to change.

    """
    port = spec.port
    deadline: Deadline | None = None
    while True:
        try:
            return _bind(spec)
        except OSError as error:
            in_use = patience > 0 and error.errno == errno.EADDRINUSE
            if not (in_use and only_endings(sockets(), port)) or (
                deadline is not None and deadline.over
            ):
                raise _problem(spec, error) from error
        if deadline is None:
            deadline = Deadline(patience)
            tell(
                f"{_where(spec)} is kept by connections of a program that has ended; trying"
                f" again for up to {patience:g} s"
            )
        time.sleep(_PAUSE)


def try_listener(spec: ListenerSpec) -> str:
    """Find out whether a start could listen where *spec* says; return a warning, or ``""``.

    Disturbs neither a proxy that listens there nor one that is starting.

    Raises:
        ConfigError: it could not.

    """
    port = spec.port
    try:
        _bind(spec, backlog=0).close()
    except OSError as error:
        if error.errno not in (errno.EADDRINUSE, errno.EACCES):
            raise _problem(spec, error) from error
        found = holders(port)
        if OURS.intersection(one.name for one in found):
            return ""
        lines = sockets()
        if only_endings(lines, port):
            return f"{_where(spec)} is kept by connections that are ending; a start waits for it"
        if not found and listening_inodes(lines, port):
            return f"{_where(spec)} is {UNSEEN}"
        raise _problem(spec, error, ", ".join(map(str, found))) from error
    return ""


def _where(spec: ListenerSpec) -> str:
    return f"{spec.port_place}port {spec.port}"


#: What to do about it.
_WAYS = {
    errno.EADDRINUSE: "; {} listens there: end it (ss -ltnp names it), or take another {}",
    errno.EACCES: "; below 1024 that takes root, or CAP_NET_BIND_SERVICE",
    errno.EADDRNOTAVAIL: "; it is no address of this machine (ip address)",
}

#: What is said besides where the port would be shared (reuseport).
_NOT_SHARED = "; to share the port it must say reuseport = yes, too, and be of the same user"


def _problem(spec: ListenerSpec, error: OSError, holder: str = "") -> ConfigError:
    """Return what is told of *error*: there is no listening there, for *holder* does."""
    # An unknown name or another machine's address: the address is wrong, not the port.
    is_address = isinstance(error, socket.gaierror) or error.errno == errno.EADDRNOTAVAIL
    place = spec.place if is_address else spec.port_place
    where = f"{spec.address} port {spec.port}"
    way = _WAYS.get(error.errno or 0, "").format(
        holder or "another program", "listenport" if spec.of_keys else "port"
    )
    if spec.shared and error.errno == errno.EADDRINUSE:
        way += _NOT_SHARED
    # All but a port of root's may be free, or there, in a while.
    kind = ConfigError if error.errno == errno.EACCES else PassingError
    return kind(f"{place}Cannot bind to listener socket! {where}: {error.strerror}{way}")


def _bind(spec: ListenerSpec, backlog: int = BACKLOG) -> socket.socket:
    """Return a socket that listens where *spec* says, or with a *backlog* of 0 is bound only.

    Raises OSError.
    """
    port, shared = spec.port, spec.shared
    if spec.address != "*":
        found = socket.getaddrinfo(spec.address, port, type=socket.SOCK_STREAM)
        return _listen(found[0][0], found[0][4], backlog, shared=shared)
    with contextlib.suppress(OSError):
        if socket.has_dualstack_ipv6():
            return _listen(socket.AF_INET6, ("::", port), backlog, shared=shared)
    everywhere = ("0.0.0.0", port)  # noqa: S104 - * asks for that
    return _listen(socket.AF_INET, everywhere, backlog, shared=shared)


def _listen(
    family: int, address: tuple[object, ...], backlog: int, *, shared: bool
) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        if shared:
            share(listener)
        # A restarted proxy must be able to bind while old connections are in TIME_WAIT.
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if address[0] == "::":
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
        listener.bind(address)
        if backlog:
            listener.listen(backlog)
    except BaseException:
        listener.close()
        raise
    return listener


# -- who keeps the port ------------------------------------------------------------------------


def only_endings(lines: Iterable[str], port: int) -> bool:
    """Return whether *port* is kept by connections that are ending, and nobody listens there.

    *lines* are those of /proc/net/tcp and tcp6 (Linux, proc(5)): number, local address and
    port in hexadecimal, remote ones, state.
    """
    states = set()
    for line in lines:
        fields = line.split(None, 4)
        if len(fields) > 4 and fields[1].endswith(f":{port:04X}"):
            states.add(fields[3])
    return LISTENING not in states and not _ENDING.isdisjoint(states)
