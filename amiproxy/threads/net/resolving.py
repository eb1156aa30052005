# SPDX-License-Identifier: GPL-2.0-or-later
"""Names of hosts that have no address now; found out within a time limit."""

from __future__ import annotations

import socket
import threading
from typing import TYPE_CHECKING

from amiproxy.access.acl import is_address
from amiproxy.basics.deadline import Deadline

if TYPE_CHECKING:
    from amiproxy.settings.config import Config

#: Seconds that are waited for all names together: resolvers try for half a minute.
PATIENCE = 3.0
#: Names that are looked up: each takes a thread.
_MOST = 50


def unresolved(config: Config, patience: float = PATIENCE) -> list[str]:
    """Return a warning, ``FILE:LINE: ...``, for each host line whose host has no address now.

    Waits *patience* seconds at most.  A resolver that hangs leaves its thread behind.
    """
    names = [one.host for one in config.servers if not is_address(one.host)]
    found: dict[str, str] = {}
    threads = [
        threading.Thread(target=_look_up, args=(name, found), name=f"resolve-{name}", daemon=True)
        for name in list(dict.fromkeys(names))[:_MOST]
    ]
    deadline = Deadline(patience)
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(deadline.left())
    late = {thread.name.partition("-")[2] for thread in threads if thread.is_alive()}
    warnings = []
    for one, place in zip(config.servers, config.server_places):
        why = f"no answer within {patience:g} s" if one.host in late else found.get(one.host)
        if why:
            warnings.append(
                f"{place}: host: {one.host} has no address now ({why}); the proxy goes on trying"
            )
    return warnings


def _look_up(name: str, found: dict[str, str]) -> None:
    """Put why *name* has no address into *found*; the value is ``""`` if it has one."""
    try:
        socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        found[name] = getattr(error, "strerror", None) or str(error)
