# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether a client has what it asks for, and takes it packed."""

from __future__ import annotations

import pytest

from amiproxy.httpmessages import Request
from amiproxy.web.caching import has, takes_gzip


def _request(name: str, value: str) -> Request:
    return Request("GET", "/", "1.1", ((name, value),))


@pytest.mark.parametrize(
    ("codings", "takes"),
    [
        ("gzip", True),
        ("br, GZIP", True),
        ("gzip;q=0.5", True),
        ("x-gzip", True),
        ("*", True),
        ("", False),
        ("br", False),
        ("gzip;q=0", False),
        ("gzip; q=0.000", False),
        ("*, gzip;q=0", False),
        ("identity, *;q=0", False),
    ],
)
def test_what_is_packed_goes_to_who_takes_it(codings: str, takes: bool) -> None:
    """A coding that is named counts before the star, wherever that stands."""
    assert takes_gzip(_request("accept-encoding", codings)) is takes


@pytest.mark.parametrize(
    ("tags", "known"),
    [
        ('W/"a"', True),
        ('"a"', True),
        ('"b", W/"a"', True),
        ("*", True),
        ('"b"', False),
        ("", False),
    ],
)
def test_a_tag_is_compared_weakly(tags: str, known: bool) -> None:
    """Whether it is weak does not count: it is that of both encodings."""
    assert has(_request("if-none-match", tags), 'W/"a"') is known
