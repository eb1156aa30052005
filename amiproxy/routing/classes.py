# SPDX-License-Identifier: GPL-2.0-or-later
"""Permission classes, as bits: which an event has, and who may see it.

Classes and their bits are Asterisk 22's (include/asterisk/manager.h).
"""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import TYPE_CHECKING

from amiproxy.basics.boolean import parse_bool

if TYPE_CHECKING:
    from collections.abc import Mapping

SYSTEM = 1 << 0
CALL = 1 << 1
LOG = 1 << 2
VERBOSE = 1 << 3
COMMAND = 1 << 4
AGENT = 1 << 5
USER = 1 << 6
CONFIG = 1 << 7
DTMF = 1 << 8
REPORTING = 1 << 9
CDR = 1 << 10
DIALPLAN = 1 << 11
ORIGINATE = 1 << 12
AGI = 1 << 13
HOOKRESPONSE = 1 << 14
CC = 1 << 15
AOC = 1 << 16
TEST = 1 << 17
SECURITY = 1 << 18
MESSAGE = 1 << 30
#: Every class there is or may be, as Asterisk's ``all`` (INT_MAX).
ALL = (1 << 31) - 1

#: What the classes are called in manager.conf, in ``Privilege`` and in event masks.
CLASSES: Mapping[str, int] = MappingProxyType(
    {
        "system": SYSTEM,
        "call": CALL,
        "log": LOG,
        "verbose": VERBOSE,
        "command": COMMAND,
        "agent": AGENT,
        "user": USER,
        "config": CONFIG,
        "dtmf": DTMF,
        "reporting": REPORTING,
        "cdr": CDR,
        "dialplan": DIALPLAN,
        "originate": ORIGINATE,
        "agi": AGI,
        "hookresponse": HOOKRESPONSE,
        "cc": CC,
        "aoc": AOC,
        "test": TEST,
        "security": SECURITY,
        "message": MESSAGE,
        "all": ALL,
        "none": 0,
    }
)


@functools.lru_cache(maxsize=512)
def privilege_mask(header_value: str) -> int:
    """Return the classes an event with ``Privilege: header_value`` belongs to.

    ``all`` is in every such header and is not a class.  A word that is not a known
    class requires all of them, so that only users who see everything see the event.
    Empty and ``<none>`` are 0.
    """
    mask = 0
    for word in header_value.split(","):
        name = word.strip(" \t").lower()
        if name not in ("", "all", "<none>"):
            mask |= CLASSES.get(name, ALL)
    return mask


def may_see(read: int, event: int) -> bool:
    """Return whether a user who may *read* these classes sees an event of the classes *event*.

    As in Asterisk every class of the event is needed, not just one of them
    (process_events in main/manager.c).  *read* may be the event mask of a session.
    """
    return read & event == event


def event_mask(value: str) -> int | None:
    """Return the classes that ``Events`` of a login or ``EventMask`` of Action: Events means.

    0 means off; None means ``Invalid event mask`` (*value* is empty).  Unknown words
    are ignored.  Like Asterisk's strings_to_mask this neither trims blanks nor
    ignores the case of class names (recording h1_events_action).
    """
    if not value:
        return None
    if value.isascii() and value.isdigit():
        # Longer numbers overflow in Asterisk; all bits is the most there is.
        return int(value) & ALL if len(value) <= 10 else ALL
    switch = parse_bool(value)
    if switch is not None:
        return ALL if switch else 0
    mask = 0
    for word in value.split(","):
        mask |= CLASSES.get(word, 0)
    return mask


def read_classes(value: str) -> tuple[int, list[str]]:
    """Read a ``read`` or ``write`` line: return the classes and the unknown words.

    Blanks around a class and its case do not count.
    """
    mask = 0
    unknown = []
    for word in value.split(","):
        name = word.strip(" \t").lower()
        if name in CLASSES:
            mask |= CLASSES[name]
        elif name:
            unknown.append(name)
    return mask, unknown


def describe_classes(mask: int) -> str:
    """Return the classes in *mask* in words."""
    if mask == ALL:
        return "everything"
    missing = [name for name, bit in CLASSES.items() if bit and bit != ALL and not mask & bit]
    if len(missing) <= 3 and mask | sum(CLASSES[name] for name in missing) == ALL:
        return f"everything but {', '.join(missing)}"
    names = [name for name, bit in CLASSES.items() if bit and bit != ALL and mask & bit]
    return ", ".join(names) or "nothing"
