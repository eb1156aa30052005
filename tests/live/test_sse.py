# SPDX-License-Identifier: GPL-2.0-or-later
"""Blocks of Server-Sent Events: whatever is in a message, it stays in its data."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.live import sse
from amiproxy.message import Message
from tests.threads.actions.support import FORMATS

#: Line ends among them: Asterisk may send a lone one within a value.
VALUES = st.one_of(
    st.text(st.characters(min_codepoint=1, max_codepoint=255)),
    st.sampled_from(["a\rid: x", "a\nevent: x", "a\n\ndata: x", "\r\r", "a\x85id: x"]),
)


def fields_of(block: bytes) -> dict[str, list[str]]:
    """Return what an EventSource reads of *block*, one event."""
    text = block.decode()
    assert text.endswith("\n\n")
    assert "\n\n" not in text[:-2]
    found: dict[str, list[str]] = {}
    for line in text[:-2].replace("\r\n", "\n").replace("\r", "\n").split("\n"):
        name, _, value = line.partition(": ")
        found.setdefault(name, []).append(value)
    return found


@given(value=VALUES, form=st.sampled_from(sse.FORMATS))
@settings(max_examples=60)
def test_no_value_forges_a_field(value: str, form: str) -> None:
    """Every line of every format is data, and there is one id."""
    made = sse.format_of(form, FORMATS)
    assert made is not None
    assert made.envelope is not None
    said = f"Event: X\r\nValue: {value}\r\nServer: pbx\r\n\r\n"
    message = Message(said.encode("latin-1"))

    found = fields_of(made.envelope.event(message, "abc.1-2", 1.0))

    assert found.keys() == {"id", "data"}
    assert found["id"] == ["abc.1-2"]
    if form == "json":
        assert json.loads(found["data"][0])["server"] == "pbx"


def test_what_the_proxy_says_has_a_name_and_is_json_in_every_format() -> None:
    """Pages read one kind of it, whatever they want their events in."""
    for form in sse.FORMATS:
        made = sse.format_of(form, FORMATS)
        assert made is not None
        assert made.envelope is not None

        found = fields_of(made.envelope.gap("pbx", "ring", 7, "abc.1-2"))

        assert found["event"] == ["gap"]
        assert json.loads(found["data"][0])["missed"] == 7


@pytest.mark.parametrize("word", ["standard", "html", "", "http"])
def test_other_formats_are_none(word: str) -> None:
    """Handlers are not named by their files here."""
    assert sse.format_of(word, FORMATS) is None


def test_a_place_is_no_event() -> None:
    """But the client comes back with it."""
    assert fields_of(sse.standing("abc.1-2")) == {"": ["tick"], "id": ["abc.1-2"]}
