# SPDX-License-Identifier: GPL-2.0-or-later
"""Using a library: what its driver saw, direct and through the proxy."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tests.libraries.installing import Ready

#: Seconds that a driver has for all its steps.
_PATIENCE = 20.0

#: What a driver saw, by step, in order.
Seen = dict[str, object]


class Trial(NamedTuple):
    """One library at one generation of Asterisk: direct, and through the proxy by setting."""

    direct: Seen
    through: Mapping[str, Seen]

    def differences(self, setting: str) -> list[str]:
        """Return the steps that went otherwise through the proxy; what failed direct is none."""
        seen = self.through[setting]
        return [step for step, saw in self.direct.items() if seen.get(step, ...) != saw]


def use(ready: Ready, port: int, user: str, secret: str) -> Seen:
    """Run the driver of *ready* at *port* of this machine; return what it saw."""
    return run(ready, "127.0.0.1", str(port), user, secret)


def run(ready: Ready, *arguments: str) -> Seen:
    """Run the driver of *ready* with *arguments*; return what it saw."""
    command = [*ready.command, *arguments]
    environment = {**os.environ, **ready.environment, "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command, capture_output=True, timeout=_PATIENCE, check=False, env=environment
        )
        output = done.stdout
    except subprocess.TimeoutExpired as error:
        output = error.stdout or b""
    seen: Seen = {}
    for line in output.splitlines():
        if line.startswith(b'{"'):
            said = json.loads(line)
            seen[said["step"]] = said["saw"]
    return seen
