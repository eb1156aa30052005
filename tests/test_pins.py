# SPDX-License-Identifier: GPL-2.0-or-later
"""What `make install` may install: releases with hashes, for each Python and platform."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from packaging.requirements import Requirement

from requirements.pins import path_of, pins, required
from tests.support import ROOT

if TYPE_CHECKING:
    from packaging.markers import Marker

#: The files of pins.
NAMES = sorted(path.stem for path in (ROOT / "requirements").glob("*.txt"))
PYTHONS = ["3.9.0", "3.10.1", "3.11.7", "3.12.0", "3.13.2", "3.14.0", "3.15.0"]


def environment(python: str) -> dict[str, str]:
    """Return what markers are evaluated with, on Linux."""
    return {
        "python_full_version": python, "python_version": ".".join(python.split(".")[:2]),
        "implementation_name": "cpython", "platform_python_implementation": "CPython",
        "sys_platform": "linux", "platform_system": "Linux", "os_name": "posix", "extra": "",
    }  # fmt: skip


def applies(marker: Marker | None, python: str) -> bool:
    """Return whether a line with *marker* counts for *python*."""
    return marker is None or marker.evaluate(environment(python))


def test_each_requirement_of_setup_py_has_its_file() -> None:
    """One for what the program needs, and one for each extra; no other."""
    assert sorted(required()) == NAMES


@pytest.mark.parametrize("python", PYTHONS)
@pytest.mark.parametrize("name", NAMES)
def test_each_requirement_has_one_pin_that_meets_it(name: str, python: str) -> None:
    """Whoever changes setup.py or pyproject.toml has to run make constraints."""
    given = [Requirement(line) for line in pins(path_of(name).read_text())]
    given = [one for one in given if applies(one.marker, python)]
    for line in required()[name]:
        wanted = Requirement(line)
        if applies(wanted.marker, python):
            [pin] = [one for one in given if one.name == wanted.name]
            [version] = pin.specifier
            assert version.operator == "=="
            assert wanted.specifier.contains(version.version), f"{line}: make constraints"


@pytest.mark.parametrize("name", NAMES)
def test_each_pin_has_hashes(name: str) -> None:
    """Of SHA-256; pip refuses a file with any other."""
    text = path_of(name).read_text()
    for pin in pins(text):
        block = text.partition(f"{pin} \\\n")[2]
        hashes = re.match(r"(    --hash=sha256:[0-9a-f]{64}( \\)?\n)+", block)
        assert hashes, pin


def test_install_takes_what_has_hashes_and_builds_nothing() -> None:
    """The lines that reach the package index; the program itself comes from here."""
    text = (ROOT / "Makefile").read_text()
    recipe = text[text.index("\ninstall: python") : text.index("\nuninstall:")]
    calls = re.findall(r"\$\(PIP\) install (?:.|\\\n)*?(?=\|\|)", recipe)

    assert len(calls) == 4
    assert "$(if $(PINNED),$(BINARY) --require-hashes -r requirements/install.txt," in calls[0]
    assert "$(if $(PINNED),--no-index --no-deps --no-build-isolation)" in calls[1]
    assert calls[2].endswith("$(RE2) 2>/dev/null ")
    assert "$(if $(PINNED),$(BINARY) --require-hashes -r requirements/bus.txt," in calls[3]
    assert re.search(r"(?m)^RE2 .*PINNED.*,--require-hashes -r requirements/re2.txt,", text)
