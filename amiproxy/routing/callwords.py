# SPDX-License-Identifier: GPL-2.0-or-later
"""The words of a user's ``filters``: which kinds of events they let pass (spec section 8)."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping


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
