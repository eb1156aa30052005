# SPDX-License-Identifier: GPL-2.0-or-later
"""The manual pages: written as mdoc(7) wants it, and right."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from amiproxy.process.options import parse_options
from amiproxy.settings.conffile import parse_config
from amiproxy.settings.usersfile import read_users
from amiproxy.threads.control.table import COMMANDS
from docs import keys, mdoc, sample
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

MAN = ROOT / "man"
PAGES = sorted(MAN.iterdir())
#: Pages of others that ours refer to.
OTHERS = {("asterisk", "8"), ("logrotate", "8"), ("sd_listen_fds", "3"), ("sd_notify", "3"),
          ("systemctl", "1")}  # fmt: skip


needs_mandoc = pytest.mark.skipif(
    shutil.which("mandoc") is None, reason="mandoc is missing (Debian: apt install mandoc)"
)


def mandoc(*arguments: str, text: str | None = None) -> str:
    """Return what mandoc prints."""
    done = subprocess.run(
        ["mandoc", *arguments], input=text, capture_output=True, text=True, check=False
    )
    return done.stdout + done.stderr


@needs_mandoc
def test_pages_are_clean() -> None:
    """Nothing to complain of, be it style, but for pages that are not installed here."""
    found = mandoc("-Tlint", *map(str, PAGES)).splitlines()

    elsewhere = "referenced manual not found|outdated mandoc.db"
    assert [line for line in found if not re.search(elsewhere, line)] == []


def test_references_lead_to_pages() -> None:
    """Of ours, or of those that may be installed."""
    ours = {tuple(page.name.rsplit(".", 1)) for page in PAGES}
    named = {
        found
        for page in PAGES
        for found in re.findall(r"^\.Xr (\S+) (\d)", page.read_text(), re.MULTILINE)
    }

    assert ours <= named
    assert named - ours == OTHERS


def displays(page: Path) -> list[str]:
    """Return the displays below EXAMPLES of *page*, as one types them."""
    text = page.read_text().partition(".Sh EXAMPLES\n")[2]
    found = re.findall(r"^\.Bd [^\n]*\n(.*?)^\.Ed$", text, re.DOTALL | re.MULTILINE)
    return [each.replace("\\&", "").replace("\\e", "\\") for each in found]


def test_example_configurations_are_valid() -> None:
    """Without as much as a warning."""
    examples = displays(MAN / "astmanproxy.conf.5")

    assert examples
    for each in examples:
        assert parse_config(each, "f")[1:] == ([], [])


def test_example_users_are_valid() -> None:
    """Each with what it says beside the example."""
    names = {name for each in displays(MAN / "astmanproxy.users.5") for name in _users(each)}

    assert names == {"supervisor", "agent1002", "wallboard", "crm"}


def _users(text: str) -> Sequence[str]:
    users, warnings = read_users(re.sub(r"\.{9,}", "." * 53, text), "f")
    assert warnings == []
    return [*users]


def test_example_command_lines_are_valid() -> None:
    """Options there are, and commands that the running proxy knows."""
    lines = "".join(displays(MAN / "astmanproxy.8"))
    typed = re.findall(r"astmanproxy (-[^&)\n]*)", lines)

    asked = [parse_options(shlex.split(each)).control for each in typed]

    assert len(typed) > 5
    for each in filter(None, asked):
        assert each in COMMANDS or each.split()[0] in COMMANDS


def test_the_sample_marks_what_a_sighup_changes() -> None:
    """[HUP] stands with the keys of which it is so, and no other."""
    entries = [
        each
        for part in sample.parts((ROOT / "astmanproxy.conf").read_text())
        for each in part.entries
        if each.keys
    ]
    wrong = {
        key: each.live for each in entries for key in each.keys if keys.at_once(key) != each.live
    }

    assert wrong == {"certfile": False}  # whose text says what is read again


PRINTABLE = st.text(st.characters(min_codepoint=32, max_codepoint=126, exclude_characters="`*["))


@needs_mandoc
@settings(max_examples=25)
@example([".so it begins. 'Tis \\fBbold", "No Sh .", '"'])
@given(st.lists(PRINTABLE, min_size=1, max_size=8))
def test_any_text_is_printed_as_it_is(texts: list[str]) -> None:
    """Dots at the begin of lines, backslashes, names of macros: in sentences and as code."""
    words = " ".join(texts).split() or ["nothing"]
    lines = mdoc.paragraph(" ".join(words))
    code = [f".Ic {mdoc.argument(word)}" for word in words]

    printed = mandoc("-mdoc", "-Tutf8", text="\n".join([*HEAD, *lines, ".Pp", *code, ""]))

    body = re.sub(r".\x08", "", printed).partition("DESCRIPTION")[2].rpartition("November")[0]
    assert "".join(body.split()).removesuffix("Debian") == "".join(words) * 2


HEAD = [".Dd November 26, 2026", ".Dt X 8", ".Os Debian", ".Sh NAME", ".Nm x", ".Nd y",
        ".Sh DESCRIPTION"]  # fmt: skip
