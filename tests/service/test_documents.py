# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands of the documents that want systemd, or a machine of one's own, typed on one."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

import pytest

from tests.documents.booted import BOOTED
from tests.service.installed import SOURCE

if TYPE_CHECKING:
    from tests.documents.typed import Typed
    from tests.service.machine import Machine
    from tests.service.service import Service

pytestmark = pytest.mark.service

_SUDO = '#!/bin/sh\nexec "$@"\n'


def test_commands_do_what_they_are_for(service: Service) -> None:
    """One after the other: some need what those before have done."""
    machine = service.machine
    machine.sh("cat > /usr/local/bin/sudo && chmod 0755 /usr/local/bin/sudo", input=_SUDO)

    failed = [why for why in (_fails(machine, way) for way in BOOTED) if why]

    assert failed == []


def _fails(machine: Machine, way: Typed) -> str:
    """Return what is wrong with what the command of *way* does; nothing if it is right."""
    before = f"{way.before}\n" if way.before else ""
    typed = f"cd {SOURCE}\n{before}{way.text}"
    # On a terminal, as people do.
    done = machine("env", "SYSTEMD_PAGER=cat", "TERM=dumb", "script", "-qec",
                   f"sh -c {shlex.quote(typed)}", "/dev/null", check=False)  # fmt: skip
    if done.returncode in way.status and re.search(way.expect, done.stdout):
        return ""
    return f"{way.text}: {done.returncode}: {done.stdout[-600:]}"
