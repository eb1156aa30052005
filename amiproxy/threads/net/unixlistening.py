# SPDX-License-Identifier: GPL-2.0-or-later
"""Unix sockets that clients connect to: made with the rights of who may use them, and removed.

A file that nobody answers at is replaced if it is a socket; nothing else is ever removed.
"""

from __future__ import annotations

import contextlib
import errno
import os
import socket
import stat
import struct
from pathlib import Path
from typing import TYPE_CHECKING

from amiproxy.access.acl import UNIX
from amiproxy.basics.places import Trusted, objection_to
from amiproxy.errors import ConfigError, PassingError
from amiproxy.threads.net.holders import OURS, UNSEEN, holders_of

if TYPE_CHECKING:
    from amiproxy.process.identity import Identity
    from amiproxy.settings.listenerspec import ListenerSpec

#: What tells a file from one that takes its place.
FileId = tuple[int, ...]

#: struct ucred (unix(7)): pid, uid, gid.
_CREDENTIALS = struct.Struct("=iii")

#: A socket that listens (Linux, __SO_ACCEPTCON), in /proc/net/unix.
_LISTENS = "00010000"

_NO_SOCKET = "there is a file of that name, and no socket; move it, or name another path"


def bind_unix(spec: ListenerSpec, who: Identity | None, backlog: int) -> socket.socket:
    """Return a socket that listens at the path of *spec*, with its mode, for *who*.

    *who* is None where the process has become its user already.  As root only where that user
    may not write: the file is given to them.

    Raises:
        ConfigError: there can be none, says why.

    """
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        try:
            with contextlib.nullcontext() if who is None else who.assumed():
                _bind(spec, sock)
        except PermissionError:
            if who is None or not who.switch:
                raise
            _bind_as_root(spec, sock, who)
        sock.listen(backlog)
    except OSError as error:
        sock.close()
        raise _problem(spec, error, who) from error
    except BaseException:
        sock.close()
        raise
    return sock


def _bind(spec: ListenerSpec, sock: socket.socket) -> None:
    """Bind *sock* to the path of *spec*; raises OSError, or ConfigError: it is in use."""
    _ensure_free(spec)
    sock.bind(spec.path)
    # Nobody can connect before it listens.
    os.chmod(spec.path, spec.mode)  # noqa: PTH101 - a plain string


def _bind_as_root(spec: ListenerSpec, sock: socket.socket, who: Identity) -> None:
    """As _bind, in a directory that *who* may not write to, and nobody but root."""
    directory = os.path.dirname(spec.path)  # noqa: PTH120
    if objection := objection_to(directory, Trusted.of_process()):
        raise ConfigError(f"{_start(spec)}others may change its directory: {objection}")
    _bind(spec, sock)
    os.chown(spec.path, who.uid, who.gid, follow_symlinks=False)


def _ensure_free(spec: ListenerSpec) -> None:
    """Remove the socket of a program that has ended from the path of *spec*.

    Raises:
        ConfigError: a program answers there, or it is no socket.

    """
    found = file_id(spec.path)
    if found is None:
        return
    if not stat.S_ISSOCK(os.lstat(spec.path).st_mode):
        raise ConfigError(f"{_start(spec)}{_NO_SOCKET}")
    if not is_dead(spec.path):
        raise _in_use(spec)
    if file_id(spec.path) == found:
        os.unlink(spec.path)  # noqa: PTH108


def is_dead(path: str) -> bool:
    """Return whether nobody listens at the socket *path*; raises PermissionError."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
        sock.setblocking(False)
        try:
            sock.connect(path)
        except ConnectionRefusedError:
            return True
        except BlockingIOError:
            return False  # somebody listens, and is very busy
        except FileNotFoundError:
            return True
        except PermissionError:
            raise
        except OSError:
            return False  # of another type: somebody has it
        return False


def remove(path: str, found: FileId | None) -> str:
    """Remove the socket file *path* if it is still *found*, and nobody listens there any more.

    Returns why it stays, "" if it does not.
    """
    try:
        if found is not None and file_id(path) == found and is_dead(path):
            os.unlink(path)  # noqa: PTH108
    except OSError as error:
        return f"the file {path} stays: {error.strerror}"
    return ""


def file_id(path: str) -> FileId | None:
    """Return what tells the file *path* from one that takes its place; None if there is none."""
    with contextlib.suppress(OSError):
        info = os.lstat(path)
        return info.st_dev, info.st_ino, info.st_mtime_ns
    return None


def peer_of(sock: socket.socket) -> tuple[str, int]:
    """Return what stands for the address of the client at *sock*, and its pid.

    A Unix socket has no addresses; the user that the client runs as counts: ``unix:1000``.
    """
    with contextlib.suppress(OSError, AttributeError, struct.error):
        found = sock.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, _CREDENTIALS.size)
        pid, uid, _ = _CREDENTIALS.unpack(found)
        return f"{UNIX}{uid}", pid
    return f"{UNIX}unknown", 0


# -- whether a start could -----------------------------------------------------------------------


def try_unix(spec: ListenerSpec, who: Identity) -> str:
    """Find out whether a start could listen at the path of *spec*; return a warning, or ``""``.

    Makes nothing, and disturbs no proxy that listens there.

    Raises:
        ConfigError: it could not.

    """
    directory = os.path.dirname(spec.path)  # noqa: PTH120
    if inodes := _listening(spec.path):
        names = {one.name for one in holders_of(inodes)}
        if OURS & names:
            return ""
        if not names:
            return f"{_start(spec)}{UNSEEN}"
        raise _in_use(spec)
    _look_at_file(spec, who)
    code = 0
    if not os.path.isdir(directory):  # noqa: PTH112
        code = errno.ENOENT
    elif not who.can(os.W_OK | os.X_OK, directory):
        code = 0 if who.switch else errno.EACCES
        if who.switch and (objection := objection_to(directory, Trusted.of_process())):
            raise ConfigError(f"{_start(spec)}others may change its directory: {objection}")
    if code:
        raise _problem(spec, OSError(code, os.strerror(code)), who)
    return ""


def _look_at_file(spec: ListenerSpec, who: Identity) -> None:
    """Raise ConfigError if what is at the path of *spec* is no socket, or cannot be looked at."""
    try:
        if not stat.S_ISSOCK(os.lstat(spec.path).st_mode):
            raise ConfigError(f"{_start(spec)}{_NO_SOCKET}")
    except FileNotFoundError:
        return
    except OSError as error:  # a file stands for its directory, or nobody may look into that
        raise _problem(spec, error, who) from error


def _listening(path: str) -> set[str]:
    """Return the inodes of the sockets that listen at *path*, by the table of proc(5)."""
    found = set()
    with contextlib.suppress(OSError):
        lines = os.fsdecode(Path("/proc/self/net/unix").read_bytes()).splitlines()
        for line in lines[1:]:
            # Num RefCount Protocol Flags Type St Inode Path
            fields = line.split(None, 7)
            if len(fields) == 8 and fields[3] == _LISTENS and fields[7] == path:
                found.add(fields[6])
    return found


def _in_use(spec: ListenerSpec) -> ConfigError:
    """Return what is told where somebody listens at the path of *spec*."""
    whom = ", ".join(map(str, holders_of(_listening(spec.path)))) or "another program"
    return PassingError(f"{_start(spec)}{whom} listens there: end it, or name another path")


def _start(spec: ListenerSpec) -> str:
    return f"{spec.place}Cannot bind to listener socket! {spec.path}: "


def _problem(spec: ListenerSpec, error: OSError, who: Identity | None) -> ConfigError:
    """Return what is told of *error*."""
    directory = os.path.dirname(spec.path)  # noqa: PTH120
    text = error.strerror or str(error)
    user = "" if who is None else who.name
    if error.errno == errno.ENOENT:
        text = f"there is no directory {directory}; make it, and chown it to {user or 'our user'}"
    elif error.errno == errno.ENOTDIR:
        text = f"{directory} is no directory; name a path in one"
    elif error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        whose = f"user {user}" if user else "the proxy, which has given up root,"
        text = f"{whose} may not write in {directory}; name a path in a directory of its own"
    return ConfigError(f"{_start(spec)}{text}")
