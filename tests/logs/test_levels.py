# SPDX-License-Identifier: GPL-2.0-or-later
"""What is logged from which level on."""

from __future__ import annotations

import logging

import pytest

from amiproxy.logs.levels import AUDIT, Levels

KNOWN = ["amiproxy.client", "amiproxy.asterisk"]


def test_a_module_may_say_more_than_the_rest() -> None:
    """Or less; ``default`` is what the configuration says."""
    levels = Levels.of("warning").with_level("debug", "client", KNOWN)

    assert levels.of_logger("amiproxy.client") == logging.DEBUG
    assert levels.of_logger("amiproxy.asterisk") == logging.WARNING
    assert str(levels) == "warning, client debug"
    assert str(levels.with_level("error", "", KNOWN)) == "error"
    assert str(levels.with_level("default", "client", KNOWN)) == "warning"
    assert str(levels.with_level("error", "", KNOWN).with_level("default", "", KNOWN)) == "warning"


def test_the_audit_is_not_silenced_by_a_level() -> None:
    """It is switched by a key of its own; by name it can be silenced."""
    levels = Levels.of("critical")

    assert levels.of_logger(AUDIT) == logging.INFO
    assert levels.with_level("error", "audit", [AUDIT]).of_logger(AUDIT) == logging.ERROR


@pytest.mark.parametrize(
    ("word", "module", "said"),
    [
        ("loud", "", "no such level; there is: debug, info, warning, error, critical, default"),
        ("info", "nosuch", "no such module; there is: asterisk, client"),
    ],
)
def test_what_there_is_not_is_refused_with_what_there_is(word: str, module: str, said: str) -> None:
    """For who types it."""
    with pytest.raises(ValueError, match=said):
        Levels().with_level(word, module, KNOWN)
