# SPDX-License-Identifier: GPL-2.0-or-later
"""Elsewhere: what another proxy has sent a client, of connections that this one does not know."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amiproxy.routing.ring import Place
    from amiproxy.threads.sessions.link import AsteriskLink


class Elsewhere:
    """Where a client was left at another proxy: up to which number, by epoch.

    A value: nothing changes it.  *doubts*: until which of their ends servers may bring what the
    client was sent there, though none of these places is known to be theirs.
    """

    __slots__ = ("_doubts", "numbers")

    def __init__(
        self, numbers: Mapping[int, int], doubts: Mapping[AsteriskLink, int] | None = None
    ) -> None:
        self.numbers = numbers
        self._doubts = doubts or {}

    @classmethod
    def of(cls, numbers: Mapping[int, int], links: Iterable[AsteriskLink]) -> Elsewhere:
        """Return where a client was left that sees *links*."""
        # The read that is under way may have been answered before.
        return cls(numbers, {link: link.ends + 2 for link in links}) if numbers else NOWHERE

    @property
    def places(self) -> tuple[Place, ...]:
        """The places, as ids name them."""
        return tuple(self.numbers.items())

    @property
    def latest(self) -> int:
        """The greatest epoch, 0 if there is none."""
        return max(self.numbers, default=0)

    def is_doubtful(self, link: AsteriskLink, epoch: int) -> bool:
        """Return whether the client may have been sent what *link* brings of *epoch*.

        So it is with what this proxy is late to read; behind that comes what nobody had before.
        """
        return epoch < self.latest and link.ends < self._doubts.get(link, 0)

    def without(self, link: AsteriskLink) -> Elsewhere:
        """Return the rest, now that the client stands on a later connection of *link*."""
        numbers = {each: at for each, at in self.numbers.items() if not link.has_had(each)}
        doubts = {each: end for each, end in self._doubts.items() if each is not link}
        return Elsewhere(numbers, doubts) if numbers else NOWHERE


#: Of who was at no other proxy.
NOWHERE = Elsewhere({})
