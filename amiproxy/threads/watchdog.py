# SPDX-License-Identifier: GPL-2.0-or-later
"""The watchdog's thread: says which thread hangs, and where; ends sessions that keep one busy.

An I/O handler of the administrator's own runs in the threads of the proxy.  If it never
returns, the Asterisk whose thread it is sends nothing to anybody any more.  Nothing can
end a thread; but a line in the log can name it, and systemd can start the process again.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.formats import HANDLERS
from amiproxy.threads.net.endless import endless
from amiproxy.threads.net.watched import WatchedThread

if TYPE_CHECKING:
    from collections.abc import Sequence
    from types import FrameType

    from amiproxy.threads.supervisor import Supervisor

log = logging.getLogger("amiproxy.watchdog")

#: How often it looks, how long a thread may be busy, and how often it is named then; seconds.
INTERVAL = 1.0
PATIENCE = 5.0
AGAIN = 60.0

#: How many calls of a stack are logged, the last ones.
_CALLS = 30


class _Finding(NamedTuple):
    """What was found of a thread that is busy for long; times in monotonic seconds."""

    since: float  # it is busy
    hangs: bool
    look_again: float


class Watchdog:
    """Looks after all watched threads; *revive* starts those that could not be started.

    It tells *supervisor* that all is well, and what *status* returns, a line.  Times are in
    seconds: *interval* between two looks, *patience* with a busy thread.
    """

    def __init__(
        self,
        revive: Callable[[], object],
        supervisor: Supervisor,
        status: Callable[[], str],
        *,
        interval: float = INTERVAL,
        patience: float = PATIENCE,
    ) -> None:
        self._revive = revive
        self._interval = interval
        self._patience = patience
        self._stopping = threading.Event()
        self._supervisor = supervisor
        self._status = status
        self._known: dict[WatchedThread, _Finding] = {}
        # What it has found last, of threads that all need; and when that was, 0.0: never.
        self._hung: tuple[str, ...] = ()
        self._looked = 0.0
        self._thread = threading.Thread(target=self._run, name="watchdog", daemon=True)

    def start(self) -> None:
        """Start the thread."""
        self._thread.start()

    def hanging(self) -> tuple[str, ...]:
        """Return the names of the threads that hang and that all need; itself, if that is it."""
        if self._looked and time.monotonic() - self._looked > self._patience + self._interval:
            return *self._hung, self._thread.name
        return self._hung

    def stop(self) -> None:
        """End the thread."""
        self._stopping.set()
        self._thread.join(1.0)

    def _run(self) -> None:
        endless("watchdog", self._look)

    def _look(self) -> bool:
        if self._stopping.wait(self._interval):
            return False
        self._revive()
        threads = [each for each in threading.enumerate() if isinstance(each, WatchedThread)]
        for each in threads:
            if each.look is not None:
                each.look()
        now = time.monotonic()
        hanging = self._hanging(threads, now)
        self._hung = tuple(thread.name for thread in hanging if thread.essential)
        self._looked = now
        if self._supervisor.is_there:
            self._supervisor.describe(self._status())
            if not self._hung:
                self._supervisor.feed()
        return True

    def _hanging(self, threads: Sequence[WatchedThread], now: float) -> list[WatchedThread]:
        """Return those of *threads* that hang; log the new ones, and the others now and then."""
        busy: dict[WatchedThread, float] = {}
        for thread in threads:
            since = thread.work.busy_since
            if since and now - since >= self._patience:
                busy[thread] = since
        # Those that went on are forgotten.
        known = {each: found for each, found in self._known.items()
                 if busy.get(each) == found.since}  # fmt: skip
        due = [each for each in busy if each not in known or known[each].look_again <= now]
        frames = sys._current_frames() if due else {}  # noqa: SLF001 - there is no other way
        for thread in due:
            frame = frames.get(thread.ident or 0)
            hangs = frame is not None and _hangs(thread, frame)
            if frame is not None and hangs:
                _tell(thread, frame, now - busy[thread])
            known[thread] = _Finding(busy[thread], hangs, now + AGAIN)
        self._known = known
        return [thread for thread, found in known.items() if found.hangs]


def _calls(frame: FrameType) -> list[FrameType]:
    """Return *frame* and those that called it, the innermost first."""
    found: list[FrameType] = []
    each: FrameType | None = frame
    while each is not None:
        found.append(each)
        each = each.f_back
    return found


def _handler(frame: FrameType) -> str:
    """Return the name of the handler that *frame* runs, "" if it runs none."""
    for each in _calls(frame):
        package, _, name = str(each.f_globals.get("__name__", "")).partition(".")
        if package == HANDLERS:
            return name
    return ""


def _hangs(thread: WatchedThread, frame: FrameType) -> bool:
    """Return whether *thread*, busy for long, hangs, and does not just wait for a peer."""
    return not thread.waits or bool(_handler(frame))


def _tell(thread: WatchedThread, frame: FrameType, seconds: float) -> None:
    """Log that *thread* hangs, and its stack, without any value in it."""
    name = _handler(frame)
    where = f" in handler {name}" if name else ""
    stack = traceback.StackSummary.extract(traceback.walk_stack(frame), lookup_lines=False)
    calls = [f"{call.filename}:{call.lineno} in {call.name}" for call in stack[:_CALLS]]
    record = log.makeRecord(
        log.name,
        logging.ERROR,
        __file__,
        0,
        "thread %s hangs for %d s%s",
        (thread.name, seconds, where),
        None,
        sinfo="\n".join(calls),
    )
    log.handle(record)
