# SPDX-License-Identifier: GPL-2.0-or-later
"""Listening sockets that were open before the program began (sd_listen_fds(3)).

A supervisor keeps them while the proxy is started anew, or the proxy hands them on to itself:
clients that connect meanwhile wait in the kernel's queue, and none is refused.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from typing import TYPE_CHECKING, Callable

from amiproxy.access.acl import UNIX
from amiproxy.errors import ConfigError
from amiproxy.settings.listeners import listeners, of_keys
from amiproxy.settings.listenerspec import ListenerSpec
from amiproxy.threads.net.door import GIVEN, OWN, Door, bound
from amiproxy.threads.net.listening import BACKLOG
from amiproxy.threads.net.sharing import share

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping, Sequence

    from amiproxy.process.identity import Identity
    from amiproxy.settings.config import Config

#: The first descriptor that is handed over (SD_LISTEN_FDS_START).
FIRST = 3

#: No process has more descriptors than a number of so many digits.
_DIGITS = 9

#: Names of what a supervisor keeps.  Without FileDescriptorName= systemd gives the name of the
#: socket unit (systemd.socket(5)), other programs give none.
_GIVEN = frozenset({GIVEN, f"{GIVEN}.socket", "", "unknown"})

#: What a socket listens at that listens everywhere.
_EVERYWHERE = frozenset({"::", "0.0.0.0"})  # noqa: S104 - nothing is bound here


def open_doors(
    config: Config,
    who: Identity | None = None,
    tell: Callable[[str], object] = print,
    environment: MutableMapping[str, str] = os.environ,
) -> tuple[list[Door], list[str]]:
    """Return where clients are accepted, and warnings: sockets that were inherited, else bound.

    What was inherited belongs to the listener at the same address and port, or path.  Another
    TCP socket that a supervisor keeps counts as the first listener; another one that the proxy
    has bound itself is closed.  *who* and *tell* are as for Door.bound.  What is said of them is
    taken out of *environment*: no other program is to believe it.

    Raises:
        ConfigError: there is none, or one that clients cannot be accepted from.

    """
    specs = listeners(config)
    doors: list[Door] = []
    warnings: list[str] = []
    try:
        for fd, called in _descriptors(environment):
            sock, name = _listening(fd, called), OWN if called == OWN else GIVEN
            spec = next((each for each in specs if is_at(each, sock)), None)
            if spec is None and name == GIVEN:
                spec = _first(config, sock)
                warnings.append(_difference(config, sock))
            if spec is None:
                Door.inherited(sock, name, _unnamed(sock)).close()
            else:
                doors.append(_kept(sock, name, spec))
        known = {each.spec.key for each in doors}
        for spec in specs:
            if spec.key not in known:
                doors.append(bound(spec, who, tell))  # noqa: PERF401 - one may fail
    except BaseException:
        for door in doors:
            door.close()
        raise
    return sorted(doors, key=lambda each: specs.index(each.spec)), warnings


def hand_on(doors: Sequence[Door], environment: MutableMapping[str, str]) -> None:
    """Make *doors* what a program inherits that this process becomes (execve(2)).

    They get the descriptors from 3 on; whatever had these is closed.
    """
    # First out of the way: one may be where another has to go.
    last = FIRST + len(doors)
    moved = [fcntl.fcntl(each.fileno(), fcntl.F_DUPFD_CLOEXEC, last) for each in doors]
    for fd, source in enumerate(moved, FIRST):
        os.dup2(source, fd, inheritable=True)
    environment["LISTEN_PID"] = str(os.getpid())
    environment["LISTEN_FDS"] = str(len(doors))
    environment["LISTEN_FDNAMES"] = ":".join(each.name for each in doors)


def _descriptors(environment: MutableMapping[str, str]) -> Iterator[tuple[int, str]]:
    """Yield number and name of each descriptor that was handed to this very process."""
    pid, count, names = (
        environment.pop(name, "") for name in ("LISTEN_PID", "LISTEN_FDS", "LISTEN_FDNAMES")
    )
    if pid != str(os.getpid()) or not count.isdecimal() or len(count) > _DIGITS:
        return
    called = names.split(":")
    for index in range(int(count)):
        yield FIRST + index, called[index] if index < len(called) else ""


def _listening(fd: int, name: str) -> socket.socket:
    """Return the socket *fd*, called *name*; raises ConfigError if it is of no use."""
    try:
        os.set_inheritable(fd, False)
        sock = socket.socket(fileno=fd)
        problem = _objection(sock, name)
        if not problem:
            sock.listen(BACKLOG)  # as many as if it were our own
            return sock
        sock.detach()  # not ours to close
    except OSError as error:
        problem = error.strerror or str(error)
    raise ConfigError(f"Inherited socket {fd} ({name or 'without a name'}): {problem}")


def _objection(sock: socket.socket, name: str) -> str:
    """Return why clients cannot be accepted from *sock*, called *name*; "" if they can."""
    if name != OWN and name not in _GIVEN:
        return f"no listener is called so; say FileDescriptorName={GIVEN} in its socket unit"
    families = (socket.AF_INET, socket.AF_INET6, socket.AF_UNIX)
    if sock.family not in families or sock.type != socket.SOCK_STREAM:
        return "not a stream socket; say ListenStream= with a port or path in its socket unit"
    if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return "it does not listen; say Accept=no in its socket unit"
    return ""


def is_at(spec: ListenerSpec, sock: socket.socket) -> bool:
    """Return whether *sock* listens where *spec* says."""
    if sock.family == socket.AF_UNIX:
        return bool(spec.path) and sock.getsockname() == spec.path
    address, port = sock.getsockname()[:2]
    if spec.path or port != spec.port:
        return False
    if spec.address == "*":
        return address in _EVERYWHERE
    with contextlib.suppress(OSError):
        found = socket.getaddrinfo(spec.address, port, type=socket.SOCK_STREAM)
        return address in [each[4][0] for each in found]
    return False


def _kept(sock: socket.socket, name: str, spec: ListenerSpec) -> Door:
    """Return the door of *sock*, which others may share now if *spec* says so, and it is ours."""
    if name == OWN and spec.shared:
        share(sock)
    return Door.inherited(sock, name, spec)


def _unnamed(sock: socket.socket) -> ListenerSpec:
    """Return a listener for *sock* that the configuration does not name any more."""
    is_unix = sock.family == socket.AF_UNIX
    return ListenerSpec(path=str(sock.getsockname()) if is_unix else "")


def _first(config: Config, sock: socket.socket) -> ListenerSpec:
    """Return the first listener for *sock*, a supervisor's, that no other one is for.

    Raises:
        ConfigError: it cannot be that one's.

    """
    if sock.family == socket.AF_UNIX:
        path = sock.getsockname()
        raise ConfigError(f"Inherited socket {path}: no line names it; write listen = {UNIX}{path}")
    if not config.listen_port:
        address, port = sock.getsockname()[:2]
        raise ConfigError(
            f"Inherited socket {address} port {port}: no line names it; write"
            f" listen = {address}, {port}"
        )
    return of_keys(config)


def _difference(config: Config, sock: socket.socket) -> str:
    """Return what is to be said of *sock*, a supervisor's, that listens where no line says."""
    address, port = sock.getsockname()[:2]
    named = [each for each in ("listen_address", "listen_port") if each in config.where]
    place = config.place(named[0]) if named else ""
    return (
        f"{place}clients are accepted at {address} port {port}, where the socket unit says,"
        f" and not at {config.listen_address} port {config.listen_port}"
    )
