# SPDX-License-Identifier: GPL-2.0-or-later
"""RegistrationTable: where this Asterisk is registered itself, as at its providers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.table import Query, Row, Table
from amiproxy.state.values import instant, key_of, list_item, text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Sequence

    from amiproxy.message import Message
    from amiproxy.state.table import Standing, Value

PJSIP = Query("PJSIPShowRegistrationsOutbound")
SIP = Query("SIPshowregistry")
IAX = Query("IAXregistry")

_TECHNOLOGIES = {PJSIP: "PJSIP", SIP: "SIP", IAX: "IAX2"}


class Registration:
    """One registration at another server."""

    __slots__ = ("cause", "domain", "name", "registered_at", "since", "status", "technology",
                 "username")  # fmt: skip

    def __init__(self, technology: str, username: str, domain: str) -> None:
        self.technology = technology
        self.username = username
        self.domain = domain
        #: Of its section in pjsip.conf.
        self.name: str | None = None
        self.status: str | None = None
        self.since: float | None = None
        self.cause: str | None = None
        self.registered_at: float | None = None

    @property
    def key(self) -> str:
        """Its key among all registrations."""
        return f"{self.technology}/{key_of(self.username, self.domain)}"


class RegistrationTable(Table):
    """The registrations of one server.  No event says that one is gone: the lists do."""

    kinds = ("registrations",)
    queries = (PJSIP, SIP, IAX)

    def __init__(self, standing: Standing) -> None:
        self._standing = standing
        self._found: dict[str, Registration] = {}
        self.events = {"registry": self._registry}

    def __len__(self) -> int:
        return len(self._found)

    def clear(self) -> None:
        """Forget all."""
        self._found.clear()

    def _kept(self, technology: str, username: str, domain: str) -> Registration:
        new = Registration(technology, username, domain)
        return self._found.setdefault(new.key, new)

    def _registry(self, message: Message, now: float) -> None:
        values = message.values
        technology = text(values.get("channeltype"))
        username, domain = text(values.get("username")), text(values.get("domain"))
        if technology is None or username is None:
            return
        found = self._kept(technology.replace("/", "%2F"), username, domain or "")
        status = text(values.get("status"))
        if status != found.status:
            found.status, found.since = status, now
        found.cause = text(values.get("cause"))
        self._standing.touch("registrations", found.key)

    def take_list(self, query: Query, items: Sequence[Message], _now: float) -> int:
        """Take the registrations of one technology."""
        self._standing.touch_all("registrations")
        technology = _TECHNOLOGIES[query]
        differing = 0
        there = set()
        for item in items:
            values = item.values
            username = text(values.get("clienturi") or values.get("username"))
            # Domain is that of the user here, and Host what events call Domain.
            domain = text(values.get("serveruri") or values.get("host"))
            if username is None:
                continue
            key = Registration(technology, username, domain or "").key
            there.add(key)
            is_new = key not in self._found
            found = self._kept(technology, username, domain or "")
            status = text(values.get("status") or values.get("state"))
            differing += is_new or found.status != status
            registered_at = instant(values.get("registrationtime"), self._standing.offset)
            if status != found.status:
                found.status = status
                found.since = registered_at if status == "Registered" else None
            found.registered_at = registered_at
            found.name = text(values.get("objectname")) or found.name
        prefix = f"{technology}/"
        gone = [key for key in self._found if key.startswith(prefix) and key not in there]
        for key in gone:
            del self._found[key]
        return differing + len(gone)

    def rows(self, _kind: str, _now: float) -> Iterator[Row]:
        """Yield a row for each registration."""
        return (_row(key, found) for key, found in self._found.items())

    def rows_of(self, _kind: str, keys: Collection[str], _now: float) -> Iterator[Row]:
        """Yield those of the registrations that have one of *keys*."""
        return (_row(key, self._found[key]) for key in keys if key in self._found)


def _row(key: str, found: Registration) -> Row:
    fields: dict[str, Value] = {
        "technology": found.technology,
        "name": found.name,
        "username": found.username,
        "domain": found.domain or None,
        "status": found.status,
        "since": found.since,
        "registered_at": found.registered_at,
        "cause": found.cause,
    }
    headers = [
        ("ChannelType", found.technology),
        ("ObjectName", found.name),
        ("Username", found.username),
        ("Domain", found.domain),
        ("Status", found.status),
    ]
    return Row(key, fields, list_item("RegistryEntry", "system", headers))
