# SPDX-License-Identifier: GPL-2.0-or-later
"""The users file in the C program's form, and what both forms share."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.access import rights
from amiproxy.access.auth import authenticate
from amiproxy.access.user import General, User, Users
from amiproxy.errors import ConfigError
from amiproxy.message import Message
from amiproxy.routing import classes
from amiproxy.settings.describe import describe_users
from amiproxy.settings.usersfile import load_users, read_users
from tests.settings.users import GUARDED, problems_of, read, warnings_of
from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

HASH = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"


def read_cleanly(text: str) -> Users:
    """Return the users of *text*, which draws no warning."""
    users, warnings = read_users(text, "f")
    assert warnings == []
    return users


def test_all_eight_fields() -> None:
    """Each field of the line is where the C program had it."""
    users = read_cleanly(
        "joe=Secret1,SIP/1002,OutCtx,InCtx,Acme,PBX.Example,x,cdronly|NoVar\n"
    )  # fmt: skip

    joe = users["joe"]
    assert joe == User(
        "joe",
        "Secret1",
        channel="sip/1002",
        out_context="OutCtx",
        in_context="InCtx",
        accountcode="Acme",
        servers=frozenset({"pbx.example"}),
        more_events=True,
        filters=frozenset({"cdronly", "novar"}),
        write=classes.ALL & ~(classes.SYSTEM | classes.COMMAND | classes.CONFIG),
    )
    assert joe.filtered


def test_a_name_and_a_secret_are_enough() -> None:
    """Trailing fields may be missing or empty; the user may see and send everything."""
    users = read_cleanly("joe=Secret1\nbill=pw2,,,,,,,\n")

    assert users["joe"].secret == "Secret1"
    assert users["bill"].secret == "pw2"
    for user in users.values():
        assert not user.filtered
        assert user.read == user.write == classes.ALL
        assert user.acl.allows("192.0.2.1")
        assert rights.may_proxyaction(user, "AddServer", privileged=True)


@pytest.mark.parametrize(
    "line", ["", "   ", "\t", " \t \r", "; x=y", "# x=y", "   ; x=y", "\t# x=y", "  #", ";=,"]
)
def test_blank_and_comment_lines_make_no_user(line: str) -> None:
    """A line of blanks or an indented comment lets nobody in (in C it let everybody in)."""
    users = read_cleanly(f"joe=s\n{line}\n")

    assert list(users) == ["joe"]
    assert users.get("") is None
    assert authenticate(users, "", "") is None


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("=s", "f:1: the user name before '=' is missing"),
        ("  =s,SIP/1", "f:1: the user name before '=' is missing"),
        ("joe=s\nbob=", "f:2: user bob has no secret: write name=secret"),
        ("bob= ,SIP/1", "f:1: user bob has no secret: write name=secret"),
        ("bob=,SIP/1", "f:1: user bob has no secret: write name=secret"),
        ("bob= ;x", "f:1: user bob has no secret: write name=secret"),
        ("hunter2", "f:1: '=' is missing: a user is name=secret,..."),
        ("bob=a\0b", "f:1: the line holds a NUL byte; write the file in ASCII or UTF-8"),
    ],
)
def test_a_line_without_name_or_secret_is_a_problem(text: str, problem: str) -> None:
    """With file and line; such a line never makes a user."""
    assert problems_of(text) == [problem]


def test_every_problem_is_named_at_once() -> None:
    """The operator need not start several times to find them all."""
    assert len(problems_of("=a\nb=\nc\nd=s\n[e](nobody)\n[f\n")) == 5


def test_blanks_and_comments_behind_the_fields() -> None:
    """Blanks do not count anywhere, and a comment ends the line."""
    users = read_cleanly("  joe =\tSecret1 , SIP/10 02 ; a phone, x\nbob=s\t#,SIP/1\n")

    assert users["joe"].secret == "Secret1"
    assert users["joe"].channel == "sip/1002"
    assert users["bob"].secret == "s"
    assert users["bob"].channel == ""


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_line_ends(end: str) -> None:
    """LF or CRLF, even without a last line end or with a byte order mark."""
    users = read_cleanly(f"\xef\xbb\xbfjoe=s{end}bob=t,,Ctx")

    assert [users["joe"].secret, users["bob"].secret] == ["s", "t"]
    assert users["bob"].out_context == "Ctx"


def test_bytes_that_only_python_takes_for_line_ends() -> None:
    """0x85 and the like stand in secrets as any other byte."""
    assert read_cleanly("joe=a\x85b\x0cc\x1c\xa0d\n")["joe"].secret == "a\x85b\x0cc\x1c\xa0d"


def test_names_and_secrets_keep_their_case() -> None:
    """Joe and joe are two."""
    users = read_cleanly("joe=s\nJoe=S\n")

    assert users["joe"].secret == "s"
    assert users["Joe"].secret == "S"
    assert users.get("JOE") is None


def test_contexts_keep_their_case() -> None:
    """An out_context with capitals can match the context it names."""
    joe = read_cleanly("joe=s,,From-Internal,To-Users")["joe"]

    assert (joe.out_context, joe.in_context) == ("From-Internal", "To-Users")


def test_equals_signs_belong_to_the_secret() -> None:
    """A secret with `=` is whole, and the warning says that C dropped it."""
    users, warnings = read_users("joe=a=b==\n", "f")

    assert users["joe"].secret == "a=b=="
    assert warnings == ["f:1: user joe: the '=' in the secret belongs to it (C dropped it)"]


@pytest.mark.parametrize(
    ("text", "warning"),
    [
        ("u=s,,,,,,,novar,extra", "f:1: user u: the fields after the eighth do not count"),
        ("u=s,,,,,,,whatever", "f:1: user u: there is no filter 'whatever'"),
        ("u=a b", "f:1: user u: the blanks in the secret do not count"),
        ("u=s,,,,,,no", "f:1: user u: more_events is set by any word, 'no' too"),
        ("u=s\nu=t", "f:2: user u is here twice: this one counts"),
        ("u=s\n[u]\nsecret=t\nread=all\nwrite=all", "f:2: user u is here twice: this one counts"),
        ("u=$1$abc$def", ("f:1: user u cannot log in: the secret begins with $ but is not bcrypt;"
         " astmanproxy --hash-secret makes that of it")),
        (f"u={HASH.replace('$05$', '$31$')}", "f:1: user u: bcrypt with cost 31 makes log-ins slow"),
    ],
)  # fmt: skip
def test_odd_lines_are_accepted_with_a_warning(text: str, warning: str) -> None:
    """The C program accepted them."""
    users, warnings = read_users(text, "f")

    assert warnings == [warning]
    assert list(users) == ["u"]


def test_of_two_lines_the_last_counts() -> None:
    """The old secret no longer lets in."""
    users, _ = read_users("u=s,SIP/1\nu=t\n", "f")

    assert users["u"] == User("u", "t", proxyactions=frozenset({"all"}))
    assert authenticate(users, "u", "s") is None
    assert users["u"].channel == ""


def test_the_golden_users_file_with_more_fields() -> None:
    """`u=s,,,,,,,whatever,extra` is a user without filters, as in C."""
    user = read_users("u=s,,,,,,,whatever,extra\n", "f")[0]["u"]

    assert not user.filtered


def test_filters_are_found_as_in_c() -> None:
    """C looked for the names anywhere in the field: what restricted there restricts here."""
    user = read_users("u=s,,,,,,,cdronly+brionly", "f")[0]["u"]

    assert user.filters == {"cdronly", "brionly"}


def test_bcrypt_secrets_log_in() -> None:
    """A hash the C program made lets its user in."""
    users = read_cleanly(f"bf={HASH}\n")

    assert authenticate(users, "bf", "U*U") is users["bf"]
    assert users.bcrypt_cost == 5
    assert read_cleanly("a=b").bcrypt_cost == 0


@pytest.mark.parametrize("fields", ["SIP/100", ",out", "SIP/100,out,in,acc"])
def test_users_with_a_channel_or_context_have_no_class_without_bounds(fields: str) -> None:
    """No command, no shell, no dialplan: none of these looks at a channel.  A section gives them."""
    joe = read_cleanly(f"joe=s,{fields}")["joe"]

    for action, class_ in (("Command", classes.COMMAND), ("DBPut", classes.SYSTEM),
                           ("UpdateConfig", classes.CONFIG), ("ModuleLoad", classes.SYSTEM)):  # fmt: skip
        assert rights.refusal(joe, Message.of(f"Action: {action}")), action
        assert not joe.write & class_
    for action in ("Originate", "Hangup", "Status", "QueueAdd", "Getvar", "UserEvent", "Ping"):
        assert rights.refusal(joe, Message.of(f"Action: {action}")) is None, action
    given = "[joe]\nsecret=s\nread=all\nwrite=all\nchannel=SIP/1\n"
    assert rights.refusal(read_cleanly(given)["joe"], Message.of("Action: Command")) is None


@pytest.mark.parametrize("fields", ["", ",,in", ",,,acc", ",,,,pbx", ",,,,,,cdronly"])
def test_other_users_of_c_may_send_everything(fields: str) -> None:
    """What they see may be limited, what they act on is not."""
    assert read_cleanly(f"joe=s,{fields}")["joe"].write == classes.ALL


def test_several_servers_stand_between_bars() -> None:
    """As filters do: a comma would end the field."""
    user = read_cleanly("joe=s,,,,,PBX1 | 192.0.2.1:5038|[::1]:5038")["joe"]

    assert user.servers == {"pbx1", "192.0.2.1:5038", "[::1]:5038"}
    assert not read_cleanly("joe=s,,,,, ,yes")["joe"].servers
    with pytest.raises(ConfigError, match=r"^f:1: user joe: server: names no server"):
        read_users("joe=s,,,,,|", "f")


def test_filtered_users_may_not_change_the_servers() -> None:
    """A user who sees only some calls, or acts on one server, may not call AddServer."""
    for fields in ("SIP/100", ",out", ",,in", ",,,account", ",,,,,,cdronly", ",,,,pbx1"):
        user = read_cleanly(f"joe=s,{fields}")["joe"]

        assert not rights.may_proxyaction(user, "AddServer", privileged=True), fields
        assert rights.may_proxyaction(user, "SetOutputFormat", privileged=False), fields
    joe = read_cleanly("joe=s,,,,,,yes")["joe"]
    assert rights.may_proxyaction(joe, "AddServer", privileged=True)


def test_secrets_are_in_no_repr_nor_message() -> None:
    """Secrets never reach a log."""
    text = "joe=hunter2,SIP/1,,,,,,bad\n[bob]\nsecret = hunter2\nwritetimeout = 1\nx = hunter2\n"
    users, warnings = read_users(text, "f")

    shown = [
        repr(users),
        repr(users["joe"]),
        repr(users["bob"]),
        *warnings,
        *describe_users(users, GUARDED),
    ]
    assert "hunter2" not in "".join(shown)


def test_users_are_a_value() -> None:
    """Threads share users, so nothing can change them."""
    users = read_cleanly("joe=s\n")

    with pytest.raises(TypeError):
        users["joe"] = users["joe"]  # type: ignore[index]
    with pytest.raises(AttributeError):
        users["joe"].secret = "x"  # type: ignore[misc]
    assert len(users) == 1
    assert not Users()
    assert Users().general == General()


def test_load_users_reads_the_file(tmp_path: Path) -> None:
    """The file is read byte by byte; problems name it as it was given."""
    path = tmp_path / "u"
    path.write_bytes(b"joe=caf\xe9\nbob=s,,,,,,,x\n")

    users, warnings = load_users(str(path))

    assert users["joe"].secret == "caf\xe9"
    assert warnings == [f"{path}:2: user bob: there is no filter 'x'"]


def test_a_missing_file_is_a_config_error(tmp_path: Path) -> None:
    """Or one that is a directory: one clear line."""
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(ConfigError, match=str(path)):
            load_users(path)


def test_the_sample_in_the_documentation_loads() -> None:
    """The users of docs/security.md are users, each with what is said of it."""
    text = (ROOT / "docs/security.md").read_text()
    sample = "\n".join(line[3:] for line in text.split("```")[3].split("\n"))

    users, _ = read_users(sample, "f")

    assert list(users) == ["wallboard", "crm"]
    assert users["crm"].write == classes.ORIGINATE
    assert users["wallboard"].write == 0
    assert users["wallboard"].acl.allows("10.1.2.3")
    assert not users["wallboard"].acl.allows("2001:db8::1")


@given(st.text(alphabet=st.characters(max_codepoint=255), max_size=200))
def test_any_file_is_read_or_refused(text: str) -> None:
    """Noise gives users or ConfigError; no user has an empty name or secret."""
    try:
        users, warnings = read_users(text, "f")
    except ConfigError:
        return
    assert all(name and user.secret and user.name == name for name, user in users.items())
    assert all(warning.startswith("f:") for warning in warnings)
    assert describe_users(users, GUARDED)


SEEDS = st.sampled_from(
    ["joe=s", "[a]", "[b](a)", "[t](!)", "[a](+)", "secret = x", "read=call", "permit=10.0.0.0/8",
     "eventfilter(name(X)) = y", ";-- x", "--;", "#include x", "write += ,agent", "[general]", "=", "("]
)  # fmt: skip


@given(st.lists(SEEDS, max_size=12))
def test_any_lines_are_read_or_refused(lines: list[str]) -> None:
    """The pieces of both forms in any order give users or ConfigError."""
    try:
        users, _ = read_users("\n".join(lines), "f")
    except ConfigError:
        return
    assert all(user.secret for user in users.values())


def test_quotes_around_a_secret_are_warned_of() -> None:
    """In astmanproxy.conf they would not belong to it."""
    assert warnings_of('joe="secret"\n') == ["f:1: user joe: the quotes belong to the secret"]
    assert read('joe="secret"\n')["joe"].secret == '"secret"'
