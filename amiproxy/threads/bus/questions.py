# SPDX-License-Identifier: GPL-2.0-or-later
"""Questions: what one round asks Redis, and who reads which reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable

from amiproxy.threads.bus.rounds import Outcome, Round, Watch

if TYPE_CHECKING:
    from collections.abc import Sequence

#: Reads the replies to what it has asked; with when that was sent.
Reader = Callable[["list[Any]", float], object]


class Questions:
    """Commands for one round, in order, each lot with its reader."""

    def __init__(self) -> None:
        self._packed: list[bytes] = []
        self._readers: list[tuple[int, Reader]] = []
        self._watch: Watch | None = None

    def ask(self, commands: Sequence[bytes], reader: Reader) -> None:
        """Ask all *commands*; *reader* gets as many replies."""
        self._packed += commands
        self._readers.append((len(commands), reader))

    def watch(self, command: bytes, every: float, reader: Reader) -> None:
        """Ask *command*, and look at it *every* so many seconds after the round."""
        self._watch = Watch(command, len(self._packed), every)
        self.ask([command], reader)

    def round(self) -> Round:
        """Return the round that asks all of it."""
        return Round(b"".join(self._packed), len(self._packed), self._watch)

    def answer(self, outcome: Outcome) -> None:
        """Give each reader its part of the replies of *outcome*, which has some."""
        replies, at = outcome.replies or [], 0
        for count, reader in self._readers:
            reader(replies[at : at + count], outcome.sent)
            at += count
