# SPDX-License-Identifier: GPL-2.0-or-later
"""What there is now, as the model has it: rows of one kind, one row, or several kinds at once."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, Any

from amiproxy.httpmessages import Response
from amiproxy.live import documents
from amiproxy.live.rows import WATCHED
from amiproxy.rest import schemas
from amiproxy.rest.endpoints import Answer, Endpoint, Parameter
from amiproxy.rest.fields import FIELDS
from amiproxy.rest.parameters import unknown_parameter
from amiproxy.rest.textof import packed
from amiproxy.rest.wanted import MOST, USUAL, WORDS, Wanted
from amiproxy.settings.typos import question
from amiproxy.state.tables import KINDS
from amiproxy.threads.rest.limits import SNAPSHOTS_A_SECOND, pace
from amiproxy.threads.rest.seen import look
from amiproxy.threads.state.looking import BUILDING
from amiproxy.threads.state.watching import NO_STATE
from amiproxy.web import caching
from amiproxy.web.problems import Problem

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amiproxy.threads.rest.asking import Asking
    from amiproxy.threads.rest.seen import Seen

#: Bytes of an answer that is worth packing.
_WORTH_PACKING = 1024

#: Of all kinds at once.
_SEVERAL = ("of", "server", "q", "wait")


def _rows(asking: Asking) -> Response:
    kind = _kind(asking.args["kind"])
    seen = _seen(asking, [kind])
    rows = seen.rows[kind]
    fields = {**FIELDS.get(kind, {}), **dict.fromkeys(next(iter(rows), ()))}
    page = Wanted.of(asking.fields, fields).page(rows)
    body = {"total": page.total, **seen.standing, "rows": page.rows, "next": page.next}
    return _answer(asking, seen, body)


def _row(asking: Asking) -> Response:
    kind = _kind(asking.args["kind"])
    wanted = asking.args["id"]
    seen = _seen(asking, [kind])
    found = next((row for row in seen.rows[kind] if row["id"] == wanted), None)
    if found is None:
        raise Problem("not-found", f"There is no such row: /v1/state/{kind} lists those that are")
    return _answer(asking, seen, {"row": found})


def _several(asking: Asking) -> Response:
    said = ",".join(asking.fields.get("of", ()))
    words = [word.strip() for word in said.split(",") if word.strip()]
    kinds = [*dict.fromkeys(map(_kind, words))] or [*KINDS]
    seen = _seen(asking, kinds)
    fields: dict[str, Any] = {}
    for kind in kinds:
        fields.update({**FIELDS.get(kind, {}), **dict.fromkeys(next(iter(seen.rows[kind]), ()))})
    query = {name: values for name, values in asking.fields.items() if name != "of"}
    for name in query:
        if name in WORDS and name not in _SEVERAL:
            raise unknown_parameter(name, [*_SEVERAL, *fields])
    wanted = Wanted.of({**query, "limit": [str(MOST)]}, fields)
    pages = {kind: wanted.page(seen.rows[kind]) for kind in kinds}
    body = {
        "type": "snapshot",
        "of": kinds,
        "part": 1,
        "last": True,
        "total": {kind: page.total for kind, page in pages.items()},
        **seen.standing,
        "rows": {kind: {row["id"]: _bare(row) for row in pages[kind].rows} for kind in kinds},
    }
    return _answer(asking, seen, body)


def _bare(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return *row* as it stands at its id."""
    return {name: value for name, value in row.items() if name != "id"}


def _kind(word: str) -> str:
    """Return the kind that *word* names.

    Raises:
        Problem: 404, none.

    """
    kind = word.lower()
    if kind not in WATCHED:
        text = f"{word[:40]!a} is no kind of rows{question(word[:40], WATCHED)}"
        raise Problem("not-found", f"{text}; there are {', '.join(WATCHED)}")
    return kind


def _seen(asking: Asking, kinds: Sequence[str]) -> Seen:
    """Return the rows of *kinds* that the client may see.

    Raises:
        Problem: 404, there is no state, or no such server; 429, it asks too often.

    """
    if not asking.context.config.state and {*kinds} & {*KINDS, "totals"}:
        raise Problem("not-found", NO_STATE)
    pace(asking.context, asking.session, "snapshots", SNAPSHOTS_A_SECOND)
    return look(asking, kinds, asking.fields.get("server", ()), _patience(asking.one("wait")))


def _patience(text: str) -> float:
    """Return how many seconds ``wait=text`` lets a client wait for models that are being built."""
    if not text:
        return BUILDING
    if not (text.isascii() and text.isdecimal() and len(text) < 20):
        raise Problem("bad-request", "wait is a number of seconds", parameter="wait")
    return min(BUILDING, float(text))


def _answer(asking: Asking, seen: Seen, body: dict[str, Any]) -> Response:
    """Return *body* as the answer, packed if the client takes that; 304 if it has it.

    Whether it has, is told by what *body* says, not by the last event: most events change nothing
    in it, and what lists put right is told by no event.
    """
    request = asking.visit.request
    content = documents.compact(body)
    tag = f'W/"{hashlib.sha256(content).hexdigest()[:24]}"'
    headers: tuple[tuple[str, str], ...]
    headers = (("ETag", tag), ("Vary", "Accept-Encoding"), ("Cache-Control", "no-cache"))
    if caching.has(request, tag):
        return Response(304, "application/json", b"", headers)
    head = documents.compact({"at": seen.at, "now": documents.now()})
    content = head[:-1] + b"," + content[1:] + b"\n"
    if len(content) >= _WORTH_PACKING and caching.takes_gzip(request):
        with asking.context.turnstile.outside():
            content = packed(content)
        headers += (("Content-Encoding", "gzip"),)
    return Response(200, "application/json", content, headers)


_OF_PATH = Parameter("kind", "a kind of rows", {"enum": [*WATCHED]})
_SERVER = Parameter("server", "rows of this server only", is_repeated=True)
_Q = Parameter("q", "words that all stand in numbers, names, devices or extensions of a row")
_WAIT = Parameter(
    "wait",
    "seconds to wait while what is there is being read for the first time; 8 without",
    {"type": "integer", "minimum": 0},
)
_FILTER = "any field of the rows: ?state=ringing&queue=support; one given twice: any of them"
_KNOWN = {304: Answer("The client has it: If-None-Match names its ETag", None)}
_TROUBLES = ("not-found", "unknown-server", "too-many")

ENDPOINTS = (
    Endpoint(
        "GET",
        "/v1/state",
        _several,
        "What there is now: rows of several kinds, as a snapshot of WebSocket has them",
        (
            Parameter("of", "kinds, with commas between; all without", is_repeated=True),
            _SERVER,
            _Q,
            _WAIT,
        ),
        answers={**_KNOWN, 200: Answer("The rows by kind and id", schemas.SNAPSHOT)},
        problems=_TROUBLES,
        further=_FILTER,
    ),
    Endpoint(
        "GET",
        "/v1/state/{kind}",
        _rows,
        "What there is now: rows of one kind",
        (
            _SERVER,
            _Q,
            Parameter("sort", "fields, with commas between; -field: the greatest first"),
            Parameter("fields", "fields that are told, with commas between; all without"),
            Parameter(
                "limit",
                f"rows that are told at once; {USUAL} without",
                {"type": "integer", "minimum": 1, "maximum": MOST},
            ),
            Parameter("after", "what `next` of the answer before has said"),
            _WAIT,
        ),
        (_OF_PATH,),
        answers={**_KNOWN, 200: Answer("The rows", schemas.ROWS)},
        problems=_TROUBLES,
        further=_FILTER,
    ),
    Endpoint(
        "GET",
        "/v1/state/{kind}/{+id}",
        _row,
        "One row",
        (_WAIT,),
        (_OF_PATH, Parameter("id", "the row's `id`")),
        answers={**_KNOWN, 200: Answer("The row", schemas.ROW)},
        problems=_TROUBLES,
    ),
)
