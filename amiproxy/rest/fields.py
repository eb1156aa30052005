# SPDX-License-Identifier: GPL-2.0-or-later
"""Which fields the rows of each kind have, and of what type: what docs/clients.md says in words."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_TEXT = {"type": ["string", "null"]}
_TIME = {"type": ["number", "null"], "description": "Unix time by the proxy's clock"}
_COUNT = {"type": ["integer", "null"]}
_NUMBER = {"type": ["number", "null"]}
_FLAG = {"type": ["boolean", "null"]}
_SEVERAL = {"type": ["array", "null"], "items": {"type": "string"}}

_PERCENT = "asterisk_level_percent"
#: What is counted of the last hour, and of the day.
_COUNTED = ("offered", "answered", "in_level", "hung_up", "hung_up_short", "timed_out", "other")
_MEMBER_STATES = ("in_call", "ringing", "offline", "paused", "wrap_up", "ringing_elsewhere",
                  "busy_elsewhere", "free", "unknown")  # fmt: skip


def _windows(*names: str) -> str:
    """Return *names* of what is counted, of each span of time."""
    return "".join(f" {span}_{name}" for span in ("hour", "day") for name in names)


def _kind(
    text: str, time: str, count: str = "", number: str = "", flag: str = "", several: str = ""
) -> Mapping[str, Any]:  # fmt: skip
    types = ((text, _TEXT), (time, _TIME), (count, _COUNT), (number, _NUMBER), (flag, _FLAG),
             (several, _SEVERAL))  # fmt: skip
    return MappingProxyType({name: schema for names, schema in types for name in names.split()})


#: By kind of rows.
FIELDS: Mapping[str, Mapping[str, Any]] = MappingProxyType(
    {
        "calls": _kind(
            "state from_number from_name from_device to_number to_name to_device dialled queue"
            " bridge application merged_into",
            "since started answered",
            "ringing cause",
            several="legs channels",
        ),
        "channels": _kind(
            "uniqueid name technology device state caller_number caller_name connected_number"
            " connected_name account context exten linkedid call application application_data"
            " bridge queue",
            "started since answered",
            "state_number priority",
            flag="hold muted",
        ),
        "bridges": _kind("id type technology creator name", "since", several="channels"),
        "queues": _kind(
            "queue strategy",
            "longest_since asterisk_as_of" + _windows("since"),
            "max weight level_seconds waiting members asterisk_hold_seconds asterisk_talk_seconds"
            " asterisk_completed asterisk_abandoned "
            + " ".join(f"members_{state}" for state in _MEMBER_STATES)
            + _windows(*_COUNTED),
            f"{_PERCENT} {_PERCENT}_of_all"
            + _windows("wait_sum", "wait_max", "talk_sum", "level_percent"),
            _windows("complete"),
        ),
        "members": _kind(
            "queue interface name state state_interface device device_status membership"
            " pause_reason in_call_with ringing_for channel channel_uniqueid caller_number"
            " caller_name",
            "since paused_since login last_call",
            "penalty taken wrap_up_seconds",
            flag="ring_in_use paused",
        ),
        "callers": _kind(
            "queue uniqueid channel caller_number caller_name",
            "since",
            "position original_position priority",
        ),
        "devices": _kind(
            "device state presence presence_subtype presence_message",
            "since",
            several="extensions contacts",
        ),
        "contacts": _kind(
            "technology device endpoint aor uri address status user_agent",
            "since expires",
            number="round_trip",
            flag="registered",
        ),
        "registrations": _kind(
            "technology name username domain status cause", "since registered_at"
        ),
        "parked": _kind(
            "lot space uniqueid channel linkedid caller_number caller_name parker",
            "since",
            number="timeout",
        ),
        "conferences": _kind(
            "conference application",
            "since",
            "members",
            flag="locked muted recording",
            several="channels uniqueids talking_channels muted_channels admin_channels"
            " marked_channels",
        ),
        "agents": _kind("agent name state channel uniqueid talking_to", "since login"),
        "mailboxes": _kind("mailbox name", "since", "new old"),
    }
)

#: How the names of fields end in which ``q`` looks: who, by number or name, and where.
_SEARCHED = ("number", "name", "device", "exten", "extensions", "dialled", "interface", "agent",
             "mailbox", "conference", "endpoint", "aor", "queue")  # fmt: skip


def searched(names: Mapping[str, Any]) -> Iterator[str]:
    """Yield those of *names* in which somebody may be searched for."""
    return (name for name in names if name.endswith(_SEARCHED))
