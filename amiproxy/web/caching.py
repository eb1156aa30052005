# SPDX-License-Identifier: GPL-2.0-or-later
"""What a client says it has already, and whether it takes what is packed (RFC 9110, 12 and 13)."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.httpmessages import Request

#: What gzip is called in Accept-Encoding; the first of these that is there counts.
_GZIP = ("gzip", "x-gzip", "*")


def has(request: Request, etag: str) -> bool:
    """Return whether the client of *request* has what *etag* names; compared weakly."""
    told = {each.strip().removeprefix("W/") for each in request.header("if-none-match").split(",")}
    return "*" in told or etag.removeprefix("W/") in told


def takes_gzip(request: Request) -> bool:
    """Return whether the client of *request* takes gzip: it names it, and not as ``gzip;q=0``."""
    codings: dict[str, str] = {}
    for each in request.header("accept-encoding").lower().split(","):
        name, _, quality = each.partition(";")
        codings[name.strip()] = quality.replace(" ", "")
    quality = next((codings[name] for name in _GZIP if name in codings), "q=0")
    return quality.rstrip("0.") != "q="
