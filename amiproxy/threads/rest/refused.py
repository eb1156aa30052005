# SPDX-License-Identifier: GPL-2.0-or-later
"""Why somebody may not do what they ask, as a problem that says which right is missing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.access import rights
from amiproxy.access.actionclasses import ACTIONS
from amiproxy.routing.classes import ALL, CLASSES
from amiproxy.threads.sessions.destinations import destinations
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.access.user import User
    from amiproxy.message import Message
    from amiproxy.threads.actions.record import ProxyAction
    from amiproxy.threads.sessions.context import ProxyContext


def of_action(context: ProxyContext, user: User | None, message: Message) -> Problem:
    """Return why *user* may not send *message*, an action, which was refused."""
    if user is None:
        return Problem("not-permitted", "This action may not be sent like this", needs=[])
    listings = _listings(context, user, message)
    name = message.get("Action")
    if rights.refusal(user, message, listings) is None:
        what = "the user's channel, context, account or filters keep it to other calls"
        return _problem(user, f"may not send this {name}: {what}", [])
    masks = [*ACTIONS.get(message.action, (ALL,))]
    masks += [each[message.action] for each in listings if each.get(message.action)]
    missing = next((mask for mask in masks if not user.write & mask or mask == ALL), 0)
    needs = ["all"] if missing == ALL else _words(missing) or ["system"]
    return _problem(user, f"may not send {name}: write lacks {' or '.join(needs)}", needs)


def of_proxyaction(user: User | None, record: ProxyAction) -> Problem | None:
    """Return why *user* may not call *record*; None if they may."""
    if record.for_everybody or rights.may_proxyaction(
        user, record.name, privileged=record.privileged, operating=record.operating
    ):
        return None
    needs = [f"proxyactions = {record.name}"]
    if user is None:
        text = f"Only a user may call {record.name}: log in as one whose proxyactions names it"
        return Problem("not-permitted", text, needs=needs)
    return _problem(user, f"may not call {record.name}: proxyactions lacks {record.name}", needs)


def _listings(context: ProxyContext, user: User, message: Message) -> list[Mapping[str, int]]:
    """Return what the servers have said of their actions that *message* may go to."""
    if not rights.needs_listing(user):
        return []
    found = destinations(context.router.servers, user, message)
    return [] if isinstance(found, str) else [each.listed for each in found]


def _problem(user: User, text: str, needs: list[str]) -> Problem:
    return Problem("not-permitted", f"User {user.name} {text}", user=user.name, needs=needs)


def _words(mask: int) -> list[str]:
    """Return the names of the classes in *mask*."""
    return [name for name, bit in CLASSES.items() if bit and bit != ALL and mask & bit]
