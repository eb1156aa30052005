# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/upgrading.md says of each line of the C program's files what this program makes of it."""

from __future__ import annotations

import re

import pytest

from amiproxy.errors import ConfigError
from amiproxy.settings.conffile import parse_config
from amiproxy.settings.usersfile import read_users
from tests.support import ROOT

_PAGE = (ROOT / "docs" / "upgrading.md").read_text("utf-8")
_CONF, _USERS = _PAGE[_PAGE.index("## Values that C took") :].split("In astmanproxy.users:")

#: What stands in a row of the page: lines of a file, and what becomes of them.
_ROW = re.compile(r"^\| (`[^|]+) \| [^|]+ \| ([^|]+) \| [^|]+ \|$", re.MULTILINE)


def rows(text: str) -> list[tuple[str, str]]:
    """Return each line of the table in *text*, and what the page says becomes of it.

    Lines that are wrong only beside others, or on some machines, are told apart by words
    outside of the code.
    """
    return [
        (line, outcome)
        for lines, outcome in _ROW.findall(text)
        if re.fullmatch("`[^`]+`(, `[^`]+`)*", lines) and outcome != "error at start"
        for line in re.findall("`([^`]+)`", lines)
    ]


def outcome(problems: list[str], warnings: list[str]) -> str:
    """Return the page's word for what parsing gave."""
    return "error" if problems else "warning" if warnings else "as it stands"


@pytest.mark.parametrize(("line", "expected"), rows(_CONF))
def test_lines_of_astmanproxy_conf(line: str, expected: str) -> None:
    """Each is an error, a warning or nothing, as the page says."""
    parsed = parse_config(line, "astmanproxy.conf", "/")

    assert outcome(parsed.problems, parsed.warnings) == expected.partition(":")[0]


@pytest.mark.parametrize(("line", "expected"), rows(_USERS.partition("Also:")[0]))
def test_lines_of_astmanproxy_users(line: str, expected: str) -> None:
    """The same for users."""
    warnings: list[str] = []
    problems: list[str] = []
    try:
        _, warnings = read_users(line, "astmanproxy.users")
    except ConfigError as error:
        problems += error.problems

    assert outcome(problems, warnings) == expected.partition(":")[0]


def test_the_page_has_rows_of_both_files() -> None:
    """A table that is written otherwise is not taken for one without rows."""
    assert len(rows(_CONF)) > 20
    assert len(rows(_USERS)) > 5
