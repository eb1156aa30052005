# SPDX-License-Identifier: GPL-2.0-or-later
"""By which names clients, users' settings and the operator may mean a server."""

from __future__ import annotations


def means(name: str, host: str, address: str, port: int) -> bool:
    """Return whether *name* means the server at *host*, *address* ("" if unknown) and *port*.

    Host, address, or either with the port; all in lower case, IPv6 with brackets or without.
    """
    hosts = {host, address} - {""}
    return name in hosts or name in {
        spelled for each in hosts for spelled in (f"{each}:{port}", f"[{each}]:{port}")
    }
