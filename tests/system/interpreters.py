# SPDX-License-Identifier: GPL-2.0-or-later
"""A Python that the user of a proxy may run, which root has started."""

from __future__ import annotations

import pytest

from benchmarks.interpreters import public_python


def interpreter() -> tuple[str, ...]:
    """Return its command; without one the test is skipped."""
    found = public_python()
    if not found:
        pytest.skip("user nobody may run no Python of this version")
    return found
