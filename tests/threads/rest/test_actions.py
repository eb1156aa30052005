# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions over REST: JSON in, one document out, and problems that say what to do."""

from __future__ import annotations

from typing import Any

import pytest

from amiproxy import replies
from amiproxy.access.user import User, Users
from amiproxy.message import Message
from amiproxy.routing.classes import AGENT, CALL, SYSTEM
from amiproxy.threads.web import asker
from tests.threads.rest.support import ask, document, problem, send, telling
from tests.threads.web.test_client import JOE, Echo, Stage, guarded, stage

__all__ = ["guarded", "stage"]  # fixtures

QUEUES = [
    Message.of("Response: Success", "EventList: start"),
    Message.of("Event: QueueParams", "Queue: support"),
    Message.of("Event: QueueMember", "Name: Jos\xc3\xa9", "Var: a", "Var: b"),
    Message.of("Event: QueueStatusComplete", "EventList: Complete", "ListItems: 2"),
]


def test_the_headers_of_an_action_are_json(stage: Stage) -> None:
    """An array is a repeated header; numbers are taken as they are written; text is UTF-8."""
    body = b'{"Interface": "PJSIP/101", "Variable": ["a=1", "b=2"], "P": 1.10, "N": "\xc3\xa9"}'

    found = send(stage, "/v1/actions/QueueAdd", body)

    assert (found.status, found.content_type) == (200, "application/json")
    assert document(found) == {
        "server": "pbx",
        "response": {"Response": "Success", "ActionID": "None", "Ping": "Pong"},
        "items": [],
        "complete": None,
    }
    lines = stage.asterisk.asked[0].lines
    assert [line for line in lines if not line.startswith("ActionID")] == [
        "Action: QueueAdd", "Interface: PJSIP/101", "Variable: a=1", "Variable: b=2", "P: 1.10",
        "N: \xc3\xa9",
    ]  # fmt: skip


@pytest.mark.parametrize("kind", ["application/json", ""])
@pytest.mark.parametrize("path", ["/v1/actions/Ping", "/v1/proxyactions/Uptime"])
def test_without_headers_there_need_be_no_body(stage: Stage, path: str, kind: str) -> None:
    """As curl -X POST sends it, with what no page can send."""
    assert ask(stage, "POST", path, content_type=kind, proxykey="x").status == 200


def test_a_list_is_one_document(stage: Stage) -> None:
    """Its items and its last message stand apart; a repeated header is an array."""
    telling(stage, queuestatus=QUEUES)

    found = document(ask(stage, "GET", "/v1/actions/QueueStatus?Queue=support&SERVER=pbx"))

    assert found["response"] == {"Response": "Success", "EventList": "start"}
    assert [each["Event"] for each in found["items"]] == ["QueueParams", "QueueMember"]
    assert found["items"][1] == {"Event": "QueueMember", "Name": "José", "Var": ["a", "b"]}
    assert found["complete"]["ListItems"] == "2"
    assert stage.asterisk.asked[0].get("Queue") == "support"


def test_an_item_that_ends_no_list_stays_one(stage: Stage) -> None:
    """As what Asterisk 11 says to DBGet."""
    telling(stage, dbget=[QUEUES[0], Message.of("Event: DBGetResponse", "Val: 1")])

    found = document(send(stage, "/v1/actions/DBGet", {}))

    assert [each["Val"] for each in found["items"]] == ["1"]
    assert found["complete"] is None


@pytest.mark.parametrize(
    ("method", "target", "status"),
    [
        ("GET", "/v1/actions/Ping", 200),
        ("HEAD", "/v1/actions/ping", 200),
        ("GET", "/v1/actions/Status?Variable=SHELL(x)", 405),
        ("GET", "/v1/actions/Originate", 405),
        ("GET", "/v1/actions/Getvar?Variable=x", 405),
        ("GET", "/v1/proxyactions/ListServers", 200),
        ("GET", "/v1/proxyactions/DropServer?Server=pbx", 405),
        ("DELETE", "/v1/actions/Ping", 405),
    ],
)
def test_a_get_changes_nothing(stage: Stage, method: str, target: str, status: int) -> None:
    """Whoever follows a link sends one."""
    found = ask(stage, method, target)

    assert found.status == status
    assert len(stage.asterisk.asked) == (status == 200 and "actions/p" in target.lower())
    if status == 405:
        assert "POST" in dict(found.headers)["Allow"]


@pytest.mark.parametrize(
    "body",
    [
        b"[]", b"{", b'{"A": null}', b'{"A": {"b": 1}}', b'{"A": [["b"]]}', b'{"": "x"}',
        b'{"A": "x", "A": "y"}', b'{"A": "x\\r\\nAction: Reload"}', b'{"A\\nB": "x"}',
        b'{"A": "x\\u0000"}', b'{"A: B": "x"}', b'{"A": "\\ud800"}', b'{"A": "\\udc80"}',
        b'{"A": 1e999}', b'{"A": ' + b"9" * 5000 + b"}", b"[" * 60000, b'{"A":' * 5000,
        b'{"Action": "Reload"}', b'{" ACTION ": "Reload"}', b'{"ProxyAction": "x"}',
        b'{"ProxyKey": "x"}', b'{"A": "\xff"}', b'{"A": "' + b"x" * 5000 + b'"}',
    ],
)  # fmt: skip
def test_a_body_that_means_two_things_or_none_is_refused(stage: Stage, body: bytes) -> None:
    """And nothing goes to Asterisk."""
    assert problem(send(stage, "/v1/actions/Ping", body)) == (400, "bad-request")
    assert not stage.asterisk.asked


@pytest.mark.parametrize(
    ("target", "kind"),
    [
        ("/v1/actions/Ping%0d%0aAction:%20Reload", "bad-request"),
        ("/v1/actions/Ping?a%0ab=1", "bad-request"),
        ("/v1/actions/Ping?a=%00", "bad-request"),
        ("/v1/actions/Ping?action=Reload", "bad-request"),
        ("/v1/actions/Ping?server=a&server=b", "bad-request"),
        ("/v1/actions/Ping?server=a%0d%0ax:y", "unknown-server"),
        ("/v1/actions/Ping?server=nobody", "unknown-server"),
        ("/v1/actions/Ping?wait=0", "bad-request"),
        ("/v1/actions/Ping?wait=601", "bad-request"),
        ("/v1/actions/Ping?wait=%D9%A1", "bad-request"),
        ("/v1/actions/Login", "bad-request"),
        ("/v1/actions/WaitEvent", "bad-request"),
        ("/v1/actions/" + "x" * 81, "bad-request"),
        ("/v1/proxyactions/nothing", "not-found"),
    ],
)
def test_a_url_that_means_nothing_is_refused(stage: Stage, target: str, kind: str) -> None:
    """And nothing goes to Asterisk."""
    assert problem(ask(stage, "GET", target))[1] == kind
    assert not stage.asterisk.asked


def test_a_query_of_a_post_is_no_header(stage: Stage) -> None:
    """A header that is not where it is looked for must not be left out silently."""
    found = send(stage, "/v1/actions/QueueAdd?Queue=x", {})

    assert problem(found) == (400, "bad-request")
    assert document(found)["parameter"] == "Queue"
    assert problem(send(stage, "/v1/actions/Ping?server=pbx", {"Server": "other"}))[0] == 400


def test_an_error_of_asterisk_is_told_whole(stage: Stage) -> None:
    """Its text is the detail."""
    error = Message.of("Response: Error", "Message: No such channel", "X: y")
    telling(stage, hangup=[error])

    found = send(stage, "/v1/actions/Hangup", {"Channel": "x"})

    assert problem(found) == (422, "asterisk-error")
    assert document(found)["detail"] == "No such channel"
    assert document(found)["response"] == {
        "Response": "Error", "Message": "No such channel", "X": "y",
    }  # fmt: skip
    assert document(found)["server"] == "pbx"


@pytest.mark.parametrize(
    ("text", "carried_out", "status", "kind", "told"),
    [
        ("Server pbx is not connected", "perhaps", 503, "server-lost", "unknown"),
        ("Server pbx is not connected", "no", 503, "server-lost", "no"),
        ("Server pbx is paused", "no", 503, "server-lost", "no"),
        ("Server pbx did not answer in time", "perhaps", 504, "no-answer", "unknown"),
        ("Server b did not answer in time (at a)", "perhaps", 504, "no-answer", "unknown"),
    ],
)
def test_what_the_proxy_says_for_asterisk_tells_whether_it_was_done(
    stage: Stage, text: str, carried_out: str, status: int, kind: str, told: str
) -> None:
    """Who sends it again must know whether it may happen twice."""
    lines = f"Message: {text}", f"CarriedOut: {carried_out}"
    telling(stage, hangup=[replies.answer(None, "Response: Error", *lines)])

    found = send(stage, "/v1/actions/Hangup", {})

    assert problem(found) == (status, kind)
    assert document(found)["carried_out"] == told


def test_silence_is_no_answer(stage: Stage) -> None:
    """In as many seconds as the client has said."""
    found = send(stage, "/v1/actions/Silence?wait=0.05", {})

    assert problem(found) == (504, "no-answer")
    assert document(found)["carried_out"] == "unknown"


def test_silence_is_no_answer_without_a_word_of_the_client(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    """In the usual time."""
    monkeypatch.setattr(asker, "ANSWER_TIME", 0.05)

    assert problem(send(stage, "/v1/actions/Silence", {})) == (504, "no-answer")


def test_a_server_that_is_lost_is_told_apart_from_one_that_is_not_there(stage: Stage) -> None:
    """The one comes back."""
    stage.asterisk.connected = False

    lost = send(stage, "/v1/actions/Hangup?server=PBX", {})

    assert problem(lost) == (503, "server-lost")
    assert document(lost)["carried_out"] == "no"
    assert problem(send(stage, "/v1/actions/Hangup?server=pbx2", {})) == (404, "unknown-server")
    assert problem(send(stage, "/v1/actions/Hangup", {})) == (503, "server-lost")


def _second(stage: Stage, name: str) -> Echo:
    second = Echo(stage.context.router)
    second.name, second.names, second.scope = name, frozenset({name}), name
    stage.context.router.servers = (*stage.context.router.servers, second)
    return second


def test_an_action_goes_to_one_server_and_the_answer_says_which(stage: Stage) -> None:
    """To the first one that is connected, where none is named."""
    second = _second(stage, "two")

    for target, wanted in (("", "pbx"), ("?server=two", "two"), ("?server=pbx", "pbx")):
        assert document(send(stage, "/v1/actions/Hangup" + target, {}))["server"] == wanted
    stage.asterisk.connected = False
    assert document(send(stage, "/v1/actions/Hangup", {}))["server"] == "two"
    assert (len(stage.asterisk.asked), len(second.asked)) == (2, 2)
    assert stage.asterisk.asked[0].get("Server") == "pbx:5038"


def _as_user(stage: Stage, **rights: Any) -> None:
    users = Users({"joe": User("joe", "secret1", **rights)})
    stage.context.renew(stage.context.config, users, None)


@pytest.mark.parametrize(
    ("rights", "action", "headers", "needs"),
    [
        ({"write": CALL}, "QueuePause", {}, ["agent"]),
        ({"write": AGENT}, "Hangup", {"Channel": "SIP/1"}, ["system", "call"]),
        ({"write": AGENT, "channel": "sip/1"}, "Whatever", {}, ["all"]),
        ({"write": CALL, "channel": "sip/1"}, "Hangup", {"Channel": "SIP/2-1"}, []),
    ],
)
def test_who_may_not_do_it_is_told_which_right_is_missing(
    guarded: Stage, rights: dict[str, Any], action: str, headers: dict[str, str], needs: list[str]
) -> None:
    """Of the classes in needs one is enough."""
    _as_user(guarded, **rights)

    found = send(guarded, f"/v1/actions/{action}", headers, authorization=JOE)

    assert problem(found) == (403, "not-permitted")
    assert document(found)["user"] == "joe"
    assert document(found)["needs"] == needs
    assert not guarded.asterisk.asked


def test_a_server_that_is_not_open_to_a_user_is_not_there(guarded: Stage) -> None:
    """As one that is not there at all."""
    _as_user(guarded, servers=frozenset({"two"}))
    _second(guarded, "two")

    hidden = send(guarded, "/v1/actions/Ping?server=pbx", {}, authorization=JOE)
    seen = send(guarded, "/v1/actions/Ping", {}, authorization=JOE)

    assert problem(hidden) == (404, "unknown-server")
    assert document(hidden)["detail"] == "There is no server 'pbx': GET /v1/servers lists them"
    assert document(seen)["server"] == "two"


def test_proxyactions_have_a_path_of_their_own(guarded: Stage) -> None:
    """Some of them are called as actions of Asterisk are: Reload."""
    _as_user(guarded, proxyactions=frozenset({"listservers"}))

    good = ask(guarded, "GET", "/v1/proxyactions/listservers", authorization=JOE)
    bad = send(guarded, "/v1/proxyactions/DropServer", {"Server": "pbx"}, authorization=JOE)

    assert document(good)["response"]["ProxyResponse"] == "Success"
    assert problem(bad) == (403, "not-permitted")
    assert document(bad)["needs"] == ["proxyactions = DropServer"]


def test_a_proxyaction_that_fails_says_why(stage: Stage) -> None:
    """In the proxy's words."""
    found = send(stage, "/v1/proxyactions/DropServer", {"Server": "nobody"})

    assert problem(found) == (422, "failed")
    assert "nobody" in document(found)["detail"]


def test_twenty_actions_a_second_are_answered(guarded: Stage) -> None:
    """Then it is said when the next one will be; others are not held up."""
    _as_user(guarded, write=SYSTEM)
    found = [
        send(guarded, "/v1/actions/Ping", {}, authorization=JOE) for _ in range(30)
    ]  # fmt: skip

    refused = [each for each in found if each.status != 200]
    assert len(refused) >= 5
    assert {problem(each) for each in refused} == {(429, "too-many")}
    assert {dict(each.headers)["Retry-After"] for each in refused} == {"1"}
    assert len(guarded.asterisk.asked) >= 20
