# SPDX-License-Identifier: GPL-2.0-or-later
"""QueueTable: queues, their members and those who wait in them.

Begun by QueueStatus.  Asterisk 13 to 22 tell what changes; Asterisk 11 calls some of it by
other names, and tells a part only where queues.conf says so (eventmemberstatus,
eventwhencalled).  InCall is not used: Asterisk sets it late or not at all.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.gone import Gone
from amiproxy.state.queues import queuestatus
from amiproxy.state.queues.endings import Endings
from amiproxy.state.queues.headers import first_in, interface_in, interface_of, queue_in
from amiproxy.state.queues.member import EVENT, PAUSE, STATUS, WRAP_UP
from amiproxy.state.queues.rows import caller_row, caller_rows, member_row, member_rows, queue_rows
from amiproxy.state.queues.store import QueueStore
from amiproxy.state.table import Query, Table
from amiproxy.state.values import UNIQUEID, key_of, names_of, number, text, value_in

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

    from amiproxy.message import Message
    from amiproxy.state.queues.endings import Ending
    from amiproxy.state.queues.member import Attempt, Member
    from amiproxy.state.queues.queue import DeviceOf, Queue
    from amiproxy.state.table import Handler, Row, Standing

QUEUE_STATUS = Query("QueueStatus")

#: Seconds that no call lasts.
_LONGEST_TALK = 10_000_000

_QUEUESTATUS = b"\r\nVariable: QUEUESTATUS\r\n"


class QueueTable(Table):
    """The queues of one server, with members and callers."""

    kinds = ("queues", "members", "callers")
    queries = (QUEUE_STATUS,)

    def __init__(self, standing: Standing, device_of: DeviceOf | None = None) -> None:
        """Make an empty table; *device_of* finds the device of a state interface."""
        self._standing = standing
        self._device_of = device_of
        self.store = QueueStore(standing)
        self._numbers = standing.kept.numbers
        self.endings = Endings(self._ended)
        self._removed = Gone()  # members
        # Rows that time alone will change, by kind, and when it was looked at them last.
        self._timed: dict[str, set[str]] = {"queues": set(), "members": set()}
        self._looked_at = 0.0
        self.marks = {"varset": _QUEUESTATUS}
        self.events = self._handlers()

    def _handlers(self) -> dict[str, Handler]:
        return {
            "queuecallerjoin": self._join, "join": self._join,
            "queuecallerleave": self._leave, "leave": self._leave,
            "queuecallerabandon": self._abandon,
            "queuememberadded": self._add_member,
            "queuememberremoved": self._remove_member,
            "queuememberstatus": self._member_status,
            "queuememberpause": self._member_pause, "queuememberpaused": self._member_pause,
            "queuememberpenalty": self._member_event,
            "queuememberringinuse": self._member_event,
            "agentcalled": self._called,
            "agentconnect": self._connected,
            "agentcomplete": self._completed,
            "agentringnoanswer": self._attempt_over,
            "agentdump": self._attempt_over,
            "hangup": self._hangup,
            "varset": self._varset,
            "bridge": self._bridged,
        }  # fmt: skip

    def __len__(self) -> int:
        return len(self.store)

    def clear(self) -> None:
        """Forget all."""
        self.store.clear()
        self.endings.clear()
        self._removed.clear()
        self._numbers.interrupt()

    def tick(self, now: float) -> None:
        """Give the verdicts that are due, and note what time it is."""
        self.endings.settle(now)
        if self._numbers.look(now, live=self._standing.live):
            self._standing.touch_all("queues")

    def take_list(self, _query: Query, items: Sequence[Message], now: float) -> int:
        """Take the answer to QueueStatus: all queues, members and callers there are."""
        self._standing.touch_all(*self.kinds)
        return queuestatus.take(self.store, items, now, self._standing.offset)

    def settle(self, now: float) -> None:
        """See once a second which rows time has changed: wrap-ups end."""
        self.tick(now)
        if abs(now - self._looked_at) < 1.0:
            return
        self._looked_at = now
        for kind, keys in self._timed.items():
            while keys:
                self._standing.touch(kind, keys.pop())

    def _timing(self, kind: str, rows: Iterable[Row]) -> Iterator[Row]:
        """Yield *rows* of *kind*, and note those that time alone will change."""
        for row in rows:
            fields = row.fields
            if fields.get("state") == WRAP_UP or fields.get("members_wrap_up"):
                self._timed[kind].add(row.key)
            yield row

    def rows(self, kind: str, now: float) -> Iterator[Row]:
        """Yield the rows of *kind*."""
        self.tick(now)
        queues = self.store.queues.values()
        if kind == "queues":
            return self._timing(kind, queue_rows(queues, now, self._numbers))
        if kind == "callers":
            return caller_rows(queues)
        return self._timing(kind, member_rows(queues, now, self._device_of))

    def rows_of(self, kind: str, keys: Collection[str], now: float) -> Iterator[Row]:
        """Yield those of the rows of *kind* that have one of *keys*."""
        self.tick(now)
        queues = self.store.queues
        if kind == "queues":
            wanted = [queues[name] for name in keys if name in queues]
            return self._timing(kind, queue_rows(wanted, now, self._numbers))
        if kind == "members":
            return self._timing(kind, self._members_of(keys, now))
        names = dict.fromkeys(names_of(key)[0] for key in keys)
        return (
            caller_row(caller, position)
            for name in names
            if name in queues
            for position, caller in enumerate(queues[name].callers, 1)
            if key_of(name, caller.uniqueid) in keys
        )

    def _members_of(self, keys: Collection[str], now: float) -> Iterator[Row]:
        for key in keys:
            name, interface = names_of(key)
            queue = self.store.queues.get(name)
            member = queue.members.get(interface) if queue is not None else None
            if member is not None:
                yield member_row(member, now, self._device_of)

    # -- callers -----------------------------------------------------------------------------

    def _join(self, message: Message, now: float) -> None:
        values = message.values
        uniqueid, name = text(values.get("uniqueid")), text(values.get("queue"))
        if uniqueid is None or name is None or self._standing.gone.has(uniqueid, now):
            return
        queue = self._queue(name)
        self._numbers.joined(name, now)
        caller = self.store.waiting.get(uniqueid)
        if caller is not None and caller.queue is not queue:
            self.store.drop_caller(caller, now)  # the Leave is missing
            caller = None
        position = number(values.get("position"))
        if caller is None:
            caller = self.store.add_caller(queue, uniqueid)
            caller.since = now
        else:  # a list came first
            self.store.touch_callers(queue)
            queue.callers.remove(caller)
        if caller.original_position is None:
            caller.original_position = position
        caller.describe(values)
        self.store.touch_callers(queue, queue.place(caller, position))
        self._check_count(queue, values)

    def _leave(self, message: Message, now: float) -> None:
        values = message.values
        caller = self.store.leaving(text(values.get("uniqueid")) or "")
        queue = self.store.queues.get(text(values.get("queue")) or "")
        if queue is None:
            self._doubt("queues")
            return
        if caller is not None and caller.queue is queue:
            self.store.drop_caller(caller, now)
            self.endings.left(caller, now)
        self._check_count(queue, values)

    def _abandon(self, message: Message, _now: float) -> None:
        values = message.values
        caller = self.store.leaving(text(values.get("uniqueid")) or "")
        if caller is not None:
            caller.has_abandoned = True
            if caller.original_position is None:
                caller.original_position = number(values.get("originalposition"))
                self._standing.touch("callers", key_of(caller.queue.name, caller.uniqueid))

    def _check_count(self, queue: Queue, values: Mapping[str, str]) -> None:
        count = number(values.get("count"))
        if count is not None and count != len(queue.callers):
            self._doubt("callers")

    def _queue(self, name: str) -> Queue:
        """Return the queue *name*; of one that is new, as realtime queues are, the list tells."""
        if name not in self.store.queues:
            self._doubt("queues")
        return self.store.queue(name)

    def _doubt(self, kind: str) -> None:
        if self._standing.live:
            self._standing.doubts.add(kind)

    # -- members -----------------------------------------------------------------------------

    def _member(self, name: str | None, interface: str | None, now: float) -> Member | None:
        """Return the member that an event names; None if there is none and none is made."""
        if name is None or interface is None:
            return None
        queue = self.store.queues.get(name)
        member = queue.members.get(interface) if queue is not None else None
        if member is not None:
            return member
        if self._removed.has(key_of(name, interface), now):
            return None
        if self._standing.live:
            self._doubt("members")
            return None
        return self.store.add_member(self.store.queue(name), interface)

    def _add_member(self, message: Message, now: float) -> None:
        values = message.values
        name, interface = text(values.get("queue")), text(interface_of(values))
        if name is not None and interface is not None:
            self._removed.discard(key_of(name, interface))
            member = self.store.add_member(self._queue(name), interface)
            member.update(values, now, self._standing.offset, STATUS)
            self.store.touch(member)

    def _remove_member(self, message: Message, now: float) -> None:
        values = message.values
        name, interface = text(values.get("queue")), text(interface_of(values))
        if name is not None and interface is not None:
            self._removed.add(key_of(name, interface), now)
            queue = self.store.queues.get(name)
            if queue is not None:
                self.store.drop_member(queue, interface, now)

    def _member_status(self, message: Message, now: float) -> None:
        self._update(message, now, STATUS)

    def _member_pause(self, message: Message, now: float) -> None:
        self._update(message, now, PAUSE)

    def _member_event(self, message: Message, now: float) -> None:
        self._update(message, now, EVENT)

    def _update(self, message: Message, now: float, by: str) -> None:
        values = message.values
        member = self._member(text(values.get("queue")), text(interface_of(values)), now)
        if member is not None:
            member.update(values, now, self._standing.offset, by)
            self.store.touch(member)

    # -- calls of members: these events are long, so their headers are looked up one by one ------

    def _called(self, message: Message, now: float) -> None:
        self._attempt(message.raw, now)

    def _connected(self, message: Message, now: float) -> None:
        raw = message.raw
        self.endings.answered(value_in(raw, UNIQUEID))
        attempt = self._attempt(raw, now)
        if attempt is None:
            return
        if not attempt.connected:
            attempt.connected, attempt.since = True, now
        if attempt.channel is None:  # Asterisk 11 has the member's channel here
            attempt.channel = text(value_in(raw, b"\r\nChannel: "))

    def _attempt(self, raw: bytes, now: float) -> Attempt | None:
        """Return the attempt that the event *raw* is about, as that tells it."""
        member = self._member(queue_in(raw), interface_in(raw), now)
        caller = text(value_in(raw, UNIQUEID))
        # Asterisk 11 has the member's unique id, of all headers, in BridgedChannel.
        dest = first_in(raw, b"\r\nDestUniqueid: ", b"\r\nBridgedChannel: ")
        gone = self._standing.gone
        if member is None or caller is None or gone.has(caller, now):
            return None
        if dest is not None and gone.has(dest, now):
            return None
        attempt = self.store.attempts.of(member, caller, now)
        self.store.attempts.set_dest(attempt, dest)
        attempt.channel = first_in(raw, b"\r\nDestChannel: ", b"\r\nDestinationChannel: ")
        who = self.store.waiting.get(caller) or self.endings.caller(caller)
        attempt.number = text(value_in(raw, b"\r\nCallerIDNum: ")) or attempt.number
        attempt.name = text(value_in(raw, b"\r\nCallerIDName: ")) or attempt.name
        if who is not None:
            attempt.number, attempt.name = who.number or attempt.number, who.name or attempt.name
        return attempt

    def _completed(self, message: Message, now: float) -> None:
        raw = message.raw
        queue, talked = queue_in(raw), number(value_in(raw, b"\r\nTalkTime: "))
        if queue is not None and talked is not None and 0 <= talked < _LONGEST_TALK:
            self._numbers.talked(queue, talked, now)
            self._standing.touch("queues", queue)
        self._attempt_over(message, now)

    def _ended(self, ending: Ending) -> None:
        queue = self.store.queues.get(ending.queue)
        self._numbers.ended(ending, None if queue is None else queue.level())
        self._standing.touch("queues", ending.queue)

    def _attempt_over(self, message: Message, now: float) -> None:
        raw = message.raw
        queue = self.store.queues.get(queue_in(raw) or "")
        member = queue.members.get(interface_in(raw) or "") if queue else None
        attempt = member.attempts.get(value_in(raw, UNIQUEID)) if member else None
        if attempt is not None:
            self.store.attempts.end(attempt, now)

    # -- channels ------------------------------------------------------------------------------

    def _hangup(self, message: Message, now: float) -> None:
        uniqueid = value_in(message.raw, UNIQUEID)
        caller = self.store.leaving(uniqueid)
        if caller is not None:  # the Leave is missing
            self.store.drop_caller(caller, now)
            self.endings.left(caller, now)
        self.store.attempts.hang_up(uniqueid, now)
        self.endings.hung_up(uniqueid)

    def _varset(self, message: Message, _now: float) -> None:
        if _QUEUESTATUS in message.raw:
            values = message.values
            self.endings.told(text(values.get("uniqueid")) or "", values.get("value", ""))

    def _bridged(self, message: Message, _now: float) -> None:
        """Take the Bridge of Asterisk 11, where AgentConnect may not be told."""
        values = message.values
        if values.get("bridgestate") == "Link":
            self.endings.answered(text(values.get("uniqueid1")) or "")
            self.endings.answered(text(values.get("uniqueid2")) or "")
