# SPDX-License-Identifier: GPL-2.0-or-later
"""JSON of strangers: read, or refused with a reason."""

from __future__ import annotations

import contextlib
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from amiproxy.rest.strictjson import DEEPEST, MOST, read_object


@pytest.mark.parametrize(
    ("body", "told"),
    [
        (b"", "no JSON"),
        (b"[]", "one JSON object"),
        (b'{"a":1,"a":1}', "twice"),
        (b'{"x":{"a":1,"a":2}}', "twice"),
        (b'{"a":NaN}', "no JSON"),
        (b'{"a":1e400}', "number"),
        (b'{"a":' + b"1" * 5000 + b"}", "number"),
        (b'{"a":"\\ud800"}', "surrogate"),
        (b'{"\\udfff":1}', "surrogate"),
        (b'{"a":["\\udfff"]}', "surrogate"),
        (b'{"a":[["\\udfff"]]}', "surrogate"),
        (b'{"a":"\xff"}', "UTF-8"),
        (b'{"a":' + b"[" * (DEEPEST + 1), "deep"),
        (b'{"a":' + b"[" * 1_000_000, "values"),
        (b'{"a":[' + b"1," * (MOST + 1), "values"),
        (b'{"a":"' + b'","' * MOST, "values"),
    ],
)
def test_what_is_unclear_is_refused(body: bytes, told: str) -> None:
    """What two readers may take for different things, and what takes long to read."""
    with pytest.raises(ValueError, match=told):
        read_object(body)


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**30), 10**30) | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=6,
)


@settings(max_examples=60)
@given(st.dictionaries(st.text(max_size=5), PLAIN, max_size=4), st.booleans())
def test_an_object_is_read_as_it_was_written(value: dict[str, Any], escaped: bool) -> None:
    """Whatever its strings hold, brackets and quotation marks too."""
    body = json.dumps(value, ensure_ascii=escaped).encode()
    if _depth(value) <= DEEPEST:
        assert read_object(body) == value


def _depth(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return max(map(_depth, inner), default=0) + 1 if isinstance(value, (dict, list)) else 0


@settings(max_examples=100)
@given(st.binary(max_size=40) | st.text('{}[]",:\\u1d80e', max_size=40).map(str.encode))
def test_any_bytes_are_read_or_refused(body: bytes) -> None:
    """And nothing else happens."""
    with contextlib.suppress(ValueError):
        assert isinstance(read_object(body), dict)
