# SPDX-License-Identifier: GPL-2.0-or-later
"""PlainRouter: hands each batch to every session, one after the other.

Simple and slow: what the proxy's own router, which finds out whom a batch is for, is held against.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, cast

from amiproxy.threads.sessions.router import Router

if TYPE_CHECKING:
    from collections.abc import Callable

    from amiproxy.threads.sessions.crowd import Crowd
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.wire.batch import Batch


class PlainRouter(Router):
    """A router that looks for nobody: by ``publish`` each session finds out itself what it gets."""

    def gather(self, link: AsteriskLink) -> Crowd:
        """Return what hands batches to every client."""
        del link
        return cast("Crowd", Everybody(self.publish))

    def disperse(self, crowd: Crowd) -> None:
        """There is nothing to forget."""


class Everybody:
    """All clients of a plain router, in the place of a crowd; *hand_out* is the router's own."""

    def __init__(self, hand_out: Callable[[Batch], None]) -> None:
        self.hand_out = hand_out
        self.changed: tuple[()] = ()

    def sort_in(self) -> None:
        """Who has changed is found at each batch."""
