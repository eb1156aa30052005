# SPDX-License-Identifier: GPL-2.0-or-later
"""ProxyAction: what is known of one, as a record; and how a function becomes one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Callable

from amiproxy import replies

if TYPE_CHECKING:
    from amiproxy.threads.actions.call import Action, Call, Outcome


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


class Records(list[ProxyAction]):
    """The ProxyActions of one module, in the order of docs/clients.md."""

    def proxy_action(
        self,
        name: str,
        *,
        headers: str = "",
        reply: str,
        read_only: bool = False,
        privileged: bool = False,
        for_everybody: bool = False,
    ) -> Callable[[Action], Action]:
        """Enter the function below as the ProxyAction *name*."""

        def enter(run: Action) -> Action:
            self.append(
                ProxyAction(
                    name,
                    run,
                    headers,
                    reply,
                    read_only=read_only,
                    privileged=privileged,
                    for_everybody=for_everybody,
                )
            )
            return run

        return enter


def succeed(call: Call, *lines: str) -> Outcome:
    """Answer *call* with success and *lines*."""
    return call.say(replies.proxy_success(call.message, *lines))
