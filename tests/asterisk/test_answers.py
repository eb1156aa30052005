# SPDX-License-Identifier: GPL-2.0-or-later
"""What compares answers of a real Asterisk finds what is wrong; none of this needs one."""

from __future__ import annotations

import pytest

from tests.asterisk.actions import reads, stories
from tests.asterisk.actions.answers import explained, still, without_server
from tests.asterisk.actions.props import unnamed

SERVER = b"Server: x"


@pytest.mark.parametrize(
    "lines",
    [
        (b"Response: Success", SERVER, b"Message: m"),
        (b"Response: Success", b"Message: m"),
        (b"Response: Success", SERVER, SERVER),
        (b"Response: Success", b"Output: a", SERVER),
        (b"Response: Success", b"Server: y"),
    ],
)
def test_a_server_in_the_wrong_place_is_found(lines: tuple[bytes, ...]) -> None:
    """Missing, twice, another one, behind what a command has printed."""
    with pytest.raises(AssertionError):
        without_server([lines], "x")


def test_the_server_is_taken_off() -> None:
    """From the end, or from before the first line of output."""
    messages = [
        (b"Response: Success", b"A: b", SERVER),
        (b"Response: Success", SERVER, b"Output: a", b"Output: b"),
    ]

    assert without_server(messages, "x") == [
        (b"Response: Success", b"A: b"),
        (b"Response: Success", b"Output: a", b"Output: b"),
    ]


def test_what_moves_and_what_is_explained() -> None:
    """Values of named headers; bare LFs; further responses; and nothing else."""
    answer = [
        (b"Response: Error", b"Seconds: 1", b"Secondss: 1", b"Message: a\nb\n"),
        (b"Response: Error", b"Message: again"),
        (b"Event: X",),
    ]
    expected = explained(still(answer))

    assert expected.answer == [
        (b"Response: Error", b"Seconds: ", b"Secondss: 1", b"Message: a", b"b"),
        (b"Event: X",),
    ]
    assert len(expected.told) == 2
    assert explained(answer[2:]) == (answer[2:], [])


def test_names_that_are_others_each_time() -> None:
    """Of channels, bridges, and unique ids; phones and the rest stay."""
    lines = (
        b"Channel: Local/stay@legs-0000000a;1", b"Channel: PJSIP/101-0000000b",
        b"Uniqueid: 1795721306.22", b"Bridge: af6183a5-1008-4b5f-8985-b586bc997e63", b"Exten: 101",
    )  # fmt: skip

    assert unnamed([lines]) == [
        (
            b"Channel: Local/stay@legs-#;1", b"Channel: PJSIP/101-#", b"Uniqueid: #", b"Bridge: #",
            b"Exten: 101",
        )
    ]  # fmt: skip


def test_all_words_in_braces_have_names() -> None:
    """Each asking and each step is a block of lines."""
    names = {"talk": "t", "bridge": "b", "leg": "l", "other": "o", "message": "m"}
    asked = [*reads.blocks(names)]
    for one in stories.STORIES.values():
        asked += stories.blocks(one, names)

    assert len(asked) > 400
    assert [one for one in asked if "{" in "".join(one)] == []
    assert all(one[0].startswith("Action: ") for one in asked)
