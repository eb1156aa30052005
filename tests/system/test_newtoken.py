# SPDX-License-Identifier: GPL-2.0-or-later
"""``astmanproxy --new-token USER``, and what its line does in the users file."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.access import tokens
from amiproxy.commands import newtoken
from amiproxy.process.options import parse_options

if TYPE_CHECKING:
    from pathlib import Path

RIGHTS = "read=all\nwrite=all\n"


def made(
    capsys: pytest.CaptureFixture[str], path: Path, name: str, text: str | None
) -> tuple[list[str], str]:
    """Return the lines that are printed for *name*, and what is told of them."""
    if text is not None:
        path.write_text(text)
    assert newtoken.main(parse_options(["--new-token", name, "-u", str(path)])) == 0
    said = capsys.readouterr()
    return said.out.splitlines(), said.err


def test_the_line_is_the_hash_of_the_token(
    capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    """Two lines for programs, the rest for people."""
    path = tmp_path / "users"
    (token, line), told = made(capsys, path, "joe", f"[joe]\nsecret=s\n{RIGHTS}")

    assert line == f"token = {tokens.hash_of(token)}"
    assert "shown this once" in told
    assert "no user" not in told
    assert token not in told


@pytest.mark.parametrize(
    ("name", "text", "expected"),
    [
        ("joe", f"[ann]\nsecret=s\n{RIGHTS}", "there is no user joe: write a section [joe]"),
        ("joe", "joe=s\n", "user joe stands in a line: tokens need a section [joe]"),
        ("joe", None, "cannot be looked at"),
        ("general", "", "take another name"),
        ("caf\xe9", "[caf\xc3\xa9]\nsecret=s\n", ""),
    ],
)
def test_a_file_that_has_no_place_for_it_is_told(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    name: str,
    text: str | None,
    expected: str,
) -> None:
    """The token is made all the same: the section may come later."""
    lines, told = made(capsys, tmp_path / "users", name, None)
    if text is not None:
        (tmp_path / "users").write_bytes(text.encode("latin-1"))
        lines, told = made(capsys, tmp_path / "users", name, None)

    assert len(lines) == 2
    assert expected in told
    assert expected or "no user" not in told


@pytest.mark.parametrize("name", ["", "a]b", "a\nb"])
def test_what_is_no_name_gets_no_token(capsys: pytest.CaptureFixture[str], name: str) -> None:
    """Nothing is printed that could be taken for one."""
    assert newtoken.main(parse_options(["--new-token", name])) == 1
    assert capsys.readouterr().out == ""
