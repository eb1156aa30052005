# SPDX-License-Identifier: GPL-2.0-or-later
"""ProxyActions: what clients may ask the proxy about itself, and change in it.

Spec section 10.  One record holds everything about a ProxyAction: who may call it, and
its row of the table in docs/clients.md, which ``make docs`` writes.  Everything runs in
the thread of the client that asks.
"""

from __future__ import annotations

import logging
from types import MappingProxyType
from typing import TYPE_CHECKING

from amiproxy import __version__, replies
from amiproxy.access import rights
from amiproxy.basics.boolean import parse_bool
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.threads.actions import eventids, login, operating, serveractions, snapshot
from amiproxy.threads.actions.audited import run_audited
from amiproxy.threads.actions.call import STAYS, Call, Outcome
from amiproxy.threads.actions.record import ProxyAction, Records, succeed

if TYPE_CHECKING:
    from collections.abc import Mapping


log = logging.getLogger("amiproxy.actions")


_RECORDS = Records()
_proxy_action = _RECORDS.proxy_action


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


# -- what there is -----------------------------------------------------------------------------


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
    return succeed(call, *lines)


@_proxy_action(
    "Uptime",
    read_only=True,
    reply="`Uptime: seconds` since the proxy began, `Started: time` as 2026-01-31T08:15:00+01:00, "
    "`Version: version`",
)
def _uptime(call: Call) -> Outcome:
    context = call.context
    return succeed(
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
    "input format` (http among them: it needs a listener with `input=http`)",
)
def _set_input_format(call: Call) -> Outcome:
    context, session, message = call
    form = context.formats.get(message.get("InputFormat").lower())
    if form is None or form.reader is None:
        return call.say(replies.proxy_error(message, "Unknown input format"))
    session.input_name = form.name  # the client's thread reads the next block with it
    return succeed(call, f"InputFormat: {form.name}")


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
    call.session.set_mode(mode)
    return succeed(call, f"AutoFilter: {mode.number}")


_proxy_action("Logoff", for_everybody=True, reply="as `Action: Logoff`")(login.log_off)

#: All but the operator's.
_ALL = (*serveractions.RECORDS, *snapshot.RECORDS, *_RECORDS, *eventids.RECORDS)

#: Every ProxyAction by its name in lower case, in the order of docs/clients.md.
PROXY_ACTIONS: Mapping[str, ProxyAction] = MappingProxyType(
    {record.name.lower(): record for record in (*_ALL, *operating.RECORDS)}
)

#: In lower case: those that a link on another site's page may call.
READ_ONLY = frozenset(name for name, record in PROXY_ACTIONS.items() if record.read_only)

#: As clients write them: those that must be given to a user, and those all may call.
PRIVILEGED = tuple(sorted(each.name for each in _ALL if each.privileged))
FOR_EVERYBODY = tuple(sorted(each.name for each in _ALL if each.for_everybody))

#: Those of the operator, which neither ``all`` nor the lack of a line gives to anybody.
OPERATING = tuple(sorted(each.name for each in operating.RECORDS))
