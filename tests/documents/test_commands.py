# SPDX-License-Identifier: GPL-2.0-or-later
"""Every command that README.md, CONTRIBUTING.md and docs/ print does what they say."""

from __future__ import annotations

import re
import shlex
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.documents.commands import commands
from tests.documents.house import House
from tests.documents.ways import ELSEWHERE, HERE, MINUTES, OPTIONS
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.documents.typed import Typed


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    with House() as one:
        yield one


@pytest.mark.parametrize("way", HERE, ids=lambda way: way.text[:60])
def test_it_does_what_it_is_for(house: House, way: Typed) -> None:
    """Typed as it stands in the document."""
    if way.needs and shutil.which(way.needs) is None:
        pytest.skip(f"{way.needs} is missing")

    assert re.search(way.until or way.expect, house.type(way))


@pytest.mark.parametrize("text", ELSEWHERE)
def test_what_others_try_is_there(text: str) -> None:
    """The file that tries it has the words."""
    name, words = ELSEWHERE[text]

    assert words in (ROOT / name).read_text(encoding="utf-8")


def test_every_target_is_one_of_the_makefile() -> None:
    """Those of commands that take minutes, too."""
    named = {
        word
        for command in commands()
        for word in shlex.split(command.text.removeprefix("sudo "))[1:]
        if command.text.removeprefix("sudo ").startswith("make ") and "=" not in word
    }
    targets = set(re.findall(r"^([\w.-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))

    assert sorted(named - targets) == []


@pytest.mark.parametrize("text", MINUTES)
def test_make_would_do_it(text: str) -> None:
    """As it is quoted there."""
    done = subprocess.run(
        ["sh", "-c", text.replace("make", "make --dry-run", 1)], cwd=ROOT, capture_output=True,
        text=True, check=True,
    )  # fmt: skip

    assert MINUTES[text] in " ".join(done.stdout.split())


@pytest.mark.parametrize("text", OPTIONS)
def test_the_program_has_each_option(text: str) -> None:
    """Its help names it."""
    module = text.split()[2]
    done = subprocess.run(
        [sys.executable, "-m", module, "--help"], cwd=ROOT, capture_output=True, text=True,
        check=True,
    )  # fmt: skip

    assert [name for name in re.findall(r"--\w+", text) if name not in done.stdout] == []
