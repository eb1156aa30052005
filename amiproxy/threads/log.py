# SPDX-License-Identifier: GPL-2.0-or-later
"""The log: a thread of its own writes the lines that others put in its queue.

So a full or slow disk, or a stopped terminal, never makes a session wait.  Lines are
``%b %e %T: message``, as the C program wrote them, unless ``logfile`` and ``logformat`` say
otherwise.

The standard library's QueueListener and WatchedFileHandler would do less: the one
waits without limit for a stuck file when it stops, the other in ``emit``, and neither
counts what it loses.
"""

from __future__ import annotations

import contextlib
import logging
import queue
import sys
import threading
import time
from typing import TYPE_CHECKING, Callable, NamedTuple

from amiproxy.logs.forms import Form, TextForm
from amiproxy.logs.levels import AUDIT, PREFIX, Levels
from amiproxy.threads.loglimit import Kind, LineLimit, subject
from amiproxy.threads.net.endless import endless

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amiproxy.threads.logsinks import Sink

#: Lines that may wait for the disk; further ones are dropped and counted.
MAX_WAITING = 10000

#: Seconds that stop, reopen and close wait for a file that takes no more lines.
PATIENCE = 1.0

#: Seconds between two reports of lines that were left out (loglimit.py).
REPORT_INTERVAL = 10.0

#: How many lines go into one write.
_LINES_PER_WRITE = 500

_STDERR = 2


class Copy(NamedTuple):
    """Where records go as well, those that it *wants*: nobody counts what it does not take."""

    sink: Sink
    form: Form
    wants: Callable[[logging.LogRecord], bool]


#: Of records whose text is on stderr already.
SAID = {"said": True}


def is_own(record: logging.LogRecord) -> bool:
    """Return whether *record* is about the proxy itself, or its servers, and to be said anew."""
    is_new = record.levelno >= logging.INFO and not hasattr(record, "said")
    return is_new and subject(record)[0] is Kind.OWN


class Log(logging.Handler):
    """A logging handler that writes to *sink*, and to *copies* what these want.

    Emitting never blocks and never raises.  Safe from any thread.
    """

    def __init__(
        self,
        sink: Sink,
        form: Form | None = None,
        copies: Iterable[Copy] = (),
        *,
        levels: Levels | None = None,
        max_waiting: int = MAX_WAITING,
        patience: float = PATIENCE,
        report_interval: float = REPORT_INTERVAL,
    ) -> None:
        super().__init__()
        self._sink = sink
        self._form = form or TextForm()
        self._copies = tuple(copies)
        #: What is written from which level on; replaced whole.
        self.levels = levels or Levels()
        self._patience = patience
        # Used under the handler's own lock, which Handler.handle takes.
        self._limit = LineLimit()
        self._report_interval = report_interval
        self._reported = time.monotonic()
        # A record's bytes for the sink and each copy; None ends the thread.
        self._queue: queue.Queue[tuple[bytes, ...] | None] = queue.Queue(max_waiting)
        self._thread: threading.Thread | None = None
        # Without a lock: if two lines are lost at once, one may not be counted.
        self._lost = 0

    @property
    def is_on_stderr(self) -> bool:
        """Whether people read on stderr what is logged about the proxy itself."""
        sinks = [self._sink, *(copy.sink for copy in self._copies)]
        return any(sink.fileno() == _STDERR for sink in sinks)

    @property
    def lost(self) -> int:
        """How many lines were lost and have not been told of in the log."""
        return self._lost

    def fileno(self) -> int:
        """Return the descriptor of the sink, which becoming a daemon must not close."""
        return self._sink.fileno()

    def start(self) -> None:
        """Start the thread; lines logged before are written too."""
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Write the lines that wait and end the thread, unless the file is stuck."""
        thread, self._thread = self._thread, None
        if thread is not None:
            with contextlib.suppress(queue.Full):
                self._queue.put(None, timeout=self._patience)
            thread.join(self._patience)

    def reopen(self) -> None:
        """Open the file by its name again; if that fails, keep the old one.

        Raises:
            OSError: the file cannot be opened, or the old one is stuck.

        """
        self._sink.reopen(self._patience)

    def emit(self, record: logging.LogRecord) -> None:
        """Put *record* in the queue, or count it as lost."""
        try:
            is_written = record.levelno >= self.levels.of_logger(record.name)
            if hasattr(record, "said") and self._sink.fileno() == _STDERR:
                is_written = False
            wants = [copy.wants(record) for copy in self._copies] if self._copies else ()
            if not (is_written or any(wants)):
                return
            is_limited = is_written or record.levelno >= logging.INFO
            if is_limited and not self._limit.admits(record):
                if self._limit.left_out == 1:
                    self._queue.put_nowait(())  # the thread is to report it in time
                return
            self._queue.put_nowait(self._entries(record, is_written, *wants))
        except Exception:  # noqa: BLE001 - logging must never hurt its caller
            self._lost += 1

    def _entries(self, record: logging.LogRecord, *wants: bool) -> tuple[bytes, ...]:
        """Return *record* for the sink and each copy, b"" for who does not want it."""
        if not self._copies:
            return (self._form.encode(record),)
        forms = (self._form, *(copy.form for copy in self._copies))
        return tuple(form.encode(record) if want else b"" for form, want in zip(forms, wants))

    def _run(self) -> None:
        endless("log", self._write_some)

    def _write_some(self) -> bool:
        """Write the lines that wait, at least one; return False at the end."""
        items: list[tuple[bytes, ...] | None] = []
        with contextlib.suppress(queue.Empty):
            items.append(self._queue.get(timeout=self._until_report()))
            while len(items) < _LINES_PER_WRITE:
                items.append(self._queue.get_nowait())
        is_over = None in items
        found = [item for item in items if item]
        if is_over or self._until_report() == 0.0:
            found += self._report()
        mine, *copied = zip(*found) if found else ((),)
        self._write([entry for entry in mine if entry])
        for copy, entries in zip(self._copies, copied):
            copy.sink.write([entry for entry in entries if entry])
        return not is_over

    def _until_report(self) -> float | None:
        """Return the seconds until it is to be said what was left out, None for nothing."""
        if not self._limit.left_out:
            return None
        return max(0.0, self._reported + self._report_interval - time.monotonic())

    def _report(self) -> list[tuple[bytes, ...]]:
        """Return the lines that say what was left out."""
        self._reported = time.monotonic()
        self.acquire()
        try:
            texts = self._limit.report()
        finally:
            self.release()
        everybody = [True] * (1 + len(self._copies))
        return [self._entries(_own_record(text), *everybody) for text in texts]

    def _write(self, entries: Sequence[bytes]) -> None:
        lost = self._lost
        if lost and self._sink.write([self._form.encode(_own_record(f"log: {lost} lines lost"))]):
            self._lost += len(entries)  # the disk is full, or the like
            return
        self._lost -= lost
        self._lost += self._sink.write(entries)

    def close(self) -> None:
        """Write the lines that wait and close the file, unless it is stuck."""
        self.stop()
        super().close()
        self._sink.close(self._patience)

    # -- levels, at any time ----------------------------------------------------------------

    def set_levels(self, levels: Levels) -> None:
        """Write from *levels* on, from now on."""
        self.levels = levels
        # Who wants everything hears of everything.
        everything = bool(self._copies) and any(copy.wants(_DETAIL) for copy in self._copies)
        logging.getLogger().setLevel(logging.DEBUG if everything else levels.general)
        for name in modules():
            level = logging.NOTSET if everything else levels.modules.get(name, logging.NOTSET)
            logging.getLogger(name).setLevel(level)
        logging.getLogger(AUDIT).setLevel(levels.of_logger(AUDIT))


#: A record of debugging.
_DETAIL = logging.makeLogRecord({"levelno": logging.DEBUG})


def modules() -> list[str]:
    """Return the names of the loggers whose level can be set."""
    found = [name for name, one in logging.root.manager.loggerDict.items()
             if name.startswith(PREFIX) and isinstance(one, logging.Logger)]  # fmt: skip
    return sorted({*found, AUDIT})


def set_level(word: str, module: str = "") -> str:
    """Log from the level *word* on, ``default``: what the configuration says; return what holds.

    *module*: of this part of the proxy only, as ``client``; "": of all that has no level of its
    own.  It holds until the files are read again.

    Raises:
        ValueError: there is no such level or module; says which there are.

    """
    log = next(each for each in logging.getLogger().handlers if isinstance(each, Log))
    levels = log.levels.with_level(word.lower(), module.lower(), modules())
    log.set_levels(levels)
    return str(levels)


def _own_record(text: str) -> logging.LogRecord:
    return logging.LogRecord("amiproxy.log", logging.INFO, __file__, 0, "%s", (text,), None)


def announce(text: str) -> None:
    """Write *text* to the log and, at once, to the terminal: before the program detaches."""
    logging.getLogger("astmanproxy").warning("%s", text, extra=SAID)
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def install_root_handler(log: Log) -> None:
    """Have everything that is logged in this process go to *log*."""
    logging.getLogger().handlers[:] = [log]
    log.set_levels(log.levels)
    # A handler that fails has nowhere to report: stderr is closed.
    logging.raiseExceptions = False
    threading.excepthook = _log_thread_end


def _log_thread_end(args: threading.ExceptHookArgs) -> None:
    """Log the exception that ended a thread; otherwise it would go to a closed stderr."""
    name = args.thread.name if args.thread else "?"
    error = args.exc_value
    if error is not None:
        info = (type(error), error, error.__traceback__)
        logging.getLogger("amiproxy").error("thread %s: bug in the proxy", name, exc_info=info)
