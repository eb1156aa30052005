# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told of the models of what is there now; nothing where ``state`` is not on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.metrics import families
from amiproxy.state.model import LIVE
from amiproxy.state.tables import KINDS

if TYPE_CHECKING:
    from amiproxy.threads.metrics.scrape import Scrape


def collect(scrape: Scrape) -> None:
    """Add it."""
    page = scrape.page
    for model in scrape.models:
        server, link, follower, picture = model
        sees_all = scrape.sees_all(link)
        page.add(families.STATE_LIVE, int(follower.state == LIVE), server)
        page.add(families.STATE_RESYNCS, follower.gaps, server)
        corrections = follower.corrections.by_kind.copy()
        for kind in KINDS:
            if sees_all:
                page.add(families.STATE_CORRECTIONS, corrections.get(kind, 0), server, kind)
            if picture is not None and kind not in picture.unknown:
                shown = picture.rows.get(kind, ()) if sees_all else scrape.rows(model, kind)
                page.add(families.STATE_ENTRIES, len(shown), server, kind)
