# SPDX-License-Identifier: GPL-2.0-or-later
"""What a users file could mean in two ways never gives more than the stricter one."""

from __future__ import annotations

import pytest

from amiproxy.access.auth import authenticate
from amiproxy.routing.classes import AGENT, CALL
from amiproxy.settings.usersfile import read_users
from tests.settings.users import SECTION, problems_of, read, warnings_of


@pytest.mark.parametrize(
    "line",
    [
        "secret=Foo",
        "secret => Foo",
        " Secret = Foo",
        "read=call",
        "write += originate",
        "permit=10.0.0.0/8",
        "d e n y = 0.0.0.0/0",
        "\\deny = 0.0.0.0/0",
        "eventfilter(name(Hangup)) = x",
        "allowmultiplelogin=no",
        "channel = sip/1",
        "setvar=a=b",
        "enabled = yes",
        "tlsdisablev1 = yes",
    ],
)
@pytest.mark.parametrize("head", ["", ";[alice]\n", "# [alice]\n", ";-- [alice] --;\n"])
def test_a_key_before_the_first_section_is_no_user(head: str, line: str) -> None:
    """Where the section is commented out, its keys must not become users without limits."""
    problems = problems_of(f"{head}{line}\n[bob]\nsecret=s\n")

    number = 1 + head.count("\n")
    assert [problem.split(": ")[0] for problem in problems] == [f"f:{number}"]
    assert "is a key of a [section]" in problems[0]
    assert "Foo" not in problems[0]


@pytest.mark.parametrize(
    "line",
    [
        "alice=se#cret,sip/1002,internal",
        "alice=se;cret,sip/1002,internal",
        "alice=secret,sip/1002#,internal",
        "alice=secret,sip/1002,internal,,,,,novar;x",
        "alice=#secret,sip/1002",
        "alice=secret,;sip/1002",
        "alice#x=secret,sip/1",
    ],
)
def test_a_comment_that_would_cut_a_user_is_a_problem(line: str) -> None:
    """Its secret would be shorter, and its restrictions gone."""
    [problem] = problems_of(f"bob=s\n{line}")

    assert problem.startswith("f:2: '")
    assert "put a blank before a comment" in problem
    assert "se#" not in problem


def test_a_comment_behind_a_blank_cuts_nothing() -> None:
    """As the files of the C program have it."""
    users = read("alice=secret,sip/1002 ; a phone\nbob=b\t# x;y\n;c=d\n  # e=f\n")

    assert users["alice"].channel == "sip/1002"
    assert list(users) == ["alice", "bob"]


@pytest.mark.parametrize(
    "block",
    [
        ";--\nalice=secret\n--;\n",
        ";-- old\n\n[alice]\nsecret=x\n--;\n",
        "carl=c ;-- from here\nalice=secret,sip/1\n; x --;\n",
        ";-- one\n;-- two\nalice=secret\n--;\n",
    ],
)
def test_users_within_a_comment_of_asterisk_are_a_problem(block: str) -> None:
    """To the C program that comment has one line, and its users are alive."""
    problems = problems_of(f"{block}bob=s\n")

    assert any("begins a comment that ends at line" in problem for problem in problems)


@pytest.mark.parametrize(
    "text", [";-- agents\njoe=s\n", ";-- a\n;-- b --;\njoe=s\n", ";------;\njoe=s\n;----;\n"]
)
def test_a_heading_of_dashes_is_a_comment(text: str) -> None:
    """Where no other reading takes users away."""
    assert list(read(text)) == ["joe"]


@pytest.mark.parametrize("option", ["(+,ro)", "(ro,+)", "(+, ro)", "(tight,+,ro)"])
def test_an_addition_inherits_too(option: str) -> None:
    """What a template takes away is gone, wherever the + stands."""
    text = (
        "[ro](!)\nwrite =\ndeny = 0.0.0.0/0\n[tight](!)\nread = agent\n"
        f"[kim]\nsecret = k\nread = call\nwrite = all\n[kim]{option}\nmore_events = yes\n"
    )
    users, warnings = read_users(text, "f")

    assert users["kim"].write == 0
    assert users["kim"].read == (AGENT if "tight" in option else CALL)
    assert not users["kim"].acl.allows("192.0.2.1")
    assert users["kim"].more_events
    assert any("put + first" in line for line in warnings) is not option.startswith("(+")


def test_a_user_can_be_made_a_template_later() -> None:
    """[name](+,!) lets nobody log in, as in Asterisk."""
    assert list(read("[a]\nsecret=s\n[b]\nsecret=s\n[a](+,!)\n[b](!,+)\n[c]\nsecret=s\n")) == ["c"]


@pytest.mark.parametrize("header", ["[t] (!)", "[t]\t(!)", "[t](!) x", "[t]x"])
def test_a_header_that_asterisk_reads_otherwise_is_a_problem(header: str) -> None:
    """With a blank before its options Asterisk does not see them: the template is a user."""
    assert problems_of(f"{header}\nsecret=s\n") == [
        "f:1: a section is [name], [name](!) or [name](template,...)"
    ]


def test_sections_whose_names_differ_by_case_are_a_problem() -> None:
    """In Asterisk the second restricts the first."""
    problems = problems_of("[Alice]\nsecret=s\nread=all\n[alice]\ndeny=0.0.0.0/0\n")

    assert len(problems) == 1
    assert problems[0].startswith("f:4: [alice] and [Alice] are one user in Asterisk")


def test_a_value_that_is_added_to_stays_in_its_place() -> None:
    """The order of permit and deny counts: a later deny is not undone."""
    rules = "deny=0.0.0.0/0\npermit=10.0.0.0/8\ndeny=10.1.0.0/16\npermit += ,192.0.2.1\n"
    acl = read(SECTION + rules)["u"].acl

    assert [acl.allows(a) for a in ("10.1.0.1", "10.2.0.1", "192.0.2.1")] == [False, True, True]
    rules = "deny=10.1.0.0/16\npermit=192.0.2.1\ndeny += ,192.0.2.0/24\n"
    assert read(SECTION + rules)["u"].acl.allows("192.0.2.1")


@pytest.mark.parametrize("key", ["channel", "out_context", "in_context", "accountcode", "server",
                                 "filters", "eventfilter", "acl", "permit", "deny"])  # fmt: skip
@pytest.mark.parametrize("value", ["", " ; sip/1002", ";internal"])
def test_a_restriction_without_a_value_is_a_problem(key: str, value: str) -> None:
    """An empty one, or one that a comment has eaten, would restrict nothing."""
    [problem] = problems_of(f"{SECTION}{key} ={value}\n")

    assert problem.startswith(f"f:5: {key}: ")


def test_a_general_section_that_is_a_template_is_a_problem() -> None:
    """Its address rules would be in force for nobody."""
    assert problems_of("[general](!)\ndeny = 0.0.0.0/0\n") == [
        "f:1: [general](!) is a template, and would be in force for nobody"
    ]


def test_a_backslash_before_a_key_changes_nothing() -> None:
    """Asterisk drops it."""
    assert not read(SECTION + "\\deny = 0.0.0.0/0\n")["u"].acl.allows("192.0.2.1")


def test_blanks_are_those_of_asterisk() -> None:
    """Every control character around a line, a key or a value."""
    user = read("[u]\x0b\n\x0csecret\x1f=\x01s\x02\n\x08deny = 0.0.0.0/0\n")["u"]

    assert user.secret == "s"
    assert not user.acl.allows("192.0.2.1")


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("; users\rjoe=s\rbob=t\r", "f:1: a carriage return stands within the line"),
        ("joe=s,sip/1\rbob=t\n", "f:1: a carriage return stands within the line"),
        ("j\0o\0e\0=\0s\0", "f:1: the line holds a NUL byte"),
        ("\xff\xfe;\0\n\0", "f:1: the line holds a NUL byte"),
    ],
)
def test_a_file_of_another_machine_is_a_problem(text: str, problem: str) -> None:
    """It would be read as one comment, that is as no users: everybody could log in."""
    assert any(line.startswith(problem) for line in problems_of(text))


def test_sections_that_make_no_user_are_warned_of() -> None:
    """Without users every log-in succeeds, unless authrequired = yes."""
    assert any("no section makes a user" in line for line in warnings_of("[a](!)\nsecret=s\n"))
    assert warnings_of("[general]\nauthlimit = 3\n") == []


def test_a_key_that_is_set_twice_counts_the_last_time_and_is_warned_of() -> None:
    """As where the section of the next user is commented out; not what a template said."""
    users, warnings = read_users(
        "[t](!)\nread=all\ndeny=0.0.0.0/0,::/0\n[u](t)\nsecret=old\nread=\nwrite=\n;[v]\n"
        "secret=new\nread=call\nwrite=\npermit=::1\n",
        "f",
    )

    assert authenticate(users, "u", "old") is None
    assert users["u"].read == CALL
    assert warnings == [
        "f:9: secret: is here twice, this line counts",
        "f:10: read: is here twice, this line counts",
    ]
