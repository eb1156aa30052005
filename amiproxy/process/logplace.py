# SPDX-License-Identifier: GPL-2.0-or-later
"""Whether the log can be opened, and what is told where it cannot."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import TYPE_CHECKING

from amiproxy.errors import ConfigError

if TYPE_CHECKING:
    from amiproxy.process.identity import Identity
    from amiproxy.settings.config import Config


def check_log(config: Config, who: Identity) -> None:
    """Find out whether a start could open the log; makes and changes nothing.

    Raises:
        ConfigError: it could not.

    """
    try:
        who.check_append(config.logfile, log_chosen_by(config))
    except OSError as error:
        raise no_log(config, who, error) from error


def log_chosen_by(config: Config) -> str:
    """Return the file that names the log, ``""``: it is the default."""
    return config.where["logfile"].rpartition(":")[0] if "logfile" in config.where else ""


def no_log(config: Config, who: Identity, error: OSError) -> ConfigError:
    """Return what is told where *error* keeps the log of *who* from being opened."""
    text = f"{config.place('logfile')}Unable to open logfile: {config.logfile}! ({error.strerror})"
    return ConfigError(text + _way(Path(config.logfile), who, error))


def _way(path: Path, who: Identity, error: OSError) -> str:
    """Return what to do about *error*."""
    if error.errno == errno.ENOENT and not path.parent.is_dir():
        return f"; make the directory {path.parent}, owned by {who.name}, or name another file"
    if error.errno == errno.EISDIR:
        return "; name a file in it"
    if error.errno == errno.EACCES:
        return f"; give {path.parent}, and the file, to user {who.name}"
    return ""
