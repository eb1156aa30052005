# SPDX-License-Identifier: GPL-2.0-or-later
"""Which tables a server's model has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.agents import AgentTable
from amiproxy.state.calls.bridges import BridgeTable
from amiproxy.state.calls.calltable import CallTable
from amiproxy.state.calls.channels import ChannelTable
from amiproxy.state.calls.store import Store
from amiproxy.state.conferences import ConferenceTable
from amiproxy.state.mailboxes import MailboxTable
from amiproxy.state.parked import ParkedTable
from amiproxy.state.phones.contacts import ContactTable
from amiproxy.state.phones.devices import DeviceTable
from amiproxy.state.phones.registrations import RegistrationTable
from amiproxy.state.queues.table import QueueTable
from amiproxy.state.server import ServerTable

if TYPE_CHECKING:
    from amiproxy.state.table import Standing, Table

#: The kinds of rows, in the order in which a snapshot tells them.
KINDS = (
    "calls",
    "channels",
    "bridges",
    "queues",
    "members",
    "callers",
    "devices",
    "contacts",
    "registrations",
    "parked",
    "conferences",
    "agents",
    "mailboxes",
)


def made(standing: Standing) -> tuple[Table, ...]:
    """Return the tables of a new model, in the order in which they take each event."""
    store = Store(standing)
    contacts = ContactTable(standing)
    devices = DeviceTable(contacts)
    return (
        ChannelTable(store),
        BridgeTable(store),
        CallTable(store),
        QueueTable(standing, devices.device_of),
        devices,
        contacts,
        RegistrationTable(standing),
        ParkedTable(standing),
        ConferenceTable(standing),
        AgentTable(standing),
        MailboxTable(standing),
        ServerTable(standing),
    )
