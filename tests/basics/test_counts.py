# SPDX-License-Identifier: GPL-2.0-or-later
"""Counts of what comes and goes."""

from __future__ import annotations

import pytest

from amiproxy.basics.counts import Counts


def test_what_has_gone_is_not_kept() -> None:
    """However many keys there were, those of which there is none take no memory."""
    counts: Counts[str] = Counts()
    for key in ("a", "b", "a"):
        counts.add(key)
    assert counts == {"a": 2, "b": 1}

    assert [counts.remove(key) for key in ("a", "b", "a")] == [False, True, True]

    assert counts == {}
    with pytest.raises(KeyError):
        counts.remove("a")
