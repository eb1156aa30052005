# SPDX-License-Identifier: GPL-2.0-or-later
"""Comeback: who has a proxy restarted waits until it is there again."""

from __future__ import annotations

import contextlib
import json
import os
import time
from typing import TYPE_CHECKING

from amiproxy.threads.control.client import UnreachableError, ask
from amiproxy.threads.control.socketfile import connect
from amiproxy.threads.net.unixlistening import file_id

if TYPE_CHECKING:
    from amiproxy.basics.deadline import Deadline

#: Between two looks, in seconds.
_PAUSE = 0.02


class Comeback:
    """The proxy at the control socket *path*, as it is before it restarts."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._before = file_id(path)
        self._pid = 0  # 0: it cannot be seen from here
        with contextlib.suppress(UnreachableError, ValueError, KeyError, OSError):
            pid = int(json.loads(ask(path, "version", as_json=True, timeout=10.0).text)["pid"])
            os.kill(pid, 0)
            self._pid = pid

    def wait(self, deadline: Deadline) -> bool:
        """Return whether the restarted proxy answers before *deadline*; False once it has ended."""
        while not deadline.over:
            now = file_id(self._path)
            if now not in (None, self._before):
                with contextlib.suppress(OSError), connect(self._path, 10.0):
                    return True
            if self._has_ended():
                return False
            time.sleep(_PAUSE)
        return False

    def _has_ended(self) -> bool:
        if self._pid:
            try:
                os.kill(self._pid, 0)
            except ProcessLookupError:
                return True
            except OSError:
                pass
        return False
