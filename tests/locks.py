# SPDX-License-Identifier: GPL-2.0-or-later
"""Locks that know their names and the order in which a thread may take them.

``checked_locks()`` puts them in the place of every lock that amiproxy makes meanwhile.  The
order is the table of docs/design.md, section Locks.  A checked lock's ``locked()`` says
whether the calling thread holds it, so that the assertions of methods whose caller must
hold a lock are exact.
"""

from __future__ import annotations

import contextlib
import linecache
import re
import sys
import threading
from typing import TYPE_CHECKING, Any
from unittest import mock

from tests.support import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator

_LOCK, _CONDITION = threading.Lock, threading.Condition


def documented_order() -> set[tuple[str, str]]:
    """Return the pairs (outer, inner) of docs/design.md: who holds outer may take inner."""
    text = (ROOT / "docs/design.md").read_text(encoding="utf-8")
    section = text.partition("\n## Locks")[2].partition("\n## ")[0]
    order: set[tuple[str, str]] = set()
    for chain in section.split("```")[1].splitlines():
        steps = [re.findall(r"[A-Za-z]+\.\w+", step) for step in chain.split("->")]
        order |= {(outer, inner) for outers, inners in zip(steps, steps[1:])
                  for outer in outers for inner in inners}  # fmt: skip
    while True:
        # Who may take B under A, and C under B, may take C under A.
        more = {(a, d) for a, b in order for c, d in order if b == c} - order
        if not more:
            return order
        order |= more


class Record:
    """What the checked locks of one test have seen.  Any thread may write."""

    def __init__(self, order: set[tuple[str, str]]) -> None:
        self.order = order
        #: Pairs (outer, inner) that some thread held at once.
        self.taken: set[tuple[str, str]] = set()
        #: What went against the order, in words.
        self.offences: set[str] = set()
        self._held = threading.local()

    def held(self) -> list[CheckedLock]:
        """Return the locks that the calling thread holds, outermost first."""
        if not hasattr(self._held, "locks"):
            self._held.locks = []
        locks: list[CheckedLock] = self._held.locks
        return locks

    def note(self, lock: CheckedLock) -> None:
        """Note that the calling thread is about to wait for *lock*."""
        for outer in self.held():
            pair = (outer.name, lock.name)
            self.taken.add(pair)
            if pair not in self.order:
                thread = threading.current_thread().name
                self.offences.add(f"{thread}: {lock.name} under {outer.name}")


class CheckedLock:
    """A lock with a name, in the place of threading.Lock."""

    def __init__(self, name: str, record: Record) -> None:
        self.name = name
        self._record = record
        self._lock = _LOCK()

    def acquire(self, blocking: bool = True, timeout: float = -1) -> bool:
        """Take the lock as threading.Lock does, having looked at the order."""
        if blocking:
            self._record.note(self)
        taken = self._lock.acquire(blocking, timeout)
        if taken:
            self._record.held().append(self)
        return taken

    def release(self) -> None:
        """Let the lock go."""
        self._record.held().remove(self)
        self._lock.release()

    def locked(self) -> bool:
        """Return whether the calling thread holds the lock."""
        return self in self._record.held()

    def _is_owned(self) -> bool:
        # What threading.Condition asks.
        return self.locked()

    def __enter__(self) -> bool:
        return self.acquire()

    def __exit__(self, *_: object) -> None:
        self.release()


def _maker() -> str:
    """Return ``Class.attribute`` where amiproxy is making a lock, else ``""``."""
    frame = sys._getframe(2)  # noqa: SLF001
    if not frame.f_code.co_filename.startswith(str(ROOT / "amiproxy")):
        return ""
    line = linecache.getline(frame.f_code.co_filename, frame.f_lineno)
    attribute = re.search(r"self\.(\w+)\b[^=]*= ", line)
    owner = frame.f_locals.get("self")
    if attribute is None or owner is None:
        return ""
    for cls in type(owner).__mro__:
        # Of the class whose __init__ is running, not of one derived from it.
        init = vars(cls).get("__init__")
        if init is not None and init.__code__ is frame.f_code:
            return f"{cls.__name__}.{attribute[1]}"
    return f"{type(owner).__name__}.{attribute[1]}"


@contextlib.contextmanager
def checked_locks() -> Iterator[Record]:
    """Give checked locks to whatever amiproxy makes in the block; fail if one was misused."""
    record = Record(documented_order())

    def lock() -> Any:
        name = _maker()
        return CheckedLock(name, record) if name else _LOCK()

    def condition(lock: Any = None) -> threading.Condition:
        name = _maker() if lock is None else ""
        return _CONDITION(CheckedLock(name, record) if name else lock)  # type: ignore[arg-type]

    with mock.patch("threading.Lock", lock), mock.patch("threading.Condition", condition):
        yield record
    assert not record.offences, "\n".join(sorted(record.offences))
