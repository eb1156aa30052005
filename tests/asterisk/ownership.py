# SPDX-License-Identifier: GPL-2.0-or-later
"""Which events belong to the calls and the device of one phone: written down for tests.

It shares no code with the proxy, and knows headers by how their names end.  A call is what is
joined by a Linkedid, by a dial, or by the two halves of a Local channel, from the moment at
which an event says so; it has ended when nobody names it any more.
"""

from __future__ import annotations

from collections import defaultdict
from enum import Enum
from typing import TYPE_CHECKING, NamedTuple

from tests.asterisk.decoding import header

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tests.asterisk.decoding import Lines

_NO_ID = ("", "<none>", "<unknown>", "<null>", "(null)")
#: Headers that name a member of a queue.
_MEMBERS = ("interface", "stateinterface", "memberinterface", "location")
#: Headers that name the device which an event is about, when it is about no channel.
_DEVICES = ("device", "peer", "aor", "endpoint", "endpointname", "hint", "accountid", *_MEMBERS)
#: The type of bridges that join the parties of a call: conferences have another.
_OF_A_CALL = "basic"
#: Events that are sent once more to who learns late that a channel is his.
_REPLAYED = ("Newchannel", "Newstate")
#: Events in which ids are a sender's words, or about the past: they join nothing.
_JOIN_NOTHING = ("UserEvent", "Cdr")


def ids(lines: Lines) -> list[str]:
    """Return the ids of all channels that a message names, and those their calls began with."""
    return [
        value
        for name, value in _headers(lines)
        if name.endswith(("uniqueid", "linkedid"))
        and not name.endswith("bridgeuniqueid")
        and value not in _NO_ID
    ]


def names_device(lines: Lines, device: str) -> bool:
    """Return whether a message is about *device*, such as PJSIP/101."""
    number = device.partition("/")[2]
    for name, value in _headers(lines):
        if name in _DEVICES:
            parts = value.partition(",")[0].split("&")
            if device in parts or (value == number and name not in ("device", "accountid")):
                return True
            if name == "accountid" and value == number and header(lines, "Service") == "PJSIP":
                return True
    return False


def _headers(lines: Lines) -> Iterator[tuple[str, str]]:
    for line in lines:
        name, colon, value = line.decode("latin-1").partition(":")
        if colon:
            yield name.lower(), value.strip()


class _Groups:
    """Ids that are joined, as sets."""

    def __init__(self) -> None:
        self._of: dict[str, set[str]] = {}

    def join(self, some: Sequence[str]) -> None:
        """Join *some* ids, and all that each is joined with."""
        whole = set(some).union(*(self._of.get(one, ()) for one in some))
        for one in whole:
            self._of[one] = whole

    def of(self, one: str) -> set[str]:
        """Return all ids that are joined with *one*."""
        return self._of.get(one, {one})


class Share(Enum):
    """Whether an event is a phone's."""

    OWN = "it is"
    MAYBE = "it says of a bridge, of which an own event has told, that it ends, or is merged"
    FOREIGN = "it is not"


class Owner:
    """The phone *device*, such as PJSIP/101: tells of each event of a recording whether it is its.

    That is every event of the own calls, from the moment that they are, and of the own device.
    """

    def __init__(self, device: str) -> None:
        self._device = device
        self._groups = _Groups()
        self._own: set[str] = set()
        # Bridges of calls that own parties have entered, and those that own events named.
        self._entered: set[str] = set()
        self._named: set[str] = set()
        # Who is in which bridge of two parties.
        self._inside: defaultdict[str, set[str]] = defaultdict(set)

    def share(self, lines: Lines) -> Share:
        """Return whose the next event of the recording is."""
        named, event = ids(lines), header(lines, "Event")
        if event not in _JOIN_NOTHING:
            self._groups.join([*named, *self._partners(lines, event)])
            self._own |= _of_channel(lines, f"{self._device}-")
        if _names_channel(lines, f"{self._device}-"):
            mine = True
        elif named:
            mine = any(not self._own.isdisjoint(self._groups.of(one)) for one in named)
        else:
            return self._share_of_nameless(lines)
        if mine:
            self._named |= _bridges(lines)
            if event == "BridgeEnter" and header(lines, "BridgeType") == _OF_A_CALL:
                self._entered |= _bridges(lines)
        return Share.OWN if mine else Share.FOREIGN

    def _share_of_nameless(self, lines: Lines) -> Share:
        bridges = _bridges(lines)
        if not self._entered.isdisjoint(bridges) or names_device(lines, self._device):
            return Share.OWN
        return Share.FOREIGN if self._named.isdisjoint(bridges) else Share.MAYBE

    def _partners(self, lines: Lines, event: str) -> set[str]:
        """Return who else is in the bridge of two parties that a channel enters."""
        inside, channel = self._inside[header(lines, "BridgeUniqueid")], header(lines, "Uniqueid")
        if event == "BridgeLeave":
            inside.discard(channel)
        if event != "BridgeEnter" or header(lines, "BridgeType") != _OF_A_CALL:
            return set()
        inside.add(channel)
        return inside


def _bridges(lines: Lines) -> set[str]:
    """Return the ids of the bridges that a message names."""
    return {value for name, value in _headers(lines) if name.endswith("bridgeuniqueid") and value}


def _names_channel(lines: Lines, prefix: str) -> bool:
    """Return whether a header that names a channel has a value that begins with *prefix*."""
    return any(
        name.endswith("channel") and value.startswith(prefix) for name, value in _headers(lines)
    )


def _of_channel(lines: Lines, prefix: str) -> set[str]:
    """Return the ids of the channels in a message whose names begin with *prefix*."""
    values = dict(_headers(lines))
    found = set()
    for name, value in values.items():
        if value.startswith(prefix) and name.endswith("channel"):
            found.add(values.get(name[: -len("channel")] + "uniqueid", ""))
    return found - {""}


def is_of_nobody(lines: Lines) -> bool:
    """Return whether an event is about no channel: what ``more_events`` shows besides.

    Nothing of the class security, and no member of a queue that is another's.
    """
    if "security" in header(lines, "Privilege").split(","):
        return False
    return not ids(lines) and not any(
        value and (name.endswith("channel") or name in _MEMBERS) for name, value in _headers(lines)
    )


def unannounced(seen: Sequence[Lines], announced: set[str]) -> list[Lines]:
    """Return the events of channels of which no Newchannel was *seen* before.

    *announced* are the ids of those seen so far; they are added to.  A Cdr is about the past, and
    the first CEL of a channel comes before its Newchannel.
    """
    found = []
    for lines in seen:
        channel, event = header(lines, "Uniqueid"), header(lines, "Event")
        if event == "Newchannel":
            announced.add(channel)
        elif channel and channel not in announced and event not in ("Cdr", "CEL"):
            found.append(lines)
    return found


class Beside(NamedTuple):
    """What a user was sent, beside what belongs to the phone."""

    #: How many of these events came.
    same: int
    missing: list[Lines]
    foreign: list[Lines]
    #: Newchannel and Newstate that were sent once more, before the first event of a channel
    #: that became the user's after they had passed.
    replayed: list[Lines]


def beside(direct: Sequence[tuple[Lines, Share]], seen: Sequence[Lines]) -> Beside:
    """Compare what was *seen* with the events of a direct client, and whose they are; in order."""
    expected = [lines for lines, share in direct if share is Share.OWN]
    allowed = {lines for lines, share in direct if share is Share.MAYBE}
    past = {lines for lines, _ in direct if header(lines, "Event") in _REPLAYED}
    found = Beside(0, [], [], [])
    at = 0
    for one in seen:
        if one in expected[at:]:
            further = expected.index(one, at)
            found.missing.extend(expected[at:further])
            at = further + 1
        elif one in past:
            found.replayed.append(one)
        elif one not in allowed:
            found.foreign.append(one)
    found.missing.extend(expected[at:])
    return found._replace(same=len(expected) - len(found.missing))
