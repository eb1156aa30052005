# SPDX-License-Identifier: GPL-2.0-or-later
"""The process that attacks: ``python -m benchmarks.torture.attacker NAME PORT SPARE``.

It says ``prepared``, begins when it reads a byte from stdin, and ends at the end of stdin.
It runs with low priority: in the field it has a processor of its own.
"""

from __future__ import annotations

import os
import sys

from amiproxy.process.process import raise_file_limit
from benchmarks.torture.attacks import ATTACKS
from benchmarks.torture.floods import Clock, Target


def main(name: str, port: int, spare: int) -> None:
    """Carry the attack *name* out."""
    raise_file_limit()
    os.nice(10)
    attack = next(each for each in ATTACKS if each.name == name)
    attack.run(Target(port, spare), Clock())


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
