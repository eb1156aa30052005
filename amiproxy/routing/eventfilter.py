# SPDX-License-Identifier: GPL-2.0-or-later
"""Event filters: ``eventfilter`` lines of a user, and ``Action: Filter``.

The rules are Asterisk's (main/manager.c of Asterisk 22; recordings h2_filter and
h2_filter_conf): an event passes when one of the include filters matches, or there
is none, and no exclude filter does.

Filters apply to events nobody asked for.  Answers and the events of a list that a
client asked for are never hidden by them: callers of ``passes`` ensure that.

Patterns come from outside.  They run in re2, whose time is linear in the text, however
malicious the pattern; their length and number are bounded.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Callable, NamedTuple

import re2

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.message import Message

MAX_PATTERN = 1024  # characters; a line to Asterisk cannot have more either
MAX_FILTERS = 128  # of one session, its user's own included

ADDED = "Success"
MALFORMED = "Filter was formatted incorrectly.  Check the syntax of the filter given."
NOT_COMPILED = "Filter did not compile.  Check the syntax of the filter given."
UNKNOWN_OPERATION = "Unknown operation"
TOO_MANY = "Too many filters"

# One criterion: a word, and what its parentheses hold.
_CRITERION = re.compile(r"[ \t]*(action|name|header|method)\(([^()]*)\)[ \t]*(,|\Z)")


class FilterError(ValueError):
    """A filter that cannot be used; the text is what Asterisk answers."""


@dataclass(frozen=True)
class EventFilter:
    """One filter, ready to run.  Names and texts are bytes as on the wire."""

    name: str = ""
    header: str = ""
    method: str = "regex"
    text: bytes = b""
    # Two filters with the same text are the same, so this does not count.
    pattern: Any = field(default=None, compare=False, repr=False)

    def matches(self, message: Message) -> bool:
        """Return whether this filter matches *message*."""
        if self.name and message.get("Event") != self.name:
            return False
        compare = METHODS[self.method].compare
        if not self.header:
            return compare(self, message.raw)
        values = message.all(self.header)
        return any(compare(self, value.encode("latin-1")) for value in values)

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


class Method(NamedTuple):
    """One way to compare a filter's text with an event."""

    words: str  # how it is described
    #: Whether the filter means this: a whole event, or the value of its header.
    compare: Callable[[EventFilter, bytes], bool]


#: The methods of match criteria, by the name that clients and manager.conf give them.
#: A new method is a row here.
METHODS: Mapping[str, Method] = MappingProxyType(
    {
        "regex": Method("matches", lambda one, data: one.pattern.search(data) is not None),
        "exact": Method("is", lambda one, data: data == one.text),
        "starts_with": Method("starts with", lambda one, data: data.startswith(one.text)),
        "ends_with": Method("ends with", lambda one, data: data.endswith(one.text)),
        "contains": Method("contains", lambda one, data: one.text in data),
        "none": Method("is there", lambda _one, _data: True),
    }
)


@dataclass(frozen=True)
class EventFilters:
    """All filters of a user or a session.  A value: adding one makes another."""

    includes: tuple[EventFilter, ...] = ()
    excludes: tuple[EventFilter, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.includes or self.excludes)

    def passes(self, message: Message) -> bool:
        """Return whether *message*, an event nobody asked for, may be seen."""
        if self.includes and not any(one.matches(message) for one in self.includes):
            return False
        return not (self.excludes and any(one.matches(message) for one in self.excludes))

    def with_line(self, text: str, criteria: str = "") -> EventFilters:
        """Return these filters and one more.

        Without *criteria* (or with blank ones), *text* is a POSIX extended regular
        expression that is searched in the whole event, lines and all; ``!`` before
        it makes it an exclude.  With *criteria*, as
        ``action(exclude),name(Hangup),header(Channel),method(starts_with)``, these
        say what *text* is compared with, and how.

        Raises:
            FilterError: malformed, too long, too many, or not a regular expression.

        """
        if len(self.includes) + len(self.excludes) >= MAX_FILTERS:
            raise FilterError(TOO_MANY)
        if len(text) > MAX_PATTERN or len(criteria) > MAX_PATTERN:
            raise FilterError(MALFORMED)
        if criteria.strip(" \t"):
            exclude, one = _advanced(text, criteria)
        else:
            exclude = text.startswith("!")
            one = _filter(text[1:] if exclude else text)
        if exclude:
            return EventFilters(self.includes, (*self.excludes, one))
        return EventFilters((*self.includes, one), self.excludes)


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
    try:
        return filters.with_line(message.get("Filter"), message.get("MatchCriteria")), ADDED
    except FilterError as error:
        return None, str(error)


def _advanced(text: str, criteria: str) -> tuple[bool, EventFilter]:
    """Read the form with criteria; return (is it an exclude, the filter)."""
    found: dict[str, str] = {}
    at = 0
    while at < len(criteria):
        match = _CRITERION.match(criteria, at)
        if match is None or match[1] in found or (match[3] and match.end() == len(criteria)):
            raise FilterError(MALFORMED)
        found[match[1]] = match[2].strip(" \t")
        at = match.end()
    if not all(found.values()):
        raise FilterError(MALFORMED)
    action = found.get("action", "include")
    # A name without a text compares nothing but the name.
    method = found.get("method", "regex" if text else "none")
    if action not in ("include", "exclude") or method not in METHODS:
        raise FilterError(MALFORMED)
    name, header = found.get("name", ""), found.get("header", "")
    if method == "none":
        if text or not (name or header):
            raise FilterError(MALFORMED)
        return action == "exclude", EventFilter(name, header, method)
    return action == "exclude", _filter(text, name, header, method)


def _filter(text: str, name: str = "", header: str = "", method: str = "regex") -> EventFilter:
    """Make a filter with a text.

    Raises:
        FilterError: *text* is empty, not latin-1, or not a regular expression.

    """
    if not text:
        raise FilterError(MALFORMED)
    try:
        data = text.encode("latin-1")
    except UnicodeEncodeError:
        raise FilterError(MALFORMED) from None
    pattern = _compile(data) if method == "regex" else None
    return EventFilter(name, header, method, data, pattern)


def _compile(data: bytes) -> Any:
    """Compile a POSIX extended expression as Asterisk's regcomp would."""
    options = re2.Options()
    options.encoding = re2.Options.Encoding.LATIN1
    options.posix_syntax = True
    # What glibc accepts as well: \w \s \b.
    options.perl_classes = True
    options.word_boundary = True
    # ``.`` matches line ends, ``^`` and ``$`` the ends of the whole event only.
    options.dot_nl = True
    options.one_line = True
    options.never_capture = True
    options.log_errors = False
    options.max_mem = 1 << 20
    try:
        return re2.compile(data, options)
    except re2.error:
        raise FilterError(NOT_COMPILED) from None
