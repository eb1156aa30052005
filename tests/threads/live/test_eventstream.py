# SPDX-License-Identifier: GPL-2.0-or-later
"""What one client of /events is told, without a connection of HTTP around it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from amiproxy.access.user import User, Users
from amiproxy.live import sse
from amiproxy.live.requests import Subscription
from amiproxy.routing.selection import Selection
from amiproxy.threads.live.eventstream import EventStream, Telling, events
from amiproxy.threads.live.websocket import enter, leave
from amiproxy.web.problems import Problem
from tests.threads.rest.loginstage import visit_of
from tests.threads.web.test_client import JOE, Stage, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["stage"]  # a fixture


@pytest.fixture
def told(stage: Stage) -> Iterator[Telling]:
    """What tells a client that wants the events X, and the time now and then."""
    visit = visit_of(stage, "/events")
    session = EventStream(visit, sse.FRAMING, sse.format_of("json", stage.context.formats))
    enter(visit, session)
    yield Telling(visit, session, Subscription(Selection.of(["X"])), ticks=True)
    leave(visit, session)


def heard(stage: Stage) -> list[dict[str, str]]:
    """Return the fields of each block that the client was sent."""
    blocks = stage.theirs.recv(65536).decode().split("\n\n")[:-1]
    return [dict(line.partition(": ")[::2] for line in block.split("\n")) for block in blocks]


def test_silence_is_filled(stage: Stage, told: Telling) -> None:
    """Who hears nothing for long could not tell whether the connection is there.

    The id goes on, so that who comes back after a quiet night need not be told of all of it.
    """
    told.begin()
    heard(stage)
    told.tick()

    place, tick = heard(stage)

    assert (place[""], tick["event"]) == ("tick", "tick")
    document = json.loads(tick["data"])
    assert document["at"] == place["id"]
    assert document["now"] > 1e9


def test_rows_are_refused_where_there_is_no_state(stage: Stage) -> None:
    """Before a stream begins, with the line that would make them; one gives up for good then."""
    with pytest.raises(Problem, match="write state = yes") as caught:
        events(visit_of(stage, "/events?snapshot=calls"))

    assert caught.value.status == 400


def test_a_stream_is_a_connection_of_its_user(stage: Stage) -> None:
    """Where a user may be there once, a second one is refused, and told why; requests are not."""
    joe = User("joe", "secret1", allow_multiple_login=False)
    stage.context.renew(stage.context.config, Users({"joe": joe}), None)
    visit = visit_of(stage, "/events", authorization=JOE)
    stream = events(visit)

    with pytest.raises(Problem, match="logged in already") as caught:
        events(visit)
    assert caught.value.status == 429
    assert stage.get("/v1/me", authorization=JOE).status == 200
    stream.leave()
    events(visit).leave()


def test_the_place_is_told_before_the_first_event(stage: Stage, told: Telling) -> None:
    """Else what comes while a young connection is lost would be missed."""
    told.begin()
    retry, hello, place = heard(stage)

    assert retry == {"retry": "1000"}
    assert hello["event"] == "hello"
    assert "event" not in place
    assert place["id"]
