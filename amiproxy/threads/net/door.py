# SPDX-License-Identifier: GPL-2.0-or-later
"""Door: a listening socket of one listener, bound by us or kept for us by a supervisor."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple, Optional

from amiproxy.settings.listenerspec import ListenerSpec
from amiproxy.threads.net.listening import BACKLOG, PATIENCE, bind_listener
from amiproxy.threads.net.unixlistening import FileId, bind_unix, file_id, remove

if TYPE_CHECKING:
    import socket

    from amiproxy.process.identity import Identity

#: How a socket for clients is called that a supervisor keeps, and one that the proxy has bound
#: itself, as its configuration says.
GIVEN, OWN = "astmanproxy", "astmanproxy-own"


class Door(NamedTuple):
    """A listening socket, whose it is (GIVEN or OWN), and what holds for who comes in there.

    *file* tells the file of a Unix socket that we have made from any other one.
    """

    sock: socket.socket
    name: str
    spec: ListenerSpec = ListenerSpec()
    file: Optional[FileId] = None

    @classmethod
    def inherited(cls, sock: socket.socket, name: str, spec: ListenerSpec) -> Door:
        """Return the door of *sock*, which was open before the program began."""
        return cls(sock, name, spec, file_id(spec.path) if spec.path and name == OWN else None)

    def fileno(self) -> int:
        """Return its descriptor, which becoming a daemon must not close."""
        return self.sock.fileno()

    @property
    def has_lost_its_file(self) -> bool:
        """Whether somebody has removed the file of a Unix socket of ours: nobody can connect."""
        return self.file is not None and file_id(self.spec.path) != self.file

    def close(self) -> str:
        """Accept no more; return why the file of a Unix socket of ours stays, or ""."""
        self.sock.close()
        return remove(self.spec.path, self.file) if self.file is not None else ""


def bound(
    spec: ListenerSpec,
    who: Identity | None,
    tell: Callable[[str], object] = print,
    *,
    patience: float = PATIENCE,
) -> Door:
    """Return a door at the address and port, or path, of *spec*.

    *who* the proxy will run as, None: it does already; *tell* and *patience* are as for
    bind_listener.

    Raises:
        ConfigError: it cannot listen there, with the line of the file to change.

    """
    if not spec.path:
        return Door(bind_listener(spec, tell, patience=patience), OWN, spec)
    return Door(bind_unix(spec, who, BACKLOG), OWN, spec, file_id(spec.path))
