# SPDX-License-Identifier: GPL-2.0-or-later
"""The files beside the configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.errors import ConfigError
from amiproxy.settings.config import Config
from amiproxy.settings.files import find_users, handler_directories, read_formats
from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path


def test_a_missing_users_file_means_no_users(tmp_path: Path) -> None:
    """With a warning; where it is required, it is an error as in the C program."""
    missing = str(tmp_path / "none")

    users, [warning] = find_users(missing, Config(), required=False)

    assert len(users) == 0
    assert warning.startswith(f"Unable to open permissions file: {missing}!")
    with pytest.raises(ConfigError, match=f"^Unable to open permissions file: {missing}!$"):
        find_users(missing, Config(), required=True)


@pytest.mark.parametrize("required", [False, True])
def test_a_users_file_that_cannot_be_looked_at_is_an_error(required: bool) -> None:
    """It may be there; without its users everybody could log in."""
    hidden = f"/{'x' * 300}"

    with pytest.raises(ConfigError, match=r"^Unable to open permissions file: .*! \(File name too"):
        find_users(hidden, Config(), required=required)


def test_handlers_of_ones_own_come_first(tmp_path: Path) -> None:
    """So that they can replace those of the proxy."""
    found = handler_directories(Config(handler_dir=str(tmp_path)))

    assert found[:2] == [tmp_path, ROOT / "handlers"]


def test_a_default_format_that_is_missing_is_a_problem() -> None:
    """Each with the line that named it; http is not an output format."""
    config = Config(input_format="nosuch", output_format="http", where={"output_format": "f:3"})

    with pytest.raises(ConfigError) as caught:
        read_formats(config)

    first, second = caught.value.problems
    assert first.startswith("inputformat: there is no input handler 'nosuch'; there is: ")
    assert second.startswith("f:3: outputformat: there is no output handler 'http'; there is: ")
