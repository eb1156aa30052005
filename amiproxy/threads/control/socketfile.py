# SPDX-License-Identifier: GPL-2.0-or-later
"""SocketFile: the Unix socket that the operator's commands come through."""

from __future__ import annotations

import contextlib
import errno
import logging
import os
import socket
import stat
from typing import TYPE_CHECKING

from amiproxy.errors import ConfigError
from amiproxy.process.controlpath import control_path
from amiproxy.settings.listenline import LONGEST_PATH
from amiproxy.threads.net.unixlistening import file_id

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.process.identity import Identity
    from amiproxy.settings.config import Config

log = logging.getLogger("amiproxy.control")

#: Connections that the kernel may hold until they are accepted.
_BACKLOG = 16


_TAKEN = "Cannot make control socket {}: there is a file of that name"


class SocketFile:
    """The socket *sock*, which listens at *path*."""

    def __init__(self, path: str, sock: socket.socket) -> None:
        self._path = path
        self.sock = sock
        self._file = file_id(path)

    def fileno(self) -> int:
        """Return the descriptor of the socket, which becoming a daemon must not close."""
        return self.sock.fileno()

    def close(self) -> None:
        """Listen no more; remove the file, unless another proxy has put its own there."""
        if self._file is not None and file_id(self._path) == self._file:
            with contextlib.suppress(OSError):
                os.unlink(self._path)  # noqa: PTH108 - a plain string
        self.sock.close()


def prepared_control(config: Config, pidfile: str, who: Identity) -> SocketFile | None:
    """Return the control socket of *who*, None if there is none; *pidfile* as for control_path.

    Raises:
        ConfigError: *config* names one, and it cannot be made.

    """
    path = control_path(config, pidfile)
    if not path:
        return None
    try:
        return open_socket(path, who)
    except ConfigError as error:
        if config.control_socket:
            place = config.place("control_socket")
            raise ConfigError(*(f"{place}{problem}" for problem in error.problems)) from error
        log.warning("%s; there is none", error)
        return None


def try_control(config: Config, who: Identity) -> None:
    """Find out whether *who* could make the control socket that *config* names; makes nothing.

    Raises:
        ConfigError: they could not.

    """
    path = config.control_socket
    if path in ("", "no"):
        return
    directory = os.path.dirname(path)  # noqa: PTH120 - a plain string
    code = 0
    if not os.path.isdir(directory):  # noqa: PTH112
        code = errno.ENOENT
    elif not who.can(os.W_OK | os.X_OK, directory):
        code = errno.EACCES
    if code:
        problem = _words(path, directory, who, OSError(code, os.strerror(code)))
    elif os.path.lexists(path) and not stat.S_ISSOCK(os.lstat(path).st_mode):
        problem = _TAKEN.format(path)
    else:
        return
    raise ConfigError(f"{config.place('control_socket')}{problem}")


def open_socket(path: str, who: Identity) -> SocketFile:
    """Make the socket *path* for *who*, whom alone, besides root, it lets in.

    One that a proxy has left behind is replaced.  Before any thread is started.

    Raises:
        ConfigError: there can be no such socket, or a proxy answers there.

    """
    directory, name = os.path.split(path)
    fresh = f".{name}.{os.getpid()}"
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with who.assumed(), _reachable(directory, fresh) as prefix:
            _ensure_free(path, prefix + name)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(prefix + fresh)  # noqa: PTH108
            sock.bind(prefix + fresh)
            # Nobody can connect before it listens, nor by its name before that is given.
            os.chmod(prefix + fresh, 0o600)  # noqa: PTH101
            sock.listen(_BACKLOG)
            os.rename(prefix + fresh, prefix + name)  # noqa: PTH104
            return SocketFile(path, sock)
    except (OSError, ConfigError) as error:
        sock.close()
        if isinstance(error, ConfigError):
            raise
        raise ConfigError(_words(path, directory, who, error)) from error


def connect(path: str, timeout: float | None) -> socket.socket:
    """Return a connection to the control socket *path*; raises OSError."""
    directory, name = os.path.split(path)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(timeout)
    try:
        with _reachable(directory, name) as prefix:
            sock.connect(prefix + name)
    except OSError:
        sock.close()
        raise
    return sock


def _ensure_free(path: str, near: str) -> None:
    """Ensure that nothing of value is at *path*, which is reached by the name *near*.

    Raises:
        ConfigError: a proxy answers there, or it is no socket.

    """
    try:
        if not stat.S_ISSOCK(os.lstat(near).st_mode):
            raise ConfigError(_TAKEN.format(path))
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(0.0)
            sock.connect(near)
    except (FileNotFoundError, ConnectionRefusedError):
        return  # a proxy that has crashed leaves it behind
    except BlockingIOError:
        pass  # somebody listens, and is very busy
    raise ConfigError(f"Cannot make control socket {path}: another proxy answers there")


@contextlib.contextmanager
def _reachable(directory: str, name: str) -> Iterator[str]:
    """Give what to put before *name* to reach it in *directory*, however long that path is."""
    prefix = f"{directory}/"
    if len(os.fsencode(prefix + name)) <= LONGEST_PATH:
        yield prefix
        return
    here = os.open(".", getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.chdir(directory)
        yield ""
    finally:
        with contextlib.suppress(OSError):
            os.chdir(here)
        os.close(here)


def _words(path: str, directory: str, who: Identity, error: OSError) -> str:
    """Return what is told of *error*."""
    text = f"Cannot make control socket {path}: "
    if error.errno == errno.ENOENT:
        return f"{text}there is no directory {directory}; make it, and chown it to {who.name}"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return (
            f"{text}user {who.name} may not write in {directory}; name a socket in a directory of"
            " its own (controlsocket), or none (controlsocket = no)"
        )
    return f"{text}{error.strerror or error}"
