# SPDX-License-Identifier: GPL-2.0-or-later
"""Lines ``token =`` of the users file, and what is said of wrong ones."""

from __future__ import annotations

import pytest

from amiproxy.access import tokens
from amiproxy.settings.config import Config
from amiproxy.settings.describe import describe_users
from tests.settings.users import SECTION, problems_of, read, warnings_of

ONE, TWO = (tokens.hash_of(f"amp_{each * 32}") for each in "ab")
RIGHTS = "read=all\nwrite=all\n"


def test_a_user_may_have_several_tokens() -> None:
    """One for each program; nothing is wrong about that."""
    text = f"{SECTION}token = {ONE}\ntoken={TWO.upper().replace('SHA', 'sha')}\n"

    assert read(text)["u"].tokens == {ONE, TWO}
    assert warnings_of(text) == []


def test_who_has_a_token_needs_no_secret() -> None:
    """No secret lets in who has none, not even an empty one."""
    text = f"[wall]\ntoken={ONE}\n{RIGHTS}"

    assert warnings_of(text) == []
    assert read(text)["wall"].secret == ""
    assert "user wall: no secret, 1 token, from any address" in describe_users(read(text), Config())
    assert "secret is empty" in problems_of(f"[wall]\nsecret=\ntoken={ONE}\n{RIGHTS}")[0]


@pytest.mark.parametrize(
    ("value", "told"),
    [
        ("amp_" + "a" * 32, "is the token itself"),
        ("sha256:abc", "is no hash as sha256:HEX"),
        ("", "is no hash"),
        ("$2b$10$" + "." * 53, "--new-token prints the line"),
        (ONE + "0", "is no hash"),
    ],
)
def test_a_line_that_lets_nobody_in_is_an_error(value: str, told: str) -> None:
    """With its place, and what to do; never with what stands there."""
    (problem,) = problems_of(f"{SECTION}token = {value}\n")

    assert problem.startswith("f:5: token: ")
    assert told in problem
    assert "--new-token" in problem
    assert not value or value not in problem


def test_a_token_is_one_user_s() -> None:
    """Else which of them would log in?  A template that has one gives it to several."""
    both = f"[a]\nsecret=s\n{RIGHTS}token={ONE}\n[b]\nsecret=s\n{RIGHTS}token={ONE}\n"
    (problem,) = problems_of(both)
    assert problem.startswith("f:10: token: [a] and [b] have the same one")

    template = f"[t](!)\ntoken={ONE}\n{RIGHTS}[a](t)\nsecret=s\n[b](t)\nsecret=s\n"
    assert "have the same one" in problems_of(template)[0]


def test_a_second_section_has_its_own_tokens() -> None:
    """As its address rules: what was taken out of one section must not stay by the other."""
    text = f"{SECTION}token={ONE}\n[u]\ntoken={TWO}\n"

    assert read(text)["u"].tokens == {TWO}
