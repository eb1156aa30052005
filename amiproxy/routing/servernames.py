# SPDX-License-Identifier: GPL-2.0-or-later
"""By which names clients, users' settings and the operator may mean a server."""

from __future__ import annotations


def names_of(name: str, host: str, address: str, port: int) -> frozenset[str]:
    """Return all by which the server *name* ("" if it has none) may be meant, in lower case.

    Besides its name that is host, *address* ("" if unknown), and either with the *port*.
    """
    hosts = {host, address} - {""}
    spelled = {text for each in hosts for text in (f"{each}:{port}", f"[{each}]:{port}")}
    return frozenset({name, *hosts, *spelled} - {""})
