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
import threading
import time

from amiproxy.basics.places import open_to_append
from amiproxy.threads.net.endless import endless

#: Lines that may wait for the disk; further ones are dropped and counted.
MAX_WAITING = 10000

#: Seconds that stop, reopen and close wait for a file that takes no more lines.
PATIENCE = 1.0

#: How many lines go into one write.
_LINES_PER_WRITE = 500

# What a client sends may end in a log line: it must not be able to forge another
# line, or to control the terminal of a reader.
_ESCAPES = {code: f"\\x{code:02x}" for code in (*range(9), *range(10, 32), 127)}


class _Formatter(logging.Formatter):
    """One line a record; those of a traceback are indented."""

    def format(self, record: logging.LogRecord) -> str:
        text = record.getMessage().translate(_ESCAPES)
        if record.exc_info:
            for line in self.formatException(record.exc_info).split("\n"):
                text += f"\n    {line.translate(_ESCAPES)}"
        if record.stack_info:
            for line in record.stack_info.split("\n"):
                text += f"\n    {line.translate(_ESCAPES)}"
        return text


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
    ) -> None:
        """Open the file, or take the descriptor *fd* of it; raises OSError."""
        super().__init__()
        self.setFormatter(_Formatter())
        self._path = path
        self._debug = debug
        self._patience = patience
        self._fd = open_to_append(path) if fd < 0 else fd
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
        self._file_lock.release()
        os.close(old)

    def emit(self, record: logging.LogRecord) -> None:
        """Put *record* in the queue, or count it as lost."""
        try:
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
        items = [self._queue.get()]
        with contextlib.suppress(queue.Empty):
            while len(items) < _LINES_PER_WRITE:
                items.append(self._queue.get_nowait())
        lines = [item for item in items if item is not None]
        self._write(b"".join([line for level, line in lines if level >= logging.INFO]))
        if self._debug:
            self._print(b"".join([line for _, line in lines]))
        return None not in items

    def _write(self, data: bytes) -> None:
        with self._file_lock:
            lost = self._lost
            try:
                if lost:
                    self._put(f"{self._time(time.time())}: log: {lost} lines lost\n".encode())
                    self._lost -= lost
                self._put(data)
            except OSError:
                # The disk is full, or the like: written about as soon as it is not.
                self._lost += data.count(b"\n")

    def _put(self, data: bytes) -> None:
        assert self._file_lock.locked()
        while data:
            data = data[os.write(self._fd, data) :]

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
