# SPDX-License-Identifier: GPL-2.0-or-later
"""What is in force, as lines of a file: reading them again gives the same."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.settings.conffile import parse_config
from amiproxy.settings.config import SETTINGS, Config, reloaded
from amiproxy.settings.inforce import HIDDEN, general_rows, in_force
from amiproxy.settings.usersfile import read_users
from tests.settings.conf import read

#: A value for each key that is not its default.
OTHER = {
    "acceptencryptedconnection": "yes", "aclfile": '"/etc/My acl.conf"', "audit": "yes",
    "authtimeout": "1.5", "autofilter": "unique", "asteriskwritetimeout": "150",
    "certfile": "/A#b", "clientwritetimeout": "1234.5", "controlsocket": "no",
    "proc_user": "none", "forcebanner": '"Asterisk Call Manager/1.1 ; x"', "handlerdir": "/B",
    "httpcors": "https://a.example, b.example", "httpdigest": "no", "keepalive": "0.25",
    "listenaddress": "::1", "listenport": "5", "logfile": "journal",
    "outputformat": "xml", "proc_group": '"A b"', "proxyprotocol": "10.0.0.0/8, ::1",
    "replay": "65536", "replayseconds": "1.5",
    "retrylongest": "0", "serverevents": "yes", "serverheader": "no",
}  # fmt: skip
ADDED = """\
host = pbx, 5038, "Joe; D", sec, "call,system", off
host = [::1], 5039, u, "p ;,#", off, on
host = pbx, 5039, u, s, off, off, name=Pbx-2
host = far, 5039, u, s, off, off, proxy=on, name=far.site
deny = 0.0.0.0/0, ::/0
permit = 10.0.0.0/255.0.0.0
"""


def again(config: Config) -> Config:
    """Return what the lines about *config* mean, with its secrets."""
    text = "\n".join(map(str, in_force(config)))
    found = parse_config(text, "shown", "/")
    assert found.problems == []
    servers = zip(found.config.servers, config.servers)
    return dataclasses.replace(
        found.config,
        servers=tuple(dataclasses.replace(new, secret=old.secret) for new, old in servers),
        proxy_key=config.proxy_key,
    )


@pytest.mark.parametrize("key", sorted(OTHER))
def test_a_line_that_is_shown_means_what_was_read(key: str) -> None:
    """Quotes where they are needed, times in the unit of the key."""
    quoted = OTHER[key].replace("/A#b", '"/A#b"')
    config = read(f"{ADDED}{key} = {quoted}\n")

    assert again(config) == config
    assert getattr(config, SETTINGS[key].field) != getattr(Config(), SETTINGS[key].field)


def test_the_defaults_are_shown_too() -> None:
    """Each key once, one without a value as a comment."""
    shown = list(in_force(Config()))

    assert {row.key for row in shown} == set(SETTINGS)
    assert {row.place for row in shown} == {"default"}
    assert again(Config()) == Config()
    assert str(shown[0]) == "abandonshort = 5                                 ; default"


@given(st.integers(0, 999_999_999))
def test_milliseconds_are_what_was_written(number: int) -> None:
    """They are kept as seconds."""
    config = read(f"clientwritetimeout = {number}\n")

    shown = {row.key: row.value for row in in_force(config)}
    assert shown["clientwritetimeout"] == str(number)


def test_every_line_says_where_it_is_from() -> None:
    """Those that add up, too."""
    shown = list(in_force(read(f"{ADDED}\nlistenport = 5\nlistenport = 6\n")))

    places = [(row.key, row.place) for row in shown if row.place != "default"]
    assert places == [
        ("host", "x.conf:1"), ("host", "x.conf:2"), ("host", "x.conf:3"), ("host", "x.conf:4"),
        ("deny", "x.conf:5"), ("deny", "x.conf:5"), ("permit", "x.conf:6"), ("listenport", "x.conf:9"),
    ]  # fmt: skip


def test_no_secret_is_shown() -> None:
    """Neither of a server nor the key of the proxy."""
    shown = "\n".join(
        map(str, in_force(read('host = a, 1, u, TopSecret, on\nproxykey = "TopSecret"\n')))
    )

    assert "topsecret" not in shown.lower()
    assert shown.count(HIDDEN) == 2


def test_after_a_reload_what_waits_for_a_start_is_shown_as_it_is() -> None:
    """With the line that it came from, which may be gone by now."""
    old = read("listenport = 5\nmaxclients = 1\n")
    new = parse_config("; now\nlistenport = 6\nmaxclients = 2\nmaxline = 9\n", "y.conf").config

    shown = {row.key: row for row in in_force(reloaded(old, new)[0])}

    assert shown["listenport"][1:] == ("5", "x.conf:1", False)
    assert shown["maxclients"][1:] == ("2", "y.conf:3", True)
    assert shown["maxline"][1:] == ("9", "y.conf:4", True)


def test_what_the_users_file_overrules_is_told() -> None:
    """[general] takes precedence."""
    users = read_users("[general]\nauthlimit = 0\ndisplayconnects = no\n", "u")[0]

    assert list(general_rows(users)) == [
        "; authlimit = 0 in [general] of the users file takes precedence",
        "; displayconnects = no in [general] of the users file takes precedence",
    ]
