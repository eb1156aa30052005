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
from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.errors import ConfigError
from amiproxy.threads.net.listening import BACKLOG, bind_listener

if TYPE_CHECKING:
    from collections.abc import Iterator, MutableMapping, Sequence

    from amiproxy.settings.config import Config

#: The first descriptor that is handed over (SD_LISTEN_FDS_START).
FIRST = 3

#: No process has more descriptors than a number of so many digits.
_DIGITS = 9

#: How a socket for clients is called that a supervisor keeps, and one that the proxy has bound
#: itself, as its configuration says.
GIVEN, OWN = "astmanproxy", "astmanproxy-own"

#: Names of what a supervisor keeps.  Without FileDescriptorName= systemd gives the name of the
#: socket unit (systemd.socket(5)), other programs give none.
_GIVEN = frozenset({GIVEN, f"{GIVEN}.socket", "", "unknown"})

#: What a socket listens at that listens everywhere.
_EVERYWHERE = frozenset({"::", "0.0.0.0"})  # noqa: S104 - nothing is bound here


class Door(NamedTuple):
    """A listening socket, and whose it is: GIVEN or OWN."""

    sock: socket.socket
    name: str

    def fileno(self) -> int:
        """Return its descriptor, which becoming a daemon must not close."""
        return self.sock.fileno()


def open_doors(
    config: Config,
    tell: Callable[[str], object] = print,
    environment: MutableMapping[str, str] = os.environ,
) -> tuple[list[Door], list[str]]:
    """Return where clients are accepted, and warnings: sockets that were inherited, else bound.

    What a supervisor keeps counts as it is.  What the proxy has bound itself counts where
    the configuration still says so.  *tell* is as for bind_listener.  What is said of them
    is taken out of *environment*: no other program is to believe it.

    Raises:
        ConfigError: there is none, or one that clients cannot be accepted from.

    """
    doors = [Door(_listening(fd, name), OWN if name == OWN else GIVEN)
             for fd, name in _descriptors(environment)]  # fmt: skip
    given = [each for each in doors if each.name == GIVEN]
    if given:
        return given, [text for text in (_difference(config, each.sock) for each in given) if text]
    kept = [each for each in doors if _is_at(config, each.sock)]
    for each in doors:
        if each not in kept:
            each.sock.close()
    return kept or [Door(bind_listener(config, tell), OWN)], []


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
    if sock.family not in (socket.AF_INET, socket.AF_INET6) or sock.type != socket.SOCK_STREAM:
        return "not a TCP socket; say ListenStream= with a port in its socket unit"
    if not sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN):
        return "it does not listen; say Accept=no in its socket unit"
    return ""


def _is_at(config: Config, sock: socket.socket) -> bool:
    """Return whether *sock* listens where the configuration says."""
    address, port = sock.getsockname()[:2]
    if port != config.listen_port:
        return False
    if config.listen_address == "*":
        return address in _EVERYWHERE
    with contextlib.suppress(OSError):
        found = socket.getaddrinfo(config.listen_address, port, type=socket.SOCK_STREAM)
        return address in [each[4][0] for each in found]
    return False


def _difference(config: Config, sock: socket.socket) -> str:
    """Return what is to be said of *sock*, a supervisor's, that listens elsewhere; or ""."""
    if _is_at(config, sock):
        return ""
    address, port = sock.getsockname()[:2]
    named = [each for each in ("listen_address", "listen_port") if each in config.where]
    place = config.place(named[0]) if named else ""
    return (
        f"{place}clients are accepted at {address} port {port}, where the socket unit says,"
        f" and not at {config.listen_address} port {config.listen_port}"
    )
