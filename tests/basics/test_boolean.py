# SPDX-License-Identifier: GPL-2.0-or-later
"""The one reading of yes and no."""

from __future__ import annotations

import pytest

from amiproxy.basics.boolean import parse_bool


@pytest.mark.parametrize("word", ["yes", "true", "y", "t", "1", "on"])
def test_the_words_of_ast_true_mean_yes(word: str) -> None:
    """In any case."""
    assert parse_bool(word) is True
    assert parse_bool(word.upper()) is True


@pytest.mark.parametrize("word", ["no", "false", "n", "f", "0", "off"])
def test_the_words_of_ast_false_mean_no(word: str) -> None:
    """In any case."""
    assert parse_bool(word) is False
    assert parse_bool(word.title()) is False


@pytest.mark.parametrize("word", ["", " ", " yes", "yes ", "enabled", "ye", "2", "01", "none"])
def test_everything_else_is_neither(word: str) -> None:
    """The caller decides what an empty or unknown word means."""
    assert parse_bool(word) is None
