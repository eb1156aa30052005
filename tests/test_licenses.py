# SPDX-License-Identifier: GPL-2.0-or-later
"""The license; `make licences` checks that every file names it."""

from __future__ import annotations

from tests.support import ROOT


def test_the_license_is_the_same_in_both_places() -> None:
    """LICENSE is where people and packages look, LICENSES/ where REUSE does."""
    both = ROOT / "LICENSE", ROOT / "LICENSES/GPL-2.0-or-later.txt"

    assert both[0].read_bytes() == both[1].read_bytes()
