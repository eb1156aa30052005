# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/operations.md says what each log line means, and the program has each of them."""

from __future__ import annotations

import ast
import re

from tests.loglines import LogCall, log_calls
from tests.modules import PRODUCT, parsed, sources
from tests.support import ROOT

CALLS = list(log_calls())
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")
SECTION = PAGE.partition("\n## What each log line means\n")[2].partition("\n## ")[0]
#: Each documented line, with its levels.
ROWS = {
    line: set(re.findall(r"[a-z]+", level)) - {"or"}
    for line, level in re.findall(r"^\| `(.*?)` \| (.*?) \|", SECTION, re.MULTILINE)
}
#: What stands in a documented line for what differs.
PLACE = re.compile(r"\b[A-Z][A-Z_]+\b(?: -- )?")


def fits(call: LogCall, line: str, levels: set[str]) -> bool:
    """Return whether *call* may write a line as documented."""
    return call.pattern.fullmatch(line) is not None and (not call.level or call.level in levels)


def is_made_of(words: str, text: str) -> bool:
    """Return whether *words* hold *text*, or two pieces of it that a format puts together."""
    pieces = text.split(" ")
    return text in words or any(
        " ".join(pieces[:at]) in words and " ".join(pieces[at:]) in words
        for at in range(1, len(pieces))
    )


def test_every_line_is_explained() -> None:
    """Whatever logs a line has a row, with its level."""
    unexplained = [
        f"{call.where}: {call.text} ({call.level or 'any level'})"
        for call in CALLS
        if not call.text.endswith("bug in the proxy")  # one row for all
        and not any(fits(call, line, levels) for line, levels in ROWS.items())
    ]

    assert unexplained == []


def test_every_explained_line_is_there() -> None:
    """Some call may write it, and its words stand in the program."""
    trees = [parsed(path) for path in [*sources(*PRODUCT), ROOT / "astmanproxy.py"]]
    words = "\n".join(
        node.value
        for tree in trees
        for node in ast.walk(tree)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    )
    words = re.sub(r"%[-#0-9. ]*[a-z]", "\n", words)

    for line, levels in ROWS.items():
        assert any(fits(call, line, levels) for call in CALLS), line
        parts = [part.strip(" '\":()") for part in PLACE.split(line)]
        missing = [part for part in parts if len(part) > 3 and not is_made_of(words, part)]
        assert missing == [], line


def test_there_are_as_many_as_one_expects() -> None:
    """Calls and rows are found."""
    assert len(CALLS) > 60
    assert len(ROWS) > 50
