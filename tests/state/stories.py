# SPDX-License-Identifier: GPL-2.0-or-later
"""What a model says of the calls of a recording, in short."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.state.model import ServerModel
from tests.state.invariants import LIMIT, tell
from tests.state.replays import told

if TYPE_CHECKING:
    from amiproxy.state.table import Row


def line_of(row: Row) -> str:
    """Return ``talking 101>102``, or ``ended 101>102 16``."""
    fields = row.fields
    from_ = fields["from_number"] or fields["from_device"]
    to = fields["to_number"] or fields["to_device"] or ""
    rest = ""
    if fields["state"] == "ended":
        rest = " merged" if fields["merged_into"] else f" {fields['cause']}"
    elif fields["state"] == "application":
        rest = f" {fields['application'] or ''}".rstrip()
    elif fields["ringing"]:
        rest = f" ({fields['ringing']})"
    return f"{fields['state']} {from_}>{to}{rest}"


def stories(name: str, *hidden: str) -> list[list[str]]:
    """Return for each call of the recording *name* what it did, one line for each change.

    States that begin with one of *hidden* are left out.
    """
    model = ServerModel(LIMIT)
    found: dict[tuple[str, object], list[str]] = {}
    for number, each in enumerate(told(name)):
        tell(model, each, 1000.0 + number / 100)
        for row in model.rows("calls", 1000.0 + number / 100):
            lines = found.setdefault((row.key, row.fields["started"]), [])
            line = line_of(row)
            if not line.startswith(hidden) and lines[-1:] != [line]:
                lines.append(line)
    return [lines for lines in found.values() if lines]
