# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told of the clients, all together: none of them by name, number or address."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import TYPE_CHECKING

from amiproxy.access.user import OPERATOR
from amiproxy.metrics import families
from amiproxy.threads.net.traffic import traffic
from amiproxy.threads.net.transport import Transport
from amiproxy.threads.sessions.paced import paced
from amiproxy.threads.sessions.session import FILTER_TIME
from amiproxy.threads.sessions.streamsession import StreamSession
from amiproxy.threads.sessions.tallies import Tallied

if TYPE_CHECKING:
    from collections.abc import Mapping

    from amiproxy.metrics.family import Family
    from amiproxy.threads.metrics.scrape import Scrape
    from amiproxy.threads.sessions.session import ClientSession

#: What is told before it has happened: where a counter begins with 1, that is no increase.
_DROPS = ("slow", "filters", "format", "protocol", "kicked", "unwanted")
_FAILURES = ("failed", "address", "too_often", "not_tried")

#: The format of connections that have no session: requests of HTTP, and who has just come.
_WEB = "http"


def collect(scrape: Scrape) -> None:
    """Add it."""
    sessions = {
        id(session.transport): session
        for session in scrape.context.registry.snapshot()
        if isinstance(session, StreamSession)
    }
    _now(scrape, sessions)
    _so_far(scrape, sessions)
    _tallied(scrape)
    scrape.page.add(families.FILTER_SECONDS, FILTER_TIME.total)


def _now(scrape: Scrape, sessions: Mapping[int, StreamSession]) -> None:
    """Add who is there, and what they have not taken."""
    page = scrape.page
    clients: Counter[tuple[str, str, str]] = Counter()
    backlogs = [0]
    for slot in paced(scrape.context.admission.slots()):
        session = sessions.get(id(slot.connection))
        form = _WEB if session is None else session.output.name
        clients[slot.listener, form, user_class(session)] += 1
        if isinstance(slot.connection, Transport):
            backlogs.append(slot.connection.backlog)
    for labels, count in clients.items():
        page.add(families.CLIENTS, count, *labels)
    page.add(families.BACKLOG, sum(backlogs))
    page.add(families.BACKLOG_MAX, max(backlogs))


def user_class(session: ClientSession | None) -> str:
    """Return in a word who is logged in at *session*, None: nobody, or with each request anew."""
    user = None if session is None else session.user
    if user is None:
        return "none"
    if OPERATOR in (user.proxyactions or ()):
        return "operator"
    is_restricted = user.limited or user.filtered or user.servers
    return "restricted" if is_restricted else "unrestricted"


def _so_far(scrape: Scrape, sessions: Mapping[int, StreamSession]) -> None:
    """Add what clients were sent: those that are there, and those that have left."""
    had: defaultdict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for form, (events, sent, received) in scrape.context.registry.had().items():
        had[form] = [events, sent, received]
    for session in paced(sessions.values()):
        found = traffic(session.transport.sock)
        sums = had[session.output.name]
        sums[0] += session.event_count
        if found is not None:
            sums[1] += found.sent
            sums[2] += found.received
    told = scrape.context.made.setdefault("metrics.told", {})
    assert isinstance(told, dict)
    for form, (events, sent, received) in had.items():
        for family, labels, value in (
            (families.CLIENT_MESSAGES, (form,), events),
            (families.CLIENT_BYTES, (form, "sent"), sent),
            (families.CLIENT_BYTES, (form, "received"), received),
        ):
            scrape.page.add(family, rising(told, (family.name, *labels), value), *labels)


def rising(told: dict[tuple[str, ...], int], key: tuple[str, ...], value: int) -> int:
    """Return *value*, or what was told of *key* before if that is more.

    A client that has just left, or changed its format, may be in neither of two sums; what falls
    is taken for a counter that begins anew, so that all of it would count once more.
    """
    told[key] = value = max(value, told.get(key, 0))
    return value


def _tallied(scrape: Scrape) -> None:
    """Add what is counted where it happens."""
    page, tallies, listeners = scrape.page, scrape.context.tallies, scrape.context.listening()

    def add(family: Family, what: Tallied, *known: str) -> None:
        found: dict[tuple[str, ...], int] = {(word,): 0 for word in known}
        found.update(tallies.by(what))
        for labels, count in found.items():
            page.add(family, count, *labels)

    names = [spec.name for spec in listeners]
    add(families.CONNECTIONS, Tallied.CONNECTION, *names)
    add(families.REFUSED, Tallied.REFUSED, *names)
    add(families.DROPS, Tallied.DROPPED_ELSE, *_DROPS)
    page.add(families.DROPS, tallies.count(Tallied.DROPPED), "slow")
    page.add(families.LOGINS, tallies.count(Tallied.LOGIN), "ok")
    add(families.LOGINS, Tallied.FAILED_LOGIN, *_FAILURES)
    add(families.REQUESTS, Tallied.REQUEST)
