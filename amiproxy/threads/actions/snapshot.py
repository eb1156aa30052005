# SPDX-License-Identifier: GPL-2.0-or-later
"""ProxyAction Snapshot: what there is now at the servers, as the proxy knows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.threads.actions.call import STAYS
from amiproxy.threads.actions.record import Records

if TYPE_CHECKING:
    from amiproxy.threads.actions.call import Call, Outcome

RECORDS = Records()
_proxy_action = RECORDS.proxy_action

_OFF = "There are no snapshots: state = yes is missing in astmanproxy.conf"


@_proxy_action(
    "Snapshot",
    read_only=True,
    headers="`Of`: kinds, with commas between (or none: all); `Server` (or none: all); `Wait`: "
    "seconds (or none: 8)",
    reply="`EventList: start`, `Message: Snapshot follows`, `ProxyEventID: id`; then an event for "
    "each server, and one for each row; at the end `ProxySnapshotComplete` ([more](#snapshot)). "
    "Errors: an unknown kind or server; `state = yes` is missing",
)
def _snapshot(call: Call) -> Outcome:
    context, session, message = call
    if not context.config.state:
        return call.say(replies.proxy_error(message, _OFF))
    from amiproxy.threads.state.answer import answer  # noqa: PLC0415 - who asks pays for it

    problem = answer(context, session, message)
    return call.say(replies.proxy_error(message, problem)) if problem else STAYS
