# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told of the process: releases, files, threads, memory."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING

from amiproxy import __version__
from amiproxy.metrics import families
from amiproxy.threads.net.certificates import first_end
from amiproxy.threads.status.ofprocess import memory_status

if TYPE_CHECKING:
    from amiproxy.threads.metrics.scrape import Scrape


def collect(scrape: Scrape) -> None:
    """Add it."""
    page, context = scrape.page, scrape.context
    at, is_whole = context.reloaded()
    started = context.started.timestamp()
    page.add(families.BUILD_INFO, 1, __version__, platform.python_version())
    page.add(families.RELOAD_SUCCESS, int(is_whole))
    page.add(families.RELOAD_TIME, at or started)
    page.add(families.CERTIFICATE_EXPIRY, first_end(context.config.certfile))
    memory = memory_status(0, 0.0)
    page.add(families.THREADS, memory.threads)
    page.add(families.CPU, memory.cpu)
    page.add(families.MEMORY, memory.resident)
    page.add(families.OPEN_FDS, memory.descriptors)
    page.add(families.MAX_FDS, memory.most_descriptors)
    page.add(families.START, started)
