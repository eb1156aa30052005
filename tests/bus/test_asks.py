# SPDX-License-Identifier: GPL-2.0-or-later
"""Asks and answers come back as they were; what is no single action is no ask."""

from __future__ import annotations

import contextlib
from typing import TYPE_CHECKING, Any
from zlib import crc32

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.bus.asks import Answer, Ask, decode_answer, decode_ask, encode_answer, encode_ask
from amiproxy.bus.fields import MOST, Malformed
from amiproxy.message import Message
from amiproxy.routing.actionids import MAX_WIRE_ID
from tests.bus.test_items import EVENT, ITEMS, shown
from tests.bus.values import NUMBERS, TEXTS, mutations

if TYPE_CHECKING:
    from amiproxy.wire.routed import Routed

RAW = b"Action: Ping\r\nActionID: amp1-abc\r\n\r\n"
ASK = Ask(65536, 1, "amp1-abc", "mine", private=True, held_back=False, deadline=9, account="x",
          raw=RAW)  # fmt: skip

WIRE_IDS = st.text(
    st.characters(min_codepoint=33, max_codepoint=255), min_size=1, max_size=MAX_WIRE_ID
)
#: What a client may have given: no line of AMI has a line feed or a NUL within.
GIVEN = TEXTS.map(lambda text: text.replace("\n", "").replace("\0", ""))


@st.composite
def asked(draw: st.DrawFn) -> Ask:
    """Return an ask as a proxy makes it."""
    wire_id = draw(WIRE_IDS)
    name = draw(st.sampled_from(("ActionID", "actionid", "ACTIONID")))
    return Ask(
        draw(NUMBERS),
        draw(st.integers(1, 2**52)),
        wire_id,
        draw(st.none() | GIVEN),
        draw(st.booleans()),
        draw(st.booleans()),
        draw(NUMBERS),
        draw(st.text("abc \u00e9\u4e00", max_size=9)),
        Message.of("Action: Ping", f"{name}: {wire_id}", "Variable: a=b").raw,
    )


@given(asked())
def test_an_ask_comes_back_as_it_was(ask: Ask) -> None:
    """With all its fields."""
    assert decode_ask(encode_ask(ask)) == ask


@given(NUMBERS, NUMBERS, ITEMS, st.lists(st.tuples(st.integers(1, 2**52), TEXTS), max_size=3))
def test_an_answer_comes_back_as_it_was(
    epoch: int, number: int, items: list[Routed], over: list[tuple[int, str]]
) -> None:
    """With its messages and what is over."""
    found = decode_answer(encode_answer(Answer(epoch, number, items, over)))

    assert (found.epoch, found.number, found.over) == (epoch, number, over)
    assert shown(found.items) == shown(items)


@given(asked().map(encode_ask), st.data())
def test_an_ask_that_has_changed_is_refused(whole: bytes, data: st.DataObject) -> None:
    """It never becomes another action."""
    changed = data.draw(mutations(whole))
    if changed != whole:
        with pytest.raises(Malformed):
            decode_ask(changed)


@given(st.builds(Answer, NUMBERS, NUMBERS, ITEMS, st.just([(1, "a")])), st.data())
def test_an_answer_that_has_changed_is_refused(answer: Answer, data: st.DataObject) -> None:
    """It never becomes another answer."""
    whole = encode_answer(answer)
    changed = data.draw(mutations(whole))
    if changed != whole:
        with pytest.raises(Malformed):
            decode_answer(changed)


@given(st.binary(max_size=100))
def test_other_bytes_are_malformed(data: bytes) -> None:
    """They raise nothing else."""
    for decode in (decode_ask, decode_answer):
        with contextlib.suppress(Malformed):
            decode(data)


@pytest.mark.parametrize("given_one", ["a\r\nEvent: FullyBooted", "a\n", "\0"])
def test_what_a_client_gave_is_one_line(given_one: str) -> None:
    """It stands in what other clients of the holder are sent."""
    with pytest.raises(Malformed):
        decode_ask(encode_ask(ASK._replace(given=given_one)))


@pytest.mark.parametrize(
    "raw",
    [b"", RAW[:-2], RAW + b"\r\n", RAW + RAW, b"\r\n" + RAW, RAW[:-2] + b"a\0b\r\n\r\n",
     RAW[:-2] + b"A: b\nc\r\n\r\n", b"Action: Ping\r\n\r\n", RAW.replace(b"abc", b"abd"),
     RAW[:-2] + b"ActionID: amp1-abc\r\n\r\n", RAW[:-2] + b"actionid:other\r\n\r\n",
     b"ActionID : x\r\n" + RAW, b"ActionID: \r\n" + RAW],
)  # fmt: skip
def test_an_ask_is_one_action_with_its_action_id(raw: bytes) -> None:
    """Else Asterisk would do more than was asked, or its answer find nobody."""
    assert decode_ask(encode_ask(ASK)) == ASK
    with pytest.raises(Malformed):
        decode_ask(encode_ask(ASK._replace(raw=raw)))


@pytest.mark.parametrize(
    "change",
    [{"owner": 0}, {"owner": -1}, {"wire_id": ""}, {"wire_id": "amp1-ab"},
     {"account": "a\nb"}, {"account": "\x1b[2J"}],
    ids=repr,
)  # fmt: skip
def test_an_ask_says_whose_it_is(change: dict[str, Any]) -> None:
    """A session's, and its account can stand in a log."""
    with pytest.raises(Malformed):
        decode_ask(encode_ask(ASK._replace(**change)))


@pytest.mark.parametrize(
    "change", [{"epoch": -1}, {"owner": 2**63}, {"given": "x" * 65536}, {"raw": bytes(MOST)}],
    ids=["epoch", "owner", "given", "raw"],
)  # fmt: skip
def test_what_does_not_fit_is_malformed(change: dict[str, Any]) -> None:
    """Not an error of the library's own."""
    with pytest.raises(Malformed):
        encode_ask(ASK._replace(**change))


def test_an_answer_that_does_not_fit_is_malformed() -> None:
    """Not an error of the library's own."""
    for answer in (Answer(-1, 0, [], []), Answer(0, 0, [], [(2**63, "a")]),
                   Answer(0, 0, [EVENT], [(1, "x" * 65536)])):  # fmt: skip
        with pytest.raises(Malformed):
            encode_answer(answer)


def test_what_another_version_writes_is_malformed() -> None:
    """Even if its checksum is right."""
    for data, decode in ((encode_ask(ASK), decode_ask),
                         (encode_answer(Answer(1, 2, [EVENT], [])), decode_answer)):  # fmt: skip
        rest = b"\x02" + data[5:]
        with pytest.raises(Malformed, match="version"):
            decode(crc32(rest).to_bytes(4, "big") + rest)


def test_a_count_of_ends_without_ends_costs_nothing() -> None:
    """Nobody makes room for four thousand million of them."""
    rest = encode_answer(Answer(1, 2, [], []))[4:-8] + b"\xff\xff\xff\xff" + bytes(4)
    with pytest.raises(Malformed, match="fewer"):
        decode_answer(crc32(rest).to_bytes(4, "big") + rest)
