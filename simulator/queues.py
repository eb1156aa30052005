# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that list the queues: their members, and who waits."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from simulator.events import write
from simulator.present import QUEUE
from simulator.replies import id_line, listing, response

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.pbx import Pbx
    from simulator.present import Caller, Headers, Queue
    from simulator.protocol import Action


def queue_status(pbx: Pbx, action: Action) -> bytes:
    """List the queues, their members, and the calls that wait in them."""
    wanted = action.get("Queue")
    items = [
        item
        for name, queue in pbx.exchange.present.queues().items()
        if wanted in ("", name)
        for item in _items(pbx, name, queue, action)
    ]
    return listing(action, "Queue status will follow", items, "QueueStatusComplete")


def _items(pbx: Pbx, name: str, queue: Queue, action: Action) -> Iterator[list[str]]:
    yield [
        "Event: QueueParams",
        f"Queue: {name}",
        "Max: 0",
        "Strategy: ringall",
        f"Calls: {len(queue.callers)}",
        "Holdtime: 0",
        "TalkTime: 0",
        "Completed: 0",
        "Abandoned: 0",
        f"ServiceLevel: {queue.level}",
        "ServicelevelPerf: 0.0",
        "ServicelevelPerf2: 0.0",
        "Weight: 0",
        *id_line(action),
    ]
    for interface, member in queue.members.items():
        yield _member(name, interface, member, action)
    channels = {one.uniqueid: one.headers for one in pbx.exchange.channels}
    for position, caller in enumerate(queue.callers, 1):
        yield _entry(name, position, caller, channels.get(caller.uniqueid, {}), action)


def _member(queue: str, interface: str, member: Headers, action: Action) -> list[str]:
    return [
        "Event: QueueMember",
        f"Queue: {queue}",
        f"Name: {member['Name']}",
        f"Location: {interface}",
        *(f"{name}: {value}" for name, value in member.items() if name != "Name"),
        *id_line(action),
    ]


def _entry(
    queue: str, position: int, caller: Caller, headers: Headers, action: Action
) -> list[str]:
    return [
        "Event: QueueEntry",
        f"Queue: {queue}",
        f"Position: {position}",
        f"Channel: {caller.channel}",
        f"Uniqueid: {caller.uniqueid}",
        f"CallerIDNum: {headers.get('CallerIDNum', '')}",
        f"CallerIDName: {headers.get('CallerIDName', '')}",
        f"ConnectedLineNum: {headers.get('ConnectedLineNum', '')}",
        f"ConnectedLineName: {headers.get('ConnectedLineName', '')}",
        f"Wait: {int(time.time() - caller.since)}",
        "Priority: 0",
        *id_line(action),
    ]


def queue_pause(pbx: Pbx, action: Action) -> bytes | None:
    """Pause a member, or let it go on, and tell so; None: no queue has it, as recorded."""
    paused = action.get("Paused").lower() in ("1", "true", "yes", "on", "y", "t")
    present, interface = pbx.exchange.present, action.get("Interface")
    found = False
    for name, queue in present.queues().items():
        member = queue.members.get(interface)
        if member is None or action.get("Queue") not in ("", name):
            continue
        found = True
        told = {**member, "Paused": str(int(paused)), "PausedReason": action.get("Reason")}
        told["LastPause"] = str(int(time.time())) if paused else "0"
        shown = {key: value for key, value in told.items() if key != "Name"}
        lines = [
            "Event: QueueMemberPause",
            "Privilege: agent,all",
            f"Queue: {name}",
            f"MemberName: {member['Name']}",
            f"Interface: {interface}",
            *(f"{key}: {value}" for key, value in shown.items()),
            "Ringinuse: 0",
        ]
        pbx.publish(write(present.follow(lines)))
    if not found:
        return None
    done = "paused" if paused else "unpaused"
    return response(action, "Success", f"Message: Interface {done} successfully")


def queue_summary(pbx: Pbx, action: Action) -> bytes:
    """Return the totals of the queue."""
    queue = pbx.exchange.present.queues()[QUEUE]
    members = len(queue.members)
    item = [
        "Event: QueueSummary",
        f"Queue: {QUEUE}",
        f"LoggedIn: {members}",
        f"Available: {members}",
        f"Callers: {len(queue.callers)}",
        "HoldTime: 0",
        "TalkTime: 0",
        "LongestHoldTime: 0",
        *id_line(action),
    ]
    return listing(action, "Queue summary will follow", [item], "QueueSummaryComplete")
