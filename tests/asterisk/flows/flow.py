# SPDX-License-Identifier: GPL-2.0-or-later
"""What a flow is."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

if TYPE_CHECKING:
    from tests.asterisk.world import World

    #: What makes something happen; its docstring says what.
    Flow = Callable[[World], None]

#: All flows by name, in the order in which their modules were imported.
FLOWS: dict[str, Flow] = {}


def flow(run: Flow) -> Flow:
    """Make the function *run* a flow."""
    FLOWS[run.__name__] = run
    return run
