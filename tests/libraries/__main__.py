# SPDX-License-Identifier: GPL-2.0-or-later
"""Install every library, and use it direct and through the proxy."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.behaviour import Behaviour
from simulator.dialects import DIALECTS
from simulator.server import SimulatedAsterisk
from tests.libraries import report
from tests.libraries.catalogue import LIBRARIES
from tests.libraries.installing import NotInstalled, Ready, install
from tests.libraries.trials import Trial, use
from tests.support import ProxyProcess
from tests.system.peers import QUICK, host_line, wait_connected

if TYPE_CHECKING:
    from collections.abc import Sequence

_USER, _SECRET = "wallboard", "s3cret"
#: What the proxy is set to: by what the table calls it.
SETTINGS = {
    "unique": "autofilter = unique\n",
    "off": "autofilter = off\n",
    "serverheader = no": "autofilter = unique\nserverheader = no\n",
}
_COMMON = QUICK + "authrequired = yes\nforcebanner = server\n"


def trial(generation: str, ready: Sequence[Ready], workers: int) -> list[Trial]:
    """Use every library at a simulated Asterisk of *generation*."""
    with ExitStack() as stack:
        users = {"ampuser": "AmpSecret", _USER: _SECRET}
        behaviour = Behaviour(speak=generation)
        asterisk = stack.enter_context(SimulatedAsterisk(users=users, behaviour=behaviour))
        ports = {"": asterisk.port}
        for name, lines in SETTINGS.items():
            proxy = stack.enter_context(
                ProxyProcess(_COMMON + lines + host_line(asterisk), f"{_USER}={_SECRET}\n")
            )
            wait_connected(proxy)
            ports[name] = proxy.port
        pool = stack.enter_context(ThreadPoolExecutor(workers))
        seen = {
            (each.library, setting): pool.submit(use, each, port, _USER, _SECRET)
            for each in ready
            for setting, port in ports.items()
        }
        return [
            Trial(
                seen[each.library, ""].result(),
                {setting: seen[each.library, setting].result() for setting in SETTINGS},
            )
            for each in ready
        ]


def main() -> int:
    """Print the table; return 1 if a library does otherwise through the proxy."""
    parser = argparse.ArgumentParser(prog="python -m tests.libraries", description=__doc__)
    parser.add_argument("--into", type=Path, default=Path(sys.prefix) / "libraries")
    names = [library.name for library in LIBRARIES]
    parser.add_argument(
        "--only", action="append", metavar="NAME", choices=names, help="this library; repeatable"
    )
    parser.add_argument("--speak", action="append", choices=DIALECTS, help="this generation only")
    parser.add_argument("--workers", type=int, default=3, help="drivers at a time (3)")
    parser.add_argument("--write", action="store_true", help="put the table into docs/clients.md")
    options = parser.parse_args()
    ready: list[Ready] = []
    absent: list[tuple[str, str, str]] = []
    for library in LIBRARIES:
        if options.only and library.name not in options.only:
            continue
        try:
            ready.append(install(library, options.into))
        except NotInstalled as error:
            absent.append((library.name, library.language, str(error)))
    trials = {
        generation: trial(generation, ready, options.workers)
        for generation in options.speak or DIALECTS
    }
    tried = [
        (each, {generation: done[number] for generation, done in trials.items()})
        for number, each in enumerate(ready)
    ]
    text = report.table(tried, absent)
    print(text)
    if options.write:
        report.write(text)
    differing = [each.library.name for each, done in tried if report.through(done) != "the same"]
    if differing:
        print(f"\nOtherwise through the proxy: {', '.join(differing)}")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(main())
