# SPDX-License-Identifier: GPL-2.0-or-later
"""Where the control socket is: the proxy and who asks it find it in the same way."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.settings.config import Config


def control_path(config: Config, pidfile: str) -> str:
    """Return the path of the control socket, ``""``: there is none.

    Where *config* does not name it, it is beside *pidfile*, the path of the pid file in use,
    ``""`` if there is none.
    """
    if config.control_socket == "no":
        return ""
    if config.control_socket or not pidfile:
        return config.control_socket
    return f"{os.path.splitext(pidfile)[0]}.sock"  # noqa: PTH122 - a plain string
