# SPDX-License-Identifier: GPL-2.0-or-later
"""What Asterisk says becomes batches: whom they are for, and what filters may rely on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.message import Message
from amiproxy.routing.actionids import ActionIds
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.sessions.link import AsteriskLink
from amiproxy.threads.sessions.publisher import Publisher
from amiproxy.wire.batch import Batch, BatchKind
from amiproxy.wire.framing import Framer

if TYPE_CHECKING:
    from tests.threads.conftest import MakePair

EVENT = b"Event: Hangup\r\nPrivilege: call,all\r\n\r\n"


class Audience:
    """Keeps what it is told."""

    keeps_calls = False
    filtering = False

    def __init__(self) -> None:
        self.batches: list[Batch] = []
        self.forgotten: list[str] = []

    def publish(self, batch: Batch) -> None:
        self.batches.append(batch)

    def forget(self, scope: str) -> None:
        self.forgotten.append(scope)


class Stage:
    """A publisher and its connection, on which nothing is read."""

    def __init__(self, pair: MakePair) -> None:
        self.link = AsteriskLink(ServerSpec("pbx", 1, "u", "s", "on", False), ActionIds())
        self.link.open(pair()[0], "192.0.2.1")
        self.link.go_live()
        self.audience = Audience()
        self.publisher = Publisher(self.link, self.audience)
        self._framer = Framer(65536, b"\r\nServer: pbx\r\n\r\n")

    def say(self, data: bytes) -> Batch:
        """Publish what one read brought; return the batch that was made of it."""
        self.publisher.publish(self._framer.feed(data))
        return self.audience.batches[-1]


@pytest.fixture
def stage(pair: MakePair) -> Stage:
    return Stage(pair)


def test_events_that_concern_nobody_in_particular_go_as_they_are(stage: Stage) -> None:
    """One batch of bytes, which need not be cut into messages."""
    batch = stage.say(EVENT * 2)

    assert batch.kind is BatchKind.EVENTS
    assert batch.wire == EVENT.replace(b"\r\n\r\n", b"\r\nServer: pbx\r\n\r\n") * 2
    assert batch.noted


@pytest.mark.parametrize(
    "data",
    [
        b"Event: OriginateResponse\r\nActionID: amp1-a\r\n\r\n",
        b"Event: UserEvent\r\nactionid: amp1-a\r\n\r\n",
        b"Response: Success\r\n\r\n",
    ],
)
def test_whatever_may_belong_to_an_action_is_looked_at(stage: Stage, data: bytes) -> None:
    """With all that the same read brought."""
    assert stage.say(EVENT + data).kind is BatchKind.MIXED


def test_a_read_without_a_whole_message_is_no_batch(stage: Stage) -> None:
    """Nobody is woken for half an event."""
    stage.publisher.publish(Framer(65536).feed(EVENT[:10]))

    assert stage.audience.batches == []


@pytest.mark.parametrize(("filtering", "noted"), [(False, False), (True, True)])
@pytest.mark.parametrize("data", [EVENT, EVENT + b"Response: Success\r\n\r\n"])
def test_where_calls_are_kept_a_batch_tells_whether_filters_may_judge_it(
    stage: Stage, filtering: bool, noted: bool, data: bytes
) -> None:
    """Only if its calls were looked up, which is done while somebody filters."""
    stage.audience.keeps_calls = True
    stage.audience.filtering = filtering

    assert stage.say(data).noted is noted


def test_a_lost_connection_is_told_to_each_that_waits(stage: Stage) -> None:
    """Privately, with the ActionID of the action; the proxy's own Pings are nobody's."""
    stage.link.ping()

    stage.publisher.abandon(stage.link.lose())

    assert stage.audience.batches == []
    assert stage.audience.forgotten == ["pbx:1"]


def test_messages_before_fullybooted_are_remembered_and_not_published(stage: Stage) -> None:
    """A call that is there already is known when a client asks for it."""
    stage.publisher.keep([Message.of("Event: Newchannel", "Uniqueid: 1.1", "Channel: SIP/1-1")])

    assert stage.audience.batches == []
