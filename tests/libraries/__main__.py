# SPDX-License-Identifier: GPL-2.0-or-later
"""Install every library, and use it direct and through the proxy."""

from __future__ import annotations

import argparse
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from simulator.behaviour import Behaviour
from simulator.dialects import DIALECTS
from simulator.server import SimulatedAsterisk
from tests.libraries import report
from tests.libraries.catalogue import LIBRARIES
from tests.libraries.installing import NotInstalled, Ready, install
from tests.libraries.live import trials as live
from tests.libraries.live.catalogue import CLIENTS
from tests.libraries.trials import Trial, use
from tests.support import ProxyProcess
from tests.system.peers import QUICK, host_line, wait_connected

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.libraries.catalogue import Library

_USER, _SECRET = "wallboard", "s3cret"
#: What the proxy is set to: by what the table calls it.
SETTINGS = {
    "autofilter = unique": "autofilter = unique\n",
    "autofilter = off": "autofilter = off\n",
    "serverheader = no": "autofilter = unique\nserverheader = no\n",
}
_COMMON = QUICK + "authrequired = yes\nforcebanner = server\n"


def trial(generation: str, ready: Sequence[Ready]) -> list[Trial]:
    """Use every library at simulated Asterisks of *generation*, one after the other.

    Each has an Asterisk of its own, direct and with each setting: many libraries give the
    same ActionIDs, and would take each other's UserEvents for answers.
    """
    users = {"ampuser": "AmpSecret", _USER: _SECRET}
    with ExitStack() as stack:

        def asterisk() -> SimulatedAsterisk:
            behaviour = Behaviour(speak=generation)
            return stack.enter_context(SimulatedAsterisk(users=users, behaviour=behaviour))

        ports = [asterisk().port]
        for lines in SETTINGS.values():
            proxy = stack.enter_context(
                ProxyProcess(_COMMON + lines + host_line(asterisk()), f"{_USER}={_SECRET}\n")
            )
            wait_connected(proxy)
            ports.append(proxy.port)
        pool = stack.enter_context(ThreadPoolExecutor(len(ports)))
        trials = []
        for each in ready:
            direct, *through = pool.map(partial(use, each, user=_USER, secret=_SECRET), ports)
            trials.append(Trial(direct, dict(zip(SETTINGS, through))))
        return trials


def main() -> int:
    """Print the table; return 1 if a library does otherwise through the proxy, whatever the setting."""
    parser = argparse.ArgumentParser(prog="python -m tests.libraries", description=__doc__)
    parser.add_argument("--into", type=Path, default=Path(sys.prefix) / "libraries")
    names = [library.name for library in (*LIBRARIES, *CLIENTS)]
    parser.add_argument(
        "--only", action="append", metavar="NAME", choices=names, help="this library; repeatable"
    )
    parser.add_argument("--speak", action="append", choices=DIALECTS, help="this generation only")
    parser.add_argument("--write", action="store_true", help="put the table into docs/clients.md")
    options = parser.parse_args()
    wanted = [library for library in LIBRARIES if library.name in (options.only or names)]
    clients = [client for client in CLIENTS if client.name in (options.only or names)]
    return max(_manager_libraries(wanted, options), live.check(clients, options))


def _manager_libraries(libraries: Sequence[Library], options: argparse.Namespace) -> int:
    """Use *libraries*; return 1 if one of them does otherwise through the proxy."""
    if not libraries:
        return 0
    ready: list[Ready] = []
    absent: list[tuple[str, str, str]] = []
    for library in libraries:
        try:
            ready.append(install(library, options.into))
        except NotInstalled as error:
            absent.append((library.name, library.language, str(error)))
    trials = {generation: trial(generation, ready) for generation in options.speak or DIALECTS}
    tried = [
        (each, {generation: done[number] for generation, done in trials.items()})
        for number, each in enumerate(ready)
    ]
    text = report.table(tried, absent)
    print(text)
    if options.write:
        report.write(text)
    failing = [each.library.name for each, done in tried if report.fails(done)]
    if failing:
        print(f"\nOtherwise through the proxy: {', '.join(failing)}")
    return 1 if failing else 0


if __name__ == "__main__":
    sys.exit(main())
