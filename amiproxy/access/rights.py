# SPDX-License-Identifier: GPL-2.0-or-later
"""Rights: which actions a user may send, and which ProxyActions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.access import escapes
from amiproxy.access.actionclasses import ACTIONS
from amiproxy.access.user import BOUNDED, OPERATOR
from amiproxy.routing.classes import ALL, SYSTEM, describe_classes

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from amiproxy.access.user import User
    from amiproxy.message import Message


def refusal(
    user: User | None, message: Message, listings: Collection[Mapping[str, int]] = ()
) -> str | None:
    """Return why *message* may not go upstream for *user*, or None if it may.

    *listings* are what the servers that it may go to say of their actions (listedactions.py).
    The text is for the log, without secrets; the client is answered ``Action
    Filtered``.  *user* None is a client without a user, which may do everything that
    the configuration permits to everybody.
    """
    if b"\0" in message.raw:
        # To Asterisk a NUL ends the line, and a line that begins with one the message:
        # what follows would be an action that was not checked here.
        return "it holds a NUL byte"
    if user is None or user.write == ALL or not message.action:
        return None
    if user.write == BOUNDED and message.action == "filter":
        return None  # in C's form nobody could give the class, and it only takes away
    return _class_refusal(user, message, listings)


def is_known(message: Message) -> bool:
    """Return whether the table knows the action."""
    return message.action in ACTIONS


def permits(user: User, action: str) -> bool:
    """Return whether *user* may send *action*, in lower case, whatever its headers say.

    What servers say of their actions may still forbid it (``needs_listing``).
    """
    write = user.write
    if write == ALL:
        return True
    needed = ACTIONS.get(action)
    return needed is not None and bool(write & SYSTEM) and all(write & one for one in needed)


def needs_listing(user: User) -> bool:
    """Return whether what servers say of their actions may count for *user*.

    Not for those of the C program's form: what bounds them was never said to be a class.
    """
    return user.write not in (ALL, BOUNDED)


def trusts_listing(user: User) -> bool:
    """Return whether *user* may send what is unknown here by what the server says of it.

    If nothing but classes restricts the user: nobody could tell whether an unknown action
    keeps to a channel, a context or an account.
    """
    return needs_listing(user) and not (user.bounded or user.accountcode)


def _class_refusal(
    user: User, message: Message, listings: Collection[Mapping[str, int]]
) -> str | None:
    """Return why the classes of *user* do not permit *message*, or None if they do.

    What is known here and what a server says must both permit it.
    """
    write, action = user.write, message.action
    needed = ACTIONS.get(action)
    if needed is None:
        listed = bool(listings) and all(action in one for one in listings)
        if not listed or not trusts_listing(user):
            return "the action is unknown and needs the class all"
        needed = ()
    said = [one[action] for one in listings if one.get(action)]
    for classes in (*needed, *said):
        if not write & classes:
            return f"the action needs one of the classes {describe_classes(classes)}"
    escape = None if write & SYSTEM else escapes.escape(message)
    return None if escape is None else f"{escape} needs the class system"


def may_proxyaction(
    user: User | None, name: str, *, privileged: bool, operating: bool = False
) -> bool:
    """Return whether *user* may call the ProxyAction *name*, in any case.

    Without a user the configuration decides; here all are allowed.  A user whose
    ``proxyactions`` is None may call all that are not *privileged*.  One that is *operating* is
    only for a user whose line names it, or says ``operator``.
    """
    if operating:
        named = frozenset() if user is None else user.proxyactions or frozenset()
        return OPERATOR in named or name.lower() in named
    if user is None:
        return True
    if user.proxyactions is None:
        return not privileged
    return name.lower() in user.proxyactions or "all" in user.proxyactions
