# SPDX-License-Identifier: GPL-2.0-or-later
"""Kept: what is counted of a server outlives its connection and its model."""

from __future__ import annotations

import pytest

from amiproxy.message import Message
from amiproxy.state.calls.causes import WORDS, word_of
from amiproxy.state.kept import Kept
from amiproxy.state.model import LIVE, ServerModel
from tests.state.invariants import LIMIT, tell
from tests.state.replays import told


def replayed(name: str) -> Kept:
    """Return what is counted of the recording *name*, live from its first event on."""
    kept = Kept()
    model = ServerModel(LIMIT, kept)
    model.state = LIVE
    for number, each in enumerate(told(name)):
        tell(model, each, 1000.0 + number / 100)
    return kept


def test_calls_are_counted_when_they_begin_and_end() -> None:
    """By the cause of their last hangup: busy, not there, not answered, refused."""
    kept = replayed("pjsip_failures")

    assert kept.calls_started == sum(kept.hangups.values())
    assert {word for word, count in kept.hangups.items() if count} >= {"busy", "rejected"}


def test_what_a_list_finds_has_not_begun_now() -> None:
    """The calls that there are when the model begins, and begins anew, count as none."""
    kept = Kept()
    model = ServerModel(LIMIT, kept)
    for each in told("pjsip_basic"):
        tell(model, each, 1000.0)
        if each.event is not None and each.event.get("Event") == "BridgeEnter":
            break
    assert (kept.calls_started, len(model) > 0) == (0, True)
    model.clear()
    assert sum(kept.hangups.values()) == 0


@pytest.mark.parametrize(
    ("cause", "word"),
    [(16, "normal"), (17, "busy"), (19, "noanswer"), (21, "rejected"), (1, "unallocated"),
     (34, "congestion"), (38, "failure"), (127, "failure"), (0, "other"), (None, "other"),
     (128, "other"), (-1, "other"), (10**14, "other")],
)  # fmt: skip
def test_causes_are_few_words(cause: int | None, word: str) -> None:
    """Whatever number an event has."""
    assert word_of(cause) == word
    assert word in WORDS


def test_shutdown_and_reloads() -> None:
    """The first is of the connection, the others are counted."""
    assert replayed("k2_core_restart_now").stopping_since
    assert replayed("pjsip_reloads").reloads >= 3

    kept = Kept()
    model = ServerModel(LIMIT, kept)
    model.apply(Message.of("Event: Shutdown", "Shutdown: Cleanly"), 1000.0)
    model.apply(Message.of("Event: Reload", "Module: app_queue.so"), 1000.0)
    model.clear()
    assert (kept.stopping_since, kept.reloads) == (None, 1)
    model.apply(Message.of("Event: Shutdown", "Shutdown: Cleanly"), 1000.0)
    model.apply(Message.of("Event: FullyBooted"), 1001.0)
    assert kept.stopping_since is None
