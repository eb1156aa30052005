# SPDX-License-Identifier: GPL-2.0-or-later
"""The work of reading a file grows with its lines, not with the square of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.settings.conffile import parse_config
from amiproxy.settings.usersfile import read_users

if TYPE_CHECKING:
    from types import FrameType

    from _typeshed import TraceFunction

_BODY = "secret=s\nread=\nwrite=\n"
USERS: dict[str, Callable[[int], str]] = {
    "sections": lambda n: "".join(f"[u{n}]\n{_BODY}" for n in range(n)),
    "template": lambda n: "[t](!)\n" + _BODY + "".join(f"[u{i}](t)\n" for i in range(n)),
    "repeated": lambda n: f"[u]\n{_BODY}permit=::1\n" * n,
    "added": lambda n: f"[u]\n{_BODY}" + "[u](+)\npermit=10.0.0.1\n" * n,
    "appended": lambda n: f"[u]\n{_BODY}permit=::1\n" + "permit += ,10.0.0.1\n" * n,
    "classic": lambda n: "".join(f"u{i}=s\n" for i in range(n)),
    "headings": lambda n: ";-- x\nu=s\n" * n,
    "comments": lambda n: f"[u]\n{_BODY}" + ";--\n" * n + "--;\n" * n,
}
CONF: dict[str, Callable[[int], str]] = {
    "hosts": lambda n: "".join(f"host = h{i}, 1, u, s, on\n" for i in range(n)),
    "rules": lambda n: "permit = 10.0.0.1\ndeny = ::1\n" * n,
    "keys": lambda n: "maxline = 5\n" * n,
}


def steps(read: Callable[[str, str], object], text: str) -> int:
    """Return how many lines of Python, counting repetitions, *read* executes for *text*."""
    count = 0

    def trace(frame: FrameType, event: str, arg: object) -> TraceFunction:
        nonlocal count
        count += 1
        return trace

    former = sys.gettrace()
    sys.settrace(trace)
    try:
        read(text, "f")
    finally:
        sys.settrace(former)
    return count


@pytest.mark.parametrize("kind", USERS)
def test_the_users_file(kind: str) -> None:
    """Users, sections, their lines and comments: four times as many are four times the work."""
    few, many = (steps(read_users, USERS[kind](n)) for n in (40, 160))

    assert many < 4.5 * few


@pytest.mark.parametrize("kind", CONF)
def test_the_configuration(kind: str) -> None:
    """Servers, networks and repeated keys."""
    few, many = (steps(parse_config, CONF[kind](n)) for n in (40, 160))

    assert many < 4.5 * few
