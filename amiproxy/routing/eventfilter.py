# SPDX-License-Identifier: GPL-2.0-or-later
"""Event filters: ``eventfilter`` lines of a user, and ``Action: Filter``.

The rules are Asterisk's (main/manager.c of Asterisk 22, manager_add_filter and
should_send_event; recordings h2_filter and h2_filter_conf): an event passes when one of the
include filters matches, or there is none, and no exclude filter does.

Filters apply to events nobody asked for.  Answers and the events of a list that a
client asked for are never hidden by them: callers of ``passes`` ensure that.

Patterns come from outside.  patterns/ bounds what each may cost; here it is bounded what
those of one client may cost together.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from functools import cached_property
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

from amiproxy.patterns import engine, ere
from amiproxy.patterns.errors import MalformedError, PatternError
from amiproxy.patterns.tree import Anchor, Row, literal
from amiproxy.routing import looks

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amiproxy.message import Message
    from amiproxy.patterns.automaton import Budget
    from amiproxy.patterns.tree import Node
    from amiproxy.routing.looks import Look

MAX_PATTERN = 1024  # characters; a line to Asterisk cannot have more either
MAX_FILTERS = 128  # of one client
#: What those of one client may cost together, in microseconds for an event of 400 bytes.
MAX_COST = 20.0

ADDED = "Success"
MALFORMED = "Filter was formatted incorrectly.  Check the syntax of the filter given."
NOT_COMPILED = "Filter did not compile.  Check the syntax of the filter given."
UNKNOWN_OPERATION = "Unknown operation"
TOO_MANY = "Too many filters"
_TOO_DEAR = f"{TOO_MANY}: together they may cost {MAX_COST:.0f} microseconds an event, not more"

# What Asterisk skips and strips as blanks (ast_strip).
_BLANKS = "".join(map(chr, range(1, 33)))
# What a comparison with the event's name costs.
_NAME_COST = 0.1


class FilterError(ValueError):
    """A filter that cannot be used; the text is what the client is answered."""


class Method(NamedTuple):
    """One way to compare a filter's text with an event, or with the value of a header."""

    words: str  # how it is described
    begins: bool = False  # the value begins with the text
    ends: bool = False


#: The methods of match criteria, by the name that clients and manager.conf give them.
METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "regex": Method("matches"),
        "exact": Method("is", begins=True, ends=True),
        "starts_with": Method("starts with", begins=True),
        "ends_with": Method("ends with", ends=True),
        "contains": Method("contains"),
        "none": Method("is there"),
    }
)


@dataclass(frozen=True)
class EventFilter:
    """One filter, ready to run.  Names and texts are as on the wire."""

    name: str = ""
    #: Without its colon, in the case that counts.
    header: str = ""
    method: str = "regex"
    text: bytes = b""
    # Two filters with the same text are the same, so these do not count.  One of them is
    # there: the text to look for together with others, or what looks for it.
    plain: bytes | None = field(default=None, compare=False, repr=False)
    look: Look | None = field(default=None, compare=False, repr=False)

    @property
    def key(self) -> tuple[bytes, bytes]:
        """The first line of the events, and the header with its colon; b"" if any."""
        head = f"Event: {self.name}\r\n" if self.name else ""
        return head.encode("latin-1"), f"{self.header}:".encode("latin-1") if self.header else b""

    def describe(self) -> str:
        """Return in words which events this filter means."""
        what = f"{self.name} events" if self.name else "events"
        if self.header:
            what += f" whose {self.header}"
        elif self.method != "none":
            what += " whose text"
        text = self.text.decode("latin-1")
        words = METHODS[self.method].words
        return f"{what} {words} {text}".rstrip() if self.header or text else what


class Test(NamedTuple):
    """Something that filters look for; *head* is the first line of the event, b"": any."""

    head: bytes
    look: Look

    def holds(self, message: Message) -> bool:
        """Return whether *message* has it."""
        return (not self.head or _begins(message, self.head)) and self.look.found(message)


@dataclass(frozen=True)
class EventFilters:
    """All filters of a user or a session.  A value: adding one makes another."""

    includes: tuple[EventFilter, ...] = ()
    excludes: tuple[EventFilter, ...] = ()
    #: Whether all of them are of files: no client has added any.
    of_files: bool = field(default=True, compare=False)

    def __bool__(self) -> bool:
        return bool(self.includes or self.excludes)

    @cached_property
    def tests(self) -> tuple[tuple[Test, ...], tuple[Test, ...]]:
        """What includes and excludes look for: all texts in the same place at once."""
        return _tests(self.includes), _tests(self.excludes)

    @property
    def cost(self) -> float:
        """Microseconds that an event of 400 bytes costs at most."""
        tests = [test for tests in self.tests for test in tests]
        alone = sum(test.look.cost + (_NAME_COST if test.head else 0) for test in tests)
        return alone + (looks.VALUES if any(test.look.header for test in tests) else 0)

    def passes(self, message: Message) -> bool:
        """Return whether *message*, an event nobody asked for, may be seen."""
        includes, excludes = self.tests
        if includes and not any(test.holds(message) for test in includes):
            return False
        return not any(test.holds(message) for test in excludes)

    def with_line(
        self, text: str, criteria: str = "", budget: Budget = engine.OF_FILES
    ) -> EventFilters:
        """Return these filters and one more.

        Without *criteria* (or with blank ones), *text* is a POSIX extended regular
        expression that is searched in the whole event, lines and all.  With *criteria*, as
        ``action(exclude),name(Hangup),header(Channel),method(starts_with)``, these say what
        *text* is compared with, and how.  ``!`` before the text makes it an exclude, unless
        ``action`` says otherwise.  *budget* is how large patterns may become.

        Raises:
            FilterError: malformed, or not a regular expression, or one that costs too much.

        """
        if len(text) > MAX_PATTERN or len(criteria) > MAX_PATTERN:
            raise FilterError(MALFORMED)
        exclude = text.startswith("!")
        text = text[exclude:]
        if criteria.strip(_BLANKS):
            given = _criteria(criteria)
            action = given.get("action")
            if action is not None:
                exclude = action == "exclude"
            one = _advanced(text, given, budget)
        else:
            one = _filter(text, {}, "regex", budget)
        of_files = self.of_files and budget is engine.OF_FILES
        if exclude:
            return EventFilters(self.includes, (*self.excludes, one), of_files)
        return EventFilters((*self.includes, one), self.excludes, of_files)


#: No filter: all events pass.
NO_FILTERS = EventFilters()


def filter_action(filters: EventFilters, message: Message) -> tuple[EventFilters | None, str]:
    """Carry out ``Action: Filter``: return the new filters and what to answer.

    The text is the answer's ``Message``.  If the filters are None it is an error, and
    the old filters stay.  Texts and order of the checks are Asterisk's (recording
    h2_filter).
    """
    if message.get("Operation").lower() != "add":
        return None, UNKNOWN_OPERATION
    if len(filters.includes) + len(filters.excludes) >= MAX_FILTERS:
        return None, f"{TOO_MANY}: a client may have {MAX_FILTERS}"
    text, criteria = message.get("Filter"), message.get("MatchCriteria")
    if filters.cost + engine.RE2 >= MAX_COST and _is_pattern(text, criteria):
        return None, _TOO_DEAR  # to make an automaton only to say so takes time
    try:
        added = filters.with_line(text, criteria, engine.OF_CLIENTS)
    except FilterError as error:
        return None, str(error)
    return (None, _TOO_DEAR) if added.cost > MAX_COST else (added, ADDED)


def _is_pattern(text: str, criteria: str) -> bool:
    """Return whether *text* may be more than a text, and is a regular expression."""
    if criteria and "regex" not in criteria:
        return False
    return any(char in "^$.[]|()*+?{}\\" for char in text)


def _begins(message: Message, head: bytes) -> bool:
    """Return whether *head* is the first line of *message*, whose name may be spelt oddly."""
    raw = message.raw
    if raw.startswith(b"Event: "):
        return raw.startswith(head)
    return b"Event: %b\r\n" % message.get("Event").encode("latin-1") == head


def _tests(filters: Iterable[EventFilter]) -> tuple[Test, ...]:
    """Return what *filters* look for."""
    found: list[Test] = []
    texts: dict[tuple[bytes, bytes], dict[bytes, None]] = {}
    for one in filters:
        if one.look is not None:
            found.append(Test(one.key[0], one.look))
        elif one.plain is not None:
            texts.setdefault(one.key, {})[one.plain] = None
    together = [
        Test(head, looks.for_texts(tuple(wanted), header))
        for (head, header), wanted in texts.items()
    ]
    return (*together, *found)


def _criteria(text: str) -> dict[str, str]:
    """Return what the match criteria *text* say, as Asterisk takes them apart (strtok).

    Raises:
        FilterError: they say nothing, or what Asterisk does not know.

    """
    found: dict[str, str] = {}
    for option in text.replace(",", " ").replace(")", " ").split(" "):
        if not option:
            continue
        word, bracket, value = option.partition("(")
        key = next((k for k in ("action", "name", "header", "method") if word.startswith(k)), "")
        value = value.strip(_BLANKS)
        if not key or not bracket or not value:
            raise FilterError(MALFORMED)
        found[key] = value  # of several the last counts
    if not found or found.get("action") not in (None, "include", "exclude"):
        raise FilterError(MALFORMED)
    return found


def _advanced(text: str, given: Mapping[str, str], budget: Budget) -> EventFilter:
    """Make the filter with the criteria *given*."""
    method = given.get("method", "none")
    if method not in METHODS or bool(text) is (method == "none"):
        raise FilterError(MALFORMED)
    if method == "none" and not ("name" in given or "header" in given):
        raise FilterError(MALFORMED)
    if given.get("header") == ":":
        raise FilterError(MALFORMED)
    return _filter(text, given, method, budget)


def _filter(text: str, given: Mapping[str, str], method: str, budget: Budget) -> EventFilter:
    """Make a filter; *text* is empty for the method none.

    Raises:
        FilterError: *text* is not latin-1, or not a regular expression that can be used.

    """
    if not text and method != "none":
        raise FilterError(MALFORMED)
    name, header = given.get("name", ""), given.get("header", "").removesuffix(":")
    try:
        one = EventFilter(name, header, method, text.encode("latin-1"))
        _, header_and_colon = one.key
    except UnicodeEncodeError:
        raise FilterError(MALFORMED) from None
    try:
        plain, look = _what(one.text, header_and_colon, method, budget)
    except MalformedError as error:
        raise FilterError(NOT_COMPILED) from error
    except PatternError as error:
        raise FilterError(f"Filter refused: {error}") from None
    return replace(one, plain=plain, look=look)


def _what(
    text: bytes, header: bytes, method: str, budget: Budget
) -> tuple[bytes | None, Look | None]:
    """Return the text that can be looked for together with others, or the look.

    Raises:
        PatternError: the pattern cannot be used.

    """
    if method == "none":
        return None, looks.for_anything(header)
    _, begins, ends = METHODS[method]
    if (begins or ends) and not header:
        return None, looks.for_edge(text, begins=begins, ends=ends)
    node: Node = ere.parse(text) if method == "regex" else literal(text)
    plain = engine.plain_text(node)
    if plain is not None and not (header and b"\n" in plain):
        return b"\n" * begins + plain + b"\n" * ends, None
    if begins or ends:
        node = Row((*[Anchor("^")] * begins, node, *[Anchor("$")] * ends))
    return None, looks.for_pattern(node, header, budget)
