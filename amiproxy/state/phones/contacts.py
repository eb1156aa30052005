# SPDX-License-Identifier: GPL-2.0-or-later
"""ContactTable: where phones are reached: contacts of PJSIP, peers of chan_sip and chan_iax2."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.gone import Gone
from amiproxy.state.table import Query, Row, Table
from amiproxy.state.values import instant, key_of, list_item, number, text

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from amiproxy.message import Message
    from amiproxy.state.table import Standing, Value

CONTACTS = Query("PJSIPShowContacts")  # from 16
OLD_CONTACTS = Query(
    "PJSIPShowRegistrationInboundContactStatuses", instead_of="PJSIPShowContacts"
)  # from 13
SIP_PEERS = Query("SIPpeers")
IAX_PEERS = Query("IAXpeers")

_TECHNOLOGIES = {SIP_PEERS: "SIP", IAX_PEERS: "IAX2"}

# Words of PeerStatus and ContactStatus that are no state of a contact but say what happened.
_NO_STATES = frozenset(("created", "updated", "registered", "unregistered", "rejected"))
_CREATING = frozenset(("created", "nonqualified", "unqualified"))

# First word of a peer's Status in a list -> the word of its PeerStatus.
_PEER_WORDS = {
    "OK": "Reachable",
    "LAGGED": "Lagged",
    "UNREACHABLE": "Unreachable",
    "Unmonitored": "Unmonitored",
}
_NO_ADDRESS = frozenset(("-none-", "(null)", "(Unspecified)", "0.0.0.0"))  # noqa: S104
_MICROSECONDS = 1e6


class Contact:
    """One contact or peer."""

    __slots__ = (
        "address", "aor", "device", "endpoint", "expires", "is_listed", "registered",
        "round_trip", "since", "status", "technology", "uri", "user_agent",
    )  # fmt: skip

    def __init__(self, technology: str) -> None:
        self.technology = technology
        #: As channels of it are named: PJSIP/101.
        self.device: str | None = None
        self.endpoint: str | None = None
        self.aor: str | None = None
        self.uri: str | None = None
        self.address: str | None = None
        self.status: str | None = None
        self.since: float | None = None
        #: Seconds.
        self.round_trip: float | None = None
        self.user_agent: str | None = None
        self.expires: float | None = None
        self.registered: bool | None = None
        #: Whether a list had it.  The list of contacts has none that stand in pjsip.conf.
        self.is_listed = False

    def set_status(self, status: str | None, since: float | None) -> None:
        """Note the *status*; if it is a new one, it is so *since*."""
        if status != self.status:
            self.status, self.since = status, since


class ContactTable(Table):
    """The contacts and peers of one server."""

    kinds = ("contacts",)
    queries = (CONTACTS, OLD_CONTACTS, SIP_PEERS, IAX_PEERS)

    def __init__(self, standing: Standing) -> None:
        self.standing = standing
        self._contacts: dict[str, Contact] = {}  # of PJSIP
        self._peers: dict[str, Contact] = {}
        # The keys of each device's contacts; None: to be made.
        self._by_device: dict[str, list[str]] | None = None
        self._removed = Gone()
        self.events = {"contactstatus": self._contact_status, "peerstatus": self._peer_status}

    def __len__(self) -> int:
        return len(self._contacts) + len(self._peers)

    def clear(self) -> None:
        """Forget all."""
        self._contacts.clear()
        self._peers.clear()
        self._removed.clear()
        self._by_device = None

    def rows(self, _kind: str, _now: float) -> Iterator[Row]:
        """Yield a row for each contact and peer."""
        for found in (self._contacts, self._peers):
            for key, contact in found.items():
                yield _row(key, contact)

    def rows_of(self, _kind: str, keys: Collection[str], _now: float) -> Iterator[Row]:
        """Yield those of the contacts and peers that have one of *keys*."""
        for key in keys:
            contact = self._contacts.get(key) or self._peers.get(key)
            if contact is not None:
                yield _row(key, contact)

    def of_devices(self) -> Mapping[str, Sequence[str]]:
        """Return the keys of each device's contacts."""
        found = self._by_device
        if found is not None:
            return found
        found = self._by_device = {}
        for contacts in (self._contacts, self._peers):
            for key, contact in contacts.items():
                if contact.device is not None:
                    found.setdefault(contact.device, []).append(key)
        return found

    def _touch(self, key: str, *devices: str | None) -> None:
        """Note that a contact may have changed; *devices*: it has come to them, or has gone."""
        self.standing.touch("contacts", key)
        for device in devices:
            self._by_device = None
            if device is not None:
                self.standing.touch("devices", device)

    def peer(self, device: str) -> Contact | None:
        """Return the peer that is this *device*, None if there is none."""
        return self._peers.get(device)

    def peers(self) -> Iterator[Contact]:
        """Yield the peers of chan_sip and chan_iax2."""
        yield from self._peers.values()

    # -- events --------------------------------------------------------------------------------

    def _contact_status(self, message: Message, now: float) -> None:
        values = message.values
        aor, uri = text(values.get("aor")), text(values.get("uri"))
        if aor is None or uri is None:
            return
        key = f"PJSIP/{key_of(aor, uri)}"
        status = text(values.get("contactstatus"))
        word = (status or "").lower()
        if word == "removed":
            gone = self._contacts.pop(key, None)
            if gone is not None:
                self._touch(key, gone.device)
            self._removed.add(key, now)
            return
        contact = self._contacts.get(key)
        if contact is None:
            if word in _CREATING:
                self._removed.discard(key)
            elif self._removed.has(key, now):
                if self.standing.live:
                    self.standing.doubts.add("contacts")
                return
            contact = self._contacts[key] = Contact("PJSIP")
        if word not in _NO_STATES:
            contact.set_status(status, now)
        before = contact.device
        _describe(contact, values, aor, uri, self.standing.offset)
        self._touch(key, *(() if contact.device == before else (before, contact.device)))

    def _peer_status(self, message: Message, now: float) -> None:
        values = message.values
        device, status = text(values.get("peer")), text(values.get("peerstatus"))
        if device is None or status is None or device.startswith("PJSIP/"):
            return  # of PJSIP: its contacts tell more
        self._touch(device)
        self.standing.touch("devices", device)
        peer = self._peer(device)
        word = status.lower()
        if word not in _NO_STATES:
            peer.set_status(status, now)
        elif word == "registered":
            peer.registered = True
        elif word == "unregistered":
            peer.registered = False
            peer.address = None
            peer.set_status(None, now)
        peer.address = text(values.get("address")) or peer.address
        milliseconds = number(values.get("time"))
        if milliseconds is not None and milliseconds >= 0:
            peer.round_trip = milliseconds / 1000

    def _peer(self, device: str) -> Contact:
        peer = self._peers.get(device)
        if peer is None:
            technology, _, name = device.partition("/")
            peer = self._peers[device] = Contact(technology)
            peer.device, peer.endpoint = device, name
            self._by_device = None
        return peer

    # -- lists -----------------------------------------------------------------------------------

    def take_list(self, query: Query, items: Sequence[Message], _now: float) -> int:
        """Take contacts, or the peers of one technology."""
        self._by_device = None
        self.standing.touch_all("contacts", "devices")
        technology = _TECHNOLOGIES.get(query)
        if technology is not None:
            return self._take_peers(technology, items)
        differing = 0
        there = set()
        for item in items:
            values = item.values
            aor = text(values.get("aor")) or _aor_in(values.get("objectname", ""))
            uri = text(values.get("uri"))
            if aor is None or uri is None:
                continue
            key = f"PJSIP/{key_of(aor, uri)}"
            there.add(key)
            contact = self._contacts.get(key)
            status = text(values.get("status"))
            differing += contact is None or contact.status not in (status, None)
            if contact is None:
                contact = self._contacts[key] = Contact("PJSIP")
            contact.is_listed = True
            contact.set_status(status, None)
            _describe(contact, values, aor, uri, self.standing.offset)
        gone = [key for key, each in self._contacts.items() if each.is_listed and key not in there]
        return differing + _drop(self._contacts, gone)

    def _take_peers(self, technology: str, items: Sequence[Message]) -> int:
        differing = 0
        there = set()
        for item in items:
            values = item.values
            # With the user's name behind it where chan_iax2 has one.
            name = text(values.get("objectname"))
            if name is None:
                continue
            device = f"{technology}/{name.partition('/')[0]}"
            there.add(device)
            known = self._peers.get(device)
            before = known.status if known is not None else None
            peer = self._peer(device)
            word, _, rest = values.get("status", "").partition(" ")
            peer.set_status(_PEER_WORDS.get(word), None)
            differing += known is None or before not in (peer.status, None)
            milliseconds = number(rest.partition(" ")[0].lstrip("("))
            peer.round_trip = milliseconds / 1000 if milliseconds is not None else None
            address = text(values.get("ipaddress"))
            peer.address = None if address in _NO_ADDRESS else address
            peer.registered = peer.address is not None if "dynamic" in values else None
        prefix = f"{technology}/"
        gone = [key for key in self._peers if key.startswith(prefix) and key not in there]
        return differing + _drop(self._peers, gone)


def _drop(contacts: dict[str, Contact], keys: Sequence[str]) -> int:
    for key in keys:
        del contacts[key]
    return len(keys)


def _aor_in(name: str) -> str | None:
    """Return the AOR in the *name* of a contact: ``101;@hash``, or ``101@@hash`` if static."""
    aor, mark, _ = name.partition(";@")
    if not mark:
        aor = name.partition("@@")[0]
    return text(aor)


def _describe(
    contact: Contact, values: Mapping[str, str], aor: str, uri: str, offset: float
) -> None:
    """Note what an event and a list say alike."""
    contact.aor, contact.uri = aor, uri
    contact.endpoint = (
        text(values.get("endpointname") or values.get("endpoint")) or contact.endpoint
    )
    if contact.endpoint is not None:
        contact.device = f"PJSIP/{contact.endpoint}"
    microseconds = number(values.get("roundtripusec"))
    if microseconds is not None:  # 0: not measured
        contact.round_trip = microseconds / _MICROSECONDS if microseconds > 0 else None
    contact.user_agent = text(values.get("useragent")) or contact.user_agent
    expires = instant(values.get("expirationtime") or values.get("regexpire"), offset)
    contact.expires = expires if expires is not None else contact.expires


def _row(key: str, contact: Contact) -> Row:
    fields: dict[str, Value] = {
        "technology": contact.technology,
        "device": contact.device,
        "endpoint": contact.endpoint,
        "aor": contact.aor,
        "uri": contact.uri,
        "address": contact.address,
        "status": contact.status,
        "since": contact.since,
        "round_trip": contact.round_trip,
        "registered": contact.registered,
        "user_agent": contact.user_agent,
        "expires": contact.expires,
    }
    if contact.aor is not None:
        said = list_item("ContactList", "system", [
            ("AOR", contact.aor),
            ("Endpoint", contact.endpoint),
            ("Uri", contact.uri),
            ("Status", contact.status),
        ])  # fmt: skip
    else:
        said = list_item("PeerEntry", "system", [
            ("Channeltype", contact.technology),
            ("ObjectName", contact.endpoint),
            ("Peer", contact.device),
            ("IPaddress", contact.address),
            ("Status", contact.status),
        ])  # fmt: skip
    return Row(key, fields, said)
