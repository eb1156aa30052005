# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of ours that others may read or change, or that we may not read again."""

from __future__ import annotations

import contextlib
import grp
import os
import pwd
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from amiproxy.basics.places import Trusted, is_directory, objection_to
from amiproxy.process.logrotation import log_warnings

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.process.identity import Identity
    from amiproxy.process.options import Options
    from amiproxy.settings.config import Config

#: The user, and the group, as whom the packages of all distributions run Asterisk.
ASTERISK = "asterisk"


def wrong_rights(
    who: Identity | None,
    options: Options,
    config: Config,
    files: Iterable[str] = (),
    public_files: Iterable[str] = (),
) -> list[str]:
    """Return what is wrong with the files that a start reads and the log's place, as warnings.

    *who* None: as whom it would run is wrong as well.
    *files* and *public_files* are those that the users file and that of ``aclfile`` include.
    """
    secret = [options.config, *config.files, options.users, *files, config.certfile]
    public = [config.acl_file, *public_files, config.client_ca_file, config.ssl_ca_file]
    if who is None:
        return exposed(None, secret, public)
    return [
        *exposed(who, secret, public),
        *unreadable(who, [*secret, *public]),
        *log_out_of_reach(who, config),
        *log_warnings(config),
    ]


def exposed(who: Identity | None, secret: Iterable[str], public: Iterable[str] = ()) -> list[str]:
    """Return a warning for each file in *secret* and *public* that is not ours alone.

    Everybody may read the *public* ones.  Ours is what root, the user that starts the proxy,
    *who*, as whom it runs, and Asterisk may read and change: its packages give /etc/asterisk
    to Asterisk's user, which is trusted with all that the proxy protects.
    """
    own = Trusted.of_process()
    users, groups = _asterisk()
    if who is not None:
        users.add(who.uid)
        groups.add(who.gid)
    ours = Trusted(own.users | users, own.groups | groups)
    found = []
    secret = _there(secret)
    for path in dict.fromkeys([*secret, *_there(public)]):
        with contextlib.suppress(OSError):
            info = os.stat(path)  # noqa: PTH116
            if not stat.S_ISREG(info.st_mode):
                continue
            objection = objection_to(path, ours)
            if objection:
                found.append(f"{path}: others may change it: {objection}; chown or chmod that")
            elif path in secret and info.st_mode & stat.S_IROTH:
                found.append(f"{path}: everybody may read it, secrets and all; chmod 0640 {path}")
    return found


def unreadable(who: Identity, paths: Iterable[str]) -> list[str]:
    """Return a warning for each file in *paths* that *who* may not read again at SIGHUP."""
    return [
        f"{path}: user {who.name} may not {_lacking(who, path)}"
        for path in _there(paths)
        if not who.can(os.R_OK, path)
    ]


def log_out_of_reach(who: Identity, config: Config) -> list[str]:
    """Return a warning if *who* may not enter the directory of the log, which root has opened."""
    directory = Path(config.log_path or "/dev/null").parent
    is_open_file = Path("/proc") in directory.resolve().parents  # as behind /dev/fd
    if is_open_file or not is_directory(directory) or who.can(os.X_OK, str(directory)):
        return []
    text = (
        f"logfile: user {who.name} may not enter {directory}, so SIGHUP cannot reopen the log, and"
        f" the next start may fail; give it a directory of {who.name}'s"
    )
    return [f"{config.place('logfile')}{text}"]


#: Of a file that proc_user may not read: root reads it at a start, but systemd starts as proc_user.
_CONSEQUENCE = "SIGHUP will not read it again, and under systemd the proxy will not start"


def _lacking(who: Identity, path: str) -> str:
    """Return what *who* may not do, so that *path* cannot be read, and what helps."""
    barred = who.barred(Path(path))
    if barred is not None:
        return (
            f"enter {barred}, so {_CONSEQUENCE}; name a proc_user in the group of that directory,"
            " or move the file"
        )
    return f"read it, so {_CONSEQUENCE}; chgrp it to a group of {who.name}, and chmod 0640"


def _asterisk() -> tuple[set[int], set[int]]:
    """Return the user and the group, by number, that Asterisk runs as, where there are any."""
    users: set[int] = set()
    groups: set[int] = set()
    with contextlib.suppress(KeyError):
        users.add(pwd.getpwnam(ASTERISK).pw_uid)
    with contextlib.suppress(KeyError):
        groups.add(grp.getgrnam(ASTERISK).gr_gid)
    return users, groups


def _there(paths: Iterable[str]) -> list[str]:
    """Return those of *paths* that exist, once each."""
    return [path for path in dict.fromkeys(paths) if path and os.path.exists(path)]  # noqa: PTH110
