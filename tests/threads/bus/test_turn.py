# SPDX-License-Identifier: GPL-2.0-or-later
"""When a proxy is to connect, and how it lets go: without Redis, the parts beside it are played."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, Callable

import pytest

from amiproxy.routing.actionids import ActionIds
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.bus.sharedlink import SharedLink
from amiproxy.threads.bus.tenure import Tenure
from amiproxy.threads.bus.turn import Turn

HERE, EPOCH = 5, 65536


class Stage:
    """A Turn; *opens* is what is read next, then it is woken; *done* has what it asked for."""

    lane_acknowledged = b"65536-3"

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("amiproxy.threads.bus.turn.Tail", self.tail)
        self.opens: list[int] = []
        self.done: list[str] = []
        self.last: Callable[[], object] = lambda: None
        self.fenced: Callable[[], object] = lambda: None
        spec = ServerSpec("pbx", 5038, "u", "s", "on", False, "pbx")
        self.link = SharedLink(spec, ActionIds(), "", HERE, lambda _: None, lambda: 1)
        publisher: Any = SimpleNamespace(lane=None, is_untold=False)
        keeper = SimpleNamespace(
            add=lambda _: None, remove=lambda _: None,
            release=lambda scope, epoch: self.done.append(f"release {scope} {epoch}"),
        )  # fmt: skip
        around: Any = SimpleNamespace(
            keeper=keeper, outbox=SimpleNamespace(lane=self._lane), failover=60.0, tells=False,
            heard=lambda _: None,
        )  # fmt: skip
        self.work: Any = SimpleNamespace(busy_since=0.0)
        self.turn = Turn(self.link, publisher, around, can_hold=True)

    def _lane(self, _scope: str, _epoch: int, on_fenced: Callable[[], object]) -> Any:
        self.fenced = on_fenced
        return SimpleNamespace(
            put_last=self._put_last,
            close=lambda: self.done.append("close"),
            acknowledged=self.lane_acknowledged,
        )

    def _put_last(self, then: Callable[[], object]) -> None:
        self.done.append("last")
        self.last = then

    def tail(self, *_: object) -> Any:
        """Return what reads *opens*."""

        def take(_found: object) -> int:
            if not self.opens:
                self.turn.wake()
                return 0
            return self.opens.pop(0)

        return SimpleNamespace(
            read=lambda _: ([], []), take=take, is_at_end=False, lose=lambda _: None,
            interrupt=lambda: None, close=lambda: None,
            go_on_behind=lambda entry_id: self.done.append(f"behind {entry_id.decode()}"),
        )  # fmt: skip

    def hold(self) -> Tenure:
        """Be granted the server, and take it."""
        tenure = Tenure("pbx", EPOCH)
        self.turn.grant(tenure)
        self.opens.append(EPOCH)
        assert self.turn.await_turn(self.work)
        return tenure


@pytest.fixture
def stage(monkeypatch: pytest.MonkeyPatch) -> Stage:
    """A proxy that reads."""
    return Stage(monkeypatch)


def test_it_connects_when_all_of_the_tenure_before_is_handed_out(stage: Stage) -> None:
    """That is, behind the entry that opens its own; not behind another one's."""
    stage.turn.grant(Tenure("pbx", EPOCH))
    stage.opens += [0, EPOCH - 65536]
    assert not stage.turn.await_turn(stage.work)
    assert stage.link.reading


def test_the_lease_is_given_back_behind_the_last_entry(stage: Stage) -> None:
    """Else the next holder would begin before all is there."""
    stage.hold()
    stage.turn.pass_on()
    assert stage.done == ["last", f"behind {stage.lane_acknowledged.decode()}", "close"]

    stage.last()
    assert stage.done[-1] == f"release pbx {EPOCH}"


def test_a_tenure_that_was_given_up_is_not_taken_again(stage: Stage) -> None:
    """The keeper has not said yet that it is over."""
    stage.hold()
    stage.turn.pass_on()
    stage.opens.append(EPOCH)

    assert not stage.turn.await_turn(stage.work)
    assert stage.link.reading


def test_who_is_superseded_is_cut_off_at_once(stage: Stage) -> None:
    """The bus takes none of its entries: another proxy is connected."""
    stage.hold()
    stage.fenced()
    assert not stage.link.may_ask
    assert stage.done == [f"release pbx {EPOCH}"]


def test_who_was_superseded_before_is_not_cut_off_from_the_next_tenure(stage: Stage) -> None:
    """The outbox may say it late."""
    stage.hold()
    late = stage.fenced
    stage.turn.pass_on()
    tenure = Tenure("pbx", 2 * EPOCH)
    stage.turn.grant(tenure)
    stage.opens.append(2 * EPOCH)
    assert stage.turn.await_turn(stage.work)

    late()
    assert stage.link.may_ask
