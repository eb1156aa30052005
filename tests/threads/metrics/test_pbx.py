# SPDX-License-Identifier: GPL-2.0-or-later
"""What /metrics tells of calls, phones and queues: what is there now, and only to who may see it."""

from __future__ import annotations

import threading
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.access.user import User
from amiproxy.message import Message
from amiproxy.metrics.pbxfamilies import ALL
from amiproxy.routing import classes
from amiproxy.routing.eventfilter import EventFilters
from amiproxy.settings.config import Config
from amiproxy.state.kept import Kept
from amiproxy.state.model import LIVE, STALE, ServerModel
from amiproxy.state.queues.table import QUEUE_STATUS
from amiproxy.state.tables import KINDS
from amiproxy.threads.metrics import ofpbx, ofqueues, ofstate
from amiproxy.threads.metrics.scrape import Modelled, Scrape
from amiproxy.threads.state.picture import Picture, PictureRow
from tests.metrics.parsing import read
from tests.state.invariants import LIMIT, tell
from tests.state.replays import told

if TYPE_CHECKING:
    from collections.abc import Mapping

NOW = 1_795_777_210.0

#: In the order in which the tests name their values.
LABELS = ("server", "queue", "outcome", "state", "technology", "status", "cause", "le", "kind")


class Pbx:
    """A model, and what is told of it."""

    def __init__(self, name: str = "pbx1") -> None:
        self.kept = Kept()
        self.model = ServerModel(LIMIT, self.kept)
        self.model.state = LIVE
        self.name, self.now = name, NOW
        self.unknown: dict[str, str] = {}
        self.model.tick(self.now)

    def replay(self, name: str, until: str = "", times: int = 1) -> None:
        """Tell it the recording *name*, up to the event *until* for so many *times*."""
        for each in told(name):
            self.now += 0.01
            tell(self.model, each, self.now)
            if each.event is not None and each.event.get("Event") == until:
                times -= 1
                if not times:
                    return

    def modelled(self) -> Modelled:
        """Return it as a scrape has it."""
        rows = {kind: [PictureRow(row) for row in self.model.rows(kind, self.now)]
                for kind in KINDS}  # fmt: skip
        state = self.model.state, NOW
        picture = Picture(self.name, (1, 1), rows, self.unknown, state, self.now)
        link: Any = SimpleNamespace(scope=self.name)
        none: Any = SimpleNamespace(by_kind={})
        follower: Any = SimpleNamespace(kept=self.kept, state=LIVE, gaps=0, corrections=none)
        return Modelled(self.name, link, follower, picture)


class Told:
    """What a scrape tells of some servers."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.context: Any = SimpleNamespace(config=Config(), made={})
        self._patch = monkeypatch
        self.collectors = [ofpbx.collect, ofqueues.collect]

    def __call__(self, *pbxs: Pbx, user: User | None = None) -> Mapping[tuple[str, ...], float]:
        """Return the values by name and labels, without the prefix."""
        self._patch.setattr("time.time", lambda: pbxs[0].now)
        session: Any = None
        if user is not None:
            session = SimpleNamespace(user=user, lock=threading.Lock(), callfilter=None)
        scrape = Scrape(self.context, session)
        scrape.__dict__["models"] = [each.modelled() for each in pbxs]
        for collect in self.collectors:
            collect(scrape)
        found = {}
        for (name, *pairs), value in read(scrape.page.text()).items():
            labels = dict(zip(pairs[::2], pairs[1::2]))
            key = [labels[each] for each in LABELS if each in labels]
            found[(name.replace("astmanproxy_", "", 1), *key)] = value
        return found


@pytest.fixture
def told_of(monkeypatch: pytest.MonkeyPatch) -> Told:
    """Return what tells."""
    return Told(monkeypatch)


def test_calls_and_phones(told_of: Told) -> None:
    """In the middle of a call; what there is none of is 0, what is not known is absent."""
    pbx = Pbx()
    pbx.replay("pjsip_register")
    pbx.replay("pjsip_basic", "BridgeEnter", 2)
    pbx.unknown["contacts"] = "refused"
    found = told_of(pbx)

    assert found["pbx_calls", "pbx1", "talking"] == 1
    assert found["pbx_calls", "pbx1", "waiting"] == 0
    assert found["pbx_channels", "pbx1", "PJSIP"] == 2
    assert found["pbx_devices", "pbx1", "INUSE"] >= 1
    assert found["pbx_registrations", "pbx1", "rejected"] == 0
    assert not [key for key in found if key[0] == "pbx_contacts"]
    assert found["pbx_calls_started_total", "pbx1"] == 1

    pbx.replay("pjsip_failures")
    found = told_of(pbx)
    causes = {key[2]: value for key, value in found.items() if key[0] == "pbx_hangups_total"}
    assert causes["busy"] >= 1
    assert sum(causes.values()) >= 3
    assert {each.name for each in ALL} >= {key[0] for key in found if "queue_" not in key[0]}


def test_queues(told_of: Told) -> None:
    """Who waits and for how long; how it ended for the others, as counters and histograms."""
    params = Message.of("Event: QueueParams", "Queue: support", "ServiceLevel: 20")
    member = Message.of("Event: QueueMember", "Queue: support", "Location: PJSIP/9", "Status: 1")
    pbx = Pbx()
    pbx.model.take_list(QUEUE_STATUS, [params, member], NOW)
    pbx.replay("e4_queue_many", "QueueCallerAbandon")
    found = told_of(pbx)
    assert found["queue_callers", "pbx1", "support"] == 5
    assert 0 < found["queue_longest_wait_seconds", "pbx1", "support"] < 10
    assert found["queue_members", "pbx1", "support", "free"] == 1
    assert found["queue_members", "pbx1", "support", "in_call"] == 0
    assert found["queue_level_seconds", "pbx1", "support"] == 20

    pbx = Pbx()
    pbx.model.take_list(QUEUE_STATUS, [params], NOW)
    pbx.replay("e4_queue_many")
    pbx.now += 5
    found = told_of(pbx)
    calls = {key[3]: value for key, value in found.items() if key[:3] == (
        "queue_calls_total", "pbx1", "support")}  # fmt: skip
    assert found["queue_longest_wait_seconds", "pbx1", "support"] == 0
    assert calls == {"answered": 6, "hung_up": 0, "hung_up_short": 2, "timeout": 0, "other": 0}
    assert found["queue_answered_in_level_total", "pbx1", "support"] >= 2
    assert found["queue_wait_seconds_count", "pbx1", "support", "answered"] == calls["answered"]
    assert found["queue_wait_seconds_bucket", "pbx1", "support", "answered", "5.0"] > 0
    assert found["queue_talk_seconds_sum", "pbx1", "support"] >= 15
    assert found["queue_offered_total", "pbx1", "support"] == 8


def test_a_lost_server_keeps_its_counters(told_of: Told) -> None:
    """What there is now is absent: the rows are those of before."""
    pbx = Pbx()
    pbx.replay("pjsip_queue")
    pbx.model.state = STALE

    names = {key[0] for key in told_of(pbx)}
    assert {"queue_offered_total", "queue_calls_total", "pbx_hangups_total"} <= names
    assert not {"queue_callers", "queue_members", "pbx_calls", "pbx_devices"} & names


def test_many_queues_are_told_together(told_of: Told) -> None:
    """The first keep their labels whatever comes; Prometheus is told that there are more."""
    told_of.context.config = Config(metrics_queues=2)
    pbx = Pbx()
    join = "Event: QueueCallerJoin"
    for number, name in enumerate("cd", 1):
        pbx.model.apply(Message.of(join, f"Queue: {name}", f"Uniqueid: {number}"), NOW)
    assert told_of(pbx)["metrics_truncated",] == 0
    pbx.now += 60
    for number, name in enumerate("abab", 3):
        pbx.model.apply(Message.of(join, f"Queue: {name}", f"Uniqueid: {number}"), NOW + number)

    found = told_of(pbx, Pbx("pbx2"))
    offered = {key[2]: value for key, value in found.items() if key[0] == "queue_offered_total"}
    assert offered == {"c": 1, "d": 1, "other": 4}
    assert found["queue_callers", "pbx1", "other"] == 4
    assert found["queue_longest_wait_seconds", "pbx1", "other"] == 57
    assert found["metrics_truncated",] == 1


def test_who_logs_in_is_told_what_they_may_see(told_of: Told) -> None:
    """Sums of rows that they may see, and nothing of queues of others."""
    pbx = Pbx()
    pbx.replay("pjsip_queue", "QueueCallerJoin", 3)
    filters = EventFilters().with_line("Queue: support")
    support = User(name="anna", secret="s", read=classes.ALL, eventfilters=filters)
    found = told_of(pbx, user=support)

    assert {key[2] for key in found if key[0].startswith("queue_")} == {"support"}
    assert found["pbx_calls", "pbx1", "talking"] == 0
    assert ("pbx_calls_started_total", "pbx1") not in found
    other = told_of(pbx, user=User(name="joe", secret="s", read=classes.CALL))
    assert not [key for key in other if key[0].startswith("queue_")]
    both = told_of(pbx, user=User(name="ben", secret="s", read=classes.ALL))
    assert len({key[2] for key in both if key[0] == "queue_offered_total"}) > 1


def test_rows_that_one_may_not_see_are_not_counted(told_of: Told) -> None:
    """How many there are would tell of calls of others."""
    pbx = Pbx()
    pbx.replay("pjsip_queue", "QueueCallerJoin", 3)
    told_of.collectors = [ofstate.collect]
    calls = told_of(pbx, user=User(name="joe", secret="s", read=classes.CALL))
    everything = told_of(pbx, user=User(name="ben", secret="s", read=classes.ALL))

    assert everything["state_entries", "pbx1", "queues"] > 1
    assert calls["state_entries", "pbx1", "queues"] == 0
    same = "state_entries", "pbx1", "channels"
    assert calls[same] == everything[same] > 0
    assert not [key for key in calls if key[0] == "state_corrections_total"]


def test_words_of_events_make_no_labels_without_end(told_of: Told) -> None:
    """A forged technology, status or state is told as other."""
    pbx = Pbx()
    for number in range(20):
        pbx.model.apply(Message.of(
            "Event: Newchannel", f"Channel: x{number}/1-1", f"Uniqueid: {number}", "ChannelState: 6",
            f"Linkedid: {number}",
        ), NOW)  # fmt: skip
        pbx.model.apply(Message.of(
            "Event: DeviceStateChange", f"Device: D/{number}", f"State: S{number}",
        ), NOW)  # fmt: skip
    found = told_of(pbx)
    assert found["pbx_channels", "pbx1", "other"] == 20
    assert found.get(("pbx_devices", "pbx1", "other"), 0) in (0, 20)
    assert len([key for key in found if key[0] == "pbx_devices"]) <= 10
