# SPDX-License-Identifier: GPL-2.0-or-later
"""The time, the bus and the luck of proxies of one process: not those of the machine."""

from __future__ import annotations

import contextlib
import random
import sys
import time
from types import SimpleNamespace
from typing import TYPE_CHECKING

import pytest

from amiproxy.bus import clock as bus_clock
from amiproxy.routing import actionids
from amiproxy.threads.bus import asks as asks_module
from amiproxy.threads.bus import tail as tail_module
from tests.bus.sharingbus import Clock, Reader
from tests.threads.sessions import crowdworld

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

#: What is kept for the filters of calls is kept by all alike: none forgets.
MOST_IDS = 1 << 20


@contextlib.contextmanager
def house(seed: int, while_asleep: Callable[[], object]) -> Iterator[Clock]:
    """Have the time be that of one clock, and the bus the one of sharingbus.py, while inside.

    Whenever a client's thread sleeps, *while_asleep* is called.
    """
    clock, luck = Clock(), random.Random(seed)
    letters = "abcdefghijklmnopqrstuvwxyz0123456789"
    with crowdworld.worlds(MOST_IDS, MOST_IDS), pytest.MonkeyPatch.context() as patch:
        stand_in = clock.as_module()

        def sleep(seconds: float) -> None:
            clock.pass_on(seconds)
            while_asleep()

        stand_in.sleep = sleep
        for name, module in list(sys.modules.items()):
            found = getattr(module, "time", None) if name.startswith("amiproxy.") else None
            if found is time or isinstance(found, SimpleNamespace):
                patch.setattr(module, "time", stand_in)
        patch.setattr(bus_clock, "now", lambda: clock.now)
        patch.setattr(actionids, "_random_text", lambda n: "".join(luck.choices(letters, k=n)))
        for module in (tail_module, asks_module):
            patch.setattr(module, "StreamReader", Reader)
        patch.setattr("amiproxy.threads.bus.turn._AGAIN", 0.0)
        patch.setattr(asks_module, "_AGAIN", 0.0)
        patch.setattr(tail_module, "COUNT", tail_module.COUNT)  # the house sets it
        yield clock
