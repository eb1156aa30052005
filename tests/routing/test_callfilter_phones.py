# SPDX-License-Identifier: GPL-2.0-or-later
"""Each phone of each recording: its user gets what is theirs, and nothing else."""

from __future__ import annotations

import pytest

from tests.routing.recordings import FLOWS, recorded, watch
from tests.routing.support import User
from tests.routing.whose import is_replay, theirs

#: The phones that the recordings of real phones were made with.
PHONES = range(101, 111)


@pytest.mark.parametrize(
    "name", [name for name in FLOWS if name.startswith(("pjsip_", "asterisk11_"))]
)
def test_a_user_of_a_phone_sees_what_is_theirs(name: str) -> None:
    """Every event, in order, and no other."""
    technology = "PJSIP" if name.startswith("pjsip_") else "SIP"
    users = [User(channel=f"{technology}/{phone}") for phone in PHONES]
    for phone, (got, _) in zip(PHONES, watch(name, *users)):
        expected, calls = theirs(recorded(name), technology, str(phone))
        own, seen = set(expected), [message.raw for message in got]
        assert [raw for raw in seen if raw in own] == expected, phone
        assert [raw for raw in seen if raw not in own and not is_replay(raw, calls)] == [], phone
