# SPDX-License-Identifier: GPL-2.0-or-later
"""Watching: a client is told what there is, and then each change of it, as JSON documents.

``watch`` begins it, for a session that has logged in; it waits for nothing.  The documents are
those of amiproxy/live/statedocs.py:

* ``snapshot``, in parts: of each server that the session's user reaches, and one of the rows of
  ``servers``, which has no member ``server``.  With part 1 what was known of its kinds ``of`` (of
  that server) is no more; with ``last`` it is whole.  It comes again after a loss, after
  ``Watch.resync``, and when the user's rights have changed;
* ``change``, with ``set`` and ``del``: at once, then ten times a second at the most;
* ``server``, whenever the state of a server changes, whatever is watched.  Rows of one that is
  not live are old from then on, until a snapshot or a change tells them anew;
* ``gap`` with the reason ``filter_change``, before a snapshot by other rights.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.live.rows import SERVERS, WATCHED
from amiproxy.live.where import Where
from amiproxy.threads.state.watched import Sink, Watch
from amiproxy.threads.state.watches import Watches

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.session import ClientSession

__all__ = ["NO_STATE", "WATCHED", "Sink", "Watch", "WatchError", "watch"]

NO_STATE = "There is no state: write state = yes into astmanproxy.conf"


class WatchError(Exception):
    """Nothing can be watched so; the text says why, for the client."""


def watch(
    context: ProxyContext,
    session: ClientSession,
    kinds: Collection[str],
    where: Mapping[str, Collection[str]],
    sink: Sink,
) -> Watch:
    """Tell *sink* from now on of the rows of *kinds*, some of WATCHED, that *session* may see.

    *where*: field -> the values that are wanted; a row that has no such field passes.  ``server``
    is where rows are from.

    Raises:
        WatchError: there is no such kind, or no state, or no thread for it.

    """
    for kind in kinds:
        if kind not in WATCHED:
            raise WatchError(f"Unknown kind {kind[:40]!a}; there are {', '.join(WATCHED)}")
    if not context.config.state and {*kinds} - {SERVERS}:
        raise WatchError(NO_STATE)
    watches = context.made.get("watches") or context.made.setdefault("watches", Watches(context))
    assert isinstance(watches, Watches)
    found = Watch(session, kinds, Where.of(where), sink, watches.wake)
    try:
        watches.add(found)
    except (RuntimeError, MemoryError) as error:
        raise WatchError(f"It cannot be watched now: {error}") from error
    return found
