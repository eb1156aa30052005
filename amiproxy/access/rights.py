# SPDX-License-Identifier: GPL-2.0-or-later
"""Rights: which action a user may send, and which ProxyAction."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.access import escapes
from amiproxy.access.actionclasses import ACTIONS
from amiproxy.routing.classes import ALL, SYSTEM, describe_classes

if TYPE_CHECKING:
    from amiproxy.access.user import User
    from amiproxy.message import Message

#: ProxyActions that change or show the servers: for users that are given them.
PRIVILEGED_PROXYACTIONS = frozenset({"addserver", "dropserver", "listservers"})


def refusal(user: User | None, message: Message) -> str | None:
    """Say why *message* may not go upstream for *user*, or return None: it may.

    The text is for the log, without secrets; the client is told ``Action
    Filtered``.  *user* None is a client without a user, who may do what the proxy's
    configuration lets everybody do.
    """
    if b"\0" in message.raw:
        # Asterisk ends lines at a NUL, and messages at a line that begins with one:
        # what follows would be an action nobody here has looked at.
        return "it holds a NUL byte"
    if user is None or user.write == ALL:
        return None
    name = message.action
    if not name:
        return None
    needed = ACTIONS.get(name)
    if needed is None:
        return "the action is unknown and needs the class all"
    if needed and not user.write & needed:
        return f"the action needs one of the classes {describe_classes(needed)}"
    if not user.write & SYSTEM:
        escape = escapes.escape(name, message)
        if escape is not None:
            return f"{escape} needs the class system"
    return None


def may_proxyaction(user: User | None, name: str) -> bool:
    """Tell whether *user* may call the ProxyAction *name*, in any case.

    Without a user it is for the configuration to say; here all are allowed.  Logoff
    is for everybody.  A user whose ``proxyactions`` is None may call all but
    ``PRIVILEGED_PROXYACTIONS``.
    """
    name = name.lower()
    if user is None or name == "logoff":
        return True
    if user.proxyactions is None:
        return name not in PRIVILEGED_PROXYACTIONS
    return name in user.proxyactions or "all" in user.proxyactions
