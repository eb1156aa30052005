# SPDX-License-Identifier: GPL-2.0-or-later
"""Which resources a listener for HTTP has, beside actions: the key and option ``web``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.basics.boolean import parse_bool
from amiproxy.settings.readers import quote

if TYPE_CHECKING:
    from amiproxy.settings.readers import Written

#: The words, in the order of the documentation: the pages at ``/`` and ``/wall``; ``/events``;
#: ``/ws``; ``/v1/`` and ``/openapi.json``; ``/metrics``.
PARTS = ("console", "events", "ws", "rest", "metrics")


def web_parts(value: Written) -> tuple[str, ...]:
    """Read yes: everything; no: nothing; or words, with commas between.

    The console needs ``events``, ``ws`` and ``rest``, which come with it.
    """
    answer = parse_bool(value.text)
    if answer is not None:
        return PARTS if answer else ()
    words = value.text.lower().replace(",", " ").split()
    for word in words or ["nothing"]:
        if word not in PARTS:
            raise ValueError(
                f"{quote(word)} is no part of the web; write yes, no, or some of {', '.join(PARTS)}"
            )
    if "console" in words:
        words += ["events", "ws", "rest"]
    return tuple(part for part in PARTS if part in words)
