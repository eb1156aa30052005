# SPDX-License-Identifier: GPL-2.0-or-later
"""What a scrape makes of what is counted; nothing here has a thread."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import pytest

from amiproxy.access.user import User
from amiproxy.routing.classes import CALL
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.metrics import ofclients
from amiproxy.threads.metrics.collecting import collect
from amiproxy.threads.metrics.ofclients import user_class
from amiproxy.threads.metrics.scrape import Scrape
from amiproxy.threads.net.certificates import first_end
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.tallies import Tallied
from amiproxy.threads.state.corrections import Corrections
from amiproxy.wire.batch import Batch
from tests.certificates import DAY, Authority
from tests.metrics.parsing import read
from tests.threads.sessions.support import EVENT, collector, session_over
from tests.threads.web.test_client import Stage, stage

if TYPE_CHECKING:
    from pathlib import Path

    from tests.metrics.parsing import Samples
    from tests.threads.conftest import MakePair

__all__ = ["stage"]  # fixture


def told(stage: Stage) -> Samples:
    """Return what a scrape says."""
    return read(collect(stage.context).text())


def test_two_servers_of_one_name_are_told_apart(stage: Stage) -> None:
    """By their ports; a page that says the same twice is none."""
    router = stage.context.router
    other = AsteriskLink(ServerSpec("pbx", 5039, "u", "s"), router.ids)
    assert [name for name, _ in Scrape(stage.context).servers] == ["pbx"]

    router.servers = (stage.asterisk, other)

    found = told(stage)
    assert found["astmanproxy_server_up", "server", "pbx:5038"] == 1
    assert found["astmanproxy_server_up", "server", "pbx:5039"] == 0


@pytest.mark.parametrize(
    ("user", "word"),
    [
        (None, "none"),
        (User("a", "s"), "unrestricted"),
        (User("a", "s", read=CALL), "restricted"),
        (User("a", "s", channel="sip/1"), "restricted"),
        (User("a", "s", servers=frozenset({"pbx"})), "restricted"),
        (
            User("a", "s", servers=frozenset({"pbx"}), proxyactions=frozenset({"operator"})),
            "operator",
        ),
    ],
)
def test_clients_are_told_by_what_they_may_do(user: User | None, word: str) -> None:
    """Not by who they are."""
    session = collector()
    session.user = user

    assert user_class(session) == word


def test_counters_do_not_fall_when_clients_leave(stage: Stage, pair: MakePair) -> None:
    """Not even by one who is just neither there nor gone: all would count once more."""
    registry = stage.context.registry
    session = session_over(pair()[0])
    registry.add(session)
    session.deliver(Batch("pbx", EVENT.raw + EVENT.raw))
    key = "astmanproxy_client_messages_total", "format", "standard"

    there = told(stage)[key]
    registry.discard(session)

    assert (there, told(stage)[key]) == (2, 2)
    sums: dict[tuple[str, ...], int] = {}
    assert [ofclients.rising(sums, key, value) for value in (5, 3, 6)] == [5, 5, 6]


def test_drops_and_refusals_are_told_by_why(stage: Stage) -> None:
    """Those that have not happened as 0: an alert looks for what they rise by."""
    tallies = stage.context.tallies
    tallies.note(Tallied.DROPPED)
    tallies.note(Tallied.DROPPED_ELSE, "filters")
    tallies.note(Tallied.FAILED_LOGIN, "failed")
    tallies.note(Tallied.REFUSED_ACTION, "Hangup")
    tallies.note(Tallied.UNSENT_ACTION, "Hangup")

    found = told(stage)

    drops = {key[2]: value for key, value in found.items() if "drops" in key[0]}
    assert drops == {
        "slow": 1, "filters": 1, "format": 0, "protocol": 0, "kicked": 0, "unwanted": 0,
    }  # fmt: skip
    logins = {key[2]: value for key, value in found.items() if "logins" in key[0]}
    assert logins == {"ok": 0, "failed": 1, "address": 0, "too_often": 0, "not_tried": 0}
    refused = "action", "Hangup", "result", "refused", "server", ""
    assert found[("astmanproxy_actions_total", *refused)] == 2


def test_a_reload_that_failed_shows(stage: Stage) -> None:
    """With when it was; before there was one, the start counts."""
    started = stage.context.started.timestamp()
    before = told(stage)
    stage.context.reloaded = lambda: (1795600000.0, False)
    after = told(stage)

    success, when = (
        (f"astmanproxy_config_last_reload_{word}",) for word in ("success", "timestamp_seconds")
    )
    assert (before[success], before[when]) == (1, started)
    assert (after[success], after[when]) == (0, 1795600000.0)


def test_the_certificate_that_ends_first_counts(tmp_path: Path) -> None:
    """Of all in the file; without one nothing is known."""
    authority = Authority()
    files = [authority.sign("a.example", ends=each * DAY) for each in (30, 10)]
    path = tmp_path / "both.pem"
    path.write_bytes(b"".join(each.public for each in files))

    ends = first_end(str(path))

    assert ends == pytest.approx(time.time() + 10 * 86400, abs=86400)
    assert first_end("") is None
    assert first_end(str(tmp_path / "none")) is None


def test_corrections_are_counted_by_kind() -> None:
    """So that it shows which list and which events do not fit."""
    corrections = Corrections("pbx")
    corrections.note(["channels 1.1", "channels 1.2", "queues support"], 1000.0)

    assert corrections.by_kind == {"channels": 2, "queues": 1}
