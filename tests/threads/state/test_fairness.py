# SPDX-License-Identifier: GPL-2.0-or-later
"""Who asks a board for much keeps nobody else waiting."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.live.where import Where
from amiproxy.state.model import LIVE
from amiproxy.threads.state.group import Group
from tests.state.invariants import tell
from tests.threads.state.test_board import Reading, Stage, channel

if TYPE_CHECKING:
    import pytest


def test_who_chooses_anew_all_the_time_keeps_nobody_waiting(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Rows are chosen for each anew, which takes long; what is over by then is not begun."""
    stage = Stage(monkeypatch)
    stage.model.state = LIVE
    tell(stage.model, channel(1), stage.clock.now)
    note_told, filled = Group.note_told, []

    def slow(group: Group) -> None:
        filled.append(group)
        stage.clock.now += 0.1
        note_told(group)

    monkeypatch.setattr(Group, "note_told", slow)
    other = Reading(stage.board, None, Where(), ("channels",))
    for number in range(3):
        greedy = Reading(stage.board, None, Where.of({"x": [str(number)]}), ("channels",))
        stage.board.step(stage.model, (1, 1), ())
        greedy.watch.end()
    assert list(other.copy.rows["channels"]) == ["pbx1/u1"]
    stage.step()
    assert len(filled) == 3
