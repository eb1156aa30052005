# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the log can be opened, and what is told where it cannot."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING

from amiproxy.basics.places import check_append, user_name
from amiproxy.errors import ConfigError
from amiproxy.process.identity import Identity

if TYPE_CHECKING:
    from amiproxy.settings.config import Config


#: Where systemd says that it runs, and the directory that it makes for the unit's log.
SYSTEMD = "/run/systemd/system"
UNIT_LOGS = "/var/log/astmanproxy"


def check_log(config: Config, who: Identity) -> None:
    """Find out whether a start could open the log; makes and changes nothing.

    Raises:
        ConfigError: it could not.

    """
    try:
        who.check_append(config.logfile, log_chosen_by(config))
    except OSError as error:
        raise no_log(config, who, error) from error


def log_of_the_unit(config: Config, who: Identity, booted: str = SYSTEMD) -> str:
    """Return a warning if systemd's unit could not open the log, though root can; or ``""``.

    The unit does nothing as root, and systemd makes UNIT_LOGS for it.  Where there is no directory
    *booted*, systemd does not run (sd_booted(3)).
    """
    if not (who.switch and config.log_path and Path(booted).is_dir()):
        return ""
    if Path(UNIT_LOGS) in Path(config.logfile).parents:
        return ""
    try:
        with who.assumed():
            check_append(config.logfile, None)
    except PermissionError as error:
        return (
            f"{config.place('logfile')}logfile: under systemd the proxy will not start, since"
            f" nothing is done as root there{way_out(config.logfile, who, error)}, as {UNIT_LOGS}"
        )
    return ""


def log_chosen_by(config: Config) -> str:
    """Return the file that names the log, ``""``: it is the default."""
    return config.where["logfile"].rpartition(":")[0] if "logfile" in config.where else ""


def no_log(config: Config, who: Identity, error: OSError) -> ConfigError:
    """Return what is told where *error* keeps the log of *who* from being opened."""
    text = f"{config.place('logfile')}Unable to open logfile: {config.logfile}! ({error.strerror})"
    return ConfigError(text + way_out(config.logfile, who, error))


def no_new_log(path: str, error: OSError) -> str:
    """Return what is told where *error* keeps the running proxy from opening *path* again."""
    uid = os.geteuid()
    myself = Identity(user_name(uid), uid, os.getegid(), switch=False)
    return (
        f"cannot reopen log: {error.strerror}{way_out(path, myself, error)}; the old file goes on"
    )


def way_out(log: str, who: Identity, error: OSError) -> str:
    """Return who may not what, where *error* keeps *who* from the file *log*, and what helps."""
    path = Path(log)
    if error.errno == errno.ENOENT and not path.parent.is_dir():
        return f"; make the directory {path.parent}, owned by {who.name}, or name another file"
    if error.errno == errno.EISDIR:
        return "; name a file in it"
    return f"; {_lacking(path, who)}" if error.errno == errno.EACCES else ""


def _lacking(path: Path, who: Identity) -> str:
    """Return what *who* may not do, so that *path* cannot be written, and what helps."""
    own = f"give logfile a directory of {who.name}'s"
    barred = who.barred(path)
    if barred is not None:
        return f"user {who.name} may not enter {barred}, which belongs to {_owner(barred)}: {own}"
    if path.exists():
        return (
            f"user {who.name} may not write to it, since it belongs to {_owner(path)}: chown it to"
            f' {who.name}; if logrotate made it so, its rule needs "create 0640 {who.name}"'
        )
    return (
        f"user {who.name} may make no file in {path.parent}, which belongs to"
        f" {_owner(path.parent)}: {own}"
    )


def _owner(path: Path) -> str:
    """Return whose *path* is, with its rights: ``asterisk (0640)``."""
    try:
        info = path.stat()
    except OSError:
        return "somebody else"
    return f"{user_name(info.st_uid)} ({stat.S_IMODE(info.st_mode):04o})"
