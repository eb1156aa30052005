# SPDX-License-Identifier: GPL-2.0-or-later
"""Path and fields of the URL of a request."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING
from urllib.parse import parse_qsl, unquote_to_bytes

from amiproxy.httpmessages import BadRequest

if TYPE_CHECKING:
    from amiproxy.httpmessages import Request

#: Returns (name, value) of urlencoded text, in order, repeated ones too.  ``+`` is a
#: blank and ``%26`` an ampersand in a value; a percent sign that begins no code stays;
#: a field without ``=`` has an empty value.  ``&`` alone separates since Python 3.9.2:
#: naming it would be an error before.
parse_fields = functools.partial(parse_qsl, keep_blank_values=True, encoding="latin-1")


def path_and_query(target: str) -> tuple[str, str]:
    """Return path, in its own case, and query of *target*, in origin or absolute form."""
    scheme, mark, rest = target.partition("://")
    if mark and scheme.lower() in ("http", "https"):
        host = len(rest.split("/", 1)[0].split("?", 1)[0])
        target = rest[host:]
        if not target.startswith("/"):
            target = "/" + target
    path, _, query = target.partition("?")
    path = unquote_to_bytes(path).decode("latin-1")
    if len(path) > 2:
        path = path.removesuffix("/")
    return path, query.partition("#")[0]


def path_of(request: Request) -> str:
    """Return the path of *request*, in lower case."""
    return path_and_query(request.target)[0].lower()


def exact_path_of(request: Request) -> str:
    """Return the path of *request*, decoded, without a slash at its end."""
    return path_and_query(request.target)[0]


def query_fields(request: Request, most: int = 256) -> tuple[tuple[str, str], ...]:
    """Return name and value of each field of the URL of *request*, in order.

    Raises:
        BadRequest: 400, there are more than *most*.

    """
    query = path_and_query(request.target)[1]
    if query.count("&") >= most:
        raise BadRequest(400, f"Too many fields, at most {most} are allowed")
    return tuple(parse_fields(query))


def has_query(request: Request) -> bool:
    """Return whether the URL of *request* has any field."""
    return bool(path_and_query(request.target)[1])
