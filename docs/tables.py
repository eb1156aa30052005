# SPDX-License-Identifier: GPL-2.0-or-later
"""The tables in the documents that follow from the code: ``make docs`` writes them.

A table stands between two comments in its page, ``<!-- NAME: make docs -->`` and
``<!-- /NAME -->``; tests/test_docs.py checks that it is what ``tables`` returns.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from amiproxy.threads.actions.proxyactions import PRIVILEGED, PROXY_ACTIONS  # noqa: E402
from docs import keys  # noqa: E402

CLIENTS = ROOT / "docs" / "clients.md"
CONFIGURATION = ROOT / "docs" / "configuration.md"


def proxy_actions() -> str:
    """Return the table of ProxyActions, and which of them are restricted."""
    records = PROXY_ACTIONS.values()
    lines = ["| ProxyAction | headers | reply |", "|---|---|---|"]
    lines += [
        f"| {each.name} | {each.headers} | {each.reply} |".replace("|  |", "| |")
        for each in records
    ]
    read_only = sorted(each.name for each in records if each.read_only)
    lines += [
        "",
        f"Must be given to a user by `proxyactions`: {', '.join(PRIVILEGED)}.",
        "Change nothing, so any web page may link to them (see [http.md](http.md)):",
        f"{', '.join(read_only)}.",
    ]
    return "\n".join(lines)


def tables() -> dict[tuple[Path, str], str]:
    """Return the text of every table, by page and name."""
    return {
        (CLIENTS, "ProxyActions"): proxy_actions(),
        (CONFIGURATION, "keys"): keys.table(),
    }


def updated(text: str, name: str, table: str) -> str:
    """Return the page *text* with *table* in place of the one called *name*."""
    begin, end = f"<!-- {name}: make docs -->", f"<!-- /{name} -->"
    pattern = re.compile(f"(?<={re.escape(begin)}\n).*?(?={re.escape(end)})", re.DOTALL)
    if len(pattern.findall(text)) != 1:
        raise ValueError(f"{begin} and {end} must stand once in the page")
    return pattern.sub(lambda _: f"\n{table}\n\n", text)


def main() -> None:
    """Write every table into its page."""
    for (page, name), table in tables().items():
        page.write_text(updated(page.read_text("utf-8"), name, table), "utf-8")


if __name__ == "__main__":
    main()
