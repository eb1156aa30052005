# SPDX-License-Identifier: GPL-2.0-or-later
"""In which format a request is answered."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.formats import load_formats
from amiproxy.httpmessages import BadRequest
from amiproxy.web import accept
from tests.support import ROOT

FORMATS = load_formats(ROOT / "handlers")


@pytest.mark.parametrize(
    ("asked", "header", "default", "chosen"),
    [
        ("", "", "standard", "standard"),
        ("", "", "csv", "csv"),
        ("json", "text/xml", "standard", "json"),
        ("", "text/xml", "standard", "xml"),
        ("", "application/xml", "standard", "xml"),
        ("", "application/json", "standard", "json"),
        ("", "application/x-ndjson", "standard", "json, one a line"),
        ("", "application/ndjson", "standard", "json, one a line"),
        ("", "application/x-ndjson;q=0.5, application/json", "standard", "json"),
        ("ndjson", "application/json", "standard", "json, one a line"),
        ("", "text/json", "standard", "json"),
        ("", "text/csv", "standard", "csv"),
        ("", "text/plain", "xml", "standard"),
        ("", "*/*", "xml", "xml"),
        ("", "application/*", "csv", "json"),
        ("", "text/*", "xml", "xml"),
        ("", "image/png", "standard", "standard"),
        ("", "text/csv;q=0.5, text/xml", "standard", "xml"),
        ("", "text/csv;q=0, text/xml;q=0.1", "standard", "xml"),
        ("", "text/csv;q=rubbish", "standard", "standard"),
        ("", "text/html,application/xml;q=0.9,*/*;q=0.8", "standard", "standard"),
    ],
)
def test_the_format_of_the_answer(asked: str, header: str, default: str, chosen: str) -> None:
    """The field decides, then Accept, then the configuration; a browser gets that too."""
    form = accept.choose_format(asked, header, FORMATS, default)

    lines = ", one a line" if form.name == "json" and form.document is None else ""
    assert form.name + lines == chosen


@pytest.mark.parametrize("name", ["yaml", "http"])
def test_an_unknown_format_is_a_bad_request(name: str) -> None:
    """The error names the formats there are."""
    with pytest.raises(BadRequest, match="csv, json, standard, xml, ndjson") as error:
        accept.choose_format(name, "", FORMATS, "standard")
    assert error.value.status == 400


@given(st.text(st.characters(max_codepoint=255), max_size=60))
def test_any_accept_header_names_a_format(header: str) -> None:
    """Noise gets the default, or what it happens to name."""
    assert accept.choose_format("", header, FORMATS, "standard").is_output


def test_few_media_types_are_looked_at() -> None:
    """More than anybody names cost no time."""
    names = ",".join(["x/y"] * 100)

    assert accept.choose_format("", f"{names}, text/xml", FORMATS, "csv").name == "csv"
    assert accept.choose_format("", f"text/xml, {names}", FORMATS, "csv").name == "xml"
