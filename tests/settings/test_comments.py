# SPDX-License-Identifier: GPL-2.0-or-later
"""Comments in sections are those of Asterisk's configuration files."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.settings.comments import STRAY_END, without_comments
from amiproxy.settings.usersfile import read_users
from tests.settings.users import SECTION, problems_of, read


def as_asterisk(line: str, depth: int) -> tuple[str, int]:
    """Do what ast_config's reader does with a line: main/config.c, around COMMENT_META.

    A transcription, buffer for buffer; a comment that ends without a begin stops it.
    """
    buffer = line + "\0"
    new = 0
    process: str | None = None if depth else buffer  # what Asterisk goes on with
    base = 0  # where *process* begins in the buffer

    def text(at: int) -> str:
        return buffer[at : buffer.index("\0", at)]

    while (found := text(new).find(";")) >= 0:
        at = new + found
        if at > new and buffer[at - 1] == "\\":
            buffer = buffer[: at - 1] + buffer[at:]
            new = at
        elif buffer[at + 1 : at + 3] == "--" and buffer[at + 3 : at + 4] != "-":
            buffer = buffer[:at] + "\0" + buffer[at + 1 :]
            new = at + 3
            depth += 1
        elif at >= new + 2 and buffer[at - 2 : at] == "--":
            depth -= 1
            new = at + 1
            if depth < 0:
                return "", STRAY_END
            if not depth:
                if process is not None:
                    end = base + len(text(base))
                    buffer = buffer[:end] + text(new) + "\0"
                    new = end
                else:
                    process, base = buffer, new
        elif not depth:
            buffer = buffer[:at] + "\0" + buffer[at + 1 :]
            new = at
        else:
            new = at + 1
    return ("" if process is None else text(base)), depth


PIECES = st.lists(st.sampled_from([";--", "--;", ";", "-", "\\", "a", " ", ";---"]), max_size=9)


@given(PIECES.map("".join), st.integers(0, 3))
def test_any_line_is_read_as_asterisk_reads_it(line: str, depth: int) -> None:
    """Nested comments, dashes, backslashes."""
    kept, left = without_comments(line, depth)
    theirs = as_asterisk(line, depth)

    assert left == theirs[1]
    if left != STRAY_END:
        assert kept == theirs[0]


@pytest.mark.parametrize(
    "comment",
    [
        ";-- old\n;-- older\n[eve]\nsecret=e\n--;\n[eve]\nsecret=e\n--;\n",
        ";-- a ;-- b --;\n[eve]\nsecret=e\n--;\n",
        ";--\n;-- one --;\n[eve]\nsecret=e\n;-- two\n--;\n[eve]\nsecret=e\n--;\n",
    ],
)
def test_a_section_in_a_nested_comment_is_no_user(comment: str) -> None:
    """An inner --; does not end the outer comment."""
    users = read(f"{SECTION}{comment}[bob]\nsecret=b\n")

    assert list(users) == ["u", "bob"]


def test_a_line_of_dashes_is_a_comment_of_one_line() -> None:
    """As the samples of Asterisk have it; within a comment it ends that one, as there."""
    assert read(f";-------------;\n{SECTION};-----;\nserver = a\n")["u"].servers == {"a"}
    users, _ = read_users(f"{SECTION};--\n[eve]\n;------;\nserver = b\n", "f")
    assert users["u"].servers == {"b"}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (SECTION + "[eve]\n--;\n", "f:6: --; ends a comment, and none has begun with ;--"),
        (SECTION + ";--\n;-- x\n--;\n", "f:5: the comment that begins with ;-- has no end --;"),
    ],
)
def test_a_comment_with_one_end_is_a_problem(text: str, problem: str) -> None:
    """It cannot be known what was meant to be outside of it."""
    assert problem in problems_of(text)
