# SPDX-License-Identifier: GPL-2.0-or-later
"""What a flow is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable, NamedTuple

if TYPE_CHECKING:
    from tests.asterisk.world import World


class Flow(NamedTuple):
    """What happens, in words, and what makes it happen."""

    name: str
    run: Callable[[World], None]
    note: str


#: All flows, in the order in which their modules were imported.
FLOWS: dict[str, Flow] = {}


def flow(run: Callable[[World], None]) -> Callable[[World], None]:
    """Make the function *run* a flow: its docstring says what happens."""
    note = (run.__doc__ or "").strip().partition("\n")[0]
    FLOWS[run.__name__] = Flow(run.__name__, run, note)
    return run
