# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages at ``/``, ``/wall``, ``/form`` and ``/v1/docs``, and the files that they are made of.

Nobody logs in for these: they tell nothing, and have the form to log in with.  What may run in
them is said here (Content-Security-Policy): our own files, and nothing that a name could bring.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.console.files import files
from amiproxy.httpmessages import BadRequest, Response
from amiproxy.web import answers, caching

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from amiproxy.httpmessages import Request
    from amiproxy.threads.web.visit import Resource, Visit

BELOW = "/console/"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:;"
    " connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors {};"
    " require-trusted-types-for 'script'; trusted-types 'none'"
)
_FORM_POLICY = "default-src 'none'; form-action 'self'; frame-ancestors 'none'"
_HEADERS = (
    # It may be kept, and is asked for each time: what answers is usually 304.
    ("Cache-Control", "no-cache"),
    ("Vary", "Accept-Encoding"),
    ("Referrer-Policy", "no-referrer"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
    ("Cross-Origin-Resource-Policy", "same-origin"),
)


def console(visit: Visit) -> Response:
    """Answer with the console."""
    return _send("index.html", visit.request)


def wall(visit: Visit) -> Response:
    """Answer with the wall, which pages of ``httpcors`` may show in a frame."""
    if visit.request.target.partition("?")[0].endswith("/"):
        return Response(308, headers=(("Location", "../wall"),))  # its links are relative
    return _send("wall.html", visit.request, visit.context.config.http_cors)


def form(_visit: Visit) -> Response:
    """Answer with the form for one action, for who has no JavaScript."""
    # No Referrer-Policy: it would hide from us that what the form sends is our own page's.
    policy = (("Content-Security-Policy", _FORM_POLICY),)
    return Response(200, "text/html; charset=utf-8", answers.page(""), policy)


def file(visit: Visit) -> Response:
    """Answer with one of the files below ``/console/``."""
    name = visit.path[len(BELOW) :]
    if name not in files() or name.endswith(".html"):
        raise BadRequest(404, "There is no such file")
    return _send(name, visit.request)


def docs(visit: Visit) -> Response:
    """Answer with the page that shows what is below ``/v1/``, or one of its files."""
    if visit.request.target.partition("?")[0].endswith("/"):
        return Response(308, headers=(("Location", "../docs"),))  # its links are relative
    name = visit.path.lower().removeprefix("/v1/docs").lstrip("/") or "index.html"
    return _send(f"docs/{name}", visit.request)


def _send(name: str, request: Request, framing: Sequence[str] = ()) -> Response:
    """Return the file *name*, which the origins *framing* may show in a frame."""
    found = files()[name]
    policy = _POLICY.format(" ".join(framing) or "'none'")
    headers = (*_HEADERS, ("ETag", found.etag), ("Content-Security-Policy", policy))
    if caching.has(request, found.etag):
        return Response(304, found.content_type, b"", headers)
    if caching.takes_gzip(request):
        packed = (*headers, ("Content-Encoding", "gzip"))
        return Response(200, found.content_type, found.packed, packed)
    return Response(200, found.content_type, found.body, headers)


#: By the names that routes.py has for them.
PAGES: Mapping[str, Resource] = {
    "console": console,
    "wall": wall,
    "form": form,
    "file": file,
    "docs": docs,
}
