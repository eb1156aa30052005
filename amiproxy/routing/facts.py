# SPDX-License-Identifier: GPL-2.0-or-later
"""Facts: what filters need to know about one message of an Asterisk.

A message is examined once, by the thread of the server it came from, however many
clients filter it; asking for one client is then a few set and text operations.
The names of headers are in headers.py.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any, Final

from amiproxy.routing import headers
from amiproxy.routing.devices import channel_of, devices_in

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.message import Message

#: BridgeType of the bridges that join the parties of a call.  Conferences, parking
#: lots and holding agents have other types, and join nobody into one call.
CALL_BRIDGE = "basic"

#: Events that make no call known to the client that sees them.  A UserEvent holds
#: whatever headers its sender chose, even another's unique id.  A Cdr is about the
#: past, and in a conference it joins channels that are not one call.
PROVES_NOTHING = frozenset(("cdr", "userevent"))

#: Events that Asterisk may send when the channel that they are about has hung up.
LATE = frozenset(("cdr", "cel"))

# What Asterisk writes for an id that it does not know.
_NO_ID = frozenset(("", "<none>", "<unknown>", "<null>", "(null)", "none", "unknown"))

#: Characters of an id that are remembered, twice what Asterisk's have at the most
#: (AST_MAX_PUBLIC_UNIQUEID), and ids of one message that count: one for each of headers.py.
LONGEST_ID = 300
MOST_IDS = 64
_USUAL = 1024  # bytes of messages that need not be looked at for either

# Kinds of headers, and indices of the lists of their values.  The first ones hold ids.
_IGNORED, _UNIQUEID, _LINKEDID, _BRIDGE = range(4)
_EVENT, _CONTEXT, _PARTY_CONTEXT, _CHANNEL, _PRIVILEGE, _BRIDGE_TYPE = range(4, 10)
_INTERFACE, _DEVICE, _SENDER = range(10, 13)
_LAST_ID = _BRIDGE
_LAST_EMPTY = _PARTY_CONTEXT  # of the kinds behind it, empty values do not count


def _kinds() -> dict[str, int]:
    """Return the kind of each header, by its name in lower case and as usually spelled."""
    kinds: dict[str, int] = {}
    for kind, names in (
        (_IGNORED, headers.IGNORED),
        (_CHANNEL, headers.CHANNELS),
        (_UNIQUEID, headers.UNIQUEIDS),
        (_LINKEDID, headers.LINKEDIDS),
        (_BRIDGE, headers.BRIDGES),
        (_EVENT, ("Event",)),
        (_CONTEXT, ("Context",)),
        (_PARTY_CONTEXT, headers.PARTY_CONTEXTS),
        (_PRIVILEGE, ("Privilege",)),
        (_BRIDGE_TYPE, ("BridgeType",)),
        (_INTERFACE, headers.INTERFACES),
        (_DEVICE, headers.DEVICES),
        (_SENDER, (headers.SENDER,)),
    ):
        for name in names:
            kinds[name] = kinds[name.lower()] = kind
    kinds["UniqueID"] = _UNIQUEID  # as Cdr spells it
    return kinds


_KINDS = _kinds()


class Noted:
    """What rules have found in one message, whether its facts are known or not."""

    __slots__ = ("looks", "marks")

    def __init__(self) -> None:
        #: What event filters have found (routing/looks.py), once one has looked.
        self.looks: dict[object, Any] | None = None
        #: What rules look for that it has (routing/marks.py), and when that was found.
        self.marks: tuple[object, int] | None = None


class Facts(Noted):
    """What one message says by itself, as far as filters need it.  A value.

    What it means for calls depends on the messages before it: see
    :class:`amiproxy.routing.links.Links`.
    """

    # Not a NamedTuple: every filter of every client reads these, and slots are quicker.
    __slots__ = (
        "bridge_type",
        "bridges",
        "channels",
        "contexts",
        "devices",
        "name",
        "own_link",
        "own_uid",
        "privilege",
        "response",
        "uids",
    )

    def __init__(self, values: Sequence[list[str]], ids: list[str], *, response: bool) -> None:
        """Take the *values* of each kind of header, and the *ids* of all channels in order.

        Of headers that name devices whole lines are taken.
        """
        super().__init__()
        (
            _, own_uids, links, bridges, events, contexts, party_contexts, channels, privileges,
            types, interfaces, devices, senders,
        ) = values  # fmt: skip
        if interfaces or senders:
            channels += _channels_of(interfaces, senders)
        #: The event's name in lower case, "" if it is not an event.
        self.name: Final = events[0].lower() if events else ""
        #: Whether it is an answer: Response comes before any Event header.
        self.response: Final = response
        #: Values of all channel headers in lower case, a line feed before each: a prefix
        #: behind a line feed is found by ``in``.  "" if there is none.
        self.channels: Final = "\n" + "\n".join(channels).lower() if channels else ""
        #: Devices named by an event about no channel, as the names of their channels begin,
        #: in lower case, a line feed around each: ``\npjsip/101-\n``.  "" if there is none.
        self.devices: Final = devices_in(devices) if devices and not ids else ""
        #: Unique ids of all channels named, Linkedids too, each once.
        self.uids: Final = tuple(dict.fromkeys(ids))
        #: The first unique id that is not a Linkedid: whose event it is.
        self.own_uid: Final = own_uids[0] if own_uids else ""
        #: The first Linkedid: that of the channel of own_uid.
        self.own_link: Final = links[0] if links else ""
        #: Ids of the bridges named, each once.
        self.bridges: Final = tuple(dict.fromkeys(bridges)) if bridges else ()
        #: Value of BridgeType.
        self.bridge_type: Final = types[0] if types else ""
        #: Value of the first Context header; without one, the parties'.
        self.contexts: Final = tuple(contexts[:1] or party_contexts)
        #: Value of the first Privilege header, as it came.
        self.privilege: Final = privileges[0] if privileges else ""


def noted_of(message: Message) -> Noted:
    """Return where it is noted what rules find in *message*, which is not taken apart for it."""
    noted = message.facts
    if not isinstance(noted, Noted):
        noted = message.facts = Noted()
    return noted


def facts_of(message: Message) -> Facts:
    """Return the facts of *message*, examined on first use and kept with it.

    *message* comes from an Asterisk; that it may repeat what a client wrote
    (UserEvent) is left to the caller.
    """
    facts = message.facts
    if type(facts) is Facts:
        return facts
    # All headers are sorted by kind, in one pass.  The first one of a name counts: a
    # UserEvent repeats what its sender wrote, even "Event:" and "Response:", but its
    # first line is Asterisk's own.
    values: tuple[list[str], ...] = ([], [], [], [], [], [], [], [], [], [], [], [], [])
    ids: list[str] = []
    if not message.raw.startswith(b"Event: ") and _is_response(message):
        # The rest is not an event's, and may be the raw output of a command.
        message.facts = made = Facts(values, ids, response=True)
        return made
    _sort(message.lines, values, ids)
    if len(message.raw) > _USUAL:
        for some in (ids, *values[: _LAST_ID + 1]):
            some[:] = map(_bounded, some[:MOST_IDS])
    made = Facts(values, ids, response=False)
    if isinstance(facts, Noted):
        made.looks, made.marks = facts.looks, facts.marks
    message.facts = made
    return made


def _sort(lines: Sequence[str], values: Sequence[list[str]], ids: list[str]) -> None:
    """Add to *values* those of the headers in *lines*, by kind, and to *ids* those of channels."""
    read, nothing = _READ.get, _NOTHING
    for line in lines:
        found = read(line)
        if found is None:
            found = _read(line)
        if found is not nothing:
            kind, value = found
            values[kind].append(value)
            if kind < _BRIDGE:
                ids.append(value)


# What is not needed of a line, and what was read of the lines that have come of late: most come
# again and again.  Any thread may read the same one anew.
_NOTHING = (_IGNORED, "")
_READ: dict[str, tuple[int, str]] = {}
_MOST_READ = 8192
_LONGEST_READ = 100


def _read(line: str) -> tuple[int, str]:
    """Return the kind of the header in *line*, and what counts of it."""
    found = _look_at(line)
    if len(line) <= _LONGEST_READ:
        if len(_READ) >= _MOST_READ:
            _READ.clear()
        _READ[line] = found
    return found


def _look_at(line: str) -> tuple[int, str]:
    """As ``_read``, of a line that nobody has read."""
    header, colon, value = line.partition(":")
    kind = _KINDS.get(header)
    if kind is None:
        kind = _KINDS.get(header.lower(), _IGNORED)
    value = value.lstrip(" ")
    if kind == _IGNORED or not colon:
        return _NOTHING
    if value in _NO_ID if kind <= _LAST_ID else not value and kind > _LAST_EMPTY:
        return _NOTHING
    return kind, line if kind == _DEVICE else value


def _channels_of(interfaces: list[str], senders: list[str]) -> list[str]:
    """Return the channels that headers name which may name something else as well."""
    return [channel_of(each) for each in interfaces] + [each for each in senders if "/" in each]


def _bounded(value: str) -> str:
    """Return the id *value*, or what stands for a long one, and for no other."""
    if len(value) <= LONGEST_ID:
        return value
    return hashlib.sha256(value.encode("latin-1", "backslashreplace")).hexdigest()


def _is_response(message: Message) -> bool:
    """Return whether a Response header comes before any Event header."""
    for line in message.lines:
        name, colon, _ = line.partition(":")
        kind = name.lower()
        if colon and kind in ("event", "response"):
            return kind == "response"
    return False
