# SPDX-License-Identifier: GPL-2.0-or-later
"""The syntax of sections in the users file, which is that of Asterisk's files."""

from __future__ import annotations

import pytest

from amiproxy.access.auth import authenticate
from amiproxy.routing.classes import AGENT, ALL, CALL, USER
from amiproxy.settings.managerconf import OPERATING, PROXY_ACTIONS
from amiproxy.settings.usersfile import read_users
from amiproxy.threads.actions.proxyactions import PROXY_ACTIONS as REGISTERED
from tests.settings.users import FULL, SECTION, problems_of, read, warnings_of


def test_comments() -> None:
    """A comment may be inside a line or over several; a semicolon may be escaped."""
    full = read(FULL)

    assert full["super"].secret == "s=per"
    assert "nobody" not in full
    assert authenticate(full, "crm", "Cr;m!x") is full["crm"]


def test_hash_signs_belong_to_values() -> None:
    """In a section `#` begins no comment, as in Asterisk."""
    assert read("[u]\nsecret = a#b\nread=\nwrite=\n")["u"].secret == "a#b"


def test_exec_causes_a_warning() -> None:
    """The program it names is not run."""
    warnings = warnings_of("[u]\nsecret=s\nread=all\nwrite=all\n#exec x\n")

    assert warnings == ["f:5: #exec is not carried out: put the lines themselves here"]


def test_adding_to_a_section_and_to_a_value() -> None:
    """[name](+) adds lines to the section, += to the value."""
    user = read(
        "[u]\nsecret=s\nread=call\nwrite=system\n[x](!)\n[u](+)\nread += ,agent\nwrite = all\n"
    )["u"]

    assert user.read == CALL | AGENT
    assert user.write == ALL


def test_a_second_section_of_a_user_adds_to_the_first() -> None:
    """As in Asterisk; only address rules and event filters begin anew."""
    first = "[u]\nsecret=s\nread=call\nwrite=agent\ndeny=0.0.0.0/0\neventfilter=!x\n"
    users, warnings = read_users(first + "[u]\nwrite=user\ndeny=10.0.0.0/8\n", "f")

    user = users["u"]
    assert (user.secret, user.read, user.write) == ("s", CALL, USER)
    assert [user.acl.allows(a) for a in ("10.0.0.1", "192.0.2.1")] == [False, True]
    assert not user.eventfilters
    assert len(warnings) == 1
    assert warnings[0].startswith("f:7: [u] is here twice: what this one says counts")


def test_a_line_of_a_template_is_reported_once() -> None:
    """However many users inherit it."""
    users = "".join(f"[u{i}](t)\nsecret=s\n" for i in range(5))

    assert warnings_of("[t](!)\nread=all\nwrite=all\nsetvar=a=b\n" + users) == [
        "f:4: setvar is not supported: channels get no variable from us"
    ]
    assert len(problems_of("[t](!)\nread=all\nwrite=all\ndeny=x\n" + users)) == 1


def test_general_twice_adds_up() -> None:
    """The rules of the first [general] stay in force."""
    users = read("[general]\ndeny=0.0.0.0/0\n[general]\nauthlimit=0\n")

    assert not users.general.acl.allows("192.0.2.1")
    assert users.general.auth_limit == 0


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[u](nosuch)\nsecret=s\n", "f:1: [u]: there is no section 'nosuch' before this one"),
        ("[u](+)\nsecret=s\n", "f:1: [u]: there is no section '+' before this one"),
        ("[u\nsecret=s\n", "f:1: a section is [name], [name](!) or [name](template,...)"),
        ("[]\nsecret=s\n", "f:1: a section is [name], [name](!) or [name](template,...)"),
        ("[u](x\nsecret=s\n", "f:1: a section is [name], [name](!) or [name](template,...)"),
        (SECTION + "what\n", "f:5: '=' is missing: a line in a section is key = value"),
        (SECTION + "eventfilter() = y\n", "f:5: 'eventfilter()': there is nothing in the parentheses"),
        (SECTION + "eventfilter( ) = y\n", "f:5: 'eventfilter()': there is nothing in the parentheses"),
        (SECTION + "deny(x) = y\n", "f:5: 'deny(': only eventfilter(...) takes parentheses, in pairs"),
        (SECTION + ";-- no end\n", "f:5: the comment that begins with ;-- has no end --;"),
    ],
)  # fmt: skip
def test_a_malformed_line_is_a_problem(text: str, problem: str) -> None:
    """With file and line."""
    assert problem in problems_of(text)


def test_a_secret_that_a_comment_cuts_is_warned_of() -> None:
    """Asterisk cuts it as well; with a backslash it does not."""
    users = "[a]\nsecret = s;x\nread=\nwrite=\n[b]\nsecret = s\\;x ; why\nread=\nwrite=\n"

    assert [one.partition(";")[0] for one in warnings_of(users)] == ["f:2: secret: "]
    assert read(users)["a"].secret == "s"
    assert read(users)["b"].secret == "s;x"


def test_a_user_of_the_other_form_behind_a_section_is_told_where_to_stand() -> None:
    """Whoever adds one at the end of the file."""
    assert warnings_of(f"{SECTION}joe=secret,sip/1\n")[0].startswith(
        "f:5: joe: unknown key in [u]; a user as name=secret,... stands before"
    )


def test_unknown_proxyactions_are_named() -> None:
    """The list of them here is that of those there are."""
    assert warnings_of(f"{SECTION}proxyactions = AddSrver, Uptime, none, all\n") == [
        "f:5: proxyactions: there is no ProxyAction 'addsrver'; is addserver meant?"
    ]
    assert {name for name, each in REGISTERED.items() if not each.operating} == PROXY_ACTIONS
    assert {name for name, each in REGISTERED.items() if each.operating} == OPERATING
    assert warnings_of(f"{SECTION}proxyactions = operator, Kick\n") == []
