# SPDX-License-Identifier: GPL-2.0-or-later
"""What is said of settings that are good each for itself, and not together."""

from __future__ import annotations

import pytest

from amiproxy.settings.advice import advice
from amiproxy.settings.usersfile import read_users
from tests.settings.conf import read

HOST = "host = pbx, 5038, u, s, on\n"


def said(config: str, users: str = "") -> list[str]:
    """Return the advice about the two files, the configuration with a host line."""
    return advice(read(f"{HOST}{config}"), read_users(users, "u")[0])


def test_a_proxy_without_asterisk_is_told() -> None:
    """The file as it is installed; AddServer may follow, so that it is no problem."""
    [warning] = advice(read("listenaddress = 127.0.0.1\n"), read_users("", "u")[0])

    assert warning.startswith("x.conf: no host line names an Asterisk")
    assert said("listenaddress = 127.0.0.1\n") == []


def test_a_replay_without_room_is_told() -> None:
    """A unit was forgotten: nothing would be kept."""
    [warning] = said("replay = 64\nlistenaddress = ::1\n")

    assert warning.startswith("x.conf:2: replay: 64 bytes have no room for events; write a unit")
    assert said("replay = 64KB\nlistenaddress = ::1\n") == []
    assert said("replay = no\nlistenaddress = ::1\n") == []


def test_a_log_in_that_nobody_can_pass_is_told() -> None:
    """Users or a key must be there where one of them is required."""
    [warning] = said("authrequired = yes\n")

    assert warning.startswith("x.conf:2: authrequired: nobody can log in")
    assert said("authrequired = yes\nproxykey = x\n") == []
    assert said("authrequired = yes\n", "joe=s\n") == []


@pytest.mark.parametrize(
    ("more", "told"),
    [
        ("host = pbx, 5039, u, s, on\n", [1, 2]),
        ("host = PBX, 5039, u, s, on, off, name=b\n", [1]),
        ("host = pbx, 5038, v, s, on, off, proxy=yes\n", [1, 2]),
        ("host = pbx, 5039, u, s, on, off, name=b\nhost = q, 5038, u, s, on\n", [1]),
        ("host = q, 5038, u, s, on, off, name=b\nhost = q, 5039, u, s, on, off, name=c\n", []),
    ],
)
def test_servers_on_one_address_need_names(more: str, told: list[int]) -> None:
    """`Server:` could not tell which is which."""
    found = said(f"{more}listenaddress = ::1\n")

    places = [f"x.conf:{line}: host: 2 servers are at pbx, and Server: " for line in told]
    assert [line[: len(place)] for line, place in zip(found, places)] == places
    assert all("give each a name: name=" in line for line in found)
    assert len(found) == len(told)


@pytest.mark.parametrize(
    ("config", "users", "is_open"),
    [
        ("", "", True),
        ("listenaddress = *\n", "joe=s\n", True),
        ("listenaddress = 192.0.2.1\n", "", True),
        ("listenaddress = ::\n", "", True),
        ("listenaddress = localhost\n", "", False),
        ("listenaddress = [::1]\n", "", False),
        ("listenaddress = 127.1.2.3\n", "", False),
        ("authrequired = yes\n", "joe=s\n", False),
        ("proxykey = x\n", "", False),
        ("permit = 10.0.0.0/8\n", "", False),
        ("", "[general]\ndeny = 0.0.0.0/0\n", False),
    ],
)
def test_a_proxy_open_to_the_network_is_told(config: str, users: str, is_open: bool) -> None:
    """Unless a log-in, a key or a list of addresses stands before it."""
    found = [line for line in said(config, users) if "sees and may do everything" in line]

    assert len(found) == is_open


@pytest.mark.parametrize(
    ("server", "is_told"),
    [("pbx", False), ("pbx:5038", False), ("pbx9", True), ("pbx:5039", True),
     ("192.0.2.1", False), ("192.0.2.1:5038", False), ("", False), ("pbx|pbx9", True)],
)  # fmt: skip
def test_a_server_of_a_user_that_no_line_names_is_told(server: str, is_told: bool) -> None:
    """With the line of the user; an address may be that of a host with a name."""
    found = said("listenaddress = ::1\n", f"; one\na=s\njoe=s,,,,,{server}\n")

    assert [line[:5] for line in found] == ["u:3: "] * is_told


def test_where_all_servers_are_addresses_another_one_is_told() -> None:
    """There is no name that it could be of."""
    config = read("listenaddress = ::1\nhost = 192.0.2.1, 5038, u, s, on\n")
    users = read_users("[joe]\nsecret=s\nread=\nwrite=\nserver = 192.0.2.2\n", "u")[0]

    assert len(advice(config, users)) == 1


def test_a_proxy_of_a_cluster_needs_no_host_line() -> None:
    """It has the servers of the others, whatever these are called."""
    found = advice(
        read("bus = redis://127.0.0.1\nlistenaddress = ::1\n"),
        read_users("joe=s,,,,,pbx9\n", "u")[0],
    )

    assert found == []
