# SPDX-License-Identifier: GPL-2.0-or-later
"""Each word of ``filters`` is known wherever it is used; a new row of the table is, too."""

from __future__ import annotations

import pytest

from amiproxy.message import Message
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.callwords import CALL_FILTERS
from amiproxy.settings.describe import describe_users
from amiproxy.settings.usersfile import read_users
from tests.settings.users import GUARDED


@pytest.mark.parametrize("word", sorted(CALL_FILTERS))
def test_a_word_is_read_in_both_forms_of_the_file(word: str) -> None:
    """Without a warning about it."""
    text = f"joe=s,,,,,,,{word}\n[board]\nsecret = s\nread = all\nwrite = all\nfilters = {word}\n"

    users, warnings = read_users(text, "f")

    assert users["joe"].filters == users["board"].filters == {word}
    assert not warnings


@pytest.mark.parametrize("word", sorted(CALL_FILTERS))
def test_a_word_decides_which_events_pass(word: str) -> None:
    """Its own and no others, or all but its own."""
    row = CALL_FILTERS[word]
    users, _ = read_users(f"joe=s,,,,,,,{word}\n", "f")
    session = SessionFilter(users["joe"], "off")

    def passes(event: str) -> bool:
        return bool(
            session.incoming(Message(f"Event: {event}\r\n\r\n".encode()), "pbx", answer=False)
        )

    assert session.active
    assert [passes(event) for event in row.events] == [row.only] * len(row.events)
    assert passes("PeerStatus") is not row.only


@pytest.mark.parametrize("word", sorted(CALL_FILTERS))
def test_a_word_is_described(word: str) -> None:
    """By ``astmanproxy -t``."""
    users, _ = read_users(f"joe=s,,,,,,,{word}\n", "f")
    row = CALL_FILTERS[word]

    text = f"sees only {row.description} events" if row.only else f"does not see {row.description}"

    assert f"  {text}" in describe_users(users, GUARDED)
