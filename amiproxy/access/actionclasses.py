# SPDX-License-Identifier: GPL-2.0-or-later
"""The permission classes each action needs, of all versions of Asterisk together."""

from __future__ import annotations

from types import MappingProxyType
from typing import TYPE_CHECKING

from amiproxy.asterisk import actions
from amiproxy.routing.classes import CLASSES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amiproxy.asterisk.actions import Span


def _strictest(spans: Iterable[Span]) -> tuple[int, ...]:
    """Return masks, of each of which a user needs one class, so that all *spans* admit them.

    A mask that holds all of another one's classes asks for nothing more, and is left out.
    """
    masks = {sum(CLASSES[name] for name in span.classes) for span in spans if span.classes}
    return tuple(
        mask for mask in sorted(masks) if not any(mask & one == one != mask for one in masks)
    )


#: Action, in lower case -> masks of classes: a user needs one class of each.  An action
#: that is not here needs every class.
ACTIONS: Mapping[str, tuple[int, ...]] = MappingProxyType(
    {name.lower(): _strictest(action.spans) for name, action in actions.ACTIONS.items()}
)
