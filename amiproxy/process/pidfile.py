# SPDX-License-Identifier: GPL-2.0-or-later
"""PidFile: the lock file that holds the pid of the one proxy that may run.

It is python-daemon's pid lock file over lockfile.  In addition the running proxy keeps
it locked with flock(2).  So a file that a crash has left behind differs from that of a
running proxy, even if its pid has been given to another program since.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import stat
from typing import TYPE_CHECKING, Any

import lockfile
from daemon.pidfile import TimeoutPIDLockFile

from amiproxy.errors import ConfigError

if TYPE_CHECKING:
    from amiproxy.process.identity import Identity


class PidFile(TimeoutPIDLockFile):  # type: ignore[misc]
    """The pid lock file *path*, a context manager as DaemonContext wants it."""

    def __init__(self, path: str) -> None:
        super().__init__(path, acquire_timeout=-1)
        self._fd = -1

    def acquire(self, timeout: float | None = None, *args: Any, **kwargs: Any) -> None:
        """Create the file and lock it.

        Raises:
            ConfigError: it exists already, or cannot be created.

        """
        try:
            super().acquire(timeout, *args, **kwargs)
            self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except lockfile.AlreadyLocked:
            raise ConfigError(_running(self.path, self.read_pid())) from None
        except (OSError, lockfile.LockFailed) as error:
            raise ConfigError(f"Cannot write pid file {self.path}: {error}") from error

    def release(self) -> None:
        """Remove the file, unless somebody else has."""
        with contextlib.suppress(lockfile.Error, OSError):
            super().release()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def prepare(self, who: Identity) -> None:
        """Ensure that *who* will be able to create the file.

        Creates its directory if necessary, and removes a stale file.

        Raises:
            ConfigError: a proxy runs already, or *who* may not write there.

        """
        directory = os.path.dirname(self.path)  # noqa: PTH120 - lockfile works with strings
        try:
            _make_directory(directory, who)
            if self._is_stale():
                self.break_lock()
        except OSError as error:
            raise ConfigError(f"Cannot write pid file {self.path}: {error.strerror}") from error
        if not who.can(os.W_OK | os.X_OK, directory):
            raise ConfigError(
                f"Cannot write pid file {self.path}: user {who.name} may not write in {directory};"
                " give it a directory of its own (pidfile in the configuration, or -p)"
            )

    def _is_stale(self) -> bool:
        """Return whether the file exists without a running proxy that holds it."""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise ConfigError(f"Cannot write pid file {self.path}: it is not a regular file")
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ConfigError(_running(self.path, self.read_pid())) from None
        finally:
            os.close(fd)
        return True


def _running(path: str, pid: int | None) -> str:
    return f"astmanproxy is already running, pid {pid or 'unknown'} (pid file {path})"


def _make_directory(directory: str, who: Identity) -> None:
    """Create *directory* for *who*; chown it if it is ours (/run/astmanproxy)."""
    try:
        os.mkdir(directory, 0o755)  # noqa: PTH102
    except FileExistsError:
        # It may belong to the proc_user of an earlier start.
        if os.path.basename(directory) != "astmanproxy" or not os.path.isdir(directory):  # noqa: PTH112, PTH119
            return
    if who.switch:
        os.chown(directory, who.uid, who.gid, follow_symlinks=False)
