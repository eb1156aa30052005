# SPDX-License-Identifier: GPL-2.0-or-later
"""Identity: the user and group the proxy runs as, and what they may do."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable, TypeVar

from amiproxy.basics.places import (
    Heir,
    Trusted,
    check_append,
    objection_to,
    open_to_append,
    user_name,
)
from amiproxy.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from amiproxy.settings.config import Config

_T = TypeVar("_T")


@dataclass(frozen=True)
class Identity:
    """A user and a group; *switch*: the process is root and has yet to become them."""

    name: str
    uid: int
    gid: int
    switch: bool

    @contextlib.contextmanager
    def assumed(self) -> Iterator[None]:
        """Run the block with the rights of this user.

        To find out in advance what will be permitted later.  Only before any thread
        is started: the rights are those of the whole process.
        """
        if not self.switch:
            yield
            return
        groups, uid, gid = os.getgroups(), os.geteuid(), os.getegid()
        os.initgroups(self.name, self.gid)
        os.setegid(self.gid)
        os.seteuid(self.uid)
        try:
            yield
        finally:
            os.seteuid(uid)
            os.setegid(gid)
            os.setgroups(groups)

    def check(self) -> None:
        """Ensure that the process has become this user for good.

        Raises:
            ConfigError: it has kept some rights of root.

        """
        if self.switch and (
            set(os.getresuid()) != {self.uid}
            or set(os.getresgid()) != {self.gid}
            or set(os.getgroups()) - {self.gid}
            != set(os.getgrouplist(self.name, self.gid)) - {self.gid}
        ):
            raise ConfigError(f"Cannot become user {self.name}: some rights of root are left")

    def can(self, mode: int, path: str) -> bool:
        """Return whether this user may use *path*; *mode* as in os.access."""
        with self.assumed():
            return os.access(path, mode, effective_ids=True)

    def barred(self, path: Path) -> Path | None:
        """Return the first directory on the way to *path* that this user may not enter."""
        parents = reversed(path.absolute().parents)
        return next((one for one in parents if not self.can(os.X_OK, str(one))), None)

    def open_to_append(self, path: str, chosen_by: str = "") -> int:
        """Open the file *path* to append to it, or make it for this user; return the descriptor.

        As root only where this user may not: a log in a directory of root's, or a new one.
        *chosen_by* is the file that says *path*.

        Raises:
            OSError: it cannot be opened, or others may have put it there.

        """
        return self._appending(open_to_append, path, chosen_by)

    def check_append(self, path: str, chosen_by: str = "") -> None:
        """Find out whether :meth:`open_to_append` would succeed; makes and changes nothing.

        Raises:
            OSError: it would not.

        """
        self._appending(check_append, path, chosen_by)

    def _appending(self, do: Callable[[str, Heir | None], _T], path: str, chosen_by: str) -> _T:
        """*do* it as this user, or else as root for them; return what it returns."""
        try:
            with self.assumed():
                return do(path, None)
        except PermissionError:
            if not self.switch:
                raise
        return do(path, self.heir(chosen_by))

    def heir(self, chosen_by: str) -> Heir:
        """Return this user as one to whom root gives a path that the file *chosen_by* says."""
        objection = objection_to(chosen_by, Trusted.of_process()) if chosen_by else ""
        return Heir(self.uid, self.gid, objection)


def identity(config: Config) -> Identity:
    """Return who the proxy will run as: its present user, or proc_user if that is root.

    Raises:
        ConfigError: it is root, and proc_user or proc_group cannot be used.

    """
    uid = os.geteuid()
    if uid != 0:
        return Identity(user_name(uid), uid, os.getegid(), switch=False)
    problems: list[str] = []
    user, gid = _user(config, problems), _gid(config, problems)
    if user is None or problems:
        raise ConfigError(*problems)
    gid = user.pw_gid if gid is None else gid
    if gid == 0:
        raise ConfigError(
            f"{config.place('proc_group') or config.place('proc_user')}group root is refused;"
            " name an unprivileged group as proc_group"
        )
    return Identity(user.pw_name, user.pw_uid, gid, switch=True)


def _user(config: Config, problems: list[str]) -> pwd.struct_passwd | None:
    """Return the user proc_user; add to *problems* why it cannot be used."""
    place, name = config.place("proc_user"), config.proc_user
    if not name:
        problems.append(
            f"{place}proc_user is not set, and the proxy does not run as root;"
            " name an unprivileged user"
        )
        return None
    try:
        user = pwd.getpwnam(name)
    except KeyError:
        problems.append(f"{place}getpwnam({name}) failed: proc_user is not a user of this system")
        return None
    if user.pw_uid == 0:
        problems.append(
            f"{place}getpwnam({name}) returned root user; aborting!"
            " Name an unprivileged user as proc_user"
        )
    return user


def _gid(config: Config, problems: list[str]) -> int | None:
    """Return the number of proc_group, None if it is not set; *problems* as for _user."""
    if not config.proc_group:
        return None
    try:
        return grp.getgrnam(config.proc_group).gr_gid
    except KeyError:
        problems.append(
            f"{config.place('proc_group')}getgrnam({config.proc_group}) failed:"
            " proc_group is not a group of this system (nogroup on Debian, nobody on Red Hat)"
        )
        return None
