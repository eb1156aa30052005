# SPDX-License-Identifier: GPL-2.0-or-later
"""Sections of manager.conf in the users file give the rights they gave in Asterisk."""

from __future__ import annotations

import pytest

from amiproxy.access import rights
from amiproxy.access.auth import authenticate
from amiproxy.errors import ConfigError
from amiproxy.message import Message
from amiproxy.routing.classes import AGENT, ALL, CALL, ORIGINATE, REPORTING, SYSTEM, USER
from amiproxy.routing.eventfilter import EventFilters
from amiproxy.settings.usersfile import describe_users, read_users

FULL = """\
; users of the C program's form come first
wall = brick,Local/queue

[general]
enabled = yes
port = 5038
bindaddr = 0.0.0.0
displayconnects = no
allowmultiplelogin = no
authtimeout = 20
authlimit = 40
deny = 0.0.0.0/0.0.0.0
permit = 10.0.0.0/8 ; the office
permit = 127.0.0.1

[office](!) ; a template is no user
read = call,agent,user
write = reporting
deny = 0.0.0.0/0
permit = 10.1.0.0/255.255.0.0
eventfilter = !Event: RTCP

[quiet](!)
displayconnects = yes
eventfilter(action(exclude),name(Newexten)) =

;-- this is a comment
[nobody]
secret = x
--;
[crm](office,quiet)
secret => Cr\\;m!x
write = originate,call
permit = 10.2.0.9
accountcode = ACME
out_context = From-CRM
writetimeout = 5000
allowmultiplelogin = yes

[super]
secret = s=per;-- inline --;
read = all
write = all
proxyactions = all
eventfilter = Event: Hangup
eventfilter(name(Newchannel),header(Channel),method(starts_with)) = PJSIP/

[board](office)
secret = b
channel = PJSIP/20
in_context = Queues
server = PBX1
more_events = yes
filters = cdronly|brionly
proxyactions = SetOutputFormat, ListServers
read = call, nonsense
"""


def read(text):
    return read_users(text, "f")[0]


def warnings_of(text):
    return read_users(text, "f")[1]


def problems_of(text):
    with pytest.raises(ConfigError) as caught:
        read_users(text, "f")
    return list(caught.value.problems)


SECTION = "[u]\nsecret=s\nread=all\nwrite=all\n"


@pytest.fixture(scope="module")
def full():
    return read(FULL)


def test_both_forms_in_one_file(full):
    """Lines of the C program's form may stand before the first section."""
    assert list(full) == ["wall", "crm", "super", "board"]
    assert full["wall"].channel == "local/queue"


def test_what_does_nothing_here_is_named_with_file_and_line():
    """Each line without effect draws one warning, the file loads."""
    assert warnings_of(FULL) == [
        "f:5: enabled does nothing here",
        "f:6: port does nothing here; see listenaddress, listenport and certfile in astmanproxy.conf",
        "f:7: bindaddr does nothing here; see listenaddress, listenport and certfile in astmanproxy.conf",
        "f:56: read: there is no class 'nonsense'",
    ]


def test_general_is_for_everyone(full):
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


def test_a_user_has_what_its_templates_say(full):
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


def test_our_own_keys(full):
    """Channel, contexts, server, filters and proxyactions stand in sections too."""
    board = full["board"]

    assert (board.channel, board.in_context, board.server) == ("pjsip/20", "Queues", "pbx1")
    assert board.more_events is True
    assert board.filters == {"cdronly", "brionly"}
    assert board.proxyactions == {"setoutputformat", "listservers"}
    assert (board.read, board.write) == (CALL, REPORTING)
    assert rights.may_proxyaction(board, "ListServers")
    assert not rights.may_proxyaction(board, "AddServer")


def test_event_filters_of_both_forms(full):
    """A user sees what its eventfilter lines let through, as in recording h2_filter_conf."""
    shown = full["super"].eventfilters.passes

    assert shown(Message.of("Event: Hangup", "Channel: Local/1"))
    assert shown(Message.of("Event: Newchannel", "Channel: PJSIP/1"))
    assert not shown(Message.of("Event: Newchannel", "Channel: Local/1"))
    assert not shown(Message.of("Event: VarSet"))


def test_comments(full):
    """A comment may be inside a line or over several; a semicolon may be escaped."""
    assert full["super"].secret == "s=per"
    assert "nobody" not in full
    assert authenticate(full, "crm", "Cr;m!x") is full["crm"]


def test_hash_signs_belong_to_values():
    """In a section `#` begins no comment, as in Asterisk."""
    assert read("[u]\nsecret = a#b\nread=\nwrite=\n")["u"].secret == "a#b"


@pytest.mark.parametrize(
    "directive", ["#include x.conf", '  #include "x"', "#tryinclude x", "#exec x"]
)
def test_includes_are_named(directive):
    """What is not read is named with file and line."""
    warnings = warnings_of(f"[u]\nsecret=s\nread=all\nwrite=all\n{directive}\n")

    assert warnings == [
        f"f:5: {directive.split()[0]} is not supported: put the lines themselves here"
    ]


def test_setvar_is_named():
    """Setvar is not supported and says so."""
    assert warnings_of(SECTION + "setvar = a=b\n") == [
        "f:5: setvar is not supported: channels get no variable from us"
    ]


def test_unknown_keys_are_named():
    """A misspelled key does not pass in silence."""
    assert warnings_of(SECTION + "chanel = x\n") == ["f:5: chanel: unknown key in [u]"]
    assert warnings_of("[general]\nfoo = x\n") == ["f:2: foo: unknown key in [general]"]


def test_without_read_and_write_lines_all_is_allowed_as_in_asterisk():
    """Asterisk gives such users every class; the warning says so."""
    users, warnings = read_users("[u]\nsecret=s\n", "f")

    assert users["u"].read == users["u"].write == ALL
    assert warnings == [
        "f:1: [u] has no read line: all classes, as in Asterisk",
        "f:1: [u] has no write line: all classes, as in Asterisk",
    ]


def test_empty_read_and_write_lines_allow_nothing():
    """`read =` is nothing, and not everything."""
    user = read("[u]\nsecret=s\nread =\nwrite =\n")["u"]

    assert user.read == user.write == 0


def test_a_named_acl_lets_nobody_in():
    """acl.conf is not read, so such a user must not be open to everybody."""
    users, warnings = read_users(SECTION + "acl = office\n", "f")

    assert not users["u"].acl.allows("127.0.0.1")
    assert not users["u"].acl.allows("::1")
    assert warnings[0].startswith("f:5: acl = office: acl.conf is not read")


def test_a_section_without_a_secret_makes_no_user():
    """It may be a base for others; nobody logs in by it."""
    users, warnings = read_users("[base]\nread=call\nwrite=\n[u](base)\nsecret=s\n", "f")

    assert list(users) == ["u"]
    assert users["u"].read == CALL
    assert warnings == ["f:1: [base] has no secret: nobody can log in"]


def test_a_second_section_of_a_user_adds_to_the_first():
    """As in Asterisk: it takes nothing back, but address rules and event filters."""
    first = "[u]\nsecret=s\nread=call\nwrite=agent\ndeny=0.0.0.0/0\neventfilter=!x\n"
    users, warnings = read_users(first + "[u]\nwrite=user\ndeny=10.0.0.0/8\n", "f")

    user = users["u"]
    assert (user.secret, user.read, user.write) == ("s", CALL, USER)
    assert [user.acl.allows(a) for a in ("10.0.0.1", "192.0.2.1")] == [False, True]
    assert not user.eventfilters
    assert len(warnings) == 1
    assert warnings[0].startswith("f:7: [u] is here twice: what this one says counts")


def test_adding_to_a_section_and_to_a_value():
    """[name](+) adds lines to the section, += to the value."""
    user = read(
        "[u]\nsecret=s\nread=call\nwrite=system\n[x](!)\n[u](+)\nread += ,agent\nwrite = all\n"
    )["u"]

    assert user.read == CALL | AGENT
    assert user.write == ALL


def test_bcrypt_secrets_work_in_sections():
    """The secret's form does not depend on the section's."""
    hashed = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"
    users = read(f"[u]\nsecret = {hashed}\nread=all\nwrite=all\n")

    assert authenticate(users, "u", "U*U") is users["u"]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("[u]\nsecret=\n", "f:2: [u]: the secret is empty"),
        ("[u]\nsecret=s\nsecret=\n", "f:3: [u]: the secret is empty"),
        ("[u](nosuch)\nsecret=s\n", "f:1: [u]: there is no section 'nosuch' before this one"),
        ("[u](+)\nsecret=s\n", "f:1: [u]: there is no section '+' before this one"),
        ("[u\nsecret=s\n", "f:1: a section is [name], [name](!) or [name](template,...)"),
        ("[]\nsecret=s\n", "f:1: a section is [name], [name](!) or [name](template,...)"),
        ("[u](x\nsecret=s\n", "f:1: a section is [name], [name](!) or [name](template,...)"),
        (SECTION + "what\n", "f:5: '=' is missing: a line in a section is key = value"),
        (SECTION + "deny = x\n", "f:5: deny: 'x' is no address, network/bits or network/mask"),
        (SECTION + "permit = 10.0.0.0/99\n", "f:5: permit: '10.0.0.0/99' is no address, network/bits or network/mask"),
        (SECTION + "eventfilter = [bad(\n", "f:5: eventfilter: Filter did not compile.  Check the syntax of the filter given."),
        (SECTION + "eventfilter(x(1)) = y\n", "f:5: eventfilter: Filter was formatted incorrectly.  Check the syntax of the filter given."),
        (SECTION + "eventfilter(name(X) = y\n", "f:5: eventfilter: Filter was formatted incorrectly.  Check the syntax of the filter given."),
        (SECTION + "deny(x) = y\n", "f:5: 'deny(': only eventfilter(...) takes parentheses, in pairs"),
        (SECTION + ";-- no end\n", "f:5: the comment that begins with ;-- has no end --;"),
        ("[general]\nauthlimit = many\n", "f:2: authlimit must be a number; 0 is no limit"),
        ("[general]\nauthtimeout = 0\n", "f:2: authtimeout must be a number of seconds from 1 on"),
        ("[general]\ndeny = 1.2.3\n", "f:2: deny: '1.2.3' is no address, network/bits or network/mask"),
    ],
)  # fmt: skip
def test_what_restricts_and_cannot_be_read_is_an_error(text, problem):
    """A line that could let somebody in, if it were left out, refuses the file."""
    assert problem in problems_of(text)


def test_a_line_of_a_template_is_named_once():
    """However many users inherit it."""
    users = "".join(f"[u{i}](t)\nsecret=s\n" for i in range(5))

    assert warnings_of("[t](!)\nread=all\nwrite=all\nsetvar=a=b\n" + users) == [
        "f:4: setvar is not supported: channels get no variable from us"
    ]
    assert len(problems_of("[t](!)\nread=all\nwrite=all\ndeny=x\n" + users)) == 1


def test_general_twice_adds_up():
    """A second [general] does not forget the deny of the first."""
    users = read("[general]\ndeny=0.0.0.0/0\n[general]\nauthlimit=0\n")

    assert not users.general.acl.allows("192.0.2.1")
    assert users.general.auth_limit == 0


@pytest.mark.parametrize(
    ("value", "seconds"), [("100", 0.1), ("99", None), ("x", None), ("", None)]
)
def test_write_timeout(value, seconds):
    """Less than 100 ms is left out, as in Asterisk, with a warning."""
    users, warnings = read_users(SECTION + f"writetimeout = {value}\n", "f")

    assert users["u"].write_timeout == seconds
    assert bool(warnings) is (seconds is None)


def test_yes_and_no():
    """What is neither is no, with a warning."""
    users, warnings = read_users(SECTION + "more_events = maybe\nallowmultiplelogin = TRUE\n", "f")

    assert users["u"].more_events is False
    assert users["u"].allow_multiple_login is True
    assert warnings == ["f:5: more_events = maybe: neither yes nor no, taken for no"]


def test_classes_as_in_asterisk():
    """A user of manager.conf may send what Asterisk let it send."""
    user = read("[u]\nsecret=s\nread=system\nwrite=system,originate\n")["u"]

    assert user.write == SYSTEM | ORIGINATE
    assert rights.refusal(user, Message.of("Action: Originate", "Application: System")) is None
    assert rights.refusal(user, Message.of("Action: QueueAdd")) is not None


def test_descriptions(full):
    """Every restriction of a section shows in words."""
    text = "\n".join(describe_users(full))

    assert text.startswith(
        "everyone: from deny 0.0.0.0/0.0.0.0, permit 10.0.0.0/8, permit 127.0.0.1\n"
    )
    assert "  sees events of: call, agent, user\n" in text
    assert "  does not see events whose text matches Event: RTCP\n" in text
    assert "  does not see Newexten events\n" in text
    assert "only Newchannel events whose Channel starts with PJSIP/\n" in text
    assert "  may not run what could leave the PBX\n" in text
    assert "  may log in once at a time\n" in text
    assert "  may call ProxyActions: listservers, logoff, setoutputformat\n" in text
    assert "  sees also events that belong to no call\n" in text
