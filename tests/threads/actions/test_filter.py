# SPDX-License-Identifier: GPL-2.0-or-later
"""Action: Filter: who may, what is refused and why, with google-re2 and without."""

from __future__ import annotations

import random
from typing import Callable
from weakref import WeakValueDictionary

import pytest

from amiproxy.message import Message
from amiproxy.patterns import engine, ere, re2text
from amiproxy.patterns.errors import PatternError
from amiproxy.routing import looks
from amiproxy.routing.eventfilter import MAX_COST, NO_FILTERS, EventFilters, filter_action
from amiproxy.routing.facts import facts_of
from tests.threads.actions.support import Client

USERS = """
old=secret
phone=secret,sip/1
[base](!)
secret = secret
[watcher](base)
read = all
write = system
[dialer](base)
read = all
write = call,originate
[nobody](base)
read = all
"""
SENT = ("Action: Filter", "Operation: Add", "ActionID: 7")

needs_re2 = pytest.mark.skipif(not re2text.AVAILABLE, reason="google-re2 is not installed")


@pytest.fixture
def without_re2(monkeypatch: pytest.MonkeyPatch) -> None:
    """As where google-re2 is not installed."""
    monkeypatch.setattr(re2text, "AVAILABLE", False)
    monkeypatch.setattr(looks, "_LOOKS", WeakValueDictionary())


def told(answer: list[str]) -> str:
    """Return the Message of *answer*."""
    return next(line[9:] for line in answer if line.startswith("Message: "))


def add(filters: EventFilters, text: str, criteria: str = "") -> EventFilters:
    """Return *filters* with one more, or the same if it is refused."""
    message = Message.of(*SENT, f"Filter: {text}", f"MatchCriteria: {criteria}")
    return filter_action(filters, message)[0] or filters


@pytest.mark.parametrize(
    ("name", "may"),
    [("old", True), ("phone", True), ("watcher", True), ("dialer", False), ("nobody", False)],
)
def test_filter_needs_the_class_system_in_a_section(name: str, may: bool) -> None:
    """As in Asterisk; users of the C program's form have it."""
    client = Client(USERS)
    client.handle("Action: Login", f"Username: {name}", "Secret: secret")

    answer = client.ask(*SENT, "Filter: x")

    assert answer[0] == ("Response: Success" if may else "Response: Error")
    assert ("Message: Action Filtered" in answer) is not may
    assert (client.session.own_filters is not None) is may


HOSTILE = ["(.{0,30}){30}q", "(.?){900}q", "x{1,999}y", "(a|b)*a(a|b){12}", "a.{14}b", ".|x.{20}y", "Event|(a|b)*a(a|b){12}",
           "((a{0,99}){0,99}){0,99}", "(" * 60 + ")" * 60, "a" + "?" * 100, "[ab]*[^c]{80}a.{9}",
           "(^|a){2}", r"(.*)\1"]  # fmt: skip


@pytest.mark.parametrize("text", HOSTILE)
def test_what_costs_too_much_is_refused_with_the_reason(text: str) -> None:
    """Nothing changes, and the client is told more than that it does not compile."""
    client = Client()

    answer = client.ask(*SENT, f"Filter: {text}")

    assert answer[0] == "Response: Error"
    assert told(answer).startswith("Filter refused: ")
    assert client.session.own_filters is None


@pytest.mark.parametrize("text", HOSTILE)
def test_so_it_is_in_the_users_file_unless_the_automaton_is_small(text: str) -> None:
    """Or it has a cost of less than 20 microseconds an event."""
    try:
        search = engine.search_for(ere.parse(text.encode()), engine.OF_FILES, lines=False)
    except PatternError:
        return
    assert search.cost < 20


def texts_of(number: int, kind: str) -> str:
    return {
        "short": f"!zqN{number}M",
        "long": f"!{'x' * 60}{number}{'y' * 60}",
        "repeats": f"{'a' * 300}{number}",
        "dashes": f"{'-' * 15}{number}",
        "regex": f"[a-c]{number}.*[xy]",
        "once": f"a{number}(b|c)",
    }[kind]


@pytest.mark.parametrize("kind", ["short", "long", "repeats", "dashes", "regex", "once"])
@pytest.mark.parametrize(
    "criteria", ["", "header(H{}),method(regex)", "name(N{}),method(contains)"]
)
def test_no_set_of_filters_may_cost_more_than_the_bound(kind: str, criteria: str) -> None:
    """Whatever 128 a client tries: those that are accepted stay below it together."""
    filters = NO_FILTERS
    for number in range(128):
        filters = add(filters, texts_of(number, kind), criteria.format(number))

    assert filters.cost <= MAX_COST
    assert filters or kind not in ("short", "dashes")


@needs_re2
def test_many_short_texts_are_looked_for_together() -> None:
    """A client may have 128 of them, and they find what each of them would."""
    filters = NO_FILTERS
    for number in range(128):
        filters = add(filters, f"!zq{number}M")

    assert len(filters.excludes) == 128
    assert [filters.passes(Message.of(f"Event: zq{n}")) for n in ("5M", "5", "127M", "128M")] == [
        False, True, False, True,
    ]  # fmt: skip


@pytest.mark.usefixtures("without_re2")
def test_without_re2_special_characters_are_refused_saying_why() -> None:
    """And the answer names the package, and what is accepted instead."""
    client = Client()

    answer = client.ask(*SENT, "Filter: Channel: (PJ)?SIP/")

    assert answer[0] == "Response: Error"
    assert told(answer).startswith("Filter refused: special characters would need")
    assert "google-re2" in told(answer)
    assert told(client.ask(*SENT, "Filter: [bad(")).startswith("Filter did not compile.")


@pytest.mark.usefixtures("without_re2")
@pytest.mark.parametrize(
    ("criteria", "text"),
    [("", "Channel: SIP/1"), ("", r"x\.y"), ("header(Channel),method(starts_with)", "SIP/1"),
     ("method(starts_with)", "Event: New"), ("header(Channel),method(exact)", "SIP/1"),
     ("name(Newchannel)", ""), ("header(Channel),method(ends_with)", "/1")],
)  # fmt: skip
def test_without_re2_texts_are_accepted(criteria: str, text: str) -> None:
    """Also with criteria, and with special characters that a backslash makes ordinary."""
    client = Client()

    assert client.ask(*SENT, f"Filter: {text}", f"MatchCriteria: {criteria}")[0].endswith("Success")


@pytest.mark.usefixtures("without_re2")
def test_without_re2_the_users_file_may_use_what_it_may_with_it() -> None:
    """The automaton serves."""
    filters = NO_FILTERS.with_line(r"Channel: (PJ)?SIP/[0-9]{3}\>")

    assert filters.passes(Message.of("Event: X", "Channel: PJSIP/101-1"))
    assert not filters.passes(Message.of("Event: X", "Channel: PJSIP/1011-1"))
    assert "not installed" in engine.describe()


@needs_re2
def test_with_re2_it_says_so() -> None:
    """For astmanproxy -t."""
    assert engine.describe() == "patterns of event filters run in google-re2"


@pytest.mark.parametrize("hidden", [False, True])
def test_equal_patterns_are_looked_for_once_for_each_event(
    hidden: bool, request: pytest.FixtureRequest
) -> None:
    """Whoever's they are; what was found is kept with the event, not elsewhere."""
    if hidden:
        request.getfixturevalue("without_re2")
    one = NO_FILTERS.with_line("Channel: (a|b)[0-9]").with_line("!y[0-9]")
    other = NO_FILTERS.with_line("nothing").with_line("Channel: (a|b)[0-9]").with_line("!z[0-9]")
    event = Message.of("Event: X", "Channel: b7")
    assert one.passes(event)
    kept = facts_of(event).looks
    assert kept is not None
    assert set(kept.values()) == {True}

    kept.update(dict.fromkeys(kept, False))

    assert not other.passes(event)
    assert other.passes(Message.of("Event: X", "Channel: b7"))


def test_what_is_found_does_not_depend_on_how_it_is_looked_for() -> None:
    """Texts together, one by one, framed by line feeds: as a plain comparison finds them."""
    numbers = random.Random(7)
    methods: dict[str, Callable[[str, str], bool]] = {"exact": str.__eq__, "starts_with": str.startswith, "ends_with": str.endswith,
               "contains": str.__contains__}  # fmt: skip
    for _ in range(60):
        words = ["".join(numbers.choices("ab-", k=numbers.randint(1, 4))) for _ in range(12)]
        values = ["".join(numbers.choices("ab-", k=numbers.randint(0, 6))) for _ in range(3)]
        event = Message.of("Event: X", *(f"H:  {value}" for value in values), "Hx: ab")
        method = numbers.choice(list(methods))
        filters = NO_FILTERS
        for word in words:
            filters = filters.with_line(word, f"header(H),method({method})")
        expected = any(methods[method](value, word) for value in values if value for word in words)

        assert filters.passes(event) is expected, (words, values, method)
