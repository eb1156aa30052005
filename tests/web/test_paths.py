# SPDX-License-Identifier: GPL-2.0-or-later
"""Asterisk's paths."""

from __future__ import annotations

import os
import random
from urllib.parse import parse_qsl

import pytest

from amiproxy.httpmessages import Request
from amiproxy.web import paths, urls
from tests.web.test_urls import get


@pytest.mark.parametrize(
    ("path", "style"),
    [
        ("/arawman", "rawman"),
        ("/amxml", "mxml"),
        ("/amanager", "manager"),
        ("/asterisk/arawman/", "rawman"),
        ("/asterisk/AMXML", "mxml"),
    ],
)
def test_digest_has_paths_of_its_own(path: str, style: str) -> None:
    """Their answers look as those without the a."""
    request = Request("GET", path + "?action=ping", "1.1")

    target = urls.parse_target(request)

    assert (target.style, target.wants_digest) == (style, True)
    assert urls.wants_digest(request)


@pytest.mark.parametrize("path", ["/", "/rawman", "/asterisk/manager", "/aarawman", "/asterisk/x"])
def test_no_other_path_is_for_digest(path: str) -> None:
    """Not even one that looks like it."""
    request = Request("GET", path + "?action=/arawman", "1.1")

    assert not urls.parse_target(request).wants_digest
    assert not urls.wants_digest(request)


@pytest.mark.parametrize("target", ["/rawman", "/rawman?", "/rawman?a=b", "/mxml?action="])
def test_without_an_action_asterisk_is_imitated(target: str) -> None:
    """At its paths that is no fault of the request: it is answered with status 200."""
    message = get(target).message

    assert message is not None
    assert not urls.names_action(message)


def test_fields_are_those_of_the_standard_library() -> None:
    """Whatever a URL holds; ``ASTMANPROXY_HISTORIES`` tries more."""
    generator = random.Random("fields")
    pieces = [
        *"&&==++%;#?/",
        "%2",
        "%26",
        "%3d",
        "%C3%a9",
        "%0D%0A",
        "%u",
        "%%41",
        "\xe9",
        "a",
        "Action",
    ]
    for _ in range(int(os.environ.get("ASTMANPROXY_HISTORIES", "2000"))):
        text = "".join(generator.choices(pieces, k=generator.randrange(12)))
        told = parse_qsl(text, keep_blank_values=True, encoding="latin-1")
        assert paths.parse_fields(text) == told, text
