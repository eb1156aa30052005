# SPDX-License-Identifier: GPL-2.0-or-later
"""What is at other paths than those of actions: whether the proxy is well."""

from __future__ import annotations

import json
import time

import pytest

from amiproxy.httpmessages import Request
from amiproxy.settings.config import ServerSpec
from amiproxy.threads.sessions.link import AsteriskLink
from tests.threads.web.test_client import Stage, guarded, stage

__all__ = ["guarded", "stage"]  # fixtures


@pytest.mark.parametrize("path", ["/healthz", "/HealthZ/", "/readyz?x=1", "http://x/readyz"])
def test_who_asks_whether_it_is_well_need_not_log_in(guarded: Stage, path: str) -> None:
    """And is told the servers' names and how they are; nothing is asked of them."""
    found = guarded.get(path)

    assert (found.status, found.content_type) == (200, "application/json")
    (server,) = json.loads(found.body).pop("servers")
    assert server == {"name": "pbx", "state": "connected", "since": server["since"]}
    assert abs(server["since"] - time.time()) < 60
    assert ("Cache-Control", "no-store") in found.headers
    assert guarded.asterisk.asked == []
    assert found.close  # a stranger's connection


@pytest.mark.parametrize(
    ("down", "stops", "health", "ready", "status"),
    [
        (False, False, 200, 200, "ok"),
        (True, False, 200, 503, "no server is connected"),
        (False, True, 503, 503, "stopping"),
        (None, False, 200, 200, "ok"),
    ],
)
def test_it_is_well_while_it_serves_and_ready_while_it_has_a_server(
    stage: Stage, down: bool | None, stops: bool, health: int, ready: int, status: str
) -> None:
    """One that none is configured for is ready too."""
    stage.asterisk.connected = not down
    if down is None:
        stage.context.router.servers = ()
    if stops:
        stage.context.stopping.set()

    assert stage.get("/healthz").status == health
    found = stage.get("/readyz")

    assert found.status == ready
    assert json.loads(found.body)["status"] == status


def test_other_methods_are_refused_and_other_paths_are_not_there(stage: Stage) -> None:
    """HEAD is GET without its body, which the wire leaves out."""

    def asked(method: str, path: str) -> tuple[int, str]:
        found = stage.respond(Request(method, path, "1.1", (("host", "x"),)))
        return found.status, dict(found.headers).get("Allow", "")

    assert asked("HEAD", "/readyz")[0] == 200
    assert asked("OPTIONS", "/readyz") == (204, "GET, HEAD, OPTIONS")
    assert asked("POST", "/healthz") == (405, "GET, HEAD, OPTIONS")
    assert asked("BREW", "/healthz") == (501, "GET, HEAD, OPTIONS")
    for path in ("/healthz/x", "/asterisk/healthz", "/healthzz"):
        assert asked("GET", path)[0] == 404


def test_a_page_that_came_by_another_name_is_told_nothing(stage: Stage, guarded: Stage) -> None:
    """DNS rebinding: a browser on the LAN asks for a page of the Internet.

    Also where others must log in, for here it need not.
    """
    for each in (stage, guarded):
        request = Request(
            "GET", "/readyz", "1.1", (("host", "evil.example"), ("accept-language", "de"))
        )
        found = each.respond(request)

        assert found.status == 403
        assert b"pbx" not in found.body


@pytest.mark.parametrize(
    ("asked", "is_up", "status", "told"),
    [
        ("server=pbx", True, 200, '"ok"'),
        ("server=PBX:5038&server=other", True, 200, '"ok"'),
        ("server=other", True, 503, "not connected: other"),
        ("server=pbx,other", False, 503, "not connected: pbx, other"),
        ("server=pbx,nosuch", True, 404, "There is no server nosuch; there are: pbx, other"),
        ("server=", True, 400, "name one or several of pbx, other"),
    ],
)
def test_who_needs_some_servers_asks_for_them(
    stage: Stage, asked: str, is_up: bool, status: int, told: str
) -> None:
    """It is ready while one of these is connected; what is no server's name is said to be none."""
    router = stage.context.router
    other = AsteriskLink(ServerSpec("other", 5038, "u", "s"), router.ids)
    router.servers = (stage.asterisk, other)
    stage.asterisk.connected = is_up

    found = stage.get(f"/readyz?{asked}")

    assert found.status == status
    assert told in found.body.decode()


def test_it_is_not_well_while_a_thread_hangs_that_all_need(stage: Stage) -> None:
    """Which one is told, so that its name can be looked for in the log."""
    stage.context.hanging = lambda: ("asterisk-pbx",)

    found = stage.get("/healthz")

    assert found.status == 503
    assert json.loads(found.body)["status"] == "thread asterisk-pbx hangs"
    assert stage.get("/readyz").status == 200  # who asks there has another question
