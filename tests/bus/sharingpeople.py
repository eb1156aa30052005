# SPDX-License-Identifier: GPL-2.0-or-later
"""Clients of proxies that share Asterisks, each with whoever looks at what it is sent."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.routing.autofilter import AutoFilter
    from tests.bus.sharingjudge import Asked, Judge
    from tests.bus.sharingworld import Node
    from tests.threads.sessions.crowdworld import Client


class Person:
    """A client of some proxy, whose every byte is judged."""

    def __init__(self, client: Client, node: Node, judge: Judge | None, mode: AutoFilter) -> None:
        self.client, self.node, self.judge, self.mode = client, node, judge, mode
        self.asked: dict[str, Asked] = {}
        self.is_here = True
