# SPDX-License-Identifier: GPL-2.0-or-later
"""Differences between the generations of Asterisk on the wire: one table.

Scripts, lists and recorded answers are those of Asterisk 22; :meth:`Dialect.event` and
:meth:`Dialect.answer` turn them into those of another generation.  What 11 sends is from
recordings of its events (``asterisk11_*``) and from its main/manager.c (Status, CoreShowChannels,
CoreStatus, Hangup, the ends of lists); what 1.8, 13 and 16 lack, from the notes to their releases.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

_ACTIONS = Path(__file__).parents[1] / "tests" / "data" / "ami-actions.tsv"
#: Actions whose answer is not made of messages.
_RAW = frozenset(("command", "iaxnetstats"))
#: Before Asterisk 13, the other lists only have EventList and ListItems headers.
_UNMARKED = frozenset(
    (
        "agents",
        "dbget",
        "parkedcalls",
        "queuestatus",
        "queuesummary",
        "status",
        "voicemailuserslist",
    )
)


@dataclass(frozen=True)
class Dialect:
    """One generation of Asterisk.

    *output_headers*: a command's output is sent as ``Output:`` headers (since 14), not as raw
    text after ``Response: Follows``.  *uptime*: FullyBooted has the uptime.  *old_lists*: some
    lists have no ``EventList`` headers, and the event that ends one has its ActionID last.
    *endless*: events that end a list which it does not send.  *classic_calls*: Dial and Bridge
    events.  *echoes_action*: a UserEvent has the header ``Action`` of what sent it.  *lacks*:
    headers that it does not have, by event or action.  *layouts*: all headers of an event, in
    order; ``Old=New`` has the value of New, ``Name?`` is left out where there is none.
    *no_id*: the unique id of a channel that could not be made.
    """

    version: str
    ami: str
    output_headers: bool = True
    uptime: bool = True
    old_lists: bool = False
    endless: frozenset[str] = frozenset()
    classic_calls: bool = False
    echoes_action: bool = False
    no_id: str = "<unknown>"
    lacks: Mapping[str, str] = field(default_factory=dict)
    layouts: Mapping[str, str] = field(default_factory=dict)

    @property
    def banner(self) -> bytes:
        """The greeting: one line, no blank line after it."""
        return f"Asterisk Call Manager/{self.ami}\r\n".encode()

    def event(self, lines: list[str]) -> list[str]:
        """Return the *lines* of an event, or list item, as this generation writes them."""
        name = lines[0].partition(": ")[2]
        if name in self.layouts:
            return [lines[0], *_arranged(self.layouts[name], lines[1:])]
        return self._without(name, lines)

    def answer(self, action: str, answer: bytes) -> bytes:
        """Return the *answer* to *action* as this generation writes it."""
        action = action.lower()
        if action in _RAW or not (self.lacks or self.layouts):
            return answer
        marked = not (self.old_lists and action in _UNMARKED)
        parts = []
        for block in re.split(r"(?<=\r\n)\r\n", answer.decode("latin-1")):
            lines = block.split("\r\n")[:-1]
            if not lines:
                parts.append(block)
            elif lines[0].startswith("Response: "):
                parts.append(_joined(self._without(action, lines), marked=marked))
            elif lines[0].partition(": ")[2] not in self.endless:
                last = self.old_lists and "EventList: Complete" in lines
                parts.append(_joined(_id_last(lines) if last else self.event(lines), marked=marked))
        return "".join(parts).encode("latin-1")

    def _without(self, name: str, lines: list[str]) -> list[str]:
        missing = self.lacks.get(name)
        if missing is None:
            return lines
        return [line for line in lines if line.partition(":")[0] not in missing.split()]


def _joined(lines: list[str], *, marked: bool) -> str:
    kept = [line for line in lines if marked or not line.startswith(("EventList: ", "ListItems: "))]
    return "".join(f"{line}\r\n" for line in [*kept, ""])


def _id_last(lines: list[str]) -> list[str]:
    return sorted(lines, key=lambda line: line.startswith("ActionID: "))


def _arranged(layout: str, lines: list[str]) -> list[str]:
    values = dict(line.partition(": ")[::2] for line in lines)
    found = []
    for each in layout.split():
        name, _, source = each.rstrip("?").partition("=")
        value = values.get(source or name)
        if value is not None or not each.endswith("?"):
            found.append(f"{name}: {value or ''}")
    return found


_BEFORE_22 = {
    "corestatus": "CoreProcessedCalls",
    "QueueMember": "LoginTime",
    "QueueMemberStatus": "LoginTime",
    "RTCPReceived": "MES",
    "RTCPSent": "MES",
}
_BEFORE_16 = {
    **_BEFORE_22,
    **dict.fromkeys(
        ("BridgeCreate", "BridgeDestroy", "BridgeEnter", "BridgeLeave"), "BridgeVideoSourceMode"
    ),
    "QueueEntry": "Priority",
    "QueueMember": "LastPause LoginTime Wrapuptime",
    "QueueMemberStatus": "LastPause LoginTime Wrapuptime",
    "QueueParams": "ServicelevelPerf2",
}
_BEFORE_13 = {**_BEFORE_16, "PeerEntry": "Accountcode Description"}
_BEFORE_11 = {
    **_BEFORE_13,
    "Hangup": "AccountCode",
    "PeerEntry": "Accountcode AutoComedia AutoForcerport Comedia Description",
}
_LAYOUTS_OF_11 = {
    "CoreShowChannel": (
        "ActionID? Channel UniqueID=Uniqueid Context Extension=Exten Priority ChannelState"
        " ChannelStateDesc Application ApplicationData CallerIDnum=CallerIDNum"
        " CallerIDname=CallerIDName ConnectedLineNum ConnectedLineName Duration AccountCode"
        " BridgedChannel BridgedUniqueID=BridgedUniqueid"
    ),
    "QueueMember": (
        "Queue Name Location StateInterface Membership Penalty CallsTaken LastCall InCall Status"
        " Paused ActionID?"
    ),
    "Status": (
        "Privilege Channel CallerIDNum CallerIDName ConnectedLineNum ConnectedLineName"
        " Accountcode=AccountCode ChannelState ChannelStateDesc Context Extension=Exten Priority"
        " Seconds BridgedChannel? BridgedUniqueid? Uniqueid ActionID?"
    ),
}
_LAYOUTS_OF_1_8 = {
    **_LAYOUTS_OF_11,
    "QueueMember": (
        "Queue Name Location Membership Penalty CallsTaken LastCall Status Paused ActionID?"
    ),
}

_11 = Dialect(
    version="11.25.3",
    ami="1.3",
    output_headers=False,
    uptime=False,
    old_lists=True,
    classic_calls=True,
    echoes_action=True,
    no_id="<null>",
    lacks=_BEFORE_13,
    layouts=_LAYOUTS_OF_11,
)

# The keys are the values of ``--speak``, oldest first.
DIALECTS: Mapping[str, Dialect] = MappingProxyType(
    {
        "1.8": replace(
            _11,
            version="1.8.32.3",
            ami="1.1",
            endless=frozenset(("DBGetComplete",)),
            lacks=_BEFORE_11,
            layouts=_LAYOUTS_OF_1_8,
        ),
        "11": _11,
        "13": Dialect(
            version="13.13.1",
            ami="2.8.0",
            output_headers=False,
            uptime=False,
            lacks=_BEFORE_16,
        ),
        "16": Dialect(version="16.2.1", ami="5.0.1", lacks=_BEFORE_22),
        "22": Dialect(version="22.10.1", ami="11.0.0"),
    }
)


@cache
def actions_of(speak: str) -> Mapping[str, tuple[str, str]]:
    """Return the actions of generation *speak*: name and classes, ``call,system`` or ``none``.

    By name in lower case; a dash is the class of what other generations only have.
    """
    lines = _ACTIONS.read_text(encoding="ascii").splitlines()
    rows = [line.split("\t") for line in lines if not line.startswith("#")]
    column = rows[0].index(speak)
    return MappingProxyType({row[0].lower(): (row[0], row[column]) for row in rows[1:]})
