# SPDX-License-Identifier: GPL-2.0-or-later
"""ProxyActions: what clients may ask the proxy about itself, and change in it.

Spec section 10; docs/clients.md tells of each.  Everything runs in the thread of
the client that asks.
"""

from __future__ import annotations

import logging
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Callable, Optional

from amiproxy import replies
from amiproxy.access import rights
from amiproxy.basics.boolean import parse_bool
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.settings.config import ServerSpec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.message import Message
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.session import ClientSession

log = logging.getLogger("amiproxy.actions")

#: One ProxyAction: returns its reply, None where it has been said already.
ProxyAction = Callable[["ProxyContext", "ClientSession", "Message"], Optional["Message"]]


def perform(context: ProxyContext, session: ClientSession, message: Message, name: str) -> None:
    """Carry out the ProxyAction *name*, in lower case, if the client may; say the reply.

    All but Logoff, which is the same as ``Action: Logoff``.
    """
    action = PROXY_ACTIONS.get(name)
    reply: Message | None
    if not session.allowed:
        reply = replies.proxy_error(message, "Action Filtered")
    elif action is None:
        reply = replies.proxy_error(message, "Invalid Proxy Action")
    elif not rights.may_proxyaction(session.user, name):
        log.info("%s: ProxyAction %s refused", session.peer, name)
        reply = replies.proxy_error(message, "Action Filtered")
    else:
        reply = action(context, session, message)
    if reply is not None:
        session.say(reply)


def _list_sessions(context: ProxyContext, session: ClientSession, message: Message) -> Message:
    del session
    lines = []
    for client in context.router.registry.snapshot():
        lines += [
            f"ProxyClientSession: {client.address}",
            f"ProxyClientActionID: {client.listed_id}",
            f"ProxyClientInputHandler: {client.input_name}",
            f"ProxyClientOutputHandler: {client.output.name}",
        ]
    lines += [
        f"ProxyServerSession: {server.address or server.host}" for server in context.router.servers
    ]
    return replies.proxy_success(message, *lines)


def _list_servers(context: ProxyContext, session: ClientSession, message: Message) -> Message:
    del session
    lines = [
        f"ProxyListServer I: {server.address or server.host} H: {server.host} "
        f"U: {server.spec.user} P: {server.spec.port} E: {server.spec.events} "
        for server in context.router.servers
    ]
    return replies.proxy_success(message, *lines)


def _list_handlers(context: ProxyContext, session: ClientSession, message: Message) -> Message:
    del session
    lines = []
    for name, form in context.formats.items():
        if form.is_input:
            lines.append(f"InputHandler: {name}")
        if form.is_output:
            lines.append(f"OutputHandler: {name}")
    return replies.proxy_success(message, *lines)


def _set_output_format(
    context: ProxyContext, session: ClientSession, message: Message
) -> Optional[Message]:
    name = message.get("OutputFormat").lower()
    form = context.formats.get(name)
    if form is None or not form.is_output:
        return replies.proxy_error(message, "Unknown output format")
    session.set_output(form, replies.proxy_success(message, f"OutputFormat: {form.name}"))
    return None


def _set_input_format(context: ProxyContext, session: ClientSession, message: Message) -> Message:
    name = message.get("InputFormat").lower()
    form = context.formats.get(name)
    if form is None or form.reader is None:
        return replies.proxy_error(message, "Unknown input format")
    session.input_name = form.name  # its thread takes the new reader from the next block on
    return replies.proxy_success(message, f"InputFormat: {form.name}")


_AUTOFILTERS: Mapping[str, AutoFilter] = MappingProxyType({mode.value: mode for mode in AutoFilter})


def _set_autofilter(context: ProxyContext, session: ClientSession, message: Message) -> Message:
    # As C: anything else is off.
    mode = _AUTOFILTERS.get(message.get("AutoFilter").lower(), AutoFilter.OFF)
    session.set_mode(mode)
    context.router.registry.mode_changed()
    return replies.proxy_success(message, f"AutoFilter: {mode.number}")


def _add_server(context: ProxyContext, session: ClientSession, message: Message) -> Message:
    host = message.get("Server").strip().lower()
    spec = _server_spec(message, host)
    # Asks the resolver, in the thread of the client that wants it, and no other.
    if spec is None or not context.control.add_server(spec):
        return replies.proxy_failure(message, f"Could not add {host}")
    log.info("%s: added server %s:%d", session.peer, ascii(host), spec.port)
    return replies.proxy_success(message, f"Message: Added {host}")


def _server_spec(message: Message, host: str) -> ServerSpec | None:
    """Return the server that AddServer describes; None if a header is missing or wrong."""
    port, user, secret = message.get("Port").strip(), message.get("Username"), message.get("Secret")
    events = message.get("Events").strip().lower()
    if not (host and user and secret and events) or len(host) > 255:
        return None
    if not re.fullmatch("[0-9]{1,5}", port) or not 0 < int(port) < 65536:
        return None
    use_ssl = message.get("UseSSL").strip()
    tls = parse_bool(use_ssl) if use_ssl else False
    if tls is None:
        return None  # never plain text for who asked for something else
    return ServerSpec(host.strip("[]"), int(port), user, secret, events, tls)


def _drop_server(context: ProxyContext, session: ClientSession, message: Message) -> Message:
    host = message.get("Server")
    if not host or not context.control.drop_server(host):
        return replies.proxy_failure(message, f"Cannot Drop Server {host}, Does Not Exist")
    log.info("%s: dropped server %s", session.peer, ascii(host))
    return replies.proxy_success(message, f"Message: Dropped {host}")


#: Names as clients write them, in lower case.  A new ProxyAction is a row here, a
#: function above and a row in docs/clients.md.
PROXY_ACTIONS: Mapping[str, ProxyAction] = MappingProxyType(
    {
        "addserver": _add_server,
        "dropserver": _drop_server,
        "listiohandlers": _list_handlers,
        "listservers": _list_servers,
        "listsessions": _list_sessions,
        "setautofilter": _set_autofilter,
        "setinputformat": _set_input_format,
        "setoutputformat": _set_output_format,
    }
)
