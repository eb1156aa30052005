# SPDX-License-Identifier: GPL-2.0-or-later
"""Rows over REST: the same as a Snapshot has, chosen, sorted, in pages."""

from __future__ import annotations

import gzip
import time
from typing import TYPE_CHECKING, Any

import pytest

from amiproxy.access.user import User, Users
from amiproxy.httpmessages import Response
from amiproxy.rest.fields import FIELDS
from amiproxy.routing.classes import CALL
from amiproxy.state.tables import KINDS
from amiproxy.threads.rest import state
from amiproxy.threads.state.encoding import EVENTS, header, written
from simulator.behaviour import Behaviour
from simulator.orders import FOREVER
from simulator.server import SimulatedAsterisk
from tests.support import wait_until
from tests.threads.rest.support import Web, ask, document, problem
from tests.threads.state.support import Program, rows, snapshot
from tests.threads.web.test_client import JOE, Stage, stage

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["stage"]  # fixtures


@pytest.fixture(scope="module")
def program() -> Iterator[Program]:
    """A proxy before an Asterisk where two talk and ten agents wait; one user sees calls only."""
    behaviour = Behaviour(technology="PJSIP", time_scale=0.05, talk=FOREVER)
    users = Users({"joe": User("joe", "secret1", read=CALL)})
    with SimulatedAsterisk(behaviour=behaviour) as asterisk:
        asterisk.call("PJSIP/101", "answered", exten="102")
        with Program(asterisk, users=users) as made, made.client() as client:
            wait_until(lambda: "talking" in str(rows(snapshot(client), "ProxyCall")))
            yield made


@pytest.fixture(autouse=True)
def often(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody asks too often."""
    monkeypatch.setattr(state, "SNAPSHOTS_A_SECOND", 10**6)


@pytest.fixture
def web(program: Program) -> Iterator[Web]:
    """A web client."""
    made = Web(program.context)
    made.context.made.pop("rates of snapshots", None)
    yield made
    made.context.made.pop("rates of snapshots", None)
    made.close()


def _as_headers(row: dict[str, Any]) -> dict[str, str]:
    """Return *row* as a snapshot tells it."""
    bare = {name: value for name, value in row.items() if name not in ("id", "stale")}
    return {
        header(name): ",".join(value) if isinstance(value, list) else written(value)
        for name, value in bare.items()
        if value is not None and value != []
    }


def test_rows_are_those_of_a_snapshot(program: Program, web: Web) -> None:
    """Of each kind, field by field, and with the same names."""
    with program.client() as client:
        items = snapshot(client)
    found = document(ask(web, "GET", "/v1/state"))

    assert [*found["rows"]] == [*KINDS]
    assert sum(map(len, found["rows"].values())) == len(items) - 3
    for kind in KINDS:
        told = rows(items, EVENTS[kind])
        for key, row in found["rows"][kind].items():
            wanted = told[key.removeprefix("pbx1/")]
            if kind == "bridges":
                assert wanted.pop("Id") == wanted["Key"]
            wanted = {n: v for n, v in wanted.items() if n not in ("Event", "Key", "ActionID")}
            assert _as_headers(row) == wanted
            assert {"server", *FIELDS[kind]} - {"id"} == row.keys() - {"id"}
        each = document(ask(web, "GET", f"/v1/state/{kind}"))
        assert {row.pop("id"): row for row in each["rows"]} == found["rows"][kind]
    assert (found["stale"], found["building"], found["unknown"]) == ([], [], {})


def test_rows_of_one_kind_stand_in_an_array(web: Web) -> None:
    """Sorted, cut, in pages; with the time, and what a stream of events goes on from."""
    first = document(ask(web, "GET", "/v1/state/members?sort=-interface&fields=name,queue&limit=6"))
    rest = document(
        ask(web, "GET", f"/v1/state/members?sort=-interface&limit=6&after={first['next']}")
    )

    assert (first["total"], len(first["rows"]), len(rest["rows"])) == (10, 6, 4)
    assert first["rows"][0].keys() == {"id", "server", "name", "queue"}
    interfaces = [row["id"].partition("/")[2].partition("/")[2] for row in first["rows"]]
    interfaces += [row["interface"] for row in rest["rows"]]
    assert interfaces == sorted(interfaces, reverse=True)
    assert rest["next"] is None
    assert abs(first["now"] - time.time()) < 60
    assert first["at"]


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("members?queue=support&queue=sales", 9),
        ("members?queue=support&state=free&server=pbx1", 8),
        ("members?paused=true", 0),
        ("members?q=ANN%C3%80", 1),
        ("members?pause_reason=null", 10),
        ("calls?from_device=PJSIP/101&state=talking", 1),
        ("calls?q=102", 1),
        ("channels?q=101%20pjsip", 2),
        ("servers?state=live", 1),
        ("totals?calls_talking=1&calls=1", 1),
        ("queues?sort=queue&limit=2&after=WyJzYWxlcyIsInBieDEvc2FsZXMiXQ", 1),
    ],
)
def test_any_field_is_a_filter(web: Web, query: str, count: int) -> None:
    """Several values of one field: any of them; q searches without case and accents."""
    found = document(ask(web, "GET", f"/v1/state/{query}"))

    assert len(found["rows"]) == count


@pytest.mark.parametrize(
    ("query", "kind", "told"),
    [
        ("calls?stat=ringing", "bad-request", "'stat' is no parameter here; is state meant?"),
        ("calls?sort=-sinse", "bad-request", "'sinse' in sort is no field of these rows; is since"),
        ("calls?fields=legz", "bad-request", "is legs meant?"),
        ("calls?limit=0", "bad-request", "limit is a number from 1 to 10000"),
        ("calls?limit=10001", "bad-request", "limit is a number"),
        ("calls?limit=1&limit=2", "bad-request", "The parameter limit is given twice"),
        ("calls?after=x", "bad-request", "after is what"),
        ("calls?after=W10", "bad-request", "after is what"),
        ("calls?wait=-1", "bad-request", "wait is a number"),
        ("calls?server=pbx2", "unknown-server", "There is no server 'pbx2'"),
        ("cals", "not-found", "'cals' is no kind of rows; is calls meant?"),
        ("calls/pbx1/x", "not-found", "There is no such row"),
        ("?of=cals", "not-found", "is calls meant?"),
        ("?of=calls&sort=since", "bad-request", "'sort' is no parameter here"),
    ],
)
def test_what_is_not_understood_is_named(web: Web, query: str, kind: str, told: str) -> None:
    """With the nearest word that is."""
    found = ask(web, "GET", f"/v1/state{query}" if query[0] == "?" else f"/v1/state/{query}")

    assert problem(found)[1] == kind
    assert told in document(found)["detail"]


def test_a_row_has_a_path_of_its_own(web: Web) -> None:
    """Its id, with its slashes as they are, or written as %2F."""
    (row,) = document(ask(web, "GET", "/v1/state/members?q=anna"))["rows"]

    for path in (row["id"], row["id"].replace("/", "%2F")):
        found = document(ask(web, "GET", f"/v1/state/members/{path}"))
        assert found["row"] == row
        assert found["at"]


def test_what_has_not_changed_is_not_sent_again(web: Web) -> None:
    """Whatever happens to rows of other kinds, and to lists that were asked for in the meantime."""
    first = ask(web, "GET", "/v1/state/queues?fields=waiting")
    tag = dict(first.headers)["ETag"]
    again = ask(web, "GET", "/v1/state/queues?fields=waiting", if_none_match=f'"x", {tag}')
    other = ask(web, "GET", "/v1/state/queues?fields=members", if_none_match=tag)

    assert tag.startswith('W/"')
    assert (again.status, again.body, dict(again.headers)["ETag"]) == (304, b"", tag)
    assert other.status == 200


def test_rows_are_packed_for_who_takes_that(web: Web) -> None:
    """And for nobody else."""
    plain = ask(web, "GET", "/v1/state/members", accept_encoding="br, gzip;q=0")
    packed = ask(web, "GET", "/v1/state/members", accept_encoding="br, gzip")

    assert "Content-Encoding" not in dict(plain.headers)
    assert dict(packed.headers)["Content-Encoding"] == "gzip"
    assert len(packed.body) < len(plain.body) / 3
    unpacked = document(plain)
    assert document(packed_as(packed.body))["rows"] == unpacked["rows"]
    assert ("Vary", "Accept-Encoding") in plain.headers


def packed_as(body: bytes) -> Response:
    """Return a response with the body that *body* is packed."""
    return Response(200, body=gzip.decompress(body))


def test_who_may_not_see_agents_sees_no_queues(web: Web) -> None:
    """The rights are those of a snapshot; totals are of what is seen."""
    found = document(ask(web, "GET", "/v1/state?of=queues,calls,totals", authorization=JOE))

    assert not found["rows"]["queues"]
    assert len(found["rows"]["calls"]) == 1
    (total,) = found["rows"]["totals"].values()
    assert (total["calls"], total["calls_talking"], total["waiting"]) == (1, 1, 0)


def test_two_snapshots_a_second_are_answered(web: Web, monkeypatch: pytest.MonkeyPatch) -> None:
    """To one client; then it is said when the next one will be."""
    monkeypatch.setattr(state, "SNAPSHOTS_A_SECOND", 2)
    found = [ask(web, "GET", "/v1/state/queues") for _ in range(12)]

    refused = [each for each in found if each.status != 200]
    assert refused
    assert {problem(each) for each in refused} == {(429, "too-many")}
    assert {dict(each.headers)["Retry-After"] for each in refused} == {"1"}


def test_rows_of_a_lost_server_say_so() -> None:
    """They are those of before."""
    with (
        SimulatedAsterisk(behaviour=Behaviour(technology="PJSIP")) as asterisk,
        Program(asterisk) as program,
    ):
        web = Web(program.context)
        assert len(document(ask(web, "GET", "/v1/state/queues"))["rows"]) == 3
        asterisk.shutdown()
        wait_until(lambda: not program.proxy.router.servers[0].connected)
        found = document(ask(web, "GET", "/v1/state?of=queues,servers,totals"))
        web.close()
    assert found["stale"] == ["pbx1"]
    assert [row["stale"] for row in found["rows"]["queues"].values()] == [True] * 3
    assert found["rows"]["totals"]["pbx1"]["stale"]
    assert found["rows"]["servers"]["pbx1"]["state"] == "lost"


def test_without_the_key_there_is_no_state(stage: Stage) -> None:
    """The problem says which line to write; servers are told all the same."""
    found = ask(stage, "GET", "/v1/state/calls")

    assert problem(found) == (404, "not-found")
    assert "write state = yes into astmanproxy.conf" in document(found)["detail"]
    (server,) = document(ask(stage, "GET", "/v1/state/servers"))["rows"]
    assert (server["id"], server["state"]) == ("pbx", "connected")
