# SPDX-License-Identifier: GPL-2.0-or-later
"""The options of the command line."""

from __future__ import annotations

import getopt
from typing import TYPE_CHECKING

import pytest

from amiproxy.process.options import parse_options

if TYPE_CHECKING:
    from pathlib import Path


def test_options_combine_as_in_getopt(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Short ones in a row, long ones abbreviated; relative paths become absolute."""
    monkeypatch.chdir(tmp_path)

    options = parse_options(["-ddfgcamp.conf", "--users=/u", "--pid", "p"])

    assert (options.debug, options.foreground, options.core) == (2, True, True)
    assert options.config == str(tmp_path / "amp.conf")
    assert (options.users, options.users_given) == ("/u", True)
    assert options.pidfile == str(tmp_path / "p")
    assert not options.command
    assert parse_options(["-d"]).foreground


def test_the_first_command_counts() -> None:
    """Of those that end the program at once."""
    assert parse_options(["-t", "-v", "-h"]).command == "test"


def test_a_command_of_control_needs_no_quotes() -> None:
    """Its words add up; options may stand behind them."""
    options = parse_options(["--control", "kick", "user", "Joe Doe", "--json", "-c", "/c"])

    assert (options.command, options.control) == ("control", "kick user 'Joe Doe'")
    assert (options.json, options.config) == (True, "/c")
    assert parse_options(["--control", "kick 12"]).control == "kick 12"


@pytest.mark.parametrize("arguments", [["-x"], ["--nosuch"], ["-c"], ["surplus"]])
def test_anything_else_is_an_error(arguments: list[str]) -> None:
    """An unknown option, one without its value, an argument too many."""
    with pytest.raises(getopt.GetoptError):
        parse_options(arguments)
