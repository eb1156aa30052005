# SPDX-License-Identifier: GPL-2.0-or-later
"""The words of a user's ``filters``: which kinds of events they let pass (spec section 8)."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


class CallFilter(NamedTuple):
    """One word of a user's ``filters``."""

    #: Names of events, in lower case.
    events: frozenset[str]
    #: What these events are called in ``astmanproxy -t``.
    description: str
    #: True: only these events pass, and those of other such words; False: these do not pass.
    only: bool = True


#: The words of ``filters``, in lower case.  The events are those of Asterisk before 12
#: and today's.  A new word is a row here and a line in the sample users file.
CALL_FILTERS: Mapping[str, CallFilter] = MappingProxyType(
    {
        "cdronly": CallFilter(frozenset(("cdr",)), "Cdr"),
        "brionly": CallFilter(
            frozenset(
                (
                    "bridge",
                    "bridgecreate",
                    "bridgedestroy",
                    "bridgeenter",
                    "bridgeleave",
                    "bridgemerge",
                    "link",  # 1.2 and 1.4
                    "unlink",
                )
            ),
            "Bridge",
        ),
        "xfronly": CallFilter(
            frozenset(("attendedtransfer", "blindtransfer", "transfer")), "Transfer"
        ),
        "novar": CallFilter(
            frozenset(("set", "setvar", "varset")), "variables being set", only=False
        ),
    }
)


@dataclass(frozen=True)
class Kinds:
    """The kinds of events that words let pass, by the names of events in lower case.

    *only*: these, if there are any; *withheld*: none of these.
    """

    only: frozenset[str] = frozenset()
    withheld: frozenset[str] = frozenset()

    @classmethod
    def of(cls, words: Iterable[str]) -> Kinds:
        """Return the kinds that *words* let pass together."""
        rows = [row for name, row in CALL_FILTERS.items() if name in words]
        only, withheld = [
            frozenset().union(*[row.events for row in rows if row.only is each])
            for each in (True, False)
        ]
        return cls(only, withheld)

    def has(self, name: str) -> bool:
        """Return whether events called *name*, in lower case, pass."""
        return name not in self.withheld and (not self.only or name in self.only)
