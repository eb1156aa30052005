# SPDX-License-Identifier: GPL-2.0-or-later
"""Selection: which events a client wants, by name and by server, as a value.

Clients with equal selections, and equal rights, share what is made for them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

#: What a pattern ends with that stands for all names that begin so.
ANY = "*"


@dataclass(frozen=True)
class Selection:
    """Names of events, and how names begin, in lower case; *servers*: empty is all.

    Without names nothing is selected, not even what the proxy says of servers.
    """

    names: frozenset[str] = frozenset()
    beginnings: tuple[str, ...] = ()
    servers: frozenset[str] = frozenset()

    @classmethod
    def of(cls, patterns: Iterable[str], servers: Iterable[str] = ()) -> Selection:
        """Return the selection of events whose names are *patterns*, or match one with ``*``."""
        found = {pattern.lower() for pattern in patterns}
        beginnings = sorted({each[:-1] for each in found if each.endswith(ANY)})
        if "" in beginnings:
            return cls(frozenset(), ("",), frozenset(each.lower() for each in servers))
        return cls(
            frozenset(each for each in found if not each.endswith(ANY)),
            tuple(beginnings),
            frozenset(each.lower() for each in servers),
        )

    @cached_property
    def is_empty(self) -> bool:
        """Whether it selects nothing at all."""
        return not (self.names or self.beginnings)

    @cached_property
    def has_all(self) -> bool:
        """Whether it selects all events of its servers."""
        return self.beginnings[:1] == ("",)

    def has(self, name: str) -> bool:
        """Return whether it selects events called *name*, in lower case."""
        return name in self.names or name.startswith(self.beginnings)

    def is_of(self, names: frozenset[str]) -> bool:
        """Return whether it selects events of the server with these *names*."""
        return not self.servers or not self.servers.isdisjoint(names)


#: Nothing, so far.
NOTHING = Selection()
