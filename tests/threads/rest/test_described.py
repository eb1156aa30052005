# SPDX-License-Identifier: GPL-2.0-or-later
"""/openapi.json is in order, and what is answered is what it says."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from openapi_schema_validator import OAS31Validator
from openapi_spec_validator import validate

from amiproxy.httpmessages import Request
from amiproxy.rest import openapi
from amiproxy.rest.problemtexts import TEXTS
from amiproxy.settings.webparts import PARTS
from amiproxy.threads.rest import limits, router, state
from amiproxy.threads.rest.table import ENDPOINTS
from amiproxy.web.problems import KINDS
from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.support import ROOT
from tests.threads.rest.support import Web, ask, document, send
from tests.threads.state.support import Program
from tests.threads.web.test_client import Stage, guarded, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.rest.endpoints import Endpoint

__all__ = ["guarded", "stage"]  # fixtures

DESCRIPTION = openapi.document(ENDPOINTS)
#: What needs more of the program than there is here; tests/system/web/test_rest.py asks it.
_ELSEWHERE = ("/v1/clients", "/v1/status", "/v1/users", "/v1/config", "/v1/session", "/v1/events")


def test_the_document_is_valid(guarded: Stage) -> None:
    """OpenAPI 3.1, with every endpoint, each with an id of its own; nobody logs in for it."""
    found = document(ask(guarded, "GET", "/openapi.json"))

    validate(found)
    assert found == DESCRIPTION
    operations = [each for path in found["paths"].values() for each in path.values()]
    assert len({each["operationId"] for each in operations}) == len(ENDPOINTS) == len(operations)
    assert {"basic", "bearer", "cookie"} == found["components"]["securitySchemes"].keys()
    for each in ENDPOINTS:
        named = set(re.findall(r"\{\+?(\w+)\}", each.path))
        assert named == {parameter.name for parameter in each.of_path}
        assert set(each.problems) <= KINDS.keys()
        assert set(each.parts) <= set(PARTS)
        assert not each.summary.endswith(".")


def test_each_kind_of_problem_is_explained() -> None:
    """At the path that its type names."""
    assert TEXTS.keys() == KINDS.keys()


def test_a_listener_tells_what_is_there(stage: Stage) -> None:
    """What the key web leaves out is neither described nor answered."""
    for parts, is_there in (({"console"}, True), ({"rest"}, True), ({"ws"}, False)):
        told = router._description(frozenset(parts), guarded=True)  # noqa: SLF001
        assert (b"/v1/state" in told) is is_there
        assert b"/v1/tickets" in told
    here = document(ask(stage, "GET", "/openapi.json"))["paths"]["/v1/servers"]["get"]
    assert {} in here["security"]  # nobody must log in
    assert {} not in DESCRIPTION["paths"]["/v1/servers"]["get"]["security"]
    assert ask(stage, "HEAD", "/openapi.json").status == 200


def test_a_wrong_log_in_is_described(guarded: Stage) -> None:
    """It is 401, as nothing else is where nobody must have logged in."""
    operation = DESCRIPTION["paths"]["/v1/session"]["post"]
    for body in ({"username": "joe", "secret": ""}, {"token": "amp_x"}):
        found = send(guarded, "/v1/session", body)

        assert found.status == 401
        _check(found.status, found.content_type, found.body, operation)


def test_a_page_shows_it(guarded: Stage) -> None:
    """With files of its own, below a strict policy; whatever the console is."""
    page = ask(guarded, "GET", "/v1/docs")
    assert (page.status, page.content_type) == (200, "text/html; charset=utf-8")
    policy = dict(page.headers)["Content-Security-Policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self'" in policy
    for name in re.findall(r'(?:src|href)="(docs/[^"]+)"', page.body.decode()):
        assert ask(guarded, "GET", f"/v1/{name}").status == 200
    assert dict(ask(guarded, "GET", "/v1/docs/").headers)["Location"] == "../docs"
    assert ask(guarded, "GET", "/v1/docs/x.js").status == 404
    script = (ROOT / "amiproxy/console/static/docs/page.js").read_text("utf-8")
    assert not re.search(r"innerHTML|insertAdjacentHTML|https?:", script)


@pytest.fixture(scope="module")
def web() -> Iterator[Web]:
    """A web client of a proxy that keeps state."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(technology="PJSIP")) as asterisk,
        Program(asterisk) as program,
    ):
        made = Web(program.context)
        yield made
        made.close()


@pytest.fixture
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks too often."""
    for module, name in ((state, "SNAPSHOTS_A_SECOND"), (limits, "ACTIONS_A_SECOND")):
        monkeypatch.setattr(module, name, 10**6)


#: Words that mean something somewhere, and such that mean nothing, or evil.
WORDS = st.sampled_from(
    ["calls", "queues", "members", "servers", "totals", "pbx1", "Ping", "QueueStatus", "Uptime",
     "pbx1/support", "bad-request", "1", "0", "-1", "state", "-since", "a,b", "", "é", "\0", "\r\n",
     "..", "%", "W10", "x" * 200, "null", "true"]
)  # fmt: skip


@pytest.mark.usefixtures("often")
@pytest.mark.parametrize(
    "endpoint",
    [each for each in ENDPOINTS if not each.path.startswith(_ELSEWHERE)],
    ids=lambda each: f"{each.method} {each.path}",
)
def test_whatever_is_asked_the_answer_is_as_described(web: Web, endpoint: Endpoint) -> None:
    """Its status, and its body by the schema; a problem is one of those that are named."""
    operation = DESCRIPTION["paths"][endpoint.shown_path][endpoint.method.lower()]
    names = st.sampled_from([each.name for each in endpoint.parameters] or ["x"]) | WORDS

    @settings(max_examples=6, deadline=None, derandomize=True)
    @given(
        st.lists(WORDS, min_size=2, max_size=2),
        st.lists(st.tuples(names, WORDS), max_size=2),
        st.dictionaries(st.sampled_from(["host", "Queue", "A", ""]), WORDS, max_size=2),
    )
    def asked(args: list[str], query: list[tuple[str, str]], body: dict[str, str]) -> None:
        path = endpoint.path
        for parameter, value in zip(endpoint.of_path, args):
            path = re.sub(rf"\{{\+?{parameter.name}\}}", quote(value or "-", safe=""), path)
        target = path + ("?" + urlencode(query) if query else "")
        content = json.dumps(body).encode() if endpoint.method == "POST" else b""
        headers = (("host", "x"), ("content-type", "application/json"))
        found = web.respond(Request(endpoint.method, target, "1.1", headers, content))
        _check(found.status, found.content_type, found.body, operation)

    asked()


def _check(status: int, content_type: str, body: bytes, operation: dict[str, Any]) -> None:
    """See that an answer is one of *operation*."""
    if status == 404 and str(status) not in operation["responses"]:
        return  # the path was another one's
    described = operation["responses"][str(status)]
    if "content" not in described:
        assert not body
        return
    schema = described["content"][content_type]["schema"]
    told = json.loads(body)
    OAS31Validator({**schema, "components": DESCRIPTION["components"]}).validate(told)
    if status >= 400:
        kind = told["type"].rpartition("/")[2]
        assert f"{kind}: {KINDS[kind].title}" in described["description"]
