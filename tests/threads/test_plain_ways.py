# SPDX-License-Identifier: GPL-2.0-or-later
"""The quick ways of plain actions and answers leave behind what the exact ways do.

``ASTMANPROXY_HISTORIES=300000 pytest --timeout 0 tests/threads/test_plain_ways.py`` does as many
things.
"""

from __future__ import annotations

import logging
import os
import re
from typing import TYPE_CHECKING

from tests.threads.plainways import World

if TYPE_CHECKING:
    import pytest

STEPS = int(os.environ.get("ASTMANPROXY_HISTORIES", "6000"))
_EACH = 40  # steps of a history
_TOOK = re.compile(r" ms=\d+|amp\d+-[\w.]{18}")


def _logged(caplog: pytest.LogCaptureFixture) -> list[str]:
    found = [_TOOK.sub("", record.getMessage()) for record in caplog.records]
    caplog.clear()
    return found


def test_quick_ways_and_exact_ones_lead_to_the_same(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever clients send, whatever servers say: bytes, ledgers, counts and lines of the log."""
    quick = [0, 0]
    for seed in range(STEPS // _EACH):
        caplog.set_level(logging.DEBUG if seed % 16 == 0 else logging.INFO)
        worlds = [World(seed, monkeypatch, exact=exact) for exact in (False, True)]
        caplog.clear()
        for step in range(_EACH):
            left = [(world.step(), _logged(caplog)) for world in worlds]
            assert left[0] == left[1], f"history {seed}, step {step}"
        quick = [one + other for one, other in zip(quick, worlds[0].quick)]
    assert min(quick) > STEPS // 30, f"{quick}: hardly anything went a quick way"
