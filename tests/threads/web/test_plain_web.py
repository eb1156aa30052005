# SPDX-License-Identifier: GPL-2.0-or-later
"""The quick ways of plain actions and answers leave behind what the exact ones do, on the web, too.

``ASTMANPROXY_HISTORIES=300000 pytest --timeout 0 tests/threads/web/test_plain_web.py`` asks as often.
"""

from __future__ import annotations

import contextlib
import logging
import os
from typing import TYPE_CHECKING, Any, cast

from amiproxy.httpmessages import BadRequest
from amiproxy.limits import Limits
from amiproxy.threads.sessions.collector import Collector
from amiproxy.threads.sessions.submitted import Submitted
from amiproxy.threads.sessions.turnstile import Turnstile
from amiproxy.threads.web.asker import Asker, Wish
from amiproxy.web import urls
from tests.threads.plainways import FORMATS, USERS, Client, World
from tests.threads.web.test_client import Stage

if TYPE_CHECKING:
    import pytest

    from amiproxy.message import Message
    from amiproxy.threads.net.transport import Transport
    from amiproxy.threads.sessions.link import AsteriskLink

STEPS = int(os.environ.get("ASTMANPROXY_HISTORIES", "3000"))
_EACH = 40  # steps of a history


class Prompt(Turnstile):
    """Has the servers speak when a client's thread begins to wait."""

    def __init__(self, world: WebWorld) -> None:
        super().__init__()
        self._world = world

    def end(self) -> None:
        """Let them."""
        super().end()
        self._world.hear()


class WebClient:
    """One connection: it asks now and then, as one user or as nobody, and waits for no answer."""

    def __init__(self, world: WebWorld) -> None:
        self.world, self.is_gone = world, False
        self.wire, self.told = self, b""
        self.guarded = world.some(4) == 0
        self.session = self._new()
        transport = cast("Transport", type("Sock", (), {"fileno": lambda _: -1}))
        self.asker = Asker(world.context, transport)

    def _new(self) -> Collector:
        return Collector(
            "client web", "192.0.2.8", guarded=self.guarded, output=FORMATS["standard"],
            filter_local="off",
        )  # fmt: skip

    def send(self, data: bytes) -> None:
        """Ask for what *data* holds, as fields."""
        fields = [
            line.partition(": ")[::2] for line in data.decode("latin-1").split("\r\n") if line
        ]
        with contextlib.suppress(BadRequest):
            self._ask(urls.block([], fields, Limits()))

    def _ask(self, message: Message) -> None:
        world = self.world
        registry, until = world.context.registry, "Hangup" if world.some(12) == 0 else ""
        if until or not self.session.begin_again(FORMATS["standard"]):
            self.session = self._new()
            self.session.hears = bool(until)
        registry.add(self.session)
        if world.some(3) == 0:
            registry.log_in(self.session, world.pick(USERS), None)
        elif world.some(12) == 0:
            self.session.accept_key()
        answer, is_over = self.asker.ask(self.session, message, Wish(until, 0.0))
        registry.discard(self.session)
        self.told += repr((is_over, answer.complete)).encode()
        self.told += b"".join(each.raw for each in answer.messages)

    def take(self) -> bytes:
        """Return what it was told since the last time."""
        told, self.told = self.told, b""
        return told


class WebWorld(World):
    """One whose clients come by HTTP, most of them."""

    def __init__(self, seed: int, patch: pytest.MonkeyPatch, *, exact: bool) -> None:
        super().__init__(seed, patch, exact=exact)
        self.context.turnstile = Prompt(self)
        self.context.registry.gather(cast("AsteriskLink", None))

    def _client(self) -> Client:
        return cast("Client", WebClient(self)) if self.some(4) else super()._client()

    def hear(self) -> None:
        """Have servers say something, mostly what answers all that they were asked."""
        for server in self.servers:
            self.up += server.read()
            for _ in range(self.some(3)):
                server.say(self.output(server.asked))

    up = b""

    def left(self) -> tuple[Any, ...]:
        """Return what any world leaves, and what went up meanwhile."""
        up, self.up = self.same(self.up), b""
        registry = self.context.registry
        counted = self.router.web_quota._counts  # noqa: SLF001 - who has how many
        return (*super().left(), up, registry.gone_actions, registry.had(), dict(counted))


def test_requests_are_answered_as_by_the_exact_ways(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whatever they ask and whatever servers say meanwhile."""
    caplog.set_level(logging.CRITICAL)
    quick = [0, 0]
    for seed in range(STEPS // _EACH):
        worlds = [WebWorld(seed, monkeypatch, exact=exact) for exact in (False, True)]
        for step in range(_EACH):
            left = [world.step() for world in worlds]
            assert left[0] == left[1], f"history {seed}, step {step}"
        quick = [one + other for one, other in zip(quick, worlds[0].quick)]
    assert min(quick) > STEPS // 20, f"{quick}: hardly anything went a quick way"


def test_what_could_not_be_sent_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server has gone at that moment; another request may ask in its place."""
    stage = Stage(max_unanswered=1)
    try:
        with monkeypatch.context() as patch:
            patch.setattr(stage.asterisk, "submit", lambda *_: Submitted.UNCONNECTED)
            assert stage.get("/?Action=Ping").status == 503
        assert stage.get("/?Action=Ping").status == 200
    finally:
        stage.stop()
