# SPDX-License-Identifier: GPL-2.0-or-later
"""Users of each kind that the choice of whom a batch is for tells apart."""

from __future__ import annotations

from amiproxy.access.user import User
from amiproxy.routing.classes import ALL, CALL, REPORTING, SYSTEM
from amiproxy.routing.eventfilter import NO_FILTERS

_HANGUPS = NO_FILTERS.with_line("Event: Hangup")
_NO_VARS = NO_FILTERS.with_line("!Event: VarSet")
_PHONES = NO_FILTERS.with_line("PJSIP/", "name(Newchannel),header(Channel),method(starts_with)")

_ROWS: tuple[dict[str, object], ...] = (
    {},
    {"read": CALL},
    {"read": CALL | SYSTEM, "write": SYSTEM},
    {"read": 0},
    {"eventfilters": _HANGUPS},
    {"eventfilters": _NO_VARS},
    {"eventfilters": _NO_VARS.with_line("!Uniqueid: 1.2")},
    {"servers": frozenset(("one",))},
    {"servers": frozenset(("two", "in1"))},
    {"out_context": "out"},
    {"accountcode": "a"},
    {"filters": frozenset(("novar",))},
    {"filters": frozenset(("cdronly",))},
    # By calls.
    {"channel": "pjsip/101-"},
    {"channel": "pjsip/101-"},
    {"channel": "pjsip/101"},
    {"channel": "pjsip/10"},
    {"channel": "p"},
    {"channel": "local/5@x"},
    {"channel": "local/5@x-"},
    {"channel": "sip/7-", "more_events": True},
    {"channel": "sip/7-", "in_context": "in"},
    {"channel": "pjsip/102-", "more_events": True, "in_context": "queues"},
    {"channel": "iax2/out-", "filters": frozenset(("cdronly", "brionly"))},
    {"channel": "pjsip/101-", "filters": frozenset(("novar",)), "eventfilters": _NO_VARS},
    {"channel": "pjsip/101-", "filters": frozenset(("xfronly",))},
    {"channel": "sip/7-", "servers": frozenset(("one", "in2"))},
    {"channel": "sip/7-", "read": CALL | REPORTING, "eventfilters": _PHONES},
    {"channel": "pjsip/102-", "read": ALL & ~CALL},
    {"channel": "pjsip/102-", "eventfilters": _HANGUPS},
    {"in_context": "in"},
    {"in_context": "queues", "more_events": True},
    {"in_context": "in", "filters": frozenset(("brionly",))},
    {"in_context": "out", "servers": frozenset(("two",))},
)

USERS = tuple(
    User(f"u{number}", "s", **row)  # type: ignore[arg-type]
    for number, row in enumerate(_ROWS)
)
