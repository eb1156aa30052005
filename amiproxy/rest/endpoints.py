# SPDX-License-Identifier: GPL-2.0-or-later
"""Endpoint: one method of one path below ``/v1/``, as a row of the table that describes them all.

From these rows requests are served (amiproxy/threads/rest/), ``/openapi.json`` is made
(openapi.py), and the table in docs/live.md.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Callable, NamedTuple, Optional

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

#: What JSON Schema says of a value.
Schema = dict[str, Any]

TEXT: Mapping[str, Any] = MappingProxyType({"type": "string"})
ANYTHING: Mapping[str, Any] = MappingProxyType({"type": "object"})

#: Of a path: ``{name}`` is one of its parts, ``{+name}`` all that is left of it.
_VARIABLE = re.compile(r"\{(\+?)(\w+)\}")


class Parameter(NamedTuple):
    """What a request may, or must, say in its URL."""

    name: str
    about: str
    schema: Mapping[str, Any] = TEXT
    #: Whether it may be given several times.
    is_repeated: bool = False
    is_required: bool = False


class Answer(NamedTuple):
    """What a request is answered with, where all is well; *schema* None: without a body."""

    about: str
    schema: Optional[Mapping[str, Any]] = ANYTHING
    content_type: str = "application/json"


@dataclass(frozen=True)
class Endpoint:
    """One method of one path.

    *handler* takes an Asking and returns the answer.  *path* names parts as ``{name}``, and as
    ``{+name}`` one that takes the rest of the path.  *parameters* are those of the URL's query;
    *of_path* says of each name in the path what it is.  *body*: the schema of the JSON that a
    request must bring, *body_is_optional*: or may.  *problems* are the kinds of web/problems.py
    that it may be answered with, beside those that any may.  *parts* are the words of the key
    ``web``; it is there where one of them is.
    """

    method: str
    path: str
    handler: Callable[[Any], Any]
    summary: str
    parameters: tuple[Parameter, ...] = ()
    of_path: tuple[Parameter, ...] = ()
    body: Optional[Mapping[str, Any]] = None
    body_is_optional: bool = False
    answers: Mapping[int, Answer] = field(default_factory=lambda: {200: Answer("What it says")})
    problems: tuple[str, ...] = ()
    needs_login: bool = True
    #: What further parameters of the query are, which the handler looks at; "": there are none.
    further: str = ""
    parts: tuple[str, ...] = ("rest", "console")
    #: What the path must look like, and how many variables are in it; made from it.
    pattern: re.Pattern[str] = field(init=False, repr=False)
    variables: int = field(init=False, repr=False)

    def __post_init__(self) -> None:
        pieces = _VARIABLE.split(self.path)
        text = re.escape(pieces[0])
        for plus, name, literal in zip(pieces[1::3], pieces[2::3], pieces[3::3]):
            text += f"(?P<{name}>{'.+' if plus else '[^/]+'}){re.escape(literal)}"
        object.__setattr__(self, "pattern", re.compile(text, re.IGNORECASE | re.DOTALL))
        object.__setattr__(self, "variables", len(pieces) // 3)

    @property
    def shown_path(self) -> str:
        """The path as OpenAPI writes it."""
        return self.path.replace("{+", "{")

    def takes(self, path: str) -> dict[str, str] | None:
        """Return what *path*, decoded, says for each name in this one's; None: it is another."""
        found = self.pattern.fullmatch(path)
        return None if found is None else found.groupdict()


def at(endpoints: Iterable[Endpoint], path: str) -> dict[str, Endpoint]:
    """Return those of *endpoints* that are at *path*, by method.

    Where a path without a variable is meant, one with a variable is not.
    """
    found = [each for each in endpoints if each.takes(path) is not None]
    least = min((each.variables for each in found), default=0)
    return {each.method: each for each in found if each.variables == least}


def allow(endpoints: Mapping[str, Endpoint]) -> tuple[tuple[str, str], ...]:
    """Return the header that names the methods of *endpoints*, all at one path."""
    words = [*endpoints, *(("HEAD",) if "GET" in endpoints else ()), "OPTIONS"]
    return (("Allow", ", ".join(words)),)
