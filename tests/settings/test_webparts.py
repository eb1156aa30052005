# SPDX-License-Identifier: GPL-2.0-or-later
"""What the key ``web`` leaves of a listener for HTTP."""

from __future__ import annotations

from typing import NamedTuple

import pytest

from amiproxy.settings.listeners import listeners
from amiproxy.settings.webparts import PARTS, web_parts
from tests.settings.conf import read


class Words(NamedTuple):
    """A value as a file has it."""

    text: str


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        ("yes", PARTS),
        ("no", ()),
        ("metrics", ("metrics",)),
        ("Rest, metrics", ("rest", "metrics")),
        # All the ways by which the page hears of anything come with it.
        ("console", ("console", "events", "ws", "rest")),
    ],
)
def test_words_of_web(text: str, parts: tuple[str, ...]) -> None:
    assert web_parts(Words(text)) == parts


def test_a_wrong_word_is_told_with_those_that_there_are() -> None:
    with pytest.raises(ValueError, match=r"\"consol\" is no part of the web; write yes, no"):
        web_parts(Words("consol"))


def test_a_listener_has_parts_of_its_own() -> None:
    config = read('web = no\nlisten = *, 8088, input=http, web="metrics, rest"')

    assert [each.web for each in listeners(config)] == [(), ("rest", "metrics")]
