# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections of manager.conf in the users file give the rights they gave in Asterisk."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.access import rights
from amiproxy.access.auth import authenticate
from amiproxy.errors import ConfigError
from amiproxy.message import Message
from amiproxy.routing.classes import AGENT, ALL, CALL, ORIGINATE, REPORTING, SYSTEM, USER
from amiproxy.routing.eventfilter import EventFilters
from amiproxy.settings.usersfile import read_users
from tests.settings.users import FULL, SECTION, problems_of, read, warnings_of

if TYPE_CHECKING:
    from amiproxy.access.user import Users


@pytest.fixture(scope="module")
def full() -> Users:
    """Return the users of FULL."""
    return read(FULL)


def test_both_forms_in_one_file(full: Users) -> None:
    """Lines of the C program's form may stand before the first section."""
    assert list(full) == ["wall", "crm", "super", "board"]
    assert full["wall"].channel == "local/queue"


def test_keys_without_effect_cause_a_warning() -> None:
    """One for each line, with file and line number; the file loads."""
    assert warnings_of(FULL) == [
        "f:5: enabled does nothing here",
        "f:6: port does nothing here; see listenaddress, listenport and certfile in astmanproxy.conf",
        "f:7: bindaddr does nothing here; see listenaddress, listenport and certfile in astmanproxy.conf",
        "f:56: read: there is no class 'nonsense'",
    ]


def test_general_is_for_everyone(full: Users) -> None:
    """[general] sets the limits for all and the defaults of users."""
    general = full.general

    assert general.auth_timeout == 20.0
    assert general.auth_limit == 40
    assert general.max_clients is None
    assert [general.acl.allows(a) for a in ("10.9.9.9", "127.0.0.1", "192.0.2.1")] == [
        True,
        True,
        False,
    ]
    assert full["super"].display_connects is False
    assert full["super"].allow_multiple_login is False


def test_a_user_has_what_its_templates_say(full: Users) -> None:
    """Templates come first, in order; what the user says counts after them."""
    crm = full["crm"]

    assert crm.secret == "Cr;m!x"
    assert crm.read == CALL | AGENT | USER
    assert crm.write == ORIGINATE | CALL
    assert [crm.acl.allows(a) for a in ("10.1.2.3", "10.2.0.9", "10.2.0.8")] == [True, True, False]
    assert crm.eventfilters == EventFilters().with_line("!Event: RTCP").with_line(
        "", "action(exclude),name(Newexten)"
    )
    assert crm.display_connects is True
    assert crm.allow_multiple_login is True
    assert crm.write_timeout == 5.0
    assert (crm.accountcode, crm.out_context) == ("ACME", "From-CRM")
    assert crm.proxyactions is None
    assert crm.filtered


def test_keys_that_asterisk_does_not_have(full: Users) -> None:
    """Channel, contexts, server, filters and proxyactions work in sections as well."""
    board = full["board"]

    assert (board.channel, board.in_context, board.servers) == (
        "pjsip/20",
        "Queues",
        frozenset({"pbx1"}),
    )
    assert board.more_events is True
    assert board.filters == {"cdronly", "brionly"}
    assert board.proxyactions == frozenset({"setoutputformat", "listservers"})
    assert (board.read, board.write) == (CALL, REPORTING)
    assert rights.may_proxyaction(board, "ListServers", privileged=True)
    assert not rights.may_proxyaction(board, "AddServer", privileged=True)


@pytest.mark.parametrize(
    "text", ["PBX1, 10.0.0.1:5038", "pbx1|10.0.0.1:5038", ",pbx1 ,, 10.0.0.1:5038"]
)
def test_a_user_may_have_several_servers(text: str) -> None:
    """With bars or commas between them; nothing but these would restrict nobody."""
    assert read(f"{SECTION}server = {text}\n")["u"].servers == {"pbx1", "10.0.0.1:5038"}
    with pytest.raises(ConfigError, match="server: names no server and would restrict nothing"):
        read_users(f"{SECTION}server = , |\n", "f")


def test_event_filters_of_both_forms(full: Users) -> None:
    """A user sees what its eventfilter lines let through, as in recording h2_filter_conf."""
    shown = full["super"].eventfilters.passes

    assert shown(Message.of("Event: Hangup", "Channel: Local/1"))
    assert shown(Message.of("Event: Newchannel", "Channel: PJSIP/1"))
    assert not shown(Message.of("Event: Newchannel", "Channel: Local/1"))
    assert not shown(Message.of("Event: VarSet"))


def test_setvar_causes_a_warning() -> None:
    """It is not supported."""
    assert warnings_of(SECTION + "setvar = a=b\n") == [
        "f:5: setvar is not supported: channels get no variable from us"
    ]


def test_unknown_keys_cause_a_warning() -> None:
    """One that looks like nothing that restricts."""
    assert warnings_of(SECTION + "codecs = x\n") == ["f:5: codecs: unknown key in [u]"]
    assert warnings_of("[general]\nfoo = x\n") == ["f:2: foo: unknown key in [general]"]


@pytest.mark.parametrize(
    ("key", "similar"),
    [("chanel", "channel"), ("dney", "deny"), ("out-context", "out_context"),
     ("acountcode", "accountcode"), ("filter", "filters"), ("permitt", "permit"),
     ("evntfilter", "eventfilter"), ("proxyaction", "proxyactions"), ("reed", "read"),
     ("display_connect", "displayconnects"), ("secrete", "secret")],
)  # fmt: skip
def test_a_misspelled_key_is_an_error(key: str, similar: str) -> None:
    """Left out, it would silently give the user more, or less."""
    with pytest.raises(ConfigError) as raised:
        read_users(f"{SECTION}{key} = 10.0.0.0/8\n", "f")

    assert str(raised.value) == f"f:5: {key}: unknown key; is {similar} meant?"


def test_a_misspelled_key_of_general_is_an_error() -> None:
    """Where a key of a user's section stands, that is no misspelling."""
    assert problems_of("[general]\nauthtimout = 5\n") == [
        "f:2: authtimout: unknown key; is authtimeout meant?"
    ]
    assert len(warnings_of("[general]\nread = all\nwritetimeout = 200\n")) == 2


def test_a_misspelled_word_is_named_with_the_right_one() -> None:
    """Asterisk ignores unknown classes, so that these are warnings."""
    text = SECTION + "read = cal\nproxyactions = listserver\nfilters = cdronly|nowar\n"

    assert [one.partition("'")[2] for one in warnings_of(text) if "there is no" in one] == [
        "cal'; is call meant?",
        "listserver'; is listservers meant?",
        "nowar'; is novar meant?",
    ]


def test_filters_of_which_none_is_known_are_an_error() -> None:
    """In a section; a line of the C program's form is kept as it was."""
    with pytest.raises(ConfigError, match="f:5: filters: no word is a filter"):
        read_users(f"{SECTION}filters = cdr|crdonly\n", "f")


@pytest.mark.parametrize("key", ["read", "write"])
def test_without_a_read_or_write_line_there_is_nothing_of_that_kind(key: str) -> None:
    """As in Asterisk, whose users of manager.conf begin with no class; a warning says so."""
    other = {"read": "write", "write": "read"}[key]
    users, warnings = read_users(f"[u]\nsecret=s\n{other}=all\n", "f")

    assert (getattr(users["u"], key), getattr(users["u"], other)) == (0, ALL)
    nothing = {"read": "no events", "write": "no action that needs a class"}[key]
    assert warnings == [f"f:1: [u] has no {key} line: {nothing}, as in Asterisk"]


def test_empty_read_and_write_lines_allow_nothing() -> None:
    """`read =` is nothing, and not everything."""
    user = read("[u]\nsecret=s\nread =\nwrite =\n")["u"]

    assert user.read == user.write == 0


def test_a_section_without_a_secret_makes_no_user() -> None:
    """It may be a base for others; nobody logs in by it."""
    users, warnings = read_users("[base]\nread=call\nwrite=\n[u](base)\nsecret=s\n", "f")

    assert list(users) == ["u"]
    assert users["u"].read == CALL
    assert warnings == ["f:1: [base] has no secret: nobody can log in"]


def test_bcrypt_secrets_work_in_sections() -> None:
    """The secret's form does not depend on the section's."""
    hashed = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
    users = read(f"[u]\nsecret = {hashed}\nread=all\nwrite=all\n")

    assert authenticate(users, "u", "U*U") is users["u"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[u]\nsecret=\n", "f:2: [u]: the secret is empty"),
        ("[u]\nsecret=s\nsecret=\n", "f:3: [u]: the secret is empty"),
        (SECTION + "deny = x\n", "f:5: deny: 'x' is not an address, network/bits or network/mask"),
        (SECTION + "permit = 10.0.0.0/99\n", "f:5: permit: '10.0.0.0/99' is not an address, network/bits or network/mask"),
        (SECTION + "eventfilter = [bad(\n", "f:5: eventfilter: Filter did not compile.  Check the syntax of the filter given. (a [ is never closed)"),
        (SECTION + "eventfilter = (a)\\1\n", "f:5: eventfilter: Filter refused: \\1: references to groups are not supported"),
        (SECTION + "eventfilter = (.{0,30}){30}q\n", "f:5: eventfilter: Filter refused: with its repetitions written out it has 6301 bytes; it may have 1500"),
        (SECTION + "eventfilterx = [bad(\n", "f:5: eventfilter: Filter did not compile.  Check the syntax of the filter given. (a [ is never closed)"),
        (SECTION + "eventfilter(name(X)) = y\n", "f:5: eventfilter: Filter was formatted incorrectly.  Check the syntax of the filter given."),
        (SECTION + "eventfilter(x(1)) = y\n", "f:5: eventfilter: Filter was formatted incorrectly.  Check the syntax of the filter given."),
        (SECTION + "eventfilter(name(X) = y\n", "f:5: eventfilter: Filter was formatted incorrectly.  Check the syntax of the filter given."),
        ("[general]\nauthlimit = many\n", 'f:2: authlimit: "many" is not a whole number; write 0 for no limit'),
        ("[general]\nauthtimeout = 0\n", "f:2: authtimeout: 0 is not between 1 and 999999999"),
        ("[general]\ndeny = 1.2.3\n", "f:2: deny: '1.2.3' is not an address, network/bits or network/mask"),
    ],
)  # fmt: skip
def test_a_restriction_that_cannot_be_read_is_a_problem(text: str, problem: str) -> None:
    """Without such a line somebody could get in."""
    assert problem in problems_of(text)


def test_a_long_authtimeout_is_accepted() -> None:
    """0 is not: a client that may take any time to log in is written like this."""
    users, warnings = read_users("[general]\nauthtimeout = 999999999\n", "f")

    assert (users.general.auth_timeout, warnings) == (999_999_999, [])


@pytest.mark.parametrize(
    ("value", "seconds"), [("100", 0.1), ("99", None), ("x", None), ("", None)]
)
def test_write_timeout(value: str, seconds: float | None) -> None:
    """Less than 100 ms is left out, as in Asterisk, with a warning."""
    users, warnings = read_users(SECTION + f"writetimeout = {value}\n", "f")

    assert users["u"].write_timeout == seconds
    assert bool(warnings) is (seconds is None)


def test_a_flag_that_is_neither_yes_nor_no_means_no() -> None:
    """With a warning."""
    users, warnings = read_users(SECTION + "more_events = maybe\nallowmultiplelogin = TRUE\n", "f")

    assert users["u"].more_events is False
    assert users["u"].allow_multiple_login is True
    assert warnings == ["f:5: more_events = maybe: neither yes nor no, taken for no"]


def test_classes_as_in_asterisk() -> None:
    """A user of manager.conf may send what Asterisk let it send."""
    user = read("[u]\nsecret=s\nread=system\nwrite=system,originate\n")["u"]

    assert user.write == SYSTEM | ORIGINATE
    assert rights.refusal(user, Message.of("Action: Originate", "Application: System")) is None
    assert rights.refusal(user, Message.of("Action: QueueAdd")) is not None
