# SPDX-License-Identifier: GPL-2.0-or-later
"""What the servers of the configuration are called, and whether that tells them apart."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.basics.counts import Counts

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.settings.config import Config


def clashes(config: Config) -> Iterator[str]:
    """Yield a line for each name that another server has as well, or as its host.

    What is meant for the one could go to the other.
    """
    placed = list(zip(config.servers, config.server_places))
    hosts: dict[str, str] = {}
    for server, place in placed:
        hosts.setdefault(server.host, place)
    names: dict[str, str] = {}
    for server, place in placed:
        name = server.name
        if name and name in names:
            yield f"{place}: host: name={name} is that of {names[name]} already; write another one"
        elif name in hosts and name != server.host:
            yield (
                f"{place}: host: name={name} is the host of {hosts[name]}, so actions for the one"
                " could go to the other; write another one"
            )
        names.setdefault(name, place)
    if config.bus:
        yield from _same(config)


def _same(config: Config) -> Iterator[str]:
    """Yield a line for each server that the proxies of a cluster could not tell from another."""
    known: dict[str, str] = {}
    for server, place in zip(config.servers, config.server_places):
        if server.scope in known and not server.name:
            yield (
                f"{place}: host: {server.scope} is in {known[server.scope]} already; with bus each"
                " needs a name of its own: name=pbx1, say"
            )
        known.setdefault(server.scope, place)


def indistinct(config: Config) -> Iterator[str]:
    """Yield a line for each server without a name that shares its host with another one."""
    many: Counts[str] = Counts()
    for server in config.servers:
        many.add(server.host)
    for server, place in zip(config.servers, config.server_places):
        if not server.name and many[server.host] > 1:
            yield (
                f"{place}: host: {many[server.host]} servers are at {server.host}, and Server: in"
                " messages and actions does not tell them apart; give each a name: name=pbx1, say,"
                " behind use_ssl (sixth field)"
            )
