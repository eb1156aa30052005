# SPDX-License-Identifier: GPL-2.0-or-later
"""Instances: several proxies with the same files, each with a log, pid file and sockets of its own.

``--instance 1`` puts ``@1`` before the ending of each file that the proxy makes, and
/run/astmanproxy@1 in the place of /run/astmanproxy: as systemd names what astmanproxy@1.service
has (%N, systemd.unit(5)).
"""

from __future__ import annotations

import os
import re
from dataclasses import replace
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.settings.config import Config

#: The directory that is made for one proxy alone.
RUN = "/run/astmanproxy"

#: The names that instances may have: they become part of names of files.
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.-]{0,31}")


def of_instance(config: Config, name: str) -> Config:
    """Return *config* with the files of the instance *name*; "": as it is."""
    if not name:
        return config
    return replace(
        config,
        logfile=own(config.logfile, name) if config.log_path else config.logfile,
        pidfile=own(config.pidfile, name),
        control_socket=(
            config.control_socket
            if config.control_socket in ("", "no")
            else own(config.control_socket, name)
        ),
        listen=tuple(
            replace(line, path=own(line.path, name)) if line.path else line
            for line in config.listen
        ),
    )


def own(path: str, name: str) -> str:
    """Return what the instance *name* has in the place of the file *path*."""
    directory, base = os.path.split(path)
    stem, ending = os.path.splitext(base)  # noqa: PTH122 - plain strings
    if directory == RUN:
        directory = f"{RUN}@{name}"
    return os.path.join(directory, f"{stem}@{name}{ending}")  # noqa: PTH118
