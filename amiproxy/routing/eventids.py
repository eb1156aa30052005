# SPDX-License-Identifier: GPL-2.0-or-later
"""Event ids: up to where a client has been sent the events of each server, as one word.

``NONCE.EPOCH-NUMBER.EPOCH-NUMBER``, numbers to the base of 36: the nonce tells processes apart,
each other part is the place of one server, that of the event itself last.  A ``+`` at the end
stands for servers that are left out, since an id has LONGEST characters at the most, or since the
client is still to be told that their events are lost.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.basics.base36 import DIGITS

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.routing.ring import Place

#: Characters of an id.
LONGEST = 255

#: What an id ends with that does not name all servers.
OTHERS = ".+"

_PAIRS = [first + second for first in DIGITS for second in DIGITS]
_NUMBER = "(?:0|[1-9a-z][0-9a-z]{0,11})"
_ID = re.compile(rf"([0-9a-z]{{8}})((?:\.{_NUMBER}-{_NUMBER})*)(\.\+)?")
#: Characters that the number of the event may have.
_ROOM = 12


class EventId(NamedTuple):
    """An id, read: whose it is, the number of each epoch in it, and whether it names all."""

    nonce: str
    numbers: dict[int, int]
    is_whole: bool


def read_id(text: str) -> EventId | None:
    """Return the id that *text* is, None if it is none."""
    found = _ID.fullmatch(text) if len(text) <= LONGEST else None
    if found is None:
        return None
    nonce, pairs, others = found.groups()
    places = [pair.partition("-") for pair in pairs.split(".")[1:]]
    numbers = {int(epoch, 36): int(number, 36) for epoch, _, number in places}
    return EventId(nonce, numbers, not others) if len(numbers) == len(places) else None


def base36(number: int) -> str:
    """Return *number*, which is not negative, in the digits of an id."""
    if number < 1296:
        return _PAIRS[number].lstrip("0") or "0"
    parts = []
    while number >= 1296:
        number, rest = divmod(number, 1296)
        parts.append(_PAIRS[rest])
    parts.append(_PAIRS[number].lstrip("0"))
    return "".join(reversed(parts))


def written_place(place: Place) -> str:
    """Return *place* as a part of an id."""
    return f".{base36(place[0])}-{base36(place[1])}"


class Stamp(NamedTuple):
    """What stands before and behind the number of an event in its id.

    Of one batch it is the same for all events; clients with equal stamps share encodings.
    """

    before: str
    behind: str = ""

    def number(self, number: int) -> bytes:
        """Return what is different in the id of the event *number*."""
        return base36(number).encode("ascii")

    def id(self, number: int) -> str:
        """Return the id of the event *number*."""
        return f"{self.before}{base36(number)}{self.behind}"


def stamp(nonce: str, others: Iterable[Place], epoch: int, *, is_whole: bool = True) -> Stamp:
    """Return the stamp for events of *epoch*; *others* are the places on other servers."""
    last = f".{base36(epoch)}-"
    left = LONGEST - len(nonce) - len(last) - _ROOM - len(OTHERS)
    parts = [nonce]
    for place in sorted(others):
        part = written_place(place)
        if len(part) > left:
            is_whole = False
            break
        left -= len(part)
        parts.append(part)
    return Stamp("".join((*parts, last)), "" if is_whole else OTHERS)


def id_of(nonce: str, places: Iterable[Place], *, is_whole: bool = True) -> str:
    """Return the id that says no more than *places*."""
    *others, (epoch, number) = sorted(places) or [(0, 0)]
    if not epoch:
        return nonce if is_whole else nonce + OTHERS
    return stamp(nonce, others, epoch, is_whole=is_whole).id(number)
