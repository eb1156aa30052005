# SPDX-License-Identifier: GPL-2.0-or-later
"""Command: one thing that the operator may ask of the running proxy, as a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, NamedTuple, Optional

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.threads.sessions.context import ProxyContext


class Request(NamedTuple):
    """One command on its way to the function that carries it out."""

    context: ProxyContext
    #: The arguments, as many as the command takes.
    words: tuple[str, ...]
    #: Who asks, for the log: ``root``.
    who: str
    #: How wide the terminal is that the answer is for, in characters; 0: as wide as need be.
    width: int = 0
    #: Another proxy of the cluster asks: it is about this proxy alone.
    is_order: bool = False


class Answer(NamedTuple):
    """What is said to a Request: *lines* of text, or *data* for who asks for JSON.

    ``data`` None: the lines stand for it; a function returns it, where it takes long to make.
    *then* is called when the answer has been sent.
    """

    lines: Iterable[str] = ()
    is_good: bool = True
    data: object = None
    then: Optional[Callable[[], object]] = None

    @property
    def document(self) -> object:
        """What JSON is made of."""
        if self.data is None:
            return list(self.lines)
        return self.data() if callable(self.data) else self.data


# An answer is shown on a terminal, and what a client sent may stand in it (as in threads/log.py).
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(32), *range(127, 160))}


def clean(line: str) -> str:
    """Return *line* without what would begin another one, or control a terminal."""
    return line.translate(_ESCAPES)


def refusal(text: str) -> Answer:
    """Return the answer to a request that cannot be carried out, since *text*."""
    return Answer((text,), is_good=False)


Run = Callable[[Request], Answer]


@dataclass(frozen=True)
class Command:
    """One command: *name* is one word or two, *run* carries it out.

    *arguments* are as the help shows them, ``[MODULE]`` for one that may be left out.  One that
    *changes* something leaves a line in the log.  *action*: what clients call it as a ProxyAction,
    "" if they cannot.
    """

    name: str
    arguments: tuple[str, ...]
    help: str
    changes: bool
    action: str
    run: Run

    @property
    def usage(self) -> str:
        """How it is typed."""
        return " ".join([self.name, *self.arguments])

    def takes(self, count: int) -> bool:
        """Return whether it can be given *count* arguments."""
        least = sum(not each.startswith("[") for each in self.arguments)
        return least <= count <= len(self.arguments)


def command(
    name: str, *arguments: str, explanation: str, changes: bool = False, action: str = ""
) -> Callable[[Run], Command]:
    """Make the function below the command *name*."""
    return lambda run: Command(name, arguments, explanation, changes, action, run)
