# SPDX-License-Identifier: GPL-2.0-or-later
"""Path and fields of the URL of a request."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import unquote, unquote_to_bytes

from amiproxy.httpmessages import BadRequest

if TYPE_CHECKING:
    from amiproxy.httpmessages import Request


def parse_fields(text: str) -> list[tuple[str, str]]:
    """Return (name, value) of each field of urlencoded *text*, in order, repeated ones too.

    ``+`` is a blank and ``%26`` an ampersand in a value; a percent sign that begins no code stays;
    a field without ``=`` has an empty value.  ``&`` alone separates.
    """
    found = []
    for field in filter(None, text.split("&")):
        name, _, value = field.partition("=")
        found.append((_decoded(name), _decoded(value)))
    return found


def _decoded(text: str) -> str:
    """Return *text* without its codes: one byte, one character."""
    if "+" in text:
        text = text.replace("+", " ")
    return unquote(text, "latin-1") if "%" in text else text


def path_and_query(target: str) -> tuple[str, str]:
    """Return path, in its own case, and query of *target*, in origin or absolute form."""
    if not target.startswith("/"):
        scheme, mark, rest = target.partition("://")
        if mark and scheme.lower() in ("http", "https"):
            host = len(rest.split("/", 1)[0].split("?", 1)[0])
            target = rest[host:]
            if not target.startswith("/"):
                target = "/" + target
    path, _, query = target.partition("?")
    if "%" in path or not path.isascii():
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
