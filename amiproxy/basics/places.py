# SPDX-License-Identifier: GPL-2.0-or-later
"""Files in directories that others may write to: whose they are, and how to open them.

Who owns a directory can put a link, a pipe or another's file where a program expects its
own, at any moment.  So a path is walked component by component with openat(2), a symbolic
link is followed only where nobody else can have made it, and what was found is asked of
the descriptor, never of the name again.
"""

from __future__ import annotations

import contextlib
import errno
import grp
import os
import pwd
import re
import stat
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# O_PATH (Linux): search permission is enough, as for any path.
_SEARCH = getattr(os, "O_PATH", os.O_RDONLY) | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
# As many links as Linux follows in a path.
_MOST_LINKS = 40
# Links of the kernel's own: they lead to an open file, whatever its name is by now.
_OPEN_FILES = re.compile(r"/proc/\d+(/task/\d+)?/fd")


def is_directory(path: str | Path) -> bool:
    """Return whether *path* is a directory, as far as one may look there.

    Before Python 3.14 Path.is_dir raises PermissionError where one may not.
    """
    return os.path.isdir(path)  # noqa: PTH112


@dataclass(frozen=True)
class Trusted:
    """The users and groups, by number, whose directories and links are as good as one's own."""

    users: frozenset[int]
    groups: frozenset[int]

    @classmethod
    def of_process(cls) -> Trusted:
        """Return root, and whom the process acts as."""
        return cls(frozenset({0, os.geteuid()}), frozenset({0, os.getegid()}))

    def objection(self, name: str, info: os.stat_result) -> str:
        """Return why others than these may change *name*, a file or directory; or ``""``."""
        if info.st_uid not in self.users:
            return f"{name} belongs to user {user_name(info.st_uid)}"
        if info.st_mode & stat.S_IWOTH:
            return f"everybody may write to {name}"
        if info.st_mode & stat.S_IWGRP and info.st_gid not in self.groups:
            return f"group {_group(info.st_gid)} may write to {name}"
        return ""


@dataclass(frozen=True)
class Place:
    """Where a path leads: the file *name* in the open directory *fd*, which may be missing.

    *objection*: why others may have put it there, *replaced*: why they may replace one that
    is trusted; ``""`` where they cannot.  *is_open_file*: it is one of the process's own
    descriptors, as behind /dev/stdout.
    """

    fd: int
    name: str
    objection: str = ""
    replaced: str = ""
    is_open_file: bool = False


@contextlib.contextmanager
def place_of(path: str, trusted: Trusted) -> Iterator[Place]:
    """Find the file *path*; the directory is open within the block.

    Raises:
        OSError: a directory cannot be searched; or a link that somebody else than
            *trusted* may have made leads elsewhere (ELOOP, with words that say so).

    """
    walk = _Walk(os.path.abspath(path), trusted)  # noqa: PTH100 - does not follow links
    try:
        yield walk.end()
    finally:
        os.close(walk.fd)


class _Walk:
    """A walk along a path: *fd* is the directory reached, *at* its path."""

    def __init__(self, path: str, trusted: Trusted) -> None:
        self._trusted = trusted
        self._left = deque(path.split("/"))
        self._links = 0
        # Why others may have changed the way here; and what is in this directory.
        self._before = self._here = ""
        self._is_sticky = False
        self.fd = -1
        self.at = ""
        self._start()

    def _start(self) -> None:
        """Begin at the root of the file system, which is root's."""
        if self.fd >= 0:
            os.close(self.fd)
        self.fd, self.at = os.open("/", _SEARCH), "/"
        self._here = ""
        self._is_sticky = False

    def end(self) -> Place:
        """Walk to the end."""
        name = "."
        while self._left:
            name = self._left.popleft()
            if name in ("", "."):
                continue
            is_last = not any(self._left)
            if is_last and _OPEN_FILES.fullmatch(self.at):
                return Place(self.fd, name, is_open_file=True)
            info = self._stat(name)
            if info is not None and stat.S_ISLNK(info.st_mode):
                self._follow(name, info)
            elif not is_last:
                self._enter(name)
        return Place(self.fd, name, self._before or self._here, self._objection())

    def _stat(self, name: str) -> os.stat_result | None:
        try:
            return os.stat(name, dir_fd=self.fd, follow_symlinks=False)
        except FileNotFoundError:
            return None

    def _objection(self) -> str:
        """Return why others may replace what one of the trusted has in this directory."""
        # In a directory as /tmp they may only add files.
        return self._before or ("" if self._is_sticky else self._here)

    def _enter(self, name: str) -> None:
        """Go into the directory *name*."""
        fd = os.open(name, _SEARCH, dir_fd=self.fd)
        self._before = self._objection()
        os.close(self.fd)
        self.fd = fd
        self.at = os.path.normpath(os.path.join(self.at, name))  # noqa: PTH118
        info = os.fstat(fd)
        self._here = self._trusted.objection(self.at, info)
        self._is_sticky = bool(info.st_mode & stat.S_ISVTX) and info.st_uid in self._trusted.users

    def _follow(self, name: str, info: os.stat_result) -> None:
        """Go where the link *name* leads.

        Raises:
            OSError: somebody else may have made it, or there are too many.

        """
        self._links += 1
        objection = self._objection()
        if not objection and info.st_uid not in self._trusted.users:
            objection = f"the link belongs to user {user_name(info.st_uid)}"
        if objection:
            where = os.path.join(self.at, name)  # noqa: PTH118
            text = f"{where} is a symbolic link, which is not followed: {objection}"
            raise OSError(errno.ELOOP, text)
        if self._links > _MOST_LINKS:
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP))
        target = os.readlink(name, dir_fd=self.fd)
        self._left.extendleft(reversed(target.split("/")))
        if target.startswith("/"):
            self._start()


def user_name(uid: int) -> str:
    """Return the name of the user *uid*, or the number where there is none."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)


def _group(gid: int) -> str:
    try:
        return grp.getgrgid(gid).gr_name
    except KeyError:
        return str(gid)


def objection_to(path: str, trusted: Trusted) -> str:
    """Return why others than *trusted* may change what *path* names, ``""`` if they cannot.

    That is the file or directory itself, or a directory on the way to it.

    Raises:
        OSError: it is not there, or out of reach.

    """
    try:
        with place_of(path, trusted) as place:
            info = os.stat(place.name, dir_fd=place.fd, follow_symlinks=False)
            return place.replaced or trusted.objection(path, info)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        return str(error.strerror)


@dataclass(frozen=True)
class Heir:
    """The user and group, by number, to whom root gives a file or directory.

    *objection*: why others may have chosen its path, as those who may change the
    configuration; then nothing is given in a directory of root's alone.
    """

    uid: int
    gid: int
    objection: str = ""

    def refuse_in(self, place: Place) -> None:
        """Raise PermissionError if nothing may be given in *place*."""
        if self.objection and not place.objection:
            text = f"root gives nothing away there, as others may have said so: {self.objection}"
            raise PermissionError(errno.EPERM, text)


def open_to_append(path: str, heir: Heir | None = None) -> int:
    """Open the file *path* to append to it, or make it; return the descriptor.

    Where others may write to its directory it has to be a regular file; and in any case
    a regular file has one name only.  *heir* is for a process that is root: the file is
    made over to them, unless others may have put it there, which is refused.

    Raises:
        OSError: the file cannot be opened, or is not opened; the text says why.

    """
    with place_of(path, Trusted.of_process()) as place:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY
        if place.is_open_file:
            return os.open(place.name, flags, dir_fd=place.fd)
        if heir is not None:
            heir.refuse_in(place)
        # Not to wait for a reader where it is a pipe.
        flags |= os.O_NOFOLLOW | os.O_NONBLOCK
        try:
            fd = os.open(place.name, flags | os.O_CREAT | os.O_EXCL, 0o640, dir_fd=place.fd)
            objection = ""
        except FileExistsError:
            fd = os.open(place.name, flags, dir_fd=place.fd)
            objection = _objection_to_file(os.fstat(fd), place, heir)
    try:
        if objection:
            raise PermissionError(errno.EPERM, objection)
        if heir is not None and stat.S_ISREG(os.fstat(fd).st_mode):
            os.fchown(fd, heir.uid, heir.gid)
        os.set_blocking(fd, True)
    except OSError:
        os.close(fd)
        raise
    return fd


def check_append(path: str, heir: Heir | None = None) -> None:
    """Find out whether :func:`open_to_append` would succeed; makes and changes nothing.

    Raises:
        OSError: it would not; the text says why.

    """
    with place_of(path, Trusted.of_process()) as place:
        if place.is_open_file:
            return
        if heir is not None:
            heir.refuse_in(place)
        flags = os.O_WRONLY | os.O_APPEND | os.O_CLOEXEC | os.O_NOCTTY | os.O_NOFOLLOW
        try:
            fd = os.open(place.name, flags | os.O_NONBLOCK, dir_fd=place.fd)
        except FileNotFoundError:
            _check_making(place.fd)
            return
    try:
        if objection := _objection_to_file(os.fstat(fd), place, heir):
            raise PermissionError(errno.EPERM, objection)
    finally:
        os.close(fd)


def _check_making(directory: int) -> None:
    """Raise OSError if no file can be made in the open *directory*."""
    if os.fstatvfs(directory).f_flag & os.ST_RDONLY:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))
    if not os.access(".", os.W_OK | os.X_OK, dir_fd=directory, effective_ids=True):
        raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))


def _objection_to_file(info: os.stat_result, place: Place, heir: Heir | None) -> str:
    """Return why a file that was there is not appended to, or ``""``."""
    if stat.S_ISREG(info.st_mode) and info.st_nlink != 1:
        return f"it has {info.st_nlink} names (hard links)"
    if place.objection and not stat.S_ISREG(info.st_mode):
        return f"it is not a regular file, and {place.objection}"
    if place.objection and heir is not None:
        return (
            f"root does not write to what others have put there: {place.objection}; remove the"
            " file, or let proc_user write to it and enter its directory"
        )
    return ""


def make_directory(path: str, heir: Heir) -> None:
    """Make the directory *path*, as root, for *heir*.

    Raises:
        OSError: it cannot be made, or others could replace it meanwhile.

    """
    with place_of(path, Trusted.of_process()) as place:
        if place.objection:
            raise PermissionError(errno.EPERM, f"root makes no directory there: {place.objection}")
        heir.refuse_in(place)
        os.mkdir(place.name, 0o755, dir_fd=place.fd)
        os.chown(place.name, heir.uid, heir.gid, dir_fd=place.fd, follow_symlinks=False)
