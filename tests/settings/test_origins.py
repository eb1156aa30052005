# SPDX-License-Identifier: GPL-2.0-or-later
"""The origins of httpcors."""

from __future__ import annotations

from tests.settings.conf import read


def test_origins_are_read_as_browsers_write_them() -> None:
    """Without the usual port, and without the slash that an address bar shows."""
    config = read("httpcors = http://a:80, https://b:443/, c:80, http://[::1]:8080/, https://d:80")

    assert config.http_cors == (
        "http://a", "https://b", "http://c", "https://c:80", "http://[::1]:8080", "https://d:80",
    )  # fmt: skip
