# SPDX-License-Identifier: GPL-2.0-or-later
"""Tables: those of queues, phones, parking lots and conferences, told and checked together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.message import Message
from amiproxy.state.agents import AGENTS, AgentTable
from amiproxy.state.calls.channels import ChannelTable
from amiproxy.state.calls.store import Store
from amiproxy.state.conferences import ROOMS, ConferenceTable
from amiproxy.state.mailboxes import USERS, MailboxTable
from amiproxy.state.parked import PARKED_CALLS, ParkedTable
from amiproxy.state.phones.contacts import CONTACTS, IAX_PEERS, SIP_PEERS, ContactTable
from amiproxy.state.phones.devices import DEVICES, EXTENSIONS, PRESENCES, DeviceTable
from amiproxy.state.phones.registrations import RegistrationTable
from amiproxy.state.queues.table import QUEUE_STATUS, QueueTable
from amiproxy.state.table import Query, Standing
from tests.state.replays import by_name, told

if TYPE_CHECKING:
    from amiproxy.state.table import Row, Table
    from tests.state.replays import Told


class Tables:
    """The tables of one server that are tested here."""

    def __init__(self, *, is_11: bool = False) -> None:
        self.is_11 = is_11
        self.standing = Standing()
        # Knows which channels are gone, for all; what else it has is tested elsewhere.
        self._channels = ChannelTable(Store(self.standing))
        self.contacts = ContactTable(self.standing)
        self.devices = DeviceTable(self.contacts)
        self.queues = QueueTable(self.standing, self.devices.device_of)
        self.parked = ParkedTable(self.standing)
        self.conferences = ConferenceTable(self.standing)
        self.all: tuple[Table, ...] = (
            self.queues, self.devices, self.contacts, RegistrationTable(self.standing),
            self.parked, self.conferences, AgentTable(self.standing), MailboxTable(self.standing),
        )  # fmt: skip

    def tell(self, each: Told, now: float) -> int:
        """Tell an event or a list of a recording; return how many rows differed from the list."""
        if each.event is not None:
            for table in (self._channels, *self.all):
                by_name(table, each.event, now)
        query = each.query
        if query is None:
            return 0
        return sum(table.take_list(query, each.items, now) for table in self.all
                   if table.takes(query))  # fmt: skip

    def rows(self, kind: str, now: float) -> dict[str, Row]:
        """Return the rows of *kind* by their keys, which differ."""
        found = [row for table in self.all if kind in table.kinds for row in table.rows(kind, now)]
        by_key = {row.key: row for row in found}
        assert len(by_key) == len(found)
        return by_key

    def check(self, now: float) -> None:
        """Fail if rows contradict each other."""
        queues, members = self.rows("queues", now), self.rows("members", now)
        places: dict[object, list[object]] = {}
        uniqueids = []
        for row in self.rows("callers", now).values():
            places.setdefault(row.fields["queue"], []).append(row.fields["position"])
            uniqueids.append(row.fields["uniqueid"])
        assert len(set(uniqueids)) == len(uniqueids)
        assert {row.fields["queue"] for row in members.values()} <= set(queues)
        assert set(places) <= set(queues)
        for name, row in queues.items():
            assert places.get(name, []) == list(range(1, len(places.get(name, [])) + 1))
            assert row.fields["waiting"] == len(places.get(name, []))
            states = [value for field, value in row.fields.items() if field.startswith("members_")]
            theirs = sum(each.fields["queue"] == name for each in members.values())
            assert row.fields["members"] == sum(map(number, states)) == theirs
        for kind in (
            "devices", "contacts", "registrations", "parked", "conferences", "agents", "mailboxes",
        ):  # fmt: skip
            for row in self.rows(kind, now).values():
                assert row.said.get("Privilege")
        in_queues = len(queues) + len(members) + len(uniqueids) + len(self.queues.store.attempts)
        assert len(self.queues) == in_queues
        assert len(self.parked) == len(self.rows("parked", now))
        assert len(self.contacts) == len(self.rows("contacts", now))

    def facts(self, now: float) -> dict[str, object]:
        """Return what a list and events must agree on."""
        fields = {
            "callers": ("position", "caller_number"),
            "members": ("paused", "pause_reason", "penalty", "device_status", "name"),
            "devices": ("state", "extensions", "presence"),
            "contacts": ("status",),
            "parked": ("uniqueid", "channel", "parker"),
            "conferences": ("members", "muted_channels"),
            "agents": ("state", "channel"),
            "mailboxes": ("new",),
        }
        return {
            f"{kind} {key} {name}": row.fields[name]
            for kind, names in fields.items()
            for key, row in self.rows(kind, now).items()
            for name in names
        }

    def lists(self, now: float) -> dict[Query, list[Message]]:
        """Return the lists that an Asterisk which is like this would answer."""
        said = {
            kind: [row.said for row in self.rows(kind, now).values()]
            for kind in (
                "queues",
                "callers",
                "devices",
                "contacts",
                "parked",
                "conferences",
                "agents",
                "mailboxes",
            )
        }
        found = {
            QUEUE_STATUS: [*said["queues"], *self._listed_members(now), *said["callers"]],
            EXTENSIONS: self._listed_extensions(),
            PRESENCES: self._listed_presences(),
            CONTACTS: [each for each in said["contacts"] if each.get("Event") == "ContactList"],
            PARKED_CALLS: said["parked"],
            ROOMS: said["conferences"],
            AGENTS: said["agents"],
            USERS: [_as_user(each) for each in said["mailboxes"]],
        }
        if not self.is_11:
            found[DEVICES] = [each for each in said["devices"] if each.has("State")]
        words = {"Reachable": "OK (1 ms)", "Unreachable": "UNREACHABLE"}
        for query, technology in ((IAX_PEERS, "IAX2"), (SIP_PEERS, "SIP")):
            found[query] = [
                each.replacing("Status", words.get(each.get("Status"), ""))
                for each in said["contacts"] if each.get("Channeltype") == technology
            ]  # fmt: skip
        return {**found, **self._listed_rooms(now)}

    def _listed_members(self, now: float) -> list[Message]:
        return [
            row.said.with_header("PausedReason", str(row.fields["pause_reason"] or ""))
            for row in self.rows("members", now).values()
        ]

    def _listed_extensions(self) -> list[Message]:
        return [
            Message.of(
                "Event: ExtensionStatus", "Exten: " + key.partition("@")[0],
                "Context: " + key.partition("@")[2], f"Hint: {hint.text}",
                f"Status: {hint.status}",
            )
            for key, hint in self.devices.hints.of.items()
        ]  # fmt: skip

    def _listed_presences(self) -> list[Message]:
        names = ("Status", "Subtype", "Message")
        return [
            Message.of(
                "Event: PresenceStateChange", f"Presentity: {name}",
                *(f"{header}: {value}" for header, value in zip(names, presence) if value),
            )
            for name, presence in self.devices.hints.presences.items()
        ]  # fmt: skip

    def _listed_rooms(self, now: float) -> dict[Query, list[Message]]:
        found = {}
        for name, row in self.rows("conferences", now).items():
            muted = row.fields["muted_channels"]
            assert isinstance(muted, tuple)
            channels = zip(row.said.all("Channel"), row.said.all("Uniqueid"))
            found[Query("ConfbridgeList", (f"Conference: {name.partition('/')[2]}",))] = [
                Message.of("Event: ConfbridgeList", f"Channel: {channel}", f"Uniqueid: {uniqueid}",
                           "Muted: " + ("Yes" if channel in muted else "No"))
                for channel, uniqueid in channels
            ]  # fmt: skip
        return found


def _as_user(waiting: Message) -> Message:
    """Return the list item of the mailbox that the event *waiting* is about."""
    box, _, context = waiting.get("Mailbox").partition("@")
    headers = (
        f"VMContext: {context}",
        f"VoicemailBox: {box}",
        f"NewMessageCount: {waiting.get('New')}",
    )
    return Message.of("Event: VoicemailUserEntry", *headers)


def number(value: object) -> int:
    """Return *value*, which is a whole number."""
    assert isinstance(value, int)
    return value


def with_a_row_of_each() -> Tables:
    """Return tables with a row of each kind, in the middle of queue calls."""
    found = Tables()
    for name in ("pjsip_register", "k4_boot", "pjsip_queue"):
        for each in told(name):
            found.tell(each, 1000.0)
            if each.event is not None and each.event.get("Event") == "AgentRingNoAnswer":
                break
    for event in (
        ("QueueCallerJoin", "Queue: support", "Uniqueid: 9.1", "Position: 1", "Count: 1"),
        ("ConfbridgeJoin", "Conference: 800", "Uniqueid: 9.2", "Channel: PJSIP/101-1"),
        ("ParkedCall", "ParkingSpace: 701", "ParkeeUniqueid: 9.3"),
        ("AgentLogin", "Agent: 1001", "Uniqueid: 9.4", "Channel: PJSIP/101-2"),
        ("MessageWaiting", "Mailbox: 101@default", "New: 1", "Old: 0"),
    ):
        for table in found.all:
            by_name(table, Message.of(f"Event: {event[0]}", *event[1:]), 1000.0)
    return found
