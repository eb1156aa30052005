# SPDX-License-Identifier: GPL-2.0-or-later
"""``listen`` lines: what they say, what they leave to the keys, and what is wrong with them."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from amiproxy.access.acl import DENY_ALL, Acl, read_rules
from amiproxy.access.user import User, Users
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.settings.advice import advice
from amiproxy.settings.conffile import parse_config
from amiproxy.settings.config import Config, reloaded
from amiproxy.settings.describe import describe_listener, describe_users
from amiproxy.settings.inforce import in_force
from amiproxy.settings.listeners import listeners, of_keys
from amiproxy.settings.listenerspec import ListenLine
from amiproxy.settings.reloadreport import changes, listener_changes
from tests.settings.conf import problems_of, read, warnings_of

EVERY = (
    'listen = 10.0.0.1, 8088, input=http, OUTPUT=JSON, autofilter=on, tls=both, auth=Yes, "permit=10.0.0.0/8,'
    ' 192.168.0.0/16", deny=10.9.9.9, proxyprotocol=10.0.0.2 ; a comment\ncertfile = /c.pem\n'
)


def test_every_option_is_read() -> None:
    """In any case of its letters; networks may be several."""
    rules = (*read_rules("permit", "10.0.0.0/8,192.168.0.0/16"), *read_rules("deny", "10.9.9.9"))

    assert read(EVERY).listen == (
        ListenLine(
            address="10.0.0.1",
            port=8088,
            input="http",
            output="json",
            autofilter=AutoFilter.ON,
            tls="both",
            auth=True,
            acl=Acl(rules),
            proxy_protocol=Acl((*DENY_ALL.rules, *read_rules("permit", "10.0.0.2"))),
        ),
    )
    (unix,) = read('listen = "unix:/run/a b/./x.sock", mode=660, auth=no').listen
    assert (unix.path, unix.mode, unix.auth, unix.address) == ("/run/a b/x.sock", 0o660, False, "")


def test_what_a_line_leaves_open_is_as_the_keys_say() -> None:
    """At a Unix socket but for what it has none of: TLS and addresses."""
    config = read(
        "inputformat = json\noutputformat = xml\nautofilter = unique\nauthrequired = yes\n"
        "acceptencryptedconnection = yes\nacceptunencryptedconnection = no\ncertfile = /c.pem\n"
        "deny = 0.0.0.0/0\nproxyprotocol = 10.0.0.1\nlisten = ::1, 99\nlisten = unix:/x, input=csv\n"
    )
    first, tcp, unix = listeners(config)

    assert (tcp.name, unix.name) == ("[::1]:99", "unix:/x")
    for spec in (first, tcp):
        assert (spec.plain, spec.encrypted, spec.acl) == (False, True, config.acl)
        assert spec.proxy_protocol == config.proxy_protocol
        assert (spec.input, spec.output, spec.alike) == ("json", "xml", False)
    assert (unix.plain, unix.encrypted, unix.acl) == (True, False, Acl())
    assert (unix.proxy_protocol, unix.alike, unix.mode) == (None, True, 0o600)
    for spec in (first, tcp, unix):
        assert (spec.autofilter, spec.guarded) == (AutoFilter.UNIQUE, True)


def test_the_first_listener_may_be_left_out() -> None:
    """With listenport = no; then somebody else must be there."""
    config = read("listenport = no\nlisten = *, 1234\n")

    assert [each.name for each in listeners(config)] == ["*:1234"]
    assert "nobody could connect" in problems_of("listenport = off")[0]
    assert problems_of("listenport = 0") == ["x.conf:1: listenport: 0 is not between 1 and 65535"]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("", "is empty; write ADDRESS, PORT"),
        ("*", "the port is missing"),
        ("*, tls=no", "the port is missing"),
        ("*, 0", '"0" is no port: write a number between 1 and 65535'),
        ("*, 65536", '"65536" is no port'),
        ("*, \u0661", "is no port"),
        ("10.0.0.256, 99", "is neither an address nor a host name"),
        ("/run/x, 99", "write unix:PATH"),
        ("*, 99 9", "without its blanks"),
        ("*, 99, json", '"json" is no option; write option=value'),
        ("*, 99, tls", "tls has no value: write tls=..."),
        ("*, 99, inptu=json", 'unknown option "inptu"; is input meant?'),
        ("*, 99, zzz=1", 'unknown option "zzz"; there is: input, output'),
        ("*, 99, tls=maybe", 'tls: "maybe" is not one of no, yes, both'),
        ("*, 99, auth=perhaps", "auth: "),
        ("*, 99, input=../x", 'input: "../x" is no name of a format'),
        ("*, 99, tls=no, tls=no", "tls= is given twice"),
        ("*, 99, permit=10.0.0.0/8/8", "permit: '10.0.0.0/8/8' is not an address"),
        ("*, 99, tls=yes", "tls=yes needs a certfile; name one, or write tls=no"),
        ("*, 99, mode=0660", "mode: that is for a Unix socket"),
        ("*, 1234", "is that of the first listener already (the default of listenport)"),
        ("unix:run/x", "is not an absolute path; write unix:/run/..."),
        ("unix:", "is not an absolute path"),
        ("unix:/", "is a directory"),
        ("unix:/x, 99", "a Unix socket has no port: remove 99"),
        ("unix:/x, tls=yes", "tls: a Unix socket is not encrypted"),
        ("unix:/x, deny=::/0", "deny: who comes through a Unix socket has no address"),
        ("unix:/x, mode=9", 'mode: "9" is no mode'),
        ("unix:/x, mode=0444", "mode: nobody could connect"),
        ("unix:/" + "x" * 107, "is too long for a Unix socket: 108 bytes, at most 107"),
        ('"unix:/x', "a quote is open"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(line: str, words: str) -> None:
    """And what to write instead."""
    (problem,) = problems_of(f"\nlisten = {line}")

    assert problem.startswith("x.conf:2: listen: ")
    assert words in problem


@pytest.mark.parametrize(
    ("one", "two", "clash"),
    [
        ("*, 99", "127.0.0.1, 99", True),
        ("::1, 99", "*, 99", True),
        ("::1, 99", "127.0.0.1, 99", False),
        ("127.0.0.1, 99", "127.0.0.1, 98", False),
        ("unix:/x", "unix:/./x", True),
        ("unix:/x", "unix:/y", False),
    ],
)
def test_two_listeners_at_one_place_are_a_problem(one: str, two: str, *, clash: bool) -> None:
    """All addresses hold every address."""
    found = problems_of(f"listen = {one}\nlisten = {two}\n")

    assert bool(found) is clash
    assert all("is in another listen line already (x.conf:1)" in each for each in found)


def test_what_is_hardly_meant_is_a_warning() -> None:
    """As for the keys."""
    found = warnings_of(
        "listen = *, 99, permit=10.0.0.0/8, proxyprotocol=0.0.0.0/0, tls=no\n"
        "clientcafile = /ca\ncertfile = /c\nacceptencryptedconnection = yes\n"
        "acceptunencryptedconnection = no\nlisten = unix:/x"
    )

    assert [each.partition(": listen: ")[2][:20] for each in found] == [
        "who connects to *:99", "permit, deny: an IPv", "proxyprotocol: who c",
    ]  # fmt: skip


def test_what_holds_is_said_of_each() -> None:
    """By -t, and by the log."""
    config = read(EVERY + "listen = unix:/x, input=json, mode=0666\nlistenaddress = 127.0.0.1\n")

    assert [describe_listener(each, every=True) for each in listeners(config)] == [
        "listens on 127.0.0.1 port 1234: plain text; input standard, output standard, autofilter off, no log-in needed",
        (
            "listens on 10.0.0.1 port 8088: plain text and TLS; input http, output json, autofilter on, log-in needed;"
            " from permit 10.0.0.0/8, permit 192.168.0.0/16, deny 10.9.9.9, any other IPv4 address, any IPv6 address"
        ),
        "listens on the Unix socket /x: mode 0666; input json, output the same, autofilter off, no log-in needed",
    ]
    assert "everything at 127.0.0.1:1234, unix:/x, nothing elsewhere" in "".join(
        describe_users(Users({"joe": User("joe", "secret")}), config)
    )
    assert describe_users(Users(), config) == [
        (
            "no users and no proxykey: nobody can log in (authrequired = yes);"
            " at 127.0.0.1:1234, unix:/x nobody needs one"
        )
    ]
    assert [each.partition(": ")[2][:40] for each in advice(config, Users())][1:] == [
        "listen: auth=yes: nobody can log in, as ",
        "listen: every user of this machine sees ",
    ]


def test_lines_change_at_once() -> None:
    """What they leave open stays as the keys in force say."""
    old = read("listen = *, 98\nlisten = unix:/x")
    new = read("listen = *, 98, auth=yes\nlisten = *, 99\ninputformat = json")

    config, waiting = reloaded(old, new)

    assert waiting == ["inputformat"]
    assert [each.input for each in listeners(config)] == ["standard"] * 3
    assert changes(old, config) == []
    assert listener_changes(listeners(old), listeners(config), of_lines=True) == [
        "listener unix:/x removed", "listener *:98 changed", "listener *:99 added",
    ]  # fmt: skip
    assert of_keys(config) == of_keys(old)


def test_a_key_that_holds_for_all_listeners_is_told_by_its_name_alone() -> None:
    """Not by each of them as well; one that was bound at last is told all the same."""
    old = read("listen = *, 98")
    new = read("permit = 127.0.0.1\nlisten = *, 98\nlisten = *, 99")
    specs = listeners(new)

    assert listener_changes(listeners(old), specs[:2], of_lines=False) == []
    assert listener_changes(specs[:2], specs, of_lines=False) == ["listener *:99 added"]


def test_answers_to_the_web_are_told_in_the_format_that_they_have() -> None:
    """No client is written to in http."""
    (_, web) = listeners(read("listen = *, 98, input=http\noutputformat = xml"))

    assert "input http, output xml," in describe_listener(web, every=True)


WORDS = st.sampled_from(
    ["*", "127.0.0.1", "::1", "unix:/a", "unix:", "99", "0", "input=json", "output=", "tls=yes", "tls=",
     "auth=no", "permit=10.0.0.0/8", "deny=!::/0", "mode=0660", "proxyprotocol=1.2.3.4", '"', ";", "#", "="]
)  # fmt: skip


@given(
    st.lists(st.one_of(WORDS, st.text(st.characters(max_codepoint=255), max_size=12)), max_size=6)
)
@example(["*", "99", "mode=0660"])
def test_any_line_is_read_or_refused(words: list[str]) -> None:
    """Refused with its place; what was read is shown as a line that says the same."""
    text = f"certfile = /c\nlisten = {','.join(words)}"
    found = parse_config(text, "x.conf", "/start")

    assert all(re.match(r"x\.conf:\d+: ", each) for each in found.problems)
    for line in found.config.listen:
        shown = [str(each) for each in in_force(Config(listen=(line,))) if each.key == "listen"]
        again = parse_config("\n".join(["certfile = /c", *shown]), "y.conf", "/start")
        assert again.config.listen == (line,), shown
