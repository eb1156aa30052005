# SPDX-License-Identifier: GPL-2.0-or-later
"""JSON that strangers send: one object that means the same to every reader, or an error.

Two readers may take different ones of two equal keys, different halves of a surrogate pair, or
different digits of a long number: so what is unclear is refused.
"""

from __future__ import annotations

import codecs
import json
import math
import re
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from amiproxy.httpmessages import Request

#: How deep arrays and objects may be in each other.
DEEPEST = 8
#: Values, keys, arrays and objects.
MOST = 4096
#: Characters of a number: what is longer is no number to every reader.
_LONGEST_NUMBER = 40

_CHARSETS = ("utf-8", "utf8", "us-ascii", "ascii")
_SURROGATE = re.compile("[\ud800-\udfff]")
_BRACKET = re.compile(rb"[\[\]{}]")


def wrong_type(request: Request) -> str:
    """Return why the body of *request* cannot be JSON by its headers, "" if it can."""
    kind, *parameters = request.header("content-type").split(";")
    if kind.strip().lower() != "application/json":
        return "Send JSON: Content-Type: application/json"
    for parameter in parameters:
        name, _, value = parameter.partition("=")
        if name.strip().lower() == "charset" and value.strip(" \t\"'").lower() not in _CHARSETS:
            return "Send UTF-8"
    if request.header("content-encoding").strip().lower() not in ("", "identity"):
        return "Send the body as it is, without Content-Encoding"
    return ""


def read_object(body: bytes) -> dict[str, Any]:
    """Return the JSON object *body*.

    Raises:
        ValueError: it is none, or not one that each reader takes for the same.

    """
    body = body.removeprefix(codecs.BOM_UTF8)
    try:
        text = body.decode()
    except UnicodeDecodeError:
        raise ValueError("The body is not UTF-8") from None
    _measure(body)
    try:
        found = json.loads(
            text,
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_float=_decimal,
            parse_constant=_constant,
        )
    except json.JSONDecodeError as error:
        raise ValueError(
            f"The body is no JSON: {error.msg} (line {error.lineno}, column {error.colno})"
        ) from None
    except RecursionError:
        raise _too_deep() from None
    if not isinstance(found, dict):
        raise ValueError("The body must be one JSON object")  # noqa: TRY004 - it came from outside
    return found


def _measure(body: bytes) -> None:
    """Refuse *body* if it holds more than is looked at, before the parser holds everybody up."""
    # Without these all quotation marks left are ends of strings.
    plain = body.replace(b"\\\\", b"").replace(b'\\"', b"")
    between = b"".join(plain.split(b'"')[::2])
    if sum(map(between.count, (b",", b"[", b"{"))) > MOST:
        raise ValueError(f"The body has more than {MOST} values")
    depth = 0
    for bracket in _BRACKET.findall(between):
        depth += 1 if bracket in b"[{" else -1
        if depth > DEEPEST:
            raise _too_deep()


def _too_deep() -> ValueError:
    return ValueError(f"The body is nested too deep: {DEEPEST} levels are enough")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return the object of *pairs*."""
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("A name stands twice in one object of the body; use an array")
    for name, value in pairs:
        _check_text(name)
        _check_text(value)
    return found


def _check_text(value: Any) -> None:
    """Refuse what no encoding can hold; objects in *value* have been looked at."""
    if isinstance(value, list):
        for each in value:
            _check_text(each)
    elif isinstance(value, str) and not value.isascii() and _SURROGATE.search(value):
        raise ValueError("The body has half a surrogate pair")


def _integer(text: str) -> int:
    if len(text) > _LONGEST_NUMBER:
        raise ValueError("The body has a number that is too long: write it as a string")
    return int(text)


def _decimal(text: str) -> float:
    found = float(text)
    if len(text) > _LONGEST_NUMBER or math.isinf(found):
        raise ValueError("The body has a number that is too long: write it as a string")
    return found


def _constant(name: str) -> Any:
    raise ValueError(f"The body is no JSON: {name}")
