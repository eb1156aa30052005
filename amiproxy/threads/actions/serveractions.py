# SPDX-License-Identifier: GPL-2.0-or-later
"""ProxyActions about sessions and servers: which there are, and which are to be there."""

from __future__ import annotations

import logging
import re
from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.basics.boolean import parse_bool
from amiproxy.settings.config import ServerSpec
from amiproxy.settings.hostline import read_events, read_name
from amiproxy.settings.readers import host, read_port
from amiproxy.threads.actions.record import Records, succeed
from amiproxy.threads.sessions.linkstate import behind, link_state, sees

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

    from amiproxy.message import Message
    from amiproxy.threads.actions.call import Call, Outcome
    from amiproxy.threads.sessions.link import AsteriskLink

#: Of log lines that no other line of the same client may hide (threads/loglimit.py).
_CHANGE = {"change": True}

log = logging.getLogger("amiproxy.actions")

RECORDS = Records()
_proxy_action = RECORDS.proxy_action


@_proxy_action(
    "ListSessions",
    read_only=True,
    reply="for each client, newest first, `ProxyClientSession: address`, "
    "`ProxyClientActionID:` (the last one it gave; in `unique` its session, as `amp7-`), "
    "`ProxyClientInputHandler:`, `ProxyClientOutputHandler:`; for each server "
    "`ProxyServerSession: address`; then, as in ListServers, how the servers are",
)
def _list_sessions(call: Call) -> Outcome:
    lines = []
    for client in call.context.registry.snapshot():
        lines += [
            f"ProxyClientSession: {client.address}",
            f"ProxyClientActionID: {client.listed_id}",
            f"ProxyClientInputHandler: {client.input_name}",
            f"ProxyClientOutputHandler: {client.output.name}",
        ]
    servers = _seen(call)
    lines += [f"ProxyServerSession: {server.address or server.host}" for server in servers]
    return succeed(call, *lines, *_states(call, servers))


@_proxy_action(
    "ListServers",
    read_only=True,
    privileged=True,
    reply="for each server, connected or not, `ProxyListServer I: address H: host U: user P: port "
    "E: events` (no colon after the name, a blank at the end); then, with `serverevents = yes` or "
    "if a server has a `name=` or is another proxy, for each in that order "
    "`ProxyServer: name`, `ProxyServerState:` connected, connecting, lost, given up or paused, "
    "`ProxyServerSince:` Unix time, and, if it is not connected, `ProxyServerReason: why`; for "
    "another proxy `ProxyServerBehind: name, name`, the servers behind it, and "
    "`ProxyServerBehindLost:`, those of them that are not connected",
)
def _list_servers(call: Call) -> Outcome:
    lines = [
        f"ProxyListServer I: {server.address or server.host} H: {server.host} "
        f"U: {server.spec.user} P: {server.spec.port} E: {server.spec.events} "
        for server in _seen(call)
    ]
    lines += _states(call, _seen(call))
    if call.message.get("ProxyPath") and call.session.proxy_path:
        lines.append(f"ProxyPath: {call.context.router.path_before()}")
    return succeed(call, *lines)


def are_open(call: Call, servers: Collection[AsteriskLink]) -> bool:
    """Return whether *call* may be about *servers*: its user reaches all, or these ones."""
    user = call.session.user
    if user is None or not user.servers:
        return True
    return bool(servers) and all(user.reaches(server.names) for server in servers)


def _seen(call: Call) -> list[AsteriskLink]:
    """Return the servers that the user sees."""
    user = call.session.user
    servers = call.context.router.servers
    return [each for each in servers if sees(user, each.names) or list(behind(each, user))]


def _states(call: Call, servers: Collection[AsteriskLink]) -> Iterator[str]:
    """Yield lines that tell what *servers* are called, and how they are.

    Only where the configuration says more than the C program knows: server events, a name, another
    proxy.  Else the answer is the C program's.
    """
    if not call.context.config.server_events and not any(
        each.spec.name or each.spec.proxy for each in servers
    ):
        return
    user = call.session.user
    for server in servers:
        state = link_state(server)
        yield f"ProxyServer: {server.name}"
        yield f"ProxyServerState: {state.word}"
        yield f"ProxyServerSince: {state.since}"
        if state.reason:
            yield f"ProxyServerReason: {state.reason}"
        there = list(behind(server, user))
        for key, names in (
            ("ProxyServerBehind", [each.name for each in there]),
            ("ProxyServerBehindLost", [each.name for each in there if each.is_lost]),
        ):
            if names:
                yield f"{key}: {', '.join(names)}"


@_proxy_action(
    "AddServer",
    privileged=True,
    headers="`Server`, `Port`, `Username`, `Secret`, `Events`; `UseSSL`, yes or no; `Name`, what "
    "it is to be called",
    reply="`Message: Added host`: it comes last in the order, and is forgotten at a restart. "
    "Success does not mean connected. `Failure`, `Message: Could not add host`: a header "
    "is missing or wrong, the host has no address, it is there already, its name is that of "
    "another server, or clients have added 256 "
    "or dropped 32 that have not ended; the log says which",
)
def _add_server(call: Call) -> Outcome:
    context, session, message = call
    name = message.get("Server").strip(" \t").lower()
    try:
        spec = _server_spec(message, name)
    except ValueError as error:
        log.info("%s: AddServer: %s", session.peer, error)
        return call.say(replies.proxy_failure(message, f"Could not add {name}"))
    user = session.user
    if user is not None and not user.reaches(spec.names_at()):
        log.info("%s: AddServer: %s is none of its user", session.peer, ascii(name))
        return call.say(replies.proxy_failure(message, f"Server {name} is not open to this user"))
    # Asks the resolver, in the thread of the client that wants it, and no other.
    with context.turnstile.outside():
        added = context.control.add_server(spec)
    if not added:
        log.info("%s: AddServer: %s has no address, or is there already", session.peer, ascii(name))
        return call.say(replies.proxy_failure(message, f"Could not add {name}"))
    log.info("%s: added server %s:%d", session.peer, ascii(name), spec.port, extra=_CHANGE)
    return succeed(call, f"Message: Added {name}")


def _server_spec(message: Message, name: str) -> ServerSpec:
    """Return the server that AddServer describes; *name* is its Server.

    Raises:
        ValueError: a header is missing or wrong; the text says which.

    """
    port, user, secret = (
        message.get("Port").strip(" \t"),
        message.get("Username"),
        message.get("Secret"),
    )
    events = message.get("Events").strip(" \t")
    if not (name and user and secret and events) or len(name) > 255:
        raise ValueError("Server, Username, Secret or Events is missing")
    if not read_port(port):
        raise ValueError("Port is not a number between 1 and 65535")
    if not read_events(events):
        raise ValueError("Events is neither on nor off")
    return ServerSpec(
        host(name),
        read_port(port),
        user,
        secret,
        read_events(events),
        _encrypted(message),
        read_name(message.get("Name").strip(" \t").lower()),
    )


def _encrypted(message: Message) -> bool:
    """Return whether AddServer asks for TLS; no or empty UseSSL, or none: it does not.

    Raises:
        ValueError: UseSSL is neither yes nor no, or given twice; or a header seems to be
            meant for it.

    """
    for header, _ in message.headers():
        word = re.sub("[^a-z]", "", header.lower())
        if ("ssl" in word or "tls" in word) and header.lower() != "usessl":
            raise ValueError("the header for TLS is called UseSSL")
    words = [value.strip(" \t") for value in message.all("UseSSL")] or ["no"]
    answer = parse_bool(words[0] or "no")
    if answer is None or len(words) > 1:
        raise ValueError("UseSSL is neither yes nor no, or given twice")
    return answer


@_proxy_action(
    "DropServer",
    privileged=True,
    headers="`Server`",
    reply="`Message: Dropped host`; `Failure`, `Message: Cannot Drop Server host, Does Not Exist`",
)
def _drop_server(call: Call) -> Outcome:
    context, session, message = call
    name = message.get("Server")
    if not are_open(call, context.router.named(name)):
        return call.say(replies.proxy_failure(message, f"Server {name} is not open to this user"))
    with context.turnstile.outside():
        dropped = bool(name) and context.control.drop_server(name)
    if not dropped:
        text = f"Cannot Drop Server {name}, Does Not Exist"
        return call.say(replies.proxy_failure(message, text))
    log.info("%s: dropped server %s", session.peer, ascii(name), extra=_CHANGE)
    return succeed(call, f"Message: Dropped {name}")
