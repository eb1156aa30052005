# SPDX-License-Identifier: GPL-2.0-or-later
"""The table of metrics in docs/live.md."""

from __future__ import annotations

from amiproxy.metrics import busfamilies, families, pbxfamilies

#: All that a page may have, in its order.
FAMILIES = (*families.ALL, *busfamilies.ALL, *pbxfamilies.ALL)


def table() -> str:
    """Return the table of all families."""
    lines = ["| metric | kind | |", "|---|---|---|"]
    for each in FAMILIES:
        labels = f"{{{', '.join(each.labels)}}}" if each.labels else ""
        name = f"`{each.full_name.replace('astmanproxy_', '')}{labels}`"
        lines.append(f"| {name} | {each.kind} | {each.text[:-1]} |")
    return "\n".join(lines)
