# SPDX-License-Identifier: GPL-2.0-or-later
"""Which program listens on a port, or has a socket, by the tables of Linux (proc(5))."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

#: The state of a socket that listens (Linux, tcp_states.h).
LISTENING = "0A"


class Holder(NamedTuple):
    """A process."""

    pid: int
    name: str  # as in ps

    def __str__(self) -> str:
        return f"{self.name} (pid {self.pid})"


#: Who may listen in the place of the proxy: it itself, and who keeps its socket for it.
OURS = frozenset({"astmanproxy", "systemd", "init"})

#: What is said where nobody that we are told of has a socket that listens.
UNSEEN = "in use; by whom, only root can see: is it the proxy?"


def holders(port: int) -> list[Holder]:
    """Return who listens on TCP *port* at any address.

    Of another user's process only root is told.
    """
    return holders_of(listening_inodes(sockets(), port))


def holders_of(inodes: Iterable[str]) -> list[Holder]:
    """Return who has one of the sockets *inodes* open, as far as we are told."""
    wanted = {f"socket:[{inode}]" for inode in inodes}
    found = []
    for process in Path("/proc").glob("[0-9]*") if wanted else ():
        with contextlib.suppress(OSError):
            if any(_leads_to(one, wanted) for one in (process / "fd").iterdir()):
                found.append(Holder(int(process.name), (process / "comm").read_text().strip()))
    return sorted(found)


def _leads_to(link: Path, wanted: set[str]) -> bool:
    with contextlib.suppress(OSError):  # it has been closed meanwhile
        return os.readlink(link) in wanted  # noqa: PTH115 - a plain string
    return False


def listening_inodes(lines: Iterable[str], port: int) -> set[str]:
    """Return the inodes of the sockets among *lines*, of :func:`sockets`, that listen on *port*."""
    rows = (line.split() for line in lines)
    return {
        row[9]
        for row in rows
        if len(row) > 9 and row[3] == LISTENING and row[1].endswith(f":{port:04X}")
    }


def sockets() -> list[str]:
    """Return the lines of the system's tables of TCP sockets; none where it has no such."""
    lines: list[str] = []
    # Not /proc/net: ProcSubset=pid (systemd.exec(5)) leaves processes alone in /proc.
    for table in ("/proc/self/net/tcp", "/proc/self/net/tcp6"):
        with contextlib.suppress(OSError):
            # A codec of another name may be out of reach once root is given up.
            lines += Path(table).read_bytes().decode("latin-1").splitlines()[1:]
    return lines
