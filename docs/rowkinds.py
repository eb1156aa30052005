# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of kinds of rows in docs/live.md."""

from __future__ import annotations

from amiproxy.live.rows import SERVERS, TOTALS, WATCHED
from amiproxy.live.totals import Totals
from amiproxy.rest.fields import FIELDS
from amiproxy.threads.state.serverrows import FIELDS as OF_SERVERS


def table() -> str:
    """Return the table of all kinds, with the fields of each."""
    fields = {**FIELDS, SERVERS: OF_SERVERS, TOTALS: Totals().fields(())}
    lines = ["| kind | fields |", "|---|---|"]
    for kind in WATCHED:
        names = " ".join(f"`{name}`" for name in fields[kind])
        lines.append(f"| `{kind}` | {names} |")
    return "\n".join(lines)
