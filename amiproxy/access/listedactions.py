# SPDX-License-Identifier: GPL-2.0-or-later
"""What an Asterisk says of its actions: the answer to ListCommands, as a value.

``Originate: Originate Call.  (Priv: originate,all)``, a header for each action that its user
may send (action_listcommands in main/manager.c, since 1.4).
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import TYPE_CHECKING

from amiproxy.routing.classes import ALL, CLASSES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.message import Message

#: The server has not said anything.
NOTHING_LISTED: Mapping[str, int] = MappingProxyType({})

#: The class of an action all of whose classes are unknown here: nobody who is limited has it.
_UNKNOWN = ALL + 1

# An Asterisk 22 with all its modules lists 160 actions in 10 KB.
_LONGEST = 256 * 1024
_MOST = 4096
_NAME = re.compile(r"[\w.-]{1,80}\Z", re.ASCII)


def listed_actions(message: Message) -> Mapping[str, int] | None:
    """Return the actions that *message* lists, None if it is no such list or too long.

    Lines that are no row of it are left out.
    """
    if len(message.raw) > _LONGEST or message.values.get("response", "").lower() != "success":
        return None
    found: dict[str, int] = {}
    for line in message.lines:
        name, _, text = line.partition(": ")
        _, mark, classes = text.rpartition("(Priv: ")
        if mark and classes.endswith(")") and _NAME.match(name):
            mask = _mask(classes[:-1])
            # Of two rows for one action, which Asterisk does not send, the stricter one.
            found[name.lower()] = _stricter(found.get(name.lower(), 0), mask)
        if len(found) > _MOST:
            return None
    return MappingProxyType(found)


def _mask(text: str) -> int:
    """Return the classes of ``system,reporting,all``, of which one is enough."""
    names = [name for name in text.split(",") if name not in ("", "all", "<none>")]
    known = sum({CLASSES[name] for name in names if name in CLASSES and name != "none"})
    return known or (_UNKNOWN if names else 0)


def _stricter(one: int, other: int) -> int:
    """Return the classes of which a user needs one to have one of *one* and of *other*."""
    if not one or not other:
        return one or other
    return one & other or _UNKNOWN
