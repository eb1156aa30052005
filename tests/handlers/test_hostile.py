# SPDX-License-Identifier: GPL-2.0-or-later
"""What nobody may send is refused before a module written in C has to parse all of it.

Such a module holds the interpreter, and with it every other client, until it is done.
"""

from __future__ import annotations

import csv
import io
import json
from typing import TYPE_CHECKING, Any
from xml.parsers import expat

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.blocks import LINE_BREAK, TOO_MANY_LINES
from amiproxy.formats import Limits, Refused
from amiproxy.message import Message
from tests.handlers.support import SMALL, cut, everything, read

if TYPE_CHECKING:
    from collections.abc import Callable

LIMITS = Limits()


def repeated(piece: bytes, before: bytes = b"", behind: bytes = b"\n") -> bytes:
    """Return a record of as many bytes as a block may have."""
    room = LIMITS.block - len(before) - len(behind) - 1
    return before + piece * (room // len(piece)) + behind


def never(*_: object, **__: object) -> Any:
    """Fail: this must not be called."""
    raise AssertionError("the module was to parse it")


VALUES = [
    b"{},",
    b"[],",
    b"1,",
    b'"",',
    b"true,",
    b"1e9,",
    b'"\\\\",',
    b'"\\"",',
    b'":",',
    b'"{[",',
]


@pytest.mark.parametrize(
    "record",
    [
        *(repeated(value, b'{"a":[', b"0]}\n") for value in VALUES),
        repeated(b"["),
        repeated(b'{"a":'),
        repeated(b'{"a":{"b":['),
        repeated(b'"a":1,', b"{", b'"a":1}\n'),
        repeated(b'":order":["a"],', b"{", b'"a":1}\n'),
        repeated(b'"'),
        repeated(b'"\\\\', b'{"a":[', b"]}\n"),
        repeated(b","),
    ],
    ids=lambda record: record[:20].decode("latin-1"),
)
def test_json_of_very_many_values_is_not_parsed(
    monkeypatch: pytest.MonkeyPatch, record: bytes
) -> None:
    """Many times as many as headers are allowed: nested, empty, numbers, keys."""
    monkeypatch.setattr(json, "loads", never)

    (refused,) = read("json", record, limits=LIMITS)

    assert refused.reason == TOO_MANY_LINES


@pytest.mark.parametrize(
    "value",
    [
        b'{"a": [1, {}], "b": ","}' * 50,
        b"\\" * 300,
        b'\\"' * 200,
        b"a,b:c[d]{e}" * 90,
        b'","' * 300,
    ],
    ids=["json", "backslashes", "quotes", "brackets", "commas"],
)
def test_what_stands_in_a_json_string_does_not_count(value: bytes) -> None:
    """A value may be a JSON text of its own, or any other."""
    text = value[:1000].decode()

    (block,) = read(
        "json", json.dumps({"Action": "x", "Data": text}).encode() + b"\n", limits=LIMITS
    )

    assert block.get("Data") == text


@pytest.mark.parametrize("value", ['"', "\\", '\\"', '",', ":[", "{,"])
def test_nor_does_it_count_in_many_values(value: str) -> None:
    """Sixty headers of nothing else."""
    headers = dict.fromkeys((f"Header{number}" for number in range(60)), (value * 900)[:900])

    (block,) = read("json", json.dumps(headers).encode() + b"\n", limits=LIMITS)

    assert len(block.lines) == 60


def test_json_of_as_many_lines_as_are_allowed_is_read() -> None:
    """Each with a name of its own, and a place in the order."""
    names = [f"Header{number}" for number in range(LIMITS.headers)]
    record = json.dumps(dict.fromkeys(names, '[{"x": 1}, 2]') | {":order": names[::-1]})

    (block,) = read("json", record.encode() + b"\n", limits=LIMITS)

    assert [line.partition(":")[0] for line in block.lines] == names[::-1]


@pytest.mark.parametrize("piece", [b"a,", b",", b'"a",', b' "",', b'a"b,', b'"a""b" ,', b'"x"y,'])
def test_csv_of_very_many_fields_is_not_parsed(
    monkeypatch: pytest.MonkeyPatch, piece: bytes
) -> None:
    """Quoted or not."""
    monkeypatch.setattr(csv, "reader", never)

    (refused,) = read("csv", repeated(piece), limits=LIMITS)

    assert refused.reason == TOO_MANY_LINES


@given(
    st.text('a", :\r', max_size=60),
    st.lists(st.sampled_from(['"a,b",', "a,", '"a""",', ",", " ,"])),
)
def test_csv_fields_are_counted_as_the_module_reads_them(text: str, fields: list[str]) -> None:
    """No record with as many fields as are allowed is refused for their number, none has many."""
    record = "".join(fields) + text
    try:
        rows = list(csv.reader(io.StringIO(record), strict=True, skipinitialspace=True))
    except csv.Error:
        rows = []
    found = read("csv", record.encode() + b"\n", limits=Limits(headers=SMALL.headers))

    reasons = [one.reason for one in found if isinstance(one, Refused)]
    if len(rows) == 1 and len(rows[0]) <= SMALL.headers:
        assert TOO_MANY_LINES not in reasons
    if len(rows) == 1 and sum(map(bool, rows[0])) > SMALL.headers:
        assert reasons


@pytest.mark.parametrize("piece", [b' a=""', b" a=''", b"''", b'=""', b" a='\"'"])
def test_a_tag_of_very_many_attributes_is_not_parsed(
    monkeypatch: pytest.MonkeyPatch, piece: bytes
) -> None:
    """The session ends, as with all that is malformed."""
    monkeypatch.setattr(expat, "ParserCreate", never)

    (refused,) = read("xml", repeated(piece, b"<AsteriskManagerInput", b">"), limits=LIMITS)

    assert refused.close


@pytest.mark.parametrize(
    "attributes",
    [
        'Value="a" value="b"',
        'VALUE="a" x="y" Value="b"',
        'Value="a" Charset="latin-1" charset="utf-8"',
        'Value="a" Charset="utf-16"',
        'Value="a" Charset="utf-7"',
        'Value="a" charset=""',
    ],
)
def test_an_element_that_can_be_read_in_two_ways_is_refused(attributes: str) -> None:
    """Two attributes that differ in case only; a charset that is none of ours."""
    document = f"<AsteriskManagerInput><Action {attributes}/></AsteriskManagerInput>"

    (refused,) = read("xml", document.encode(), limits=LIMITS)

    assert isinstance(refused, Refused)
    assert refused.close


@pytest.mark.parametrize(
    ("name", "record"),
    [
        ("json", lambda value: b'{"a":"' + value * 1000 + b'"}\n'),
        ("csv", lambda value: b'"a: ' + value * 1000 + b'"\n'),
    ],
)
@pytest.mark.parametrize("value", [b"\\r", b"\\n\\r", b"\\u0000"])
def test_very_many_line_breaks_are_refused(
    name: str, record: Callable[[bytes], bytes], value: bytes
) -> None:
    """They are counted, and not collected."""
    raw = value if name == "json" else b"\0"

    (refused,) = read(name, record(raw), limits=LIMITS)

    # The module csv of Python 3.9 and 3.10 does not read a NUL itself.
    assert refused.reason in {LINE_BREAK, "Invalid CSV Input"}


@pytest.mark.parametrize("name", ["json", "csv", "standard"])
@pytest.mark.parametrize("step", [1, 1448, 65536])
def test_blank_lines_cost_nothing_but_their_reading(name: str, step: int) -> None:
    """However many, in pieces of any size; what follows them is read."""
    data = b"\n\r\n" * 3000
    last = {"json": b'{"A":"b"}\n', "csv": b"A: b\n", "standard": b"A: b\n\n"}[name]
    pieces = [data[at : at + step] for at in range(0, len(data), step)]

    assert read(name, *pieces, last, limits=LIMITS) == [Message.of("A: b")]


@given(
    st.sampled_from(["json", "csv", "standard"]),
    st.lists(
        st.sampled_from([b"\r", b"\n", b"\r\n", b"\n\n", b"a: b\n\n", b'{"a":"b"}\n']), max_size=9
    ),
    st.lists(st.integers(0, 60), max_size=6),
)
def test_blank_lines_count_as_little_in_any_pieces(
    name: str, parts: list[bytes], edges: list[int]
) -> None:
    """A line of a CR is not blank where a CR is data; TCP does not decide what is blank."""
    data = b"".join(parts)

    whole = everything(read(name, data, limits=LIMITS))

    assert everything(read(name, *cut(data, edges), limits=LIMITS)) == whole
    assert everything(read(name, *(bytes([one]) for one in data), limits=LIMITS)) == whole
