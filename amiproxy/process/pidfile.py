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
import re
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any

import lockfile

from amiproxy.basics.places import is_directory, make_directory
from amiproxy.errors import ConfigError, PassingError
from amiproxy.process.daemonlib import TimeoutPIDLockFile

if TYPE_CHECKING:
    from amiproxy.process.identity import Identity
    from amiproxy.process.options import Options
    from amiproxy.settings.config import Config


#: Descriptors below this are given to sockets that are handed on.
_OUT_OF_THE_WAY = 64

_PID = re.compile(rb"\s*-?\d*\s*")


class PidFile(TimeoutPIDLockFile):  # type: ignore[misc]
    """The pid lock file *path*, a context manager as DaemonContext wants it.

    *kept* is the descriptor of the locked file of a process that has started anew; -1: it has
    none.
    """

    def __init__(self, path: str, kept: int = -1) -> None:
        super().__init__(path, acquire_timeout=-1)
        self._fd = -1
        if kept >= 0 and _is_file(kept, path):
            os.set_inheritable(kept, False)
            self._fd = kept
        elif kept >= 0:
            os.close(kept)  # the configuration names another one now

    @property
    def is_kept(self) -> bool:
        """Whether it is there and locked already."""
        return self._fd >= 0

    def fileno(self) -> int:
        """Return the descriptor of the locked file, -1 before that."""
        return self._fd

    def hand_on(self) -> int:
        """Let the program that this process becomes inherit the locked file; return the descriptor.

        Where it is another number is nobody's: below 64 others may want to be.
        """
        return fcntl.fcntl(self._fd, fcntl.F_DUPFD, _OUT_OF_THE_WAY) if self._fd >= 0 else -1

    def acquire(self, timeout: float | None = None, *args: Any, **kwargs: Any) -> None:
        """Create the file and lock it.

        Raises:
            ConfigError: it exists already, or cannot be created.

        """
        if self.is_kept:
            return
        try:
            super().acquire(timeout, *args, **kwargs)
            self._fd = os.open(self.path, os.O_RDONLY | os.O_CLOEXEC | os.O_NOFOLLOW)
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except lockfile.AlreadyLocked:
            raise PassingError(_running(self.path, self.read_pid())) from None
        except (OSError, lockfile.LockFailed) as error:
            raise self._unwritable(error) from error

    def release(self) -> None:
        """Remove the file, unless somebody else has."""
        with contextlib.suppress(lockfile.Error, OSError):
            super().release()
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def prepare(self, who: Identity, chosen_by: str = "") -> None:
        """Ensure that *who* will be able to create the file.

        Makes its directory if there is none, and removes a stale file.  *chosen_by* is the
        file that says its path, if one does.

        Raises:
            ConfigError: a proxy runs already, or *who* may not write there.

        """
        directory = os.path.dirname(self.path)  # noqa: PTH120 - lockfile works with strings
        try:
            _ensure_directory(directory, who, chosen_by)
            if who.can(os.W_OK | os.X_OK, directory):
                # As who, not as root: who has the directory may put anything there.
                with who.assumed():
                    if not self.is_kept and self._is_stale():
                        self.break_lock()
                return
        except OSError as error:
            raise self._unwritable(error.strerror) from error
        raise self._unwritable(
            f"user {who.name} may not write in {directory};"
            " give it a directory of its own (chown that one, pidfile in the configuration, or -p)"
        )

    def _is_stale(self) -> bool:
        """Return whether the file exists without a running proxy that holds it."""
        try:
            fd = os.open(self.path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC | os.O_NOFOLLOW)
        except FileNotFoundError:
            return False
        try:
            if not stat.S_ISREG(os.fstat(fd).st_mode):
                raise self._unwritable("it is not a regular file")
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            # What is removed must not be a configuration that was named by mistake.
            if not _PID.fullmatch(os.read(fd, 100)):
                raise self._unwritable("it holds more than a pid")
        except BlockingIOError:
            raise PassingError(_running(self.path, self.read_pid())) from None
        finally:
            os.close(fd)
        return True

    def _unwritable(self, reason: object) -> ConfigError:
        return ConfigError(f"Cannot write pid file {self.path}: {reason}")


def prepared_pidfile(
    config: Config, options: Options, who: Identity, kept: int = -1
) -> PidFile | None:
    """Return the pid file; in the foreground there is one only where it is named.

    *kept* is as for PidFile.

    Raises:
        ConfigError: as PidFile.prepare.

    """
    if options.foreground and not options.pidfile and "pidfile" not in config.where:
        if kept >= 0:
            os.close(kept)  # the configuration names none any more
        return None
    pidfile = PidFile(options.pidfile or config.pidfile, kept)
    # A new directory called astmanproxy harms nobody, wherever it is.
    directory = os.path.basename(os.path.dirname(pidfile.path))  # noqa: PTH119, PTH120
    harmless = directory.partition("@")[0] == "astmanproxy"
    is_chosen = not options.pidfile and "pidfile" in config.where and not harmless
    pidfile.prepare(who, options.config if is_chosen else "")
    return pidfile


def check_pidfile(config: Config, options: Options, who: Identity) -> str:
    """Find out whether a daemon could write its pid file; return a warning, or ``""``.

    Makes and changes nothing, and says nothing of a proxy that runs.

    Raises:
        ConfigError: it could not, and the file is named: in the foreground there is none else.

    """
    path = options.pidfile or config.pidfile
    reason = _unwritable_for(path, who)
    if not reason:
        return ""
    text = f"Cannot write pid file {path}: {reason}"
    if options.pidfile or "pidfile" in config.where:
        raise ConfigError(f"{'' if options.pidfile else config.place('pidfile')}{text}")
    return f"{text}; it can be started in the foreground only"


def _unwritable_for(path: str, who: Identity) -> str:
    """Return why *who* could not write the pid file *path*, ``""``: they could."""
    directory = Path(path).parent
    is_there = is_directory(directory)
    to_write = directory if is_there else directory.parent
    if not is_directory(to_write):
        return f"there is no directory {to_write}"
    # A directory that is missing is made by root.
    if not who.can(os.W_OK | os.X_OK, str(to_write)) and (is_there or not who.switch):
        return f"user {who.name} may not write in {to_write}"
    with contextlib.suppress(FileNotFoundError, PermissionError):
        if not Path(path).is_file():
            return "it is not a regular file" if Path(path).exists() else ""
        if not _PID.fullmatch(Path(path).read_bytes()[:100]):
            return "it holds more than a pid"
    return ""


def _is_file(fd: int, path: str) -> bool:
    """Return whether *fd* is the file *path*."""
    try:
        ours, there = os.fstat(fd), os.lstat(path)
    except OSError:
        return False
    return (ours.st_dev, ours.st_ino) == (there.st_dev, there.st_ino)


def _running(path: str, pid: int | None) -> str:
    return f"astmanproxy is already running, pid {pid or 'unknown'} (pid file {path})"


def _ensure_directory(directory: str, who: Identity, chosen_by: str) -> None:
    """Make *directory* for *who*, as /run/astmanproxy; one that is there keeps its owner."""
    try:
        with who.assumed():
            os.mkdir(directory, 0o755)  # noqa: PTH102
    except FileExistsError:
        pass
    except PermissionError:
        if not who.switch:
            raise
        make_directory(directory, who.heir(chosen_by))
