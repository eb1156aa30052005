# SPDX-License-Identifier: GPL-2.0-or-later
"""Numbers of bytes as the operator writes them."""

from __future__ import annotations

import pytest

from tests.settings.conf import problems_of, read


@pytest.mark.parametrize(
    ("text", "size"),
    [("no", 0), ("off", 0), ("0", 0), ("1000", 1000), ("512KB", 524288), ("64 MB", 67108864),
     ("64mb", 67108864), ("1g", 2**30), ("8B", 8)],
)  # fmt: skip
def test_a_size_is_read(text: str, size: int) -> None:
    """With a unit, a blank before it or none, in any case."""
    assert read(f"replay = {text}\n").replay == size


@pytest.mark.parametrize(
    "text", ["64 megabytes", "-1", "1.5MB", "99999999999999999", "9999999999G", "yes"]
)
def test_what_is_no_size_is_said(text: str) -> None:
    """With the line."""
    (problem,) = problems_of(f"replay = {text}\n")

    assert problem.startswith("x.conf:1: ")
    assert "replay" in problem
