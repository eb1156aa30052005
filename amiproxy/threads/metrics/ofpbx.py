# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told of the calls and phones of each Asterisk, as its model has them."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, Callable, Optional

from amiproxy.metrics import pbxfamilies as families

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.metrics.family import Family
    from amiproxy.threads.metrics.scrape import Modelled, Scrape

#: Makes a label of what a row has.
Label = Callable[[Optional[str]], str]

#: What is told although there is none, so that a graph begins at 0.
_STATES = ("parked", "waiting", "conference", "hold", "talking", "ringing", "dialling",
           "application")  # fmt: skip
_DEVICES = ("UNKNOWN", "NOT_INUSE", "INUSE", "BUSY", "INVALID", "UNAVAILABLE", "RINGING",
            "RINGINUSE", "ONHOLD")  # fmt: skip
_CONTACTS = ("reachable", "unreachable", "unknown")
_REGISTRATIONS = ("registered", "unregistered", "rejected")

# Words that may come besides.  Whatever else an event says is told as "other".
_TECHNOLOGIES = frozenset((
    "agent", "announcer", "audiosocket", "bridge", "cbann", "cbrec", "chan_websocket", "console",
    "dahdi", "h323", "iax2", "khomp", "local", "mgcp", "misdn", "mobile", "motif", "multicastrtp",
    "ooh323", "pjsip", "recorder", "sccp", "sip", "skinny", "snoop", "unicastrtp", "ustm",
    "websocket",
))  # fmt: skip
_STATUSES = frozenset((
    "lagged", "nonqualified", "unmonitored", "unqualified", "removed", "stopped", "auth. sent",
    "request sent", "timeout", "failed", "stopping", "no authentication", "registering",
    *_CONTACTS, *_REGISTRATIONS,
))  # fmt: skip
_OTHER = "other"


def collect(scrape: Scrape) -> None:
    """Add it."""
    for model in scrape.models:
        if scrape.sees_all(model.link):
            kept = model.follower.kept
            scrape.page.add(families.CALLS_STARTED, kept.calls_started, model.server)
            for cause, count in kept.hangups.items():
                scrape.page.add(families.HANGUPS, count, model.server, cause)
        if model.is_live:
            _gauges(scrape, model)


def _gauges(scrape: Scrape, model: Modelled) -> None:
    """Add what there is now."""

    def add(family: Family, kind: str, field: str, label: Label, known: Iterable[str]) -> None:
        if model.picture is None or kind in model.picture.unknown:
            return
        found = dict.fromkeys(known, 0)
        for value, count in Counter(row.fields[field] for row in scrape.rows(model, kind)).items():
            word = label(value if isinstance(value, str) else None)
            found[word] = found.get(word, 0) + count
        for word, count in found.items():
            scrape.page.add(family, count, model.server, word)

    add(families.CALLS, "calls", "state", _state, _STATES)
    add(families.CHANNELS, "channels", "technology", _technology, ())
    add(families.DEVICES, "devices", "state", _device, _DEVICES)
    add(families.CONTACTS, "contacts", "status", _status, _CONTACTS)
    add(families.REGISTRATIONS, "registrations", "status", _status, _REGISTRATIONS)


def _state(word: str | None) -> str:
    return word if word in _STATES else "ended"


def _device(word: str | None) -> str:
    return word if word in _DEVICES else _OTHER


def _technology(word: str | None) -> str:
    return word if word is not None and word.lower() in _TECHNOLOGIES else _OTHER


def _status(word: str | None) -> str:
    """Return the *word* of a contact or registration as a label; None: it has said nothing."""
    lower = "unknown" if word is None else word.lower()
    return lower if lower in _STATUSES else _OTHER
