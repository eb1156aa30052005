# SPDX-License-Identifier: GPL-2.0-or-later
"""What goes on at the listeners."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.status.values import ListenerStatus

if TYPE_CHECKING:
    from collections.abc import Iterator

    from amiproxy.threads.sessions.context import ProxyContext

#: What is told of TLS where plain text is accepted, and where TLS is.
_TLS = {(True, False): "no", (False, True): "yes", (True, True): "both"}


def listener_statuses(context: ProxyContext) -> Iterator[ListenerStatus]:
    """Yield each listener, then those that were removed and whose clients are still there."""
    counts = context.admission.count_by_listener()
    for spec in context.listening():
        yield ListenerStatus(
            name=spec.name,
            clients=counts.pop(spec.name, 0),
            input=context.input_format(spec).name,
            output=context.output_format(spec).name,
            autofilter=spec.autofilter.value,
            tls=_TLS.get((spec.plain, spec.encrypted), "no"),
            auth="yes" if spec.guarded else "no",
        )
    for name, clients in sorted(counts.items()):
        if name:
            yield ListenerStatus(name, clients, "removed", "", "", "", "")
