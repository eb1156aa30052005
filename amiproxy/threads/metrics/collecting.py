# SPDX-License-Identifier: GPL-2.0-or-later
"""Who fills in a page of metrics: one function for each thing that has some.

All is read when somebody asks, in the thread that asks.  What is counted on the way of an event
or an action is an addition to a number that is there; a family is made of these here.
"""

from __future__ import annotations

import platform
from collections import Counter
from typing import TYPE_CHECKING, Callable

from amiproxy import __version__
from amiproxy.metrics import families
from amiproxy.metrics.page import Page

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.link import AsteriskLink

#: Adds what it knows to a page.
Collector = Callable[["ProxyContext", Page], None]


def collect(context: ProxyContext) -> Page:
    """Return all that there is to tell of *context* now."""
    page = Page()
    for fill in COLLECTORS:
        fill(context, page)
    return page


def servers(context: ProxyContext) -> Iterator[tuple[str, AsteriskLink]]:
    """Yield each server with its name for the label ``server``.

    That is the name which messages bear; where two have the same one, with the port.
    """
    links = context.router.servers
    names = Counter(link.name for link in links)
    for link in links:
        yield link.name if names[link.name] == 1 else link.scope, link


def _of_program(context: ProxyContext, page: Page) -> None:
    del context
    page.add(families.BUILD_INFO, 1, __version__, platform.python_version())


def _of_servers(context: ProxyContext, page: Page) -> None:
    for server, link in servers(context):
        page.add(families.SERVER_UP, int(link.connected), server)


#: In this order; each adds families of its own.
COLLECTORS: tuple[Collector, ...] = (_of_program, _of_servers)
