# SPDX-License-Identifier: GPL-2.0-or-later
"""What the operator should know of settings that are good each for itself, and not together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.access.acl import is_address
from amiproxy.settings.calledservers import indistinct
from amiproxy.settings.listeners import listeners
from amiproxy.settings.readers import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amiproxy.access.user import Users
    from amiproxy.settings.config import Config, ServerSpec
    from amiproxy.settings.listenerspec import ListenerSpec

#: In the mode of a Unix socket's file: who is neither its owner nor of its group may connect.
_EVERYBODY = 0o002

#: Bytes in which there is room for some events.
_SOME_EVENTS = 65536


def advice(config: Config, users: Users) -> list[str]:
    """Return warnings about *config* and *users* together, as ``FILE:LINE: ...``.

    A proxy with these starts; but it is hardly what anybody wants.
    """
    return [
        *_servers(config),
        *_kept(config),
        *_logins(config, users),
        *_open(config, users),
        *_bound(config, users),
    ]


def is_named(server: str, servers: Sequence[ServerSpec]) -> bool:
    """Return whether *server*, of a user, may be one of *servers*, or behind one of them."""
    names = {name for one in servers for name in one.names_at()}
    if not names or server in names or any(one.proxy for one in servers):
        return True
    # An address may be that of a host that a line names otherwise.
    bare = server if is_address(server) else server.rpartition(":")[0]
    return is_address(bare.strip("[]")) and not all(is_address(one.host) for one in servers)


def _servers(config: Config) -> Iterator[str]:
    if not config.servers and not config.bus:
        yield (
            f"{config.file}: no host line names an Asterisk, so clients get no events and their"
            " actions fail; write host = address, port, user, secret, on, off"
        )
    yield from indistinct(config)


def _kept(config: Config) -> Iterator[str]:
    if 0 < config.replay < _SOME_EVENTS:
        yield (
            f"{config.place('replay')}replay: {config.replay} bytes have no room for events; write"
            " a unit, as in 64MB, or no"
        )


def _logins(config: Config, users: Users) -> Iterator[str]:
    for line in [] if users or config.proxy_key else config.listen:
        if line.auth:
            yield (
                f"{line.place}: listen: auth=yes: nobody can log in, as there are no users; add one"
                " to astmanproxy.users, or set proxykey"
            )
    if config.auth_required and not users and not config.proxy_key:
        yield (
            f"{config.place('auth_required')}authrequired: nobody can log in, as there are no"
            " users; add one to astmanproxy.users, or set proxykey"
        )


def _open(config: Config, users: Users) -> Iterator[str]:
    for spec in listeners(config):
        if spec.guarded or spec.acl or users.general.acl:
            continue
        if spec.path:
            if spec.mode & _EVERYBODY:
                yield (
                    f"{spec.place}listen: every user of this machine sees and may do everything"
                    f" through {spec.path}; set auth=yes, or mode=0660"
                )
        elif not is_loopback(spec.address) and (spec.plain or not config.client_ca_file):
            yield _reached_by_anybody(spec)


def _reached_by_anybody(spec: ListenerSpec) -> str:
    """Return what to say of *spec*, which needs no log-in and is no address of this machine."""
    where = "this machine" if spec.address == "*" else spec.address
    key, way = "listen", "auth=yes, or 127.0.0.1 as its address"
    if spec.of_keys:
        key, way = "listenaddress", "authrequired = yes, or listenaddress = 127.0.0.1"
    return (
        f"{spec.place}{key}: who can reach port {spec.port} of {where} sees and may do"
        f" everything; set {way}"
    )


def _bound(config: Config, users: Users) -> Iterator[str]:
    for user in users.values():
        # Of other servers the cluster may know.
        named = () if config.bus else sorted(user.servers)
        unknown = [one for one in named if not is_named(one, config.servers)]
        for server in unknown:
            alone = "their actions fail, and they see nothing"
            what = "it gives them nothing" if len(user.servers) > 1 else alone
            yield (
                f"{user.place}: user {ascii(user.name)[1:-1]}: no host line names the server"
                f" {ascii(server)[1:-1]}, so {what}"
            )
