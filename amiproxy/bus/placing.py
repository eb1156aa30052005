# SPDX-License-Identifier: GPL-2.0-or-later
"""Which proxy is to take which free server, and which gives one up: as many for each as can be.

Every proxy decides for itself, from what all of them know of each other.  Where they know
different things, two may want the same server, and Redis gives it to one; or none wants it for
the moment, and after ``PATIENCE`` each may have it.
"""

from __future__ import annotations

from hashlib import blake2b
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

#: Seconds for which a free server is left to the proxy that is to take it.
PATIENCE = 0.25
#: A proxy that has so many more than another gives one up.
UNEVEN = 2
#: Seconds without a change of the cluster before servers are moved: a proxy that was started
#: anew is not given them one after the other while others follow.
CALM = 10.0
#: Seconds between two servers that move: each costs its clients a moment.
BETWEEN = 2.0


_NOBODY: Mapping[str, int] = MappingProxyType({})


class Place(NamedTuple):
    """A proxy that may take servers: its slot, how many it has, and those that it can hold."""

    slot: int
    holds: int
    able: Collection[str]


def planned(
    free: Sequence[str], places: Sequence[Place], last: Mapping[str, int] = _NOBODY
) -> Mapping[str, int]:
    """Return which slot is to take each of the *free* servers, by scope.

    Not the one that had it *last*, if another is able: it has died or left it, and does not look
    so yet.
    The one that has the fewest, with those that it is to take; of several, whom chance says, the
    same at every proxy.
    """
    holds = {place.slot: place.holds for place in places}
    found: dict[str, int] = {}
    for scope in sorted(free):
        able = [place.slot for place in places if scope in place.able]
        able = [slot for slot in able if slot != last.get(scope)] or able
        if able:
            slot = min(able, key=lambda each: (holds[each], _drawn(scope, each)))
            holds[slot] += 1
            found[scope] = slot
    return found


def to_give_up(own: int, held: Collection[str], places: Sequence[Place]) -> str:
    """Return the server that the proxy *own*, which holds *held*, is to give up; "": none.

    Only the proxy with the most gives one up, so that one moves at a time.
    """
    most = max(places, key=lambda each: (each.holds, each.slot), default=None)
    if most is None or most.slot != own or not held:
        return ""
    for scope in sorted(held, key=lambda each: _drawn(each, own)):
        if any(scope in place.able and place.holds + UNEVEN <= len(held) for place in places):
            return scope
    return ""


def _drawn(scope: str, slot: int) -> bytes:
    """Return a lot, by chance but for all the same."""
    return blake2b(f"{slot} {scope}".encode("utf-8", "surrogateescape"), digest_size=8).digest()
