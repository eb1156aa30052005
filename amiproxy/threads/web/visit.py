# SPDX-License-Identifier: GPL-2.0-or-later
"""Visit: one request to a resource, and what is known of its client; what a resource answers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Callable, Union

from amiproxy.httpmessages import Response
from amiproxy.web import paths

if TYPE_CHECKING:
    from amiproxy.httpmessages import Request
    from amiproxy.settings.listenerspec import ListenerSpec
    from amiproxy.threads.net.transport import Transport
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.web.asker import Asker
    from amiproxy.threads.web.sessions import WebSessions


@dataclass(frozen=True)
class Visit:
    """One request to a resource.  Belongs to the thread of its client.

    *transport* is its connection; *asker* carries out actions for it.  *spec* is the listener it
    came in at.
    *mark_authenticated* is to be called when it has brought a log-in or the proxy key: else its
    connection counts as a stranger's, and ends.
    """

    context: ProxyContext
    sessions: WebSessions
    request: Request
    transport: Transport
    asker: Asker
    address: str
    spec: ListenerSpec
    mark_authenticated: Callable[[], None]

    @cached_property
    def path(self) -> str:
        """The path, decoded, in its own case; without a slash at the end."""
        return paths.exact_path_of(self.request)

    @cached_property
    def fields(self) -> tuple[tuple[str, str], ...]:
        """Name and value of each field of the URL, in order.

        Raises:
            BadRequest: 400, there are too many.

        """
        return paths.query_fields(self.request)

    @property
    def is_tls(self) -> bool:
        """Whether the connection is encrypted."""
        return bool(self.transport.tls_version)


@dataclass(frozen=True)
class Stream:
    """An answer that has no end of its own, or goes on in another protocol.

    *head* is what the answer begins with; then *run* is called, in the client's thread, with what
    the client has sent behind its request.  When it returns, or raises PeerError, the connection
    is closed.  *leave* is called at the very end, also where *run* was not.  *send* sends the head,
    where that is to be one step with something else.
    """

    head: Response
    run: Callable[[bytes], None]
    leave: Callable[[], None] = lambda: None
    send: Callable[[bytes], None] | None = None


#: Answers a visit; raises BadRequest, or Problem, for one that cannot be answered.
Resource = Callable[[Visit], Union[Response, Stream]]
