# SPDX-License-Identifier: GPL-2.0-or-later
"""The keys of the bus: what is read, what is refused, and that no password is told."""

from __future__ import annotations

import pytest

from amiproxy.settings.busurl import parse_bus
from amiproxy.settings.inforce import in_force
from tests.settings.conf import problems_of, read

SECRET = "Geh3im"


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("redis://h", "redis://h:6379/0"),
        ("REDIS://H:7000/3", "redis://h:7000/3"),
        ("redis://[::1]:7000", "redis://[::1]:7000/0"),
        ("redis://h/?db=4", "redis://h:6379/4"),
        (f"rediss://u:{SECRET}@h:1/0?ssl_ca_certs=/a.pem", "rediss://u:(hidden)@h:1/0"),
        (f"redis://:{SECRET}@h", "redis://:(hidden)@h:6379/0"),
        ("unix:///run/r.sock", "unix:///run/r.sock"),
        (f"unix://u:{SECRET}@/run/r.sock?db=2", "unix://u:(hidden)@/run/r.sock?db=2"),
        ("redis+sentinel://a:1,b/main/5", "redis+sentinel://a:1,b:26379/main/5"),
        ("rediss+sentinel://a/main", "rediss+sentinel://a:26379/main/0"),
    ],
)
def test_urls_that_are_read(text: str, shown: str) -> None:
    """Where it is, with defaults; what is shown has no password."""
    found = parse_bus(text)

    assert found.shown == shown
    assert repr(found) == f"BusUrl({shown})"


def test_user_and_password_are_decoded() -> None:
    """So that any character can be part of them."""
    found = parse_bus("redis://a%40b:p%2Fq%3Fr%23%25@h/1")

    assert (found.user, found.password, found.database) == ("a@b", "p/q?r#%", 1)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("h:6379", "write a URL"),
        ("http://h", "write a URL"),
        ("redis://", "a host is missing"),
        ("redis://u@", "a host is missing"),
        ("redis://h:x", "a port is no number"),
        ("redis://h:0", "a port is no number"),
        ("redis://h/zero", "the database is no number"),
        ("redis://h/0/1", "must be /DATABASE"),
        ("redis://a,b", "names several hosts"),
        ("redis://h?nosuch=1", "a query parameter is unknown here: one that is not shown"),
        ("redis://h?ssl_certfile=x", "a query parameter is unknown here: ssl_certfile"),
        ("rediss://h?ssl_cert_reqs=maybe", "ssl_cert_reqs must be"),
        ("rediss://h?ssl_check_hostname=maybe", "ssl_check_hostname must be"),
        ("rediss://h?ssl_certfile=", "ssl_certfile is empty"),
        ("unix://h/x", "write the absolute path"),
        ("unix://", "write the absolute path"),
        ("redis+sentinel://a", "must be /MASTER/DATABASE"),
        ("redis://[::1", "is no URL"),
        (f"redis://u:{SECRET}/x@h", "has @ or # where none belongs"),
        (f"redis://u:{SECRET}?x@h", "has @ or # where none belongs"),
        (f"redis://u:x#{SECRET}@h", "has @ or # where none belongs"),
        (f"redis://u:{SECRET}", "a port is no number"),
        (f"redis://h?{SECRET}=1", "a query parameter is unknown here: one that is not shown"),
        (f"redis://u:a {SECRET}@h", "holds a blank"),
        (f"http://u:{SECRET}@h", "write a URL"),
    ],
)
def test_urls_that_are_refused(text: str, told: str) -> None:
    """With file and line, and what to do; never with a piece of a password."""
    [problem] = problems_of(f'\nbus = "{text}"' if "#" in text else f"\nbus = {text}")

    assert problem.startswith("x.conf:2: bus: ")
    assert told in problem
    assert SECRET not in problem


def test_the_keys_of_a_cluster() -> None:
    """Times are seconds, sizes bytes."""
    config = read(
        "bus = redis://h\nbusname = Office-1\nbusfailover = 0.5\nbusoptional = yes\n"
        "busbytes = 1 GB\nbusjoin = 5"
    )

    assert (config.bus, config.bus_name, config.bus_failover) == ("redis://h", "Office-1", 0.5)
    assert (config.bus_optional, config.bus_bytes, config.bus_join) == (True, 2**30, 0.005)
    assert read("bus = no").bus == ""


@pytest.mark.parametrize(
    "line",
    ["busfailover = 0.4", "busfailover = 61", "busname = a b", "busname =", "busname = a:b",
     "busbytes = 1000", "busbytes = no", "busjoin = -1", "bus ="],
)  # fmt: skip
def test_values_that_are_refused(line: str) -> None:
    """Each with file, line and key."""
    [problem] = problems_of(line)

    assert problem.startswith(f"x.conf:1: {line.partition(' ')[0]}: ")


def test_the_password_is_shown_nowhere() -> None:
    """In no repr, and not by --show-config, which tells the rest."""
    config = read(f"bus = redis://u:{SECRET}@h/1")

    assert SECRET in config.bus
    assert SECRET not in repr(config)
    [line] = [str(each) for each in in_force(config) if each.key == "bus"]
    assert line.startswith('bus = "redis://u:(hidden)@h:6379/1"')
    assert line.endswith("; x.conf:1")
