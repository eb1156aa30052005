# SPDX-License-Identifier: GPL-2.0-or-later
r"""What in the documents and manual pages follows from the code: ``make docs`` writes it.

A table stands between two comments in its page, ``<!-- NAME: make docs -->`` and
``<!-- /NAME -->``; in a manual page they begin with ``.\"``.  tests/test_docs.py checks that it
is what ``tables`` returns.
"""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
if __name__ == "__main__":
    sys.path.insert(0, str(ROOT))

from amiproxy.threads.actions.proxyactions import OPERATING, PRIVILEGED, PROXY_ACTIONS  # noqa: E402
from amiproxy.threads.control.table import COMMANDS  # noqa: E402
from amiproxy.threads.rest.table import ENDPOINTS  # noqa: E402
from amiproxy.web.problems import KINDS  # noqa: E402
from docs import completion, families, keys, manual, rowkinds, userkeys  # noqa: E402

CLIENTS = ROOT / "docs" / "clients.md"
OPERATIONS = ROOT / "docs" / "operations.md"
CONFIGURATION = ROOT / "docs" / "configuration.md"
LIVE = ROOT / "docs" / "live.md"
LIVE = ROOT / "docs" / "live.md"


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
        "Must be given by their names or as `operator`, since `all` does not mean them:",
        f"{', '.join(OPERATING)}.",
        "Change nothing, so any web page may link to them (see [http.md](http.md)):",
        f"{', '.join(read_only)}.",
    ]
    return "\n".join(lines)


def control_commands() -> str:
    """Return the table of what a running proxy can be asked at its control socket."""
    lines = ["| command | |", "|---|---|"]
    lines += [f"| `{each.usage}` | {each.help} |" for each in COMMANDS.values()]
    return "\n".join(lines)


def endpoints() -> str:
    """Return the table of what is below ``/v1/``."""
    lines = ["| | | parameters | problems |", "|---|---|---|---|"]
    for each in ENDPOINTS:
        names = [f"`{parameter.name}`" for parameter in each.parameters]
        names += ["any field"] if "field" in each.further else []
        names += ["headers"] if "header" in each.further and each.method == "GET" else []
        problems = ", ".join(f"{name} {KINDS[name].status}" for name in each.problems)
        shown = f"| `{each.method} {each.shown_path}` | {each.summary}"
        lines.append(f"{shown} | {', '.join(names)} | {problems} |".replace("|  |", "| |"))
    lines += [
        "",
        "Any may be answered 400 bad-request, 403 foreign-page, 405 method, and, but for problems",
        "and the session, 401 login-required.",
    ]
    return "\n".join(lines).replace("|  |", "| |")


def tables() -> dict[tuple[Path, str], str]:
    """Return the text of every table, by page and name."""
    return {
        (CLIENTS, "ProxyActions"): proxy_actions(),
        (OPERATIONS, "commands"): control_commands(),
        (CONFIGURATION, "keys"): keys.table(),
        (CONFIGURATION, "users"): userkeys.table(),
        (LIVE, "endpoints"): endpoints(),
        (LIVE, "metrics"): families.table(),
        (LIVE, "rows"): rowkinds.table(),
        **manual.texts(),
    }


def updated(page: Path, name: str, table: str) -> str:
    """Return the text of *page* with *table* in place of the one called *name*.

    Raises:
        ValueError: the comments around it do not stand in the page, or not once.

    """
    if page.suffix == ".md":
        begin, end, blank = f"<!-- {name}: make docs -->\n", f"<!-- /{name} -->\n", "\n"
    else:
        begin, end, blank = f'.\\" {name}: make docs\n', f'.\\" /{name}\n', ""
    text = page.read_text("utf-8")
    if (text.count(begin), text.count(end)) != (1, 1):
        raise ValueError(f"{page}: {begin!r} and {end!r} must stand once in the page")
    head, tail = text.partition(begin)[0], text.partition(end)[2]
    return f"{head}{begin}{blank}{table}\n{blank}{end}{tail}"


def main() -> None:
    """Write every table into its page, and what the shells complete."""
    for (page, name), table in tables().items():
        page.write_text(updated(page, name, table), "utf-8")
    for path, text in completion.files().items():
        path.write_text(text, "utf-8")


if __name__ == "__main__":
    main()
