# SPDX-License-Identifier: GPL-2.0-or-later
"""What a browser sends that its user did not mean changes nothing."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from amiproxy.httpmessages import Request
from amiproxy.threads.sessions.guesses import Guesses
from tests.threads.rest.loginstage import (
    JSON,
    OWN,
    ask,
    bearer,
    house,
    log_in,
)
from tests.threads.web.test_client import JOE, Stage

__all__ = ["house"]  # a fixture


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({**JSON, **OWN}, 201),
        ({**JSON, "origin": "http://evil.example"}, 403),
        ({**JSON, "origin": "null"}, 403),
        ({**JSON, "origin": "http://x:81"}, 403),
        ({**JSON}, 403),  # by a cookie a request must say from where it is
        ({**JSON, "authorization": "Negotiate x"}, 403),  # that is no log-in: the cookie counts
        ({**JSON, **OWN, "sec_fetch_site": "cross-site"}, 201),  # Origin says more
        ({**OWN}, 415),
        ({**OWN, "content_type": "text/plain"}, 415),
        ({**OWN, "content_type": "application/x-www-form-urlencoded"}, 415),
        ({**OWN, "content_type": "application/json; charset=utf-8"}, 201),
    ],
)
def test_by_a_cookie_only_pages_of_ours_change_anything(
    house: Stage, headers: dict[str, str], status: int
) -> None:
    """A form of another site cannot send JSON, and its script says where it is from."""
    _, cookie = log_in(house)

    assert ask(house, "POST", "/v1/tickets", {}, cookie=cookie, **headers).status == status


def test_no_page_of_others_changes_anything_where_nobody_must_log_in() -> None:
    """But programs do, which say nothing of where they are from."""
    stage = Stage(http_cors=("http://friend.example",))
    try:
        for headers, status in (
            ({}, 201),
            ({"origin": "http://evil.example"}, 403),
            ({"origin": "http://friend.example"}, 201),
            ({"sec_fetch_site": "cross-site"}, 403),
            ({"user_agent": "Mozilla/5.0", "accept_language": "de"}, 403),
        ):
            assert ask(stage, "POST", "/v1/tickets", {}, **JSON, **headers).status == status
    finally:
        stage.stop()


def test_another_page_is_let_in_by_no_log_in(house: Stage) -> None:
    """Not even by the right secret: whose it is does not count, but whose page."""
    evil = {"origin": "http://evil.example"}

    assert log_in(house, **evil)[0].status == 403
    assert ask(house, "POST", "/v1/tickets", **bearer(), **evil).status == 403
    found = ask(house, "GET", "/v1/me", **bearer(), **evil)
    assert "Access-Control-Allow-Origin" not in dict(found.headers)


def test_an_extension_of_the_browser_is_let_in_by_a_token_alone(house: Stage) -> None:
    """It is no page, and the token is its own; a cookie is not."""
    own = {"origin": "chrome-extension://abcdefghijklmnop"}

    assert ask(house, "POST", "/v1/tickets", **bearer(), **own).status == 201
    assert ask(house, "POST", "/v1/tickets", authorization=JOE, **own, **JSON).status == 403


def test_a_program_with_a_token_need_send_no_body(house: Stage) -> None:
    """No page can send that header to us unasked; but what it sends must be JSON."""
    assert ask(house, "POST", "/v1/tickets", **bearer()).status == 201
    assert ask(house, "POST", "/v1/tickets", {}, **bearer()).status == 415
    assert ask(house, "POST", "/v1/tickets", authorization=JOE).status == 415


@given(
    method=st.sampled_from(["GET", "POST", "DELETE"]),
    path=st.sampled_from(["/v1/me", "/v1/session", "/v1/tickets"]),
    body=st.one_of(
        st.binary(max_size=60),
        st.sampled_from([b'{"token":"amp_x"}', b'{"username":"joe","secret":"x"}', b"[" * 99]),
    ),
    headers=st.dictionaries(
        st.sampled_from(["authorization", "cookie", "origin", "content-type", "proxykey"]),
        st.one_of(
            st.text(st.characters(min_codepoint=32, max_codepoint=255), max_size=30),
            st.sampled_from(
                ["Bearer amp_x", "Basic !", "application/json", "http://x", "astmanproxy_session=y"]
            ),
        ),
    ),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_nothing_that_is_made_up_logs_in(
    house: Stage, method: str, path: str, body: bytes, headers: dict[str, str]
) -> None:
    """Whatever stands in headers and bodies: an answer, and no cookie."""
    house.context.guesses = Guesses(house.context.stopping)  # nobody waits here
    found = house.respond(Request(method, path, "1.1", (("host", "x"), *headers.items()), body))

    assert found.status in (204, 400, 401, 403, 405, 415)
    cookie = dict(found.headers).get("Set-Cookie", "Max-Age=0")
    assert "Max-Age=0" in cookie
