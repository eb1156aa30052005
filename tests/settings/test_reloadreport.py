# SPDX-License-Identifier: GPL-2.0-or-later
"""What a reload has changed, in words that hold no secret."""

from __future__ import annotations

import pytest

from amiproxy.access.user import General, User, Users
from amiproxy.settings.reloadreport import changes, user_changes
from tests.settings.conf import read

_HOST = "host = 10.0.0.1, 5038, u, s, on\n"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        (_HOST, _HOST, []),
        ("", "maxclients = 7\nauthlimit = 3\n", ["authlimit", "maxclients"]),
        ("", "deny = 0.0.0.0/0\n", ["permit and deny"]),
        ("", "proxykey = Hidden\n", ["proxykey"]),
        (_HOST, "host = pbx, 5039, u, s, on\n",
         ["server 10.0.0.1:5038 removed", "server pbx:5039 added"]),
        (_HOST, _HOST.replace(" s,", " Hidden,"), ["server 10.0.0.1:5038 changed"]),
        (_HOST, _HOST.replace("on", "on, off, name=a"), ["server 10.0.0.1:5038 removed", "server a added"]),
        (_HOST, _HOST + _HOST.replace(" u,", " v,"), ["server 10.0.0.1:5038 changed"]),
    ],
)  # fmt: skip
def test_changes_of_the_configuration(old: str, new: str, expected: list[str]) -> None:
    """Keys and servers; never a value, which may be a secret."""
    assert changes(read(old), read(new)) == expected


def test_changes_of_users() -> None:
    """By name: one that was taken away, one whose secret is another, one that is new."""
    old = Users({"joe": User("joe", "a"), "sue": User("sue", "b"), "same": User("same", "c")})
    new = Users({"sue": User("sue", "x"), "same": User("same", "c"), "b\xf6b": User("b\xf6b", "d")},
                General(max_clients=3))  # fmt: skip

    assert user_changes(old, new) == [
        "[general] of the users",
        "user 'joe' removed",
        "user 'sue' changed",
        "user 'b\\xf6b' added",
    ]
