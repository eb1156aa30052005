# SPDX-License-Identifier: GPL-2.0-or-later
"""Named lists of addresses: acl.conf as Asterisk 22 reads it, and the users that name them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.errors import ConfigError
from amiproxy.settings.aclfile import NO_ACLS, load_acls, read_acls
from amiproxy.settings.config import Config
from amiproxy.settings.usersfile import read_users
from tests.settings import conf
from tests.settings.users import SECTION

if TYPE_CHECKING:
    from pathlib import Path

    from amiproxy.access.acl import Acl

#: Tried at an Asterisk 22.
LISTS = """\
; the lists of the phones, too
[closed](!)
deny = 0.0.0.0/0,::/0
[local](closed)
permit => 127.0.0.0/255.0.0.0
[office](closed)
Permit = !10.0.0.9, 10.0.0.0/8
permit += ,192.0.2.7
[twice]
deny = 0.0.0.0/0
[twice]
permit = 127.0.0.1
[empty]
[ipv4]
deny = 0.0.0.0/0
"""
ACLS, WARNINGS = read_acls(LISTS, "acl.conf")


def acl_of(*lines: str) -> tuple[Acl, list[str]]:
    """Return the addresses of a user with *lines*, and the warnings."""
    users, warnings = read_users(SECTION + "\n".join(lines), "f", ACLS)
    return users["u"].acl, warnings


def allowed(acl: Acl, *addresses: str) -> list[bool]:
    return [acl.allows(address) for address in addresses]


def test_every_list_that_a_user_names_must_permit() -> None:
    """Each for itself, the user's own lines as well: not one long list."""
    local, _ = acl_of("acl = local")
    both, _ = acl_of("acl = local,office")
    two, _ = acl_of("acl = local", "acl = office")
    own, _ = acl_of("deny = 127.0.0.1", "acl = local")
    permitted, _ = acl_of("acl = local", "deny = 0.0.0.0/0", "deny = ::/0", "permit = 10.0.0.1")

    assert allowed(local, "127.0.0.1", "10.0.0.1", "::1") == [True, False, False]
    assert allowed(both, "127.0.0.1", "10.0.0.1") == allowed(two, "127.0.0.1", "10.0.0.1")
    assert allowed(both, "127.0.0.1", "10.0.0.1") == [False, False]
    assert allowed(own, "127.0.0.1", "127.0.0.2") == [False, True]
    assert allowed(permitted, "127.0.0.1", "10.0.0.1") == [False, False]


def test_what_a_list_may_hold() -> None:
    """Templates, =>, !, += and the last match, as everywhere in Asterisk's files."""
    office, warnings = acl_of("acl = office")
    twice, _ = acl_of("acl = twice")

    assert allowed(office, "10.0.0.1", "10.0.0.9", "192.0.2.7", "192.0.2.8") == [
        True, True, True, False,
    ]  # fmt: skip
    assert warnings == []
    assert allowed(twice, "127.0.0.1", "127.0.0.2") == [True, False]


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("nosuch", "the list 'nosuch' is not in acl.conf"),
        ("LOCAL", "the list 'LOCAL' is not in acl.conf; write local, with nothing around it"),
        ("local , office", "'local ' is not in acl.conf; write local, with nothing around it"),
        ("closed", "the list 'closed' is not in acl.conf"),
        ("local,local", "the list 'local' is named twice"),
        ("local,", "the list '' is not in acl.conf"),
    ],
)
def test_a_list_that_there_is_not_lets_nobody_in(line: str, why: str) -> None:
    """As in Asterisk, where names differ by case, blanks behind them count, twice is too often."""
    acl, warnings = acl_of(f"acl = {line}")

    assert not any(allowed(acl, "127.0.0.1", "10.0.0.1", "::1"))
    assert warnings[0].startswith("f:5: acl: every address is denied here: ")
    assert warnings[0].endswith(why)


def test_without_a_file_of_lists_the_warning_says_what_to_write() -> None:
    """And nobody gets in: without its rules everybody would."""
    users, warnings = read_users(SECTION + "acl = office\n", "f")

    assert not any(allowed(users["u"].acl, "127.0.0.1", "::1"))
    [warning] = warnings
    assert warning == (
        "f:5: acl: every address is denied here: the list 'office' is in no file that is read;"
        " name that file in astmanproxy.conf: aclfile = /etc/asterisk/acl.conf"
    )


def test_a_list_for_everybody() -> None:
    """[general] may name one, too."""
    users, _ = read_users("[general]\nacl = local\n", "f", ACLS)

    assert allowed(users.general.acl, "127.0.0.1", "192.0.2.1") == [True, False]


def test_what_is_hardly_meant_is_warned_of() -> None:
    """A list without a rule permits all; one of IPv4 alone, whoever comes by IPv6."""
    assert WARNINGS == ["acl.conf:13: [empty] has no permit or deny line: it permits every address"]
    [warning] = acl_of("acl = ipv4")[1]
    assert warning == (
        "f:5: an IPv6 address that no line is about is permitted: begin list ipv4 with deny = ::/0"
    )
    assert acl_of("acl = ipv4", "deny = ::/0")[1] == []
    assert acl_of("acl = local", "permit = 127.0.0.1")[1] == []


def test_a_list_is_described() -> None:
    """For ``astmanproxy -t``."""
    assert acl_of("acl = local,nosuch")[0].describe() == (
        "list local (deny 0.0.0.0/0, deny ::/0, permit 127.0.0.0/255.0.0.0); and list nosuch"
        " (deny 0.0.0.0/0, deny ::/0)"
    )
    assert acl_of("permit = 127.0.0.1", "acl = empty")[0].describe() == (
        "any address, in spite of permit 127.0.0.1; and list empty (any address)"
    )


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[general]\n", "x:1: [general]: there is no list of that name"),
        ("[a]\nfoo = bar\n", "x:2: foo: a list has permit and deny lines only"),
        ("[a]\nacl = local\n", "x:2: acl: a list has permit and deny lines only"),
        ("[a]\npermit = 300.1.1.1\n", "x:2: permit: '300.1.1.1' is not an address"),
        ("[a]\ndeny =\n", "x:2: deny: '' is not an address"),
        ("[a]\ndeny\n", "x:2: '=' is missing"),
        ("deny = 0.0.0.0/0\n[a]\n", "x:1: no [section] begins before this line"),
        ("[a]\n#exec more\n", "x:2: #exec is not carried out"),
        ("[a](b)\n", "x:1: [a]: there is no section 'b' before this one"),
        ("[a]\ndeny = ::/0\0\n", "x:2: the line holds a NUL byte"),
    ],
)
def test_a_line_that_cannot_be_used_makes_the_file_unusable(text: str, problem: str) -> None:
    """As in Asterisk; left out, it could let in whom it was to keep out."""
    with pytest.raises(ConfigError) as caught:
        read_acls(text, "x")
    assert any(one.startswith(problem) for one in caught.value.problems), caught.value.problems


@given(st.text("[]()!+;#-=>\n\r\t\0 adenypermit0123./:"))
def test_any_text_is_read_or_refused(text: str) -> None:
    """With no other error."""
    problems: tuple[str, ...] = ()
    try:
        read_acls(text, "x")
    except ConfigError as error:
        problems = error.problems
    assert all(one.startswith("x:") for one in problems)


def test_the_file_must_be_there_where_it_is_named(tmp_path: Path) -> None:
    """The error says which line of astmanproxy.conf names it."""
    path = tmp_path / "acl.conf"
    config = Config(acl_file=str(path), where={"acl_file": "amp.conf:7"})
    with pytest.raises(ConfigError, match=f"^amp.conf:7: aclfile {path}: No such file"):
        load_acls(config)

    path.write_bytes(b"\xef\xbb\xbf[a]\npermit = 127.0.0.1\n")

    assert list(load_acls(config)[0].lists) == ["a"]
    assert load_acls(Config()) == (NO_ACLS, [])


def test_named_lists_are_for_the_users_file() -> None:
    """Ignored, such a line would leave open what it was to close."""
    [problem] = conf.problems_of("acl = office")

    assert problem.startswith("x.conf:1: acl: ")
    assert "[general] of astmanproxy.users" in problem
