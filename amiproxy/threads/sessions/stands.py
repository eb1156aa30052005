# SPDX-License-Identifier: GPL-2.0-or-later
"""Where servers stand when a track begins, and where clients stand that stand alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Sequence

    from amiproxy.routing.ring import Place
    from amiproxy.threads.sessions.link import AsteriskLink


class Noted(NamedTuple):
    """Where a server stood, and how many batches it had begun to hand out."""

    place: Place
    begun: int


def note(links: Sequence[AsteriskLink]) -> dict[AsteriskLink, Noted]:
    """Return where each server stands.

    The place first: the batch that it belongs to is begun already.
    """
    return {link: Noted(link.place, link.begun) for link in links}


def moved(place: Place, handed: Place) -> Place:
    """Return *place*, or *handed* if that is behind it on the same connection."""
    return handed if handed[0] == place[0] and handed > place else place


class Stand:
    """Where clients stand that stand alike; nothing changes its places."""

    __slots__ = ("places",)

    def __init__(self, places: dict[AsteriskLink, Place]) -> None:
        self.places = places
