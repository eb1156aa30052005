# SPDX-License-Identifier: GPL-2.0-or-later
"""ProxyAction: what is known of one, as a record."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from amiproxy.threads.actions.call import Action


@dataclass(frozen=True)
class ProxyAction:
    """One ProxyAction; *name* is as clients write it, *run* carries it out.

    *headers* and *reply* are its row in docs/clients.md.
    *read_only*: it changes nothing, so a link on another site's page may call it.
    *privileged*: it shows or changes the servers, so it must be given to a user.
    *for_everybody*: no login is needed, and no right.
    *operating*: it is the operator's, and must be given to a user by its name, or as ``operator``.
    """

    name: str
    run: Action
    headers: str
    reply: str
    read_only: bool = False
    privileged: bool = False
    for_everybody: bool = False
    operating: bool = False
