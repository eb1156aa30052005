# SPDX-License-Identifier: GPL-2.0-or-later
"""How often the thread of one Asterisk tries to connect, and when it does so at once."""

from __future__ import annotations

import re
from typing import Callable

import pytest

from amiproxy.settings.config import Config
from tests.support import wait_until
from tests.threads.net.test_dial import ips
from tests.threads.test_asterisk import Stage, stage

__all__ = ["stage"]  # a fixture


def pauses(caplog: pytest.LogCaptureFixture) -> list[float]:
    """Return the pauses that the log tells, in seconds."""
    return [float(text) for text in re.findall(r"trying again in ([0-9.e-]+) s", caplog.text)]


def test_the_pauses_grow_while_nobody_answers(
    stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture
) -> None:
    """The first is the interval of the file, none is longer than the file says."""
    play = stage(retry_longest=0.03, refuses=6)
    play.live()

    first, second, *others = pauses(caplog)
    assert first == 0.01
    assert 0.01 <= second <= 0.02
    assert len(others) == 4
    assert all(0.015 <= pause <= 0.03 for pause in others)


def test_who_accepts_and_leaves_at_once_is_asked_ever_less_often(
    stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture
) -> None:
    """A log-in alone is no success."""
    play = stage(retry_longest=0.08)
    for _ in range(4):
        play.live().close()
    play.live()

    assert pauses(caplog)[0] == 0.01
    assert pauses(caplog)[3] >= 0.04


def test_a_connection_that_lasted_begins_anew(
    stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture
) -> None:
    """Its loss is news."""
    play = stage(lasting=0.0, refuses=3)
    for _ in range(2):
        play.live().close()
    play.live()

    assert pauses(caplog)[3:] == [0.01, 0.01]


def test_a_pause_ends_when_somebody_says_try_now(
    stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture
) -> None:
    """However long it is; the next one is short again."""
    play = stage(retry_interval=3600.0, refuses=1)
    wait_until(lambda: pauses(caplog))
    play.server.configure(Config(retry_interval=0.01))

    play.server.try_now()

    play.live().close()
    play.live()
    assert pauses(caplog) == [3600.0, 0.01]


def test_who_is_connected_pauses_although_somebody_said_try_now(
    stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture
) -> None:
    """A SIGHUP of last week is not for the loss of today."""
    play = stage(retry_interval=3600.0)
    link = play.live()
    play.server.try_now()

    link.close()
    wait_until(lambda: pauses(caplog))

    with pytest.raises(AssertionError):
        wait_until(lambda: play.asterisk.calls > 1, timeout=0.1)


def test_a_log_in_that_fails_has_the_next_address_tried(stage: Callable[..., Stage]) -> None:
    """Somebody answers there, but lets nobody in; where it works is tried first from then on."""
    play = stage()
    link = play.asterisk.link()
    (route,) = set(play.asterisk.routes)
    link.close()
    wait_until(lambda: play.asterisk.calls > 1)
    assert ips(route, "192.0.2.1", "192.0.2.2") == ["192.0.2.2", "192.0.2.1"]

    play.live()

    assert ips(route, "192.0.2.2", "192.0.2.1") == ["192.0.2.1", "192.0.2.2"]


def test_it_gives_up_after_maxretries(
    stage: Callable[..., Stage], caplog: pytest.LogCaptureFixture
) -> None:
    """Tries are counted since the last success."""
    play = stage(max_retries=2)
    play.asterisk.refuses = 1
    link = play.live()
    play.asterisk.refuses = 9

    link.close()
    play.server.join(10)

    assert play.link.given_up
    assert "cannot connect: Connection refused; given up after 2 tries" in caplog.messages[-1]
    assert caplog.text.count("closed the connection; trying again in 0.01 s") == 1


def test_a_stop_ends_the_pause_between_two_tries(stage: Callable[..., Stage]) -> None:
    """However long it is."""
    play = stage(retry_interval=3600.0)
    play.asterisk.link().close()
    wait_until(lambda: play.audience.forgotten)

    play.server.stop("Shutdown")
    play.server.join(10)

    assert play.asterisk.calls == 1
