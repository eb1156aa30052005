# SPDX-License-Identifier: GPL-2.0-or-later
"""BlockSource: however packets are cut, and whenever the format changes, no byte is lost."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.errors import HandlerError
from amiproxy.formats import Format, Limits, Refused, load_formats
from amiproxy.message import Message
from amiproxy.wire.blocksource import BlockSource
from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable

FORMATS = load_formats(ROOT / "handlers")

#: How each format writes a block of one header.
WRITE = {
    "standard": "{0}: {1}\r\n\r\n",
    "json": '{{"{0}": "{1}"}}\n',
    "xml": '<AsteriskManagerInput>\r\n<{0} Value="{1}"/>\r\n</AsteriskManagerInput>\r\n\r\n',
}
NAMES = st.sampled_from(sorted(WRITE))


def chunks(data: bytes, cuts: Iterable[int]) -> list[bytes]:
    """Return *data* cut at *cuts*, modulo its length."""
    places = sorted({0, len(data), *(cut % (len(data) + 1) for cut in cuts)})
    return [data[start:end] for start, end in zip(places, places[1:])]


def read(first: str, packets: Iterable[bytes]) -> list[str]:
    """Return all blocks as text; SetInputFormat switches, as in the client's thread."""
    source = BlockSource(FORMATS[first], Limits())
    found = []
    for packet in packets:
        source.receive(packet)
        while (block := source.next()) is not None:
            assert isinstance(block, Message), block
            found.append(": ".join(block.lines))
            if block.has("InputFormat"):
                source.switch(FORMATS[block.get("InputFormat")], Limits())
        assert source.is_empty
    return found


@given(
    NAMES,
    st.lists(st.tuples(st.integers(0, 3), NAMES), max_size=4),
    st.lists(st.integers(0, 2000), max_size=12),
)
def test_switching_loses_nothing_however_packets_are_cut(
    first: str, switches: list[tuple[int, str]], cuts: list[int]
) -> None:
    """Each block is read by the format that was set before it, in one packet or in many."""
    data, wanted, form = "", [], first
    for number, (count, following) in enumerate(switches):
        for index in range(count):
            data += WRITE[form].format("Action", f"Ping{number}.{index}")
            wanted.append(f"Action: Ping{number}.{index}")
        data += WRITE[form].format("InputFormat", following)
        wanted.append(f"InputFormat: {following}")
        form = following
    data += WRITE[form].format("Action", "Last")

    assert read(first, chunks(data.encode(), cuts)) == [*wanted, "Action: Last"]


@given(st.binary(max_size=400), NAMES, st.lists(st.integers(0, 400), max_size=6))
def test_cutting_changes_nothing_that_is_read(data: bytes, form: str, cuts: list[int]) -> None:
    """Noise gives the same blocks and refusals in one packet and in many."""

    def blocks(packets: Iterable[bytes]) -> list[Any]:
        source = BlockSource(FORMATS[form], Limits())
        found: list[Any] = []
        for packet in packets:
            source.receive(packet)
            while (block := source.next()) is not None:
                if isinstance(block, Refused):
                    return [*found, block.reason]
                found.append(block.lines)
        return found

    data += b"inputformat\r\n\r\n"
    assert blocks(chunks(data, cuts)) == blocks([data])


class Recording:
    """A reader that keeps what it is fed, and finds a block at each blank line."""

    def __init__(self) -> None:
        self.fed: list[bytes] = []

    def feed(self, data: bytes) -> list[Message | Refused]:
        """Take *data*."""
        self.fed.append(data)
        ends = b"".join(self.fed).count(b"\n\n") - b"".join(self.fed[:-1]).count(b"\n\n")
        return [Message.of("X: y")] * ends


def third_party(reader: Any) -> Format:
    """Return the format of a third party's handler with this reader."""
    return Format("theirs", None, reader, None, None, "text/plain", wire=False)


def test_packets_go_to_the_reader_whole() -> None:
    """Only while a block may switch the format are they cut, at the ends of lines."""
    reader = Recording()
    source = BlockSource(third_party(lambda _: reader), Limits())

    for packet in (b"a\nb\n\nc\n", b"\n", b"d\nInputFormat\n", b"\nafter\n", b"x\ny"):
        source.receive(packet)
        while source.next() is not None:
            pass

    assert reader.fed == [
        b"a\nb\n\nc\n",
        b"\n",
        b"d\n",
        b"InputFormat\n",
        b"\n",
        b"after\n",
        b"x\ny",
    ]


def fails(_: object) -> Any:
    """Raise as a third party's handler may, with a secret in the text."""
    raise KeyError("hunter2")


class Failing:
    """A reader that raises."""

    feed = staticmethod(fails)


class Wrong:
    """A reader that returns no list."""

    def feed(self, _: bytes) -> None:
        """Return nothing."""


@pytest.mark.parametrize(
    ("reader", "text"),
    [
        (fails, "handler theirs: cannot make a reader: KeyError"),
        (lambda _: Failing(), "handler theirs: cannot read: KeyError"),
        (lambda _: Wrong(), "handler theirs: cannot read: TypeError"),
    ],
)
def test_what_a_handler_raises_is_one_kind_of_error(reader: Any, text: str) -> None:
    """It names the handler and the type, never the text: that may hold secrets."""

    def read_one() -> None:
        source = BlockSource(third_party(reader), Limits())
        source.receive(b"x")
        source.next()

    with pytest.raises(HandlerError) as caught:
        read_one()

    assert str(caught.value) == text


def say(form: str, *lines: str) -> bytes:
    """Return a block of *lines*, ``Name: value``, as *form* writes it."""
    pairs = [line.split(": ") for line in lines]
    if form == "xml":
        inner = "".join(f'<{name} Value="{value}"/>' for name, value in pairs)
        return f"<AsteriskManagerInput>{inner}</AsteriskManagerInput>\n".encode()
    if form == "json":
        return json.dumps(dict(pairs)).encode() + b"\n"
    return "".join(f"{line}\r\n" for line in lines).encode() + b"\r\n"


#: More than a stranger may send at a time.
LARGE = [f"Header{number}: {'x' * 500}" for number in range(20)]


@given(
    NAMES,
    st.sampled_from([["Action: Login"], ["proxykey: x", "Action: Ping"]]),
    st.lists(st.integers(0, 20_000), max_size=12),
)
def test_limits_change_at_a_log_in_however_packets_are_cut(
    form: str, login: list[str], cuts: list[int]
) -> None:
    """What follows a log-in in one packet is held against the limits after it."""
    source = BlockSource(FORMATS[form], Limits(), known=False)
    found = []
    for packet in chunks(say(form, *login) + say(form, *LARGE), cuts):
        source.receive(packet)
        while (block := source.next()) is not None:
            found.append(isinstance(block, Message))
            source.limit(Limits(), known=True)

    assert found == [True, True]


@given(NAMES, st.lists(st.integers(0, 20_000), max_size=12))
def test_strangers_may_send_little_at_a_time(form: str, cuts: list[int]) -> None:
    """Also who was known, and failed at a log-in."""
    source = BlockSource(FORMATS[form], Limits())
    source.limit(Limits(), known=False)
    for packet in chunks(say(form, *LARGE), cuts):
        source.receive(packet)

    found = source.next()

    assert isinstance(found, Refused)
    assert source.next() is None


@pytest.mark.parametrize(
    "data", [b">" * 5000, b"\n" * 5000, b"a\n" * 2500], ids=["tags", "blank", "lines"]
)
def test_nothing_is_lost_behind_a_word_of_a_log_in(data: bytes) -> None:
    """What follows it is cut in portions until a block has come, which may never be."""
    reader = Recording()
    source = BlockSource(third_party(lambda _: reader), Limits(), known=False)

    source.receive(b"login" + data)
    while source.next() is not None:
        pass

    assert b"".join(reader.fed) == b"login" + data


BLOCK = b"Action: Ping\r\nActionID: 1\r\n\r\n"


def quickened(form: Format, limits: Limits | None = None, *, known: bool = True) -> BlockSource:
    """Return a source that has had one action, if it can read it."""
    source = BlockSource(form, limits or Limits(), known=known)
    source.receive(BLOCK)
    while source.next() is not None:
        pass
    return source


def test_a_block_behind_whole_ones_needs_no_reader() -> None:
    """Unless it is too long, or has too many lines, for the limits that hold for this client."""
    source = quickened(FORMATS["standard"], Limits(line=40, headers=2))

    assert source.may_pass(BLOCK)
    assert not source.may_pass(b"Action: Ping\r\nA: b\r\nC: d\r\n\r\n")
    assert not source.may_pass(b"Action: Ping\r\nA: " + b"x" * 40 + b"\r\n\r\n")
    assert not quickened(FORMATS["standard"], Limits(block=30)).may_pass(BLOCK + b"\r\n")


def test_what_may_be_part_of_a_block_needs_a_reader() -> None:
    """Until what has begun has ended."""
    source = quickened(FORMATS["standard"])
    for data, is_whole in ((b"Action: Ping\r\n", False), (b"\r\n", False), (BLOCK, True)):
        source.receive(data)
        while source.next() is not None:
            pass
        assert source.may_pass(BLOCK) is is_whole


def test_first_blocks_strangers_and_other_formats_need_a_reader() -> None:
    """What begins the connection may be HTTP; a format with that name may be somebody's own."""
    standard = FORMATS["standard"]

    assert not BlockSource(standard, Limits()).may_pass(BLOCK)
    assert not quickened(standard, known=False).may_pass(BLOCK)
    assert not quickened(FORMATS["csv"]).may_pass(BLOCK)
    assert not quickened(replace(standard, foreign=True)).may_pass(BLOCK)
