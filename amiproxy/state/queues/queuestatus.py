# SPDX-License-Identifier: GPL-2.0-or-later
"""The list QueueStatus: it sets queues, members and callers, and what it lacks goes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.queues.member import LIST
from amiproxy.state.queues.queue import PARAMS
from amiproxy.state.values import number, text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amiproxy.message import Message
    from amiproxy.state.queues.queue import Queue
    from amiproxy.state.queues.store import QueueStore

_NUMBER_LENGTH = 16


class _Listed:
    """What a list says of one queue."""

    def __init__(self) -> None:
        self.params: Mapping[str, str] | None = None
        self.members: dict[str, Mapping[str, str]] = {}
        self.entries: dict[str, Mapping[str, str]] = {}


def _sorted_out(items: Sequence[Message]) -> dict[str, _Listed]:
    """Return what *items* say, by queue."""
    found: dict[str, _Listed] = {}
    for item in items:
        values = item.values
        name = text(values.get("queue"))
        if name is None:
            continue
        listed = found.setdefault(name, _Listed())
        event = values.get("event", "").lower()
        if event == "queueparams":
            listed.params = values
        elif event == "queuemember":
            interface = text(values.get("location") or values.get("interface"))
            if interface is not None:
                listed.members[interface] = values
        elif event == "queueentry":
            uniqueid = text(values.get("uniqueid"))
            if uniqueid is not None:
                listed.entries[uniqueid] = values
    return found


def take(store: QueueStore, items: Sequence[Message], now: float, offset: float) -> int:
    """Set *store* to what *items* say; return how many rows differed from what events said."""
    found = _sorted_out(items)
    differing = 0
    for name in [name for name in store.queues if name not in found]:
        store.drop_queue(name, now)
        differing += 1
    for name, listed in found.items():
        differing += name not in store.queues
        queue = store.queue(name)
        if listed.params is not None:
            queue.params = {
                key: listed.params[key][:_NUMBER_LENGTH] for key in PARAMS if key in listed.params
            }
            queue.params_at = now
        differing += _take_members(store, queue, listed.members, now, offset)
        differing += _take_callers(store, queue, listed.entries, now)
    return differing


def _take_members(
    store: QueueStore,
    queue: Queue,
    listed: Mapping[str, Mapping[str, str]],
    now: float,
    offset: float,
) -> int:
    differing = 0
    for interface in [each for each in queue.members if each not in listed]:
        store.drop_member(queue, interface, now)
        differing += 1
    for interface, values in listed.items():
        member = queue.members.get(interface)
        differing += member is None or member.differs(values)
        member = store.add_member(queue, interface)
        member.update(values, now, offset, LIST)
    return differing


def _position(values: Mapping[str, str]) -> int:
    position = number(values.get("position"))
    return position if position is not None else 0


def _take_callers(
    store: QueueStore, queue: Queue, listed: Mapping[str, Mapping[str, str]], now: float
) -> int:
    before = [caller.uniqueid for caller in queue.callers]
    after = sorted(listed, key=lambda uniqueid: _position(listed[uniqueid]))
    for caller in [each for each in queue.callers if each.uniqueid not in listed]:
        store.drop_caller(caller, now)
        store.ahead[caller.uniqueid] = caller
    callers = []
    for uniqueid in after:
        values = listed[uniqueid]
        found = store.waiting.get(uniqueid)
        if found is not None and found.queue is not queue:
            store.drop_caller(found, now)
            found = None
        if found is None:
            found = store.add_caller(queue, uniqueid)
            waited = number(values.get("wait"))
            found.since = now - waited if waited is not None and waited >= 0 else None
        if "priority" in values:  # from 13
            found.priority = values["priority"][:_NUMBER_LENGTH]
        found.describe(values)
        callers.append(found)
    queue.callers[:] = callers
    there = set(listed)
    gone = sum(uniqueid not in there for uniqueid in before)
    places = dict(zip(before, range(len(before))))
    moved = sum(places.get(uniqueid) != place for place, uniqueid in enumerate(after))
    return gone + moved
