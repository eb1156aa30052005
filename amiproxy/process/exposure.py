# SPDX-License-Identifier: GPL-2.0-or-later
"""Files of ours that others may read or change, or that we may not read again."""

from __future__ import annotations

import contextlib
import os
import stat
from typing import TYPE_CHECKING

from amiproxy.basics.places import Trusted, objection_to

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.process.identity import Identity
    from amiproxy.process.options import Options
    from amiproxy.settings.config import Config


def wrong_rights(who: Identity, options: Options, config: Config) -> list[str]:
    """Return what is wrong with the rights of the files that a start reads, as warnings."""
    secret = [options.config, options.users, config.certfile]
    return [
        *exposed(who, secret),
        *unreadable(who, [*secret, config.client_ca_file, config.ssl_ca_file]),
    ]


def exposed(who: Identity, paths: Iterable[str]) -> list[str]:
    """Return a warning for each file in *paths*, all with secrets, that is not ours alone.

    Ours is what root, the user that starts the proxy, and *who*, as whom it runs, may read
    and change.
    """
    own = Trusted.of_process()
    ours = Trusted(own.users | {who.uid}, own.groups | {who.gid})
    found = []
    for path in _there(paths):
        with contextlib.suppress(OSError):
            info = os.stat(path)  # noqa: PTH116
            if not stat.S_ISREG(info.st_mode):
                continue
            objection = objection_to(path, ours)
            if objection:
                found.append(f"{path}: others may change it: {objection}; chown or chmod that")
            elif info.st_mode & stat.S_IROTH:
                found.append(f"{path}: everybody may read it, secrets and all; chmod 0640 {path}")
    return found


def unreadable(who: Identity, paths: Iterable[str]) -> list[str]:
    """Return a warning for each file in *paths* that *who* may not read again at SIGHUP."""
    return [
        f"{path}: user {who.name} may not read it, so SIGHUP will not read it again;"
        f" chgrp it to a group of {who.name}, and chmod 0640"
        for path in _there(paths)
        if not who.can(os.R_OK, path)
    ]


def _there(paths: Iterable[str]) -> list[str]:
    """Return those of *paths* that exist, once each."""
    return [path for path in dict.fromkeys(paths) if path and os.path.exists(path)]  # noqa: PTH110
