# SPDX-License-Identifier: GPL-2.0-or-later
"""Which endpoint a request is for, and what keeps it from one."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

import pytest

from amiproxy.rest.endpoints import Endpoint, Parameter, at
from amiproxy.threads.rest import router
from amiproxy.threads.rest.asking import Asking, answer
from amiproxy.web.problems import KINDS
from tests.threads.rest.support import ask, document
from tests.threads.web.test_client import JOE, Stage, guarded, stage

if TYPE_CHECKING:
    from amiproxy.httpmessages import Response

__all__ = ["guarded", "stage"]  # fixtures


def _seen(asking: Asking) -> Response:
    user = asking.session.user
    said = {"args": asking.args, "fields": asking.fields, "user": user.name if user else None}
    return answer({**said, **asking.json} if asking.endpoint.body else said)


SEEN = Endpoint(
    "GET",
    "/v1/seen/{one}/{+rest}",
    _seen,
    "What was asked",
    (Parameter("some", "several", is_repeated=True), Parameter("once", "one")),
)
SENT = dataclasses.replace(SEEN, method="POST", body={"type": "object"})


@pytest.fixture
def rows(monkeypatch: pytest.MonkeyPatch) -> None:
    """Endpoints that tell what they are asked."""
    monkeypatch.setattr(router, "ENDPOINTS", (SEEN, SENT))


@pytest.mark.usefixtures("rows")
def test_a_path_and_a_query_become_arguments(stage: Stage) -> None:
    """Whatever has a slash in it may come as the last one, encoded or not; text is UTF-8."""
    for path in ("/v1/Seen/A/b/c", "/v1/seen/A/b%2Fc"):
        found = document(ask(stage, "GET", path + "?some=x&once=caf%C3%A9&some="))

        assert found["args"] == {"one": "A", "rest": "b/c"}
        assert found["fields"] == {"some": ["x", ""], "once": ["café"]}


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("query", "told"),
    [
        ("?sone=1", "'sone' is no parameter here; is some meant?; there are some, once"),
        ("?once=1&once=1", "The parameter once is given twice"),
    ],
)
def test_a_parameter_that_is_not_known_is_named_with_the_nearest_one(
    stage: Stage, query: str, told: str
) -> None:
    """A filter that is misspelled must not be left out silently."""
    found = ask(stage, "GET", "/v1/seen/a/b" + query)

    assert (found.status, found.content_type) == (400, "application/problem+json")
    assert document(found)["detail"] == told


@pytest.mark.usefixtures("rows")
def test_a_method_that_is_not_there_is_told_those_that_are(stage: Stage) -> None:
    """HEAD is there where GET is."""
    found = ask(stage, "DELETE", "/v1/seen/a/b")
    asked = ask(stage, "OPTIONS", "/v1/seen/a/b")

    assert (found.status, document(found)["type"]) == (405, "/v1/problems/method")
    assert asked.status == 204
    for each in (found, asked):
        assert ("Allow", "GET, POST, HEAD, OPTIONS") in each.headers
    assert ask(stage, "HEAD", "/v1/seen/a/b").status == 200
    assert ask(stage, "BREW", "/v1/seen/a/b").status == 501


@pytest.mark.parametrize("path", ["/v1", "/v1/", "/v1/nothing", "/v1/problems/bad-request/x"])
def test_other_paths_are_not_there(stage: Stage, path: str) -> None:
    """And what is there is said where that can be read."""
    found = ask(stage, "GET", path)

    assert found.status == 404
    assert "/openapi.json" in document(found)["detail"]


@pytest.mark.usefixtures("rows")
def test_who_must_log_in_is_told_so_before_anything_else(guarded: Stage) -> None:
    """A stranger learns no names of parameters."""
    found = ask(guarded, "GET", "/v1/seen/a/b?sone=1")
    wrong = ask(guarded, "GET", "/v1/seen/a/b", authorization="Basic am9lOng=")

    assert (found.status, wrong.status) == (401, 401)
    assert document(found)["type"] == "/v1/problems/login-required"
    assert document(ask(guarded, "GET", "/v1/seen/a/b", authorization=JOE))["user"] == "joe"
    assert not guarded.context.registry.snapshot()


@pytest.mark.usefixtures("rows")
@pytest.mark.parametrize(
    ("kind", "body", "status"),
    [
        ("application/json", b'{"a": 1}', 200),
        ("Application/JSON; charset=UTF-8", b'\xef\xbb\xbf{"a": 1}', 200),
        ("application/json; charset=latin1", b'{"a": 1}', 415),
        ("text/plain", b'{"a": 1}', 415),
        ("", b'{"a": 1}', 415),
        ("application/json", b"[1]", 400),
        ("application/json", b"", 400),
    ],
)
def test_a_body_is_one_json_object(stage: Stage, kind: str, body: bytes, status: int) -> None:
    """And says that it is: a form of another site could send any text."""
    found = ask(stage, "POST", "/v1/seen/a/b", body, content_type=kind)

    assert found.status == status
    assert status != 200 or document(found)["a"] == 1


def test_each_problem_is_explained(stage: Stage) -> None:
    """At the path that its type names; nobody has to log in for it."""
    listed = document(ask(stage, "GET", "/v1/problems"))["problems"]

    assert [each["type"] for each in listed] == [f"/v1/problems/{name}" for name in KINDS]
    for each in listed:
        assert document(ask(stage, "GET", each["type"])) == each
        assert each["means"].endswith(".")
        assert each["to_do"].endswith(".")
    assert ask(stage, "GET", "/v1/problems/foo").status == 404


def test_a_path_without_variables_comes_first() -> None:
    """Whatever the order in the table is."""
    plain = dataclasses.replace(SEEN, path="/v1/seen/me")
    rows = [dataclasses.replace(SEEN, path="/v1/seen/{one}"), plain]

    assert at(rows, "/v1/seen/me") == {"GET": plain}
    assert at(rows, "/v1/seen/you") == {"GET": rows[0]}
    assert at(rows, "/v1/seen/you/") == {}
