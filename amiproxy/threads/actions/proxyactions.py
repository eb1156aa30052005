# SPDX-License-Identifier: GPL-2.0-or-later
"""ProxyActions: what clients may ask the proxy about itself, and change in it.

Spec section 10.  One record holds everything about a ProxyAction: who may call it, and
its row of the table in docs/clients.md, which ``make docs`` writes.  Everything runs in
the thread of the client that asks.
"""

from __future__ import annotations

import logging
import re
from types import MappingProxyType
from typing import TYPE_CHECKING, Callable

from amiproxy import __version__, replies
from amiproxy.access import rights
from amiproxy.basics.boolean import parse_bool
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.settings.config import ServerSpec
from amiproxy.settings.hostline import read_events, read_port
from amiproxy.settings.readers import host
from amiproxy.threads.actions import login, operating
from amiproxy.threads.actions.audited import run_audited
from amiproxy.threads.actions.call import STAYS, Action, Call, Outcome
from amiproxy.threads.actions.record import ProxyAction

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.message import Message

#: Of log lines that no other line of the same client may hide (threads/loglimit.py).
_CHANGE = {"change": True}

log = logging.getLogger("amiproxy.actions")


_RECORDS: list[ProxyAction] = []


def _proxy_action(
    name: str,
    *,
    headers: str = "",
    reply: str,
    read_only: bool = False,
    privileged: bool = False,
    for_everybody: bool = False,
) -> Callable[[Action], Action]:
    """Enter the function below as the ProxyAction *name*."""

    def enter(run: Action) -> Action:
        _RECORDS.append(
            ProxyAction(
                name,
                run,
                headers,
                reply,
                read_only=read_only,
                privileged=privileged,
                for_everybody=for_everybody,
            )
        )
        return run

    return enter


def perform(call: Call, name: str) -> Outcome:
    """Carry out the ProxyAction *name*, in any case, if the client may call it."""
    _, session, message = call
    action = PROXY_ACTIONS.get(name.lower())
    if action is not None and action.for_everybody:
        return action.run(call)
    if not session.allowed:
        log.info(
            "%s: ProxyAction %s refused: not logged in", session.peer, ascii(name[:40].lower())
        )
        return call.say(replies.proxy_error(message, "Action Filtered"))
    if action is None:
        return call.say(replies.proxy_error(message, "Invalid Proxy Action"))
    if not rights.may_proxyaction(
        session.user, action.name, privileged=action.privileged, operating=action.operating
    ):
        log.info("%s: ProxyAction %s refused", session.peer, name.lower())
        return call.say(replies.proxy_error(message, "Action Filtered"))
    if (action.privileged or action.operating) and not action.read_only:
        return run_audited(call, action.name, action.run)
    return action.run(call)


def _succeed(call: Call, *lines: str) -> Outcome:
    return call.say(replies.proxy_success(call.message, *lines))


# -- what there is -----------------------------------------------------------------------------


@_proxy_action(
    "ListSessions",
    read_only=True,
    reply="for each client, newest first, `ProxyClientSession: address`, "
    "`ProxyClientActionID:` (the last one it gave; in `unique` its session, as `amp7-`), "
    "`ProxyClientInputHandler:`, `ProxyClientOutputHandler:`; for each server "
    "`ProxyServerSession: address`",
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
    for server in call.context.router.servers:
        lines.append(f"ProxyServerSession: {server.address or server.host}")
    return _succeed(call, *lines)


@_proxy_action(
    "ListServers",
    read_only=True,
    privileged=True,
    reply="for each server, connected or not, `ProxyListServer I: address H: host U: user P: port "
    "E: events` (no colon after the name, a blank at the end)",
)
def _list_servers(call: Call) -> Outcome:
    lines = [
        f"ProxyListServer I: {server.address or server.host} H: {server.host} "
        f"U: {server.spec.user} P: {server.spec.port} E: {server.spec.events} "
        for server in call.context.router.servers
    ]
    return _succeed(call, *lines)


@_proxy_action(
    "ListIOHandlers",
    read_only=True,
    reply="`InputHandler: name` and `OutputHandler: name` for each format",
)
def _list_handlers(call: Call) -> Outcome:
    lines = []
    for name, form in call.context.formats.items():
        if form.is_input:
            lines.append(f"InputHandler: {name}")
        if form.is_output:
            lines.append(f"OutputHandler: {name}")
    return _succeed(call, *lines)


@_proxy_action(
    "Uptime",
    read_only=True,
    reply="`Uptime: seconds` since the proxy began, `Started: time` as 2026-01-31T08:15:00+01:00, "
    "`Version: version`",
)
def _uptime(call: Call) -> Outcome:
    context = call.context
    return _succeed(
        call,
        f"Uptime: {int(context.uptime)}",
        f"Started: {context.started.isoformat(timespec='seconds')}",
        f"Version: {__version__}",
    )


# -- what the client changes for itself ----------------------------------------------------------


@_proxy_action(
    "SetOutputFormat",
    headers="`OutputFormat`",
    reply="`OutputFormat: name`, already in that format; `Unknown output format`",
)
def _set_output_format(call: Call) -> Outcome:
    context, session, message = call
    form = context.formats.get(message.get("OutputFormat").lower())
    if form is None or not form.is_output:
        return call.say(replies.proxy_error(message, "Unknown output format"))
    # Switches and answers in one step: no event comes between in either format.
    session.set_output(form, replies.proxy_success(message, f"OutputFormat: {form.name}"))
    return STAYS


@_proxy_action(
    "SetInputFormat",
    headers="`InputFormat`",
    reply="`InputFormat: name`; what the client sends from the next block on is read so; `Unknown "
    "input format` (http among them: it needs a port with `inputformat = http`)",
)
def _set_input_format(call: Call) -> Outcome:
    context, session, message = call
    form = context.formats.get(message.get("InputFormat").lower())
    if form is None or form.reader is None:
        return call.say(replies.proxy_error(message, "Unknown input format"))
    session.input_name = form.name  # the client's thread reads the next block with it
    return _succeed(call, f"InputFormat: {form.name}")


_AUTOFILTERS: Mapping[str, AutoFilter] = MappingProxyType({mode.value: mode for mode in AutoFilter})


@_proxy_action(
    "SetAutoFilter",
    headers="`AutoFilter`: on, off, unique",
    reply="`AutoFilter: 1`, `0` or `2`; anything else means off",
)
def _set_autofilter(call: Call) -> Outcome:
    # As C: anything else is off, but for the words that mean on everywhere else.
    word = call.message.get("AutoFilter").lower()
    other = AutoFilter.ON if parse_bool(word) else AutoFilter.OFF
    mode = _AUTOFILTERS.get(word, other)
    call.context.registry.set_autofilter(call.session, mode)
    return _succeed(call, f"AutoFilter: {mode.number}")


# -- servers -----------------------------------------------------------------------------------


@_proxy_action(
    "AddServer",
    privileged=True,
    headers="`Server`, `Port`, `Username`, `Secret`, `Events`; `UseSSL`, yes or no",
    reply="`Message: Added host`: it comes last in the order, and is forgotten at a restart. "
    "Success does not mean connected. `Failure`, `Message: Could not add host`: a header "
    "is missing or wrong, the name has no address, it is there already, or clients have added 256 "
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
    # Asks the resolver, in the thread of the client that wants it, and no other.
    with context.turnstile.outside():
        added = context.control.add_server(spec)
    if not added:
        log.info("%s: AddServer: %s has no address, or is there already", session.peer, ascii(name))
        return call.say(replies.proxy_failure(message, f"Could not add {name}"))
    log.info("%s: added server %s:%d", session.peer, ascii(name), spec.port, extra=_CHANGE)
    return _succeed(call, f"Message: Added {name}")


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
        host(name), read_port(port), user, secret, read_events(events), _encrypted(message)
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
    with context.turnstile.outside():
        dropped = bool(name) and context.control.drop_server(name)
    if not dropped:
        text = f"Cannot Drop Server {name}, Does Not Exist"
        return call.say(replies.proxy_failure(message, text))
    log.info("%s: dropped server %s", session.peer, ascii(name), extra=_CHANGE)
    return _succeed(call, f"Message: Dropped {name}")


_proxy_action("Logoff", for_everybody=True, reply="as `Action: Logoff`")(login.log_off)

#: Every ProxyAction by its name in lower case, in the order of docs/clients.md.
PROXY_ACTIONS: Mapping[str, ProxyAction] = MappingProxyType(
    {record.name.lower(): record for record in (*_RECORDS, *operating.RECORDS)}
)

#: In lower case: those that a link on another site's page may call.
READ_ONLY = frozenset(name for name, record in PROXY_ACTIONS.items() if record.read_only)

#: As clients write them: those that must be given to a user, and those all may call.
PRIVILEGED = tuple(sorted(each.name for each in _RECORDS if each.privileged))
FOR_EVERYBODY = tuple(sorted(each.name for each in _RECORDS if each.for_everybody))

#: Those of the operator, which neither ``all`` nor the lack of a line gives to anybody.
OPERATING = tuple(sorted(each.name for each in operating.RECORDS))
