# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows of queues, members and callers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.queues.member import STATES
from amiproxy.state.table import Row
from amiproxy.state.values import decimal, earlier, key_of, list_item, number

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amiproxy.message import Message
    from amiproxy.state.queues.member import Member
    from amiproxy.state.queues.numbers import Numbers
    from amiproxy.state.queues.queue import Caller, DeviceOf, Queue
    from amiproxy.state.table import Value


def queue_rows(found: Iterable[Queue], now: float, numbers: Numbers) -> Iterator[Row]:
    """Yield a row for each queue.  What Asterisk counts itself has its name in front."""
    for queue in found:
        params = queue.params
        states = dict.fromkeys(STATES, 0)
        for member in queue.members.values():
            states[member.state(now)[0]] += 1
        fields: dict[str, Value] = {
            "queue": queue.name,
            "strategy": params.get("strategy"),
            "max": number(params.get("max")),
            "weight": number(params.get("weight")),
            "level_seconds": number(params.get("servicelevel")),
            "waiting": len(queue.callers),
            "longest_since": earlier(caller.since for caller in queue.callers),
            "members": len(queue.members),
        }
        fields.update((f"members_{state}", count) for state, count in states.items())
        fields.update(
            asterisk_hold_seconds=number(params.get("holdtime")),
            asterisk_talk_seconds=number(params.get("talktime")),
            asterisk_completed=number(params.get("completed")),
            asterisk_abandoned=number(params.get("abandoned")),
            asterisk_level_percent=decimal(params.get("servicelevelperf")),
            asterisk_level_percent_of_all=decimal(params.get("servicelevelperf2")),
            asterisk_as_of=queue.params_at,
        )
        fields.update(numbers.fields(queue.name, queue.level()))
        headers = [
            ("Queue", queue.name),
            ("Strategy", params.get("strategy")),
            ("Calls", str(len(queue.callers))),
        ]
        yield Row(queue.name, fields, list_item("QueueParams", "agent", headers))


def caller_rows(found: Iterable[Queue]) -> Iterator[Row]:
    """Yield a row for each who waits."""
    for queue in found:
        for position, caller in enumerate(queue.callers, 1):
            yield caller_row(caller, position)


def caller_row(caller: Caller, position: int) -> Row:
    """Return the row of *caller*, who is at *position*, counted from 1."""
    name = caller.queue.name
    fields: dict[str, Value] = {
        "queue": name,
        "uniqueid": caller.uniqueid,
        "position": position,
        "original_position": caller.original_position,
        "priority": number(caller.priority),
        "since": caller.since,
        "channel": caller.channel,
        "caller_number": caller.number,
        "caller_name": caller.name,
    }
    headers = [
        ("Queue", name),
        ("Position", str(position)),
        ("Channel", caller.channel),
        ("Uniqueid", caller.uniqueid),
        ("CallerIDNum", caller.number),
        ("CallerIDName", caller.name),
    ]
    return Row(key_of(name, caller.uniqueid), fields, list_item("QueueEntry", "agent", headers))


def member_rows(found: Iterable[Queue], now: float, device_of: DeviceOf | None) -> Iterator[Row]:
    """Yield a row for each member of each queue."""
    for queue in found:
        for member in queue.members.values():
            yield member_row(member, now, device_of)


def member_row(member: Member, now: float, device_of: DeviceOf | None) -> Row:
    """Return the row of *member*."""
    state, since = member.state(now)
    talk, ring = member.talk(), member.ring()
    attempt = talk or ring
    watched = member.state_interface or member.interface
    fields: dict[str, Value] = {
        "queue": member.queue,
        "interface": member.interface,
        "name": member.name,
        "state": state,
        "since": since,
        "state_interface": member.state_interface,
        "device": device_of(watched) if device_of else None,
        "device_status": member.device_status(),
        "membership": member.membership,
        "penalty": number(member.penalty),
        "ring_in_use": member.ring_in_use,
        "paused": member.paused,
        "pause_reason": member.pause_reason if member.paused else None,
        "paused_since": member.paused_since,
        "login": member.login,
        "last_call": member.last_call,
        "taken": number(member.calls_taken),
        "wrap_up_seconds": member.wrap_up,
        "in_call_with": talk.caller if talk else None,
        "ringing_for": ring.caller if ring else None,
        "channel": attempt.channel if attempt else None,
        "channel_uniqueid": attempt.dest if attempt else None,
        "caller_number": attempt.number if attempt else None,
        "caller_name": attempt.name if attempt else None,
    }
    return Row(key_of(member.queue, member.interface), fields, _said(member))


def _said(member: Member) -> Message:
    return list_item(
        "QueueMember",
        "agent",
        [
            ("Queue", member.queue),
            ("Name", member.name),
            ("MemberName", member.name),
            ("Interface", member.interface),
            ("Location", member.interface),
            ("StateInterface", member.state_interface),
            ("Membership", member.membership),
            ("Penalty", member.penalty),
            ("Status", member.status),
            ("Paused", None if member.paused is None else str(int(member.paused))),
        ],
    )
