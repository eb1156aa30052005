# SPDX-License-Identifier: GPL-2.0-or-later
"""Reads texts of astmanproxy.conf for the tests."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.settings.conffile import parse_config

if TYPE_CHECKING:
    from amiproxy.settings.config import Config


def read(text: str) -> Config:
    """Return the Config of *text*, which has no problem."""
    config, problems, _ = parse_config(text, "x.conf", "/start")
    assert not problems
    return config


def problems_of(text: str) -> list[str]:
    """Return the problems of *text*."""
    return parse_config(text, "x.conf", "/start").problems


def warnings_of(text: str) -> list[str]:
    """Return the warnings about *text*, which has no problem."""
    _, problems, warnings = parse_config(text, "x.conf", "/start")
    assert not problems
    return warnings
