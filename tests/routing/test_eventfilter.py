# SPDX-License-Identifier: GPL-2.0-or-later
"""Event filters behave as those of a real Asterisk 22."""

from __future__ import annotations

import re
import timeit
from typing import Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.message import Message
from amiproxy.routing import eventfilter
from amiproxy.routing.eventfilter import (
    METHODS,
    NO_FILTERS,
    EventFilters,
    FilterError,
    filter_action,
)
from tests.recordings import asked, said

#: A filter: a text, or (criteria, text).
Line = Union[str, tuple[str, str]]

ALPHA = Message.of(
    "Event: UserEvent", "Privilege: user,all", "UserEvent: Alpha", "Channel: Local/1", "Key: v1",
    "Empty: ", f"Long: {'a' * 50}"
)  # fmt: skip
BETA = Message.of("Event: UserEvent", "Privilege: user,all", "UserEvent: Beta", "Channel: Local/9")
VARSET = Message.of("Event: VarSet", "Privilege: dialplan,all", "Channel: none", "Value: 1")


def filters_of(*lines: Line) -> EventFilters:
    """Return filters of lines: a text, or (criteria, text)."""
    filters = NO_FILTERS
    for line in lines:
        criteria, text = line if isinstance(line, tuple) else ("", line)
        filters = filters.with_line(text, criteria)
    return filters


def blocks(data: bytes) -> list[str]:
    return data.decode("latin-1").replace("\r\n", "\n").split("\n\n")


def test_the_recorded_session_gives_the_same_answers_and_events() -> None:
    """Each Filter action is answered, and each probe shown or not, as recorded."""
    filters = NO_FILTERS
    answers = blocks(said("h2_filter"))
    checked = 0
    for block in blocks(asked("h2_filter")):
        if "Action: Filter" not in block:
            continue
        identity = re.search(r"ActionID: \S+\n", block)
        assert identity is not None
        at, reply = next((i, a) for i, a in enumerate(answers) if identity[0] in a)
        new, told = filter_action(filters, Message.of(*block.strip("\n").split("\n")))

        assert f"Message: {told}" in reply
        assert ("Response: Success" in reply) is (new is not None)
        filters = new or filters
        end = next(i for i in range(at + 1, len(answers)) if "Response:" in answers[i])
        events = answers[at + 1 : end]
        for probe, mark in ((ALPHA, "UserEvent: Alpha"), (BETA, "UserEvent: Beta"), (VARSET, "Event: VarSet")):  # fmt: skip
            assert filters.passes(probe) is any(mark in event for event in events)
        checked += 1
    assert checked == 8


def test_without_filters_all_events_pass() -> None:
    """No filter hides nothing, and is false."""
    assert NO_FILTERS.passes(ALPHA)
    assert not NO_FILTERS
    assert filters_of("x")


@pytest.mark.parametrize(
    ("lines", "seen"),
    [
        (["Event: UserEvent"], "AB"),
        (["Alpha", "VarSet"], "AV"),  # several includes: one is enough
        (["!Beta"], "AV"),
        (["!Beta", "!VarSet"], "A"),
        (["UserEvent", "!Beta"], "A"),
        (["Beta", "!Beta"], ""),  # an exclude wins
        (["^Event: UserEvent"], "AB"),
        (["^Privilege"], ""),  # ^ is the start of the whole event
        (["UserEvent.*Local/9"], "B"),  # . matches line ends
        (["Channel: (Local/9|none)"], "BV"),
        (["Channel: [Ll]ocal/[0-9]+"], "AB"),
        (["event: userevent"], ""),  # case counts
        (["Channel:.Local/1\r\nKey"], "A"),
        (["Channel: (Local/9|none)\r"], "BV"),
        ([r"\<Alpha\>"], "A"),
        ([r"\d"], "V"),  # a backslash makes no class of a letter that glibc has none for
        ([("name(UserEvent)", "")], "AB"),
        ([("name(userevent)", "")], ""),
        ([("name(User)", "")], ""),
        ([("action(exclude),name(UserEvent)", "")], "V"),
        ([("name(UserEvent),header(Channel),method(exact)", "Local/9")], "B"),
        ([("header(Channel),method(exact)", "Local")], ""),
        ([("header(Channel),method(starts_with)", "Local/")], "AB"),
        ([("header(Channel),method(starts_with)", "ocal/")], ""),
        ([("header(Channel),method(ends_with)", "9")], "B"),
        ([("header(Channel),method(ends_with)", "/")], ""),
        ([("header(channel),method(ends_with)", "9")], ""),  # the case of a header counts
        ([("header(Channel:),method(ends_with)", "9")], "B"),  # its colon does not
        ([("header(Chan),method(ends_with)", "9")], ""),
        ([("header(Channel),method(contains)", "on")], "V"),
        ([("header(Channel),method(regex)", "^Local/[1-5]$")], "A"),
        ([("header(Channel),method(regex)", "^$")], ""),
        ([("header(Event),method(regex)", "^(Var|X)")], "V"),
        ([("header(Key),method(none)", "")], "A"),
        ([("header(Key)", "")], "A"),
        ([("header(Empty),method(none)", "")], ""),  # an empty value is none
        ([("action(exclude),header(Empty)", "")], "ABV"),
        ([("method(contains)", "Local/9")], "B"),
        ([("method(contains)", "a.*b")], ""),
        ([("method(starts_with)", "Event: User")], "AB"),
        ([("method(ends_with)", "Value: 1")], ""),  # the event ends with its blank line
        ([("method(exact)", "Event: VarSet")], ""),
        ([(" action(exclude) , name(VarSet) ", "")], "AB"),
        ([("action(exclude) name(VarSet)", "")], "AB"),
        ([("action(exclude)name(VarSet)", "")], "AB"),
        ([("action(include),name(VarSet)", ""), ("action(exclude),method(contains)", "Value: 1")], ""),
        ([("name(UserEvent),method(contains)", "!Beta")], "AV"),  # ! excludes in this form too
        ([("action(include),method(contains)", "!Beta")], "B"),  # unless action says otherwise
        ([("action(exclude),method(contains)", "!Beta")], "AV"),
        ([("name(VarSet)", "!")], "AB"),
        ([("name(UserEvent),name(VarSet)", "")], "V"),  # of two the last counts
        ([("names(VarSet)", "")], "V"),  # words count by how they begin
        ([("name(VarSet", "")], "V"),
        (["aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"], "A"),
    ],
)  # fmt: skip
def test_what_passes(lines: list[Line], seen: str) -> None:
    """Includes add up, excludes win, criteria narrow what is looked at."""
    filters = filters_of(*lines)

    passed = [name for name, one in zip("ABV", (ALPHA, BETA, VARSET)) if filters.passes(one)]

    assert "".join(passed) == seen


@pytest.mark.parametrize(
    ("criteria", "text"),
    [
        ("", ""),
        ("", "!"),
        ("nonsense(1)", "x"),
        ("name", "x"),
        ("name(a", "x"),
        ("name()", "x"),
        ("name( a)", "x"),
        ("name(a b)", "x"),
        ("name(a),", "x"),  # the method is none unless it is given
        ("header(Key)", "v1"),
        (",", "x"),
        ("(", "x"),
        ("action,name(a)", ""),
        ("header", "x"),
        ("header(:)", ""),
        ("action(exclude)", "x"),
        ("action(exclude)", ""),
        ("action(maybe)", "x"),
        ("method(like)", "x"),
        ("method(none)", ""),
        ("name(a),method(none)", "x"),
        ("name(a),method(none)", "!x"),
        ("name(a),method(exact)", ""),
        ("header(a(b))", "x"),
        ("", "x" * (eventfilter.MAX_PATTERN + 1)),
        ("", "\u20ac"),
        ("name(\u20ac)", ""),
    ],
)
def test_malformed(criteria: str, text: str) -> None:
    """What Asterisk cannot read is answered as Asterisk does."""
    with pytest.raises(FilterError, match=re.escape(eventfilter.MALFORMED)):
        NO_FILTERS.with_line(text, criteria)


@pytest.mark.parametrize("text", ["[bad(", "a**(", "(", "x{2,1}", "*a", r"\1"])
def test_expressions_that_do_not_compile(text: str) -> None:
    """A bad expression is an error, and nothing is printed."""
    with pytest.raises(FilterError, match="did not compile"):
        NO_FILTERS.with_line(text)


def test_the_number_of_filters_is_bounded() -> None:
    """A client cannot add filters without end."""
    filters = EventFilters()
    for _ in range(eventfilter.MAX_FILTERS):
        filters = filters.with_line("x")

    assert filter_action(filters, Message.of("Operation: Add", "Filter: y")) == (
        None,
        "Too many filters: a client may have 128",
    )


def test_adding_makes_a_new_value() -> None:
    """The old filters stay as they were; equal lines make equal filters."""
    first = filters_of("Alpha")
    second = first.with_line("!Beta")

    assert first.passes(VARSET) is False
    assert first == filters_of("Alpha")
    assert hash(first) == hash(filters_of("Alpha"))
    assert second != first


def test_each_header_of_the_name_is_looked_at() -> None:
    """Of a header that repeats, any value counts."""
    event = Message.of("Event: X", "ChanVariable: a=1", "ChanVariable: b=2")

    assert filters_of(("header(ChanVariable),method(exact)", "b=2")).passes(event)


def test_bytes_are_bytes() -> None:
    """Events in any encoding are matched byte by byte."""
    event = Message(b"Event: X\r\nName: caf\xc3\xa9\xff\x00\r\n\r\n")

    assert filters_of("caf\xc3\xa9").passes(event)
    assert filters_of(("header(Name),method(ends_with)", "\xff\x00")).passes(event)
    assert filters_of("caf..").passes(event)


def test_evil_patterns_take_linear_time() -> None:
    """Where others backtrack without end, four times the text takes about four times as long."""
    filters = filters_of("(a*)*(a*)*(a|aa)+$")

    def seconds(length: int) -> float:
        message = Message(b"Event: " + b"a" * length + b"b\r\n\r\n")
        return min(timeit.repeat(lambda: filters.passes(message), number=1, repeat=5))

    assert seconds(200_000) < 10 * seconds(50_000)


@pytest.mark.parametrize("method", METHODS)
def test_every_method_is_described_and_compares(method: str) -> None:
    """A method is one row of a table; each has its words, and none matches by accident."""
    text = "" if method == "none" else "Local/9"
    filters = filters_of((f"name(UserEvent),header(Channel),method({method})", text))

    assert (
        filters.includes[0]
        .describe()
        .startswith(f"UserEvent events whose Channel {METHODS[method].words}")
    )
    assert filters.passes(BETA)
    assert not filters.passes(VARSET)


@given(st.text(max_size=60), st.text(max_size=60), st.binary(max_size=100))
def test_any_line_is_read_or_refused(text: str, criteria: str, data: bytes) -> None:
    """Noise gives filters or FilterError, and filters answer for any event."""
    try:
        filters = NO_FILTERS.with_line(text, criteria)
    except FilterError:
        return
    assert filters.passes(Message(data + b"\r\n\r\n")) in (True, False)
