# SPDX-License-Identifier: GPL-2.0-or-later
"""What somebody else writes to the bus: it reaches no Asterisk, and ends nothing."""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import pytest

from amiproxy.bus.asks import Ask, encode_ask
from amiproxy.bus.members import read_slot
from tests.bus.cluster import Cluster, cluster
from tests.bus.test_sharing import ASKED, asterisk
from tests.support import wait_until
from tests.system.people import answer, logged_in

if TYPE_CHECKING:
    from collections.abc import Iterator

_LATER = 2**60

#: No two asks are the same one, unless a test wants that.
_SERIALS = itertools.count(1)


@pytest.fixture(scope="module")
def house() -> Iterator[Cluster]:
    """Two proxies and one server."""
    with cluster(script=asterisk) as made:
        yield made


class Forger:
    """Writes asks to the stream of the first server, as another proxy."""

    def __init__(self, house: Cluster) -> None:
        self._redis = house.redis
        lease = self._redis.command("GET", "astmanproxy:lease:pbx1").decode()
        slot, _, epoch = lease.partition(".")
        self.epoch = int(epoch)
        self._owner = (read_slot(slot) ^ 1 or 2) << 28 | 7

    def ask(self, action: str, *, epoch: int = 0, deadline: int = _LATER, serial: int = 0) -> None:
        """Ask for *action*."""
        wire_id = f"amp{self._owner}-forged{serial or next(_SERIALS):012d}"
        raw = f"Action: {action}\r\nActionID: {wire_id}\r\n\r\n".encode()
        made = Ask(epoch or self.epoch, self._owner, wire_id, None, True, False, deadline, "x", raw)
        self.write(encode_ask(made))

    def write(self, body: bytes) -> None:
        """Write *body*."""
        self._redis.command("XADD", "astmanproxy:asks:pbx1", "*", "b", body)

    def settle(self) -> None:
        """Wait until what was written is dealt with."""
        before = ASKED.count("Settled")
        self.ask("Settled")
        wait_until(lambda: ASKED.count("Settled") > before, what="the last action")


def carried_out(house: Cluster, *asks: tuple[str, dict[str, int]]) -> list[str]:
    """Write *asks*; return what of it has come to Asterisk."""
    forger = Forger(house)
    forger.settle()
    before = len(ASKED)
    for action, more in asks:
        forger.ask(action, **more)
    forger.settle()
    return ASKED[before:-1]


def test_a_peer_s_action_is_carried_out(house: Cluster) -> None:
    """Else the other tests would show nothing."""
    assert carried_out(house, ("Status", {})) == ["Status"]


def test_what_comes_twice_is_carried_out_once(house: Cluster) -> None:
    """An entry may be sent again when nobody knows whether it has arrived."""
    assert carried_out(house, ("Once", {"serial": 4711}), ("Once", {"serial": 4711})) == ["Once"]


def test_what_is_late_is_not_carried_out(house: Cluster) -> None:
    """Nobody waits for it any more."""
    assert carried_out(house, ("Late", {"deadline": 1})) == []


def test_what_was_for_another_holder_is_not_carried_out(house: Cluster) -> None:
    """Who asked was told that it may have been."""
    assert carried_out(house, ("Old", {"epoch": 1})) == []


@pytest.mark.parametrize(
    "action", ["Logoff", "Login", "Events", "Challenge", " logoff", "X\r\nProxyAction: Kick"]
)
def test_what_no_proxy_passes_on_is_not_carried_out(house: Cluster, action: str) -> None:
    """It would end the connection of all, or change what it brings."""
    assert carried_out(house, (action, {})) == []


def test_what_is_no_entry_ends_nothing(house: Cluster) -> None:
    """It is dropped; what comes behind it is not."""
    forger = Forger(house)
    for body in (b"", b"\0" * 100, b"\xff" * 5000):
        forger.write(body)
        house.redis.command("XADD", "astmanproxy:events:pbx1", f"{forger.epoch}-*", "b", body)
    house.redis.command("XADD", "astmanproxy:events:pbx1", f"{forger.epoch}-*", "other", "field")
    forger.settle()
    holder, (other,) = house.wait_shared()
    for proxy in (holder, other):
        with logged_in(proxy, "board") as client:
            assert "Asked: Status" in answer(client, "Action: Status")
