# SPDX-License-Identifier: GPL-2.0-or-later
"""Rights: which actions a user may send, and which ProxyActions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.access import escapes
from amiproxy.access.actionclasses import ACTIONS
from amiproxy.access.user import BOUNDED
from amiproxy.routing.classes import ALL, SYSTEM, describe_classes

if TYPE_CHECKING:
    from amiproxy.access.user import User
    from amiproxy.message import Message


def refusal(user: User | None, message: Message) -> str | None:
    """Return why *message* may not go upstream for *user*, or None if it may.

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
    return _class_refusal(user.write, message)


def _class_refusal(write: int, message: Message) -> str | None:
    """Return why the classes *write* do not permit *message*, or None if they do."""
    needed = ACTIONS.get(message.action)
    if needed is None:
        return "the action is unknown and needs the class all"
    for classes in needed:
        if not write & classes:
            return f"the action needs one of the classes {describe_classes(classes)}"
    escape = None if write & SYSTEM else escapes.escape(message)
    return None if escape is None else f"{escape} needs the class system"


def may_proxyaction(user: User | None, name: str, *, privileged: bool) -> bool:
    """Return whether *user* may call the ProxyAction *name*, in any case.

    Without a user the configuration decides; here all are allowed.  A user whose
    ``proxyactions`` is None may call all that are not *privileged*.
    """
    if user is None:
        return True
    if user.proxyactions is None:
        return not privileged
    return name.lower() in user.proxyactions or "all" in user.proxyactions
