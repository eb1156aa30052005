# SPDX-License-Identifier: GPL-2.0-or-later
"""What web pages and web clients may: httpcors, httpdigest."""

from __future__ import annotations

import pytest

from tests.settings.conf import problems_of, read


def test_origins_are_read_as_browsers_write_them() -> None:
    """Without the usual port, and without the slash that an address bar shows."""
    config = read("httpcors = http://a:80, https://b:443/, c:80, http://[::1]:8080/, https://d:80")

    assert config.http_cors == (
        "http://a", "https://b", "http://c", "https://c:80", "http://[::1]:8080", "https://d:80",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("value", "algorithms"),
    [
        ("SHA-256", ("SHA-256",)),
        ("sha-256, md5", ("SHA-256", "MD5")),
        ("no", ()),
    ],
)
def test_algorithms_keep_their_order(value: str, algorithms: tuple[str, ...]) -> None:
    """The first is what many clients take."""
    assert read(f"httpdigest = {value}").http_digest == algorithms


@pytest.mark.parametrize("value", ["SHA-1", "yes", "MD5, MD5", ",", "MD5-sess"])
def test_other_algorithms_are_problems(value: str) -> None:
    """The error names those there are."""
    [problem] = problems_of(f"httpdigest = {value}")

    assert problem.startswith("x.conf:1: httpdigest: ")
    assert "MD5, SHA-256" in problem
