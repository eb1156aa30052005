# SPDX-License-Identifier: GPL-2.0-or-later
"""In which format a request is to be answered: the ``format`` field, the Accept header."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.httpmessages import BadRequest

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.formats import Format

#: Names of JSON, one text; and, also as ``format``, of one text a line.
_JSON = frozenset({"json", "x-json"})
_LINES = frozenset({"x-ndjson", "ndjson", "x-json-stream", "jsonl", "x-jsonlines"})

#: What browsers accept, and programs that accept anything.
_ANY = frozenset({"*/*", "text/html", "application/xhtml+xml"})


#: How many media types of an Accept header are looked at: browsers send about ten.
_MOST = 64


def choose_format(asked: str, accept: str, formats: Mapping[str, Format], default: str) -> Format:
    """Return the output format to answer in.

    *asked* is the ``format`` field; then *accept*, the Accept header, counts; what
    it leaves open is the one called *default*.  A browser (it accepts text/html) gets the default:
    it lists application/xml for pages, not for data.  ``ndjson`` is JSON, one message a line.

    Raises:
        BadRequest: 400, *asked* is not an output format.

    """
    if asked:
        return _named(asked, formats)
    if not accept:
        return formats[default]
    outputs = [formats[default], *(form for form in formats.values() if form.is_output)]
    for media in _by_preference(accept):
        if media in _ANY:
            return formats[default]
        for form in outputs:
            if _matches(media, form.document_type):
                return form
            if _matches(media, form.content_type):
                return form.as_stream
    return formats[default]


def _named(asked: str, formats: Mapping[str, Format]) -> Format:
    """Return the output format called *asked*."""
    if asked in formats and formats[asked].is_output:
        return formats[asked]
    if asked == "ndjson" and "json" in formats:
        return formats["json"].as_stream
    names = sorted(name for name, form in formats.items() if form.is_output)
    raise BadRequest(400, f"Unknown format; there are: {', '.join([*names, 'ndjson'])}")


def _matches(media: str, content_type: str) -> bool:
    """Return whether *media*, from an Accept header, names the type *content_type*."""
    content_type = content_type.partition(";")[0].strip().lower()
    if media.endswith("/*"):
        return content_type.startswith(media[:-1])
    return _canonical(media) == _canonical(content_type)


def _canonical(media: str) -> str:
    """Return the media type *media*, by one name for XML and one for JSON of either kind."""
    kind = media.partition("/")[2]
    if kind == "xml":
        return "text/xml"
    if kind in _LINES:
        return "application/x-ndjson"
    return "application/json" if kind in _JSON else media


def _by_preference(accept: str) -> list[str]:
    """Return the media types of an Accept header, those wanted most first."""
    ranked = []
    for part in accept.split(",", _MOST)[:_MOST]:
        media, *parameters = (piece.strip().lower() for piece in part.split(";"))
        weight = 1.0
        for parameter in parameters:
            name, _, value = parameter.partition("=")
            if name.strip() == "q":
                try:
                    weight = float(value)
                except ValueError:
                    weight = 0.0
        if media and weight > 0:
            ranked.append((weight, media))
    ranked.sort(key=lambda pair: -pair[0])
    return [media for _, media in ranked]
