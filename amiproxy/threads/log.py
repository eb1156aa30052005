# SPDX-License-Identifier: GPL-2.0-or-later
"""The log: a thread of its own writes the lines that others put in its queue.

So a full or slow disk, or a stopped terminal, never makes a session wait.  Lines are
``%b %e %T: message``, as the C program wrote them.

The standard library's QueueListener and WatchedFileHandler would do less: the one
waits without limit for a stuck file when it stops, the other in ``emit``, and neither
counts what it loses.
"""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import queue
import stat
import sys
import threading
import time

from amiproxy.basics.places import open_to_append
from amiproxy.threads.loglimit import LineLimit
from amiproxy.threads.net.endless import endless

#: Lines that may wait for the disk; further ones are dropped and counted.
MAX_WAITING = 10000

#: Seconds that stop, reopen and close wait for a file that takes no more lines.
PATIENCE = 1.0

#: Seconds between two reports of lines that were left out (loglimit.py).
REPORT_INTERVAL = 10.0

#: How many lines go into one write.
_LINES_PER_WRITE = 500

# Characters of a line, and lines of a traceback: what a peer or a handler said may be long.
_LONGEST = 2000
_MOST_CALLS = 200

# What a client sends may end in a log line: it must not be able to forge another
# line, or to control the terminal of a reader: 0x80 to 0x9f do that, too (ECMA-48, C1).
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(9), *range(10, 32), *range(127, 160))}


class _Formatter(logging.Formatter):
    """One line a record; those of a traceback are indented."""

    def format(self, record: logging.LogRecord) -> str:
        first, calls = record.getMessage(), []
        if record.exc_info:
            calls += self.formatException(record.exc_info).split("\n")
        if record.stack_info:
            calls += record.stack_info.split("\n")
        # Of a long traceback the end tells most.
        lines = [first, *calls[-_MOST_CALLS:]]
        return "\n    ".join([line[:_LONGEST].translate(_ESCAPES) for line in lines])


class Log(logging.Handler):
    """A logging handler that writes to the file *path*, and to stdout when debugging.

    Emitting never blocks and never raises.  Safe from any thread.  *debug* above 1
    names the thread and module of each line.
    """

    def __init__(
        self,
        path: str,
        debug: int = 0,
        *,
        max_waiting: int = MAX_WAITING,
        patience: float = PATIENCE,
        fd: int = -1,
        report_interval: float = REPORT_INTERVAL,
    ) -> None:
        """Open the file, or take the descriptor *fd* of it; raises OSError."""
        super().__init__()
        self.setFormatter(_Formatter())
        self._path = path
        self._debug = debug
        self._patience = patience
        self._fd = open_to_append(path) if fd < 0 else fd
        self._torn = not _ends_whole(self._fd)  # its last line has no end
        # Used under the handler's own lock, which Handler.handle takes.
        self._limit = LineLimit()
        self._report_interval = report_interval
        self._reported = time.monotonic()
        # (level, bytes); None ends the thread.
        self._queue: queue.Queue[tuple[int, bytes] | None] = queue.Queue(max_waiting)
        self._thread: threading.Thread | None = None
        # Guards what _fd stands for: it is replaced and closed under it.  The log's
        # thread holds it while it writes, which may take for ever; so the others ask
        # for it with a time limit.
        self._file_lock = threading.Lock()
        # Without a lock: if two lines are lost at once, one may not be counted.
        self._lost = 0
        self._stamp = (0, "")

    @property
    def lost(self) -> int:
        """How many lines were lost and have not been told of in the file."""
        return self._lost

    def fileno(self) -> int:
        """Return the descriptor of the file, which becoming a daemon must not close."""
        return self._fd

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
        fd = open_to_append(self._path)
        if not self._file_lock.acquire(timeout=self._patience):
            os.close(fd)
            raise TimeoutError(errno.ETIMEDOUT, "the old file takes no more lines")
        old, self._fd = self._fd, fd
        self._torn = not _ends_whole(fd)
        self._file_lock.release()
        os.close(old)

    def emit(self, record: logging.LogRecord) -> None:
        """Put *record* in the queue, or count it as lost."""
        try:
            if record.levelno >= logging.INFO and not self._limit.admits(record):
                if self._limit.left_out == 1:
                    self._queue.put_nowait((0, b""))  # the thread is to report it in time
                return
            text = self.format(record)
            if self._debug > 1 and record.levelno < logging.INFO:
                text = f"{record.threadName} {record.name}: {text}"
            line = f"{self._time(record.created)}: {text}\n"
            self._queue.put_nowait((record.levelno, line.encode("latin-1", "backslashreplace")))
        except Exception:  # noqa: BLE001 - logging must never hurt its caller
            self._lost += 1

    def _time(self, now: float) -> str:
        second, text = self._stamp
        if second != int(now):
            second = int(now)
            text = time.strftime("%b %e %T", time.localtime(second))
            # One assignment: another thread sees the old pair or the new one.
            self._stamp = (second, text)
        return text

    def _run(self) -> None:
        endless("log", self._write_some)

    def _write_some(self) -> bool:
        """Write the lines that wait, at least one; return False at the end."""
        items: list[tuple[int, bytes] | None] = []
        with contextlib.suppress(queue.Empty):
            items.append(self._queue.get(timeout=self._until_report()))
            while len(items) < _LINES_PER_WRITE:
                items.append(self._queue.get_nowait())
        is_over = None in items
        lines = [item for item in items if item is not None]
        if is_over or self._until_report() == 0.0:
            lines += self._report()
        self._write(b"".join([line for level, line in lines if level >= logging.INFO]))
        if self._debug:
            self._print(b"".join([line for _, line in lines]))
        return not is_over

    def _until_report(self) -> float | None:
        """Return the seconds until it is to be said what was left out, None for nothing."""
        if not self._limit.left_out:
            return None
        return max(0.0, self._reported + self._report_interval - time.monotonic())

    def _report(self) -> list[tuple[int, bytes]]:
        """Return the lines that say what was left out."""
        self._reported = time.monotonic()
        self.acquire()
        try:
            texts = self._limit.report()
        finally:
            self.release()
        stamp = self._time(time.time())
        return [(logging.INFO, f"{stamp}: {text}\n".encode("latin-1", "replace")) for text in texts]

    def _write(self, data: bytes) -> None:
        with self._file_lock:
            lost = self._lost
            head = f"{self._time(time.time())}: log: {lost} lines lost\n".encode() if lost else b""
            if self._put(head):
                self._lost += data.count(b"\n")  # the disk is full, or the like
                return
            self._lost -= lost
            self._lost += self._put(data).count(b"\n")

    def _put(self, data: bytes) -> bytes:
        """Write *data*; return what could not be written."""
        assert self._file_lock.locked()
        try:
            if self._torn and data:
                os.write(self._fd, b"\n")
                self._torn = False
            while data:
                count = os.write(self._fd, data)
                self._torn = not data[:count].endswith(b"\n")
                data = data[count:]
        except OSError:
            pass
        return data

    def _print(self, data: bytes) -> None:
        try:
            while data:
                data = data[os.write(1, data) :]
        except OSError:
            self._debug = 0  # nobody reads stdout any more

    def close(self) -> None:
        """Write the lines that wait and close the file, unless it is stuck."""
        self.stop()
        super().close()
        if self._file_lock.acquire(timeout=self._patience):
            fd, self._fd = self._fd, -1
            self._file_lock.release()
            if fd >= 0:
                os.close(fd)


def _ends_whole(fd: int) -> bool:
    """Return whether the file *fd* ends with a whole line, as far as that can be seen."""
    with contextlib.suppress(OSError):
        status = os.fstat(fd)
        if stat.S_ISREG(status.st_mode) and status.st_size:
            reading = os.open(f"/proc/self/fd/{fd}", os.O_RDONLY | os.O_CLOEXEC)
            try:
                return os.pread(reading, 1, status.st_size - 1) == b"\n"
            finally:
                os.close(reading)
    return True


def announce(text: str) -> None:
    """Write *text* to the log and, at once, to the terminal: before the program detaches."""
    logging.getLogger("astmanproxy").warning("%s", text)
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def install_root_handler(log: Log, debug: int) -> None:
    """Have everything that is logged in this process go to *log*, debug lines with *debug*."""
    root = logging.getLogger()
    root.handlers[:] = [log]
    root.setLevel(logging.DEBUG if debug else logging.INFO)
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
