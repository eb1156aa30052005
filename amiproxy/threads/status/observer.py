# SPDX-License-Identifier: GPL-2.0-or-later
"""Observer: what goes on in the proxy at the moment, for whoever asks."""

from __future__ import annotations

import heapq
import os
import threading
import time
from typing import TYPE_CHECKING, Callable

from amiproxy import __version__
from amiproxy.settings.reloadreport import ReloadReport
from amiproxy.status.alarms import alarms, of_cluster, of_files
from amiproxy.status.rates import SHORTEST, Rates, Sample, rate
from amiproxy.status.values import Status, Totals
from amiproxy.threads.net.certificates import dated
from amiproxy.threads.sessions.paced import paced
from amiproxy.threads.sessions.serverfacts import look
from amiproxy.threads.sessions.tallies import Tallied
from amiproxy.threads.status.ofclients import backlog, client_status, together, user_statuses
from amiproxy.threads.status.ofcluster import cluster_status
from amiproxy.threads.status.oflisteners import listener_statuses
from amiproxy.threads.status.ofprocess import memory_status, thread_statuses, threads_now
from amiproxy.threads.status.ofservers import server_status, under_way

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from amiproxy.status.clustervalues import ClusterStatus
    from amiproxy.status.values import (
        ClientStatus,
        ListenerStatus,
        ServerStatus,
        ThreadStatus,
        UserStatus,
    )
    from amiproxy.threads.sessions.context import ProxyContext
    from amiproxy.threads.sessions.link import AsteriskLink
    from amiproxy.threads.sessions.session import ClientSession
    from amiproxy.threads.status.ofclients import Together
    from amiproxy.threads.status.ofservers import UnderWay

#: A Ping's round trip that was measured longer ago is measured anew, in seconds.
_STALE = 5.0

#: How many clients are looked at one by one where everything is asked for.
MOST = 100

#: What is behind SHORTEST, in seconds: clocks are not that exact.
_MARGIN = 0.1


class Observer:
    """Looks at *context* and all it knows.  Any thread may call; the first one waits a second.

    *log_lost* returns how many lines a full disk keeps from the log, *last_reload* what the last
    reload did; *wait* waits some seconds.
    """

    def __init__(
        self,
        context: ProxyContext,
        log_lost: Callable[[], int] = int,
        last_reload: Callable[[], ReloadReport] = ReloadReport,
        *,
        wait: Callable[[float], object] = time.sleep,
    ) -> None:
        self._context = context
        self._log_lost = log_lost
        self._last_reload = last_reload
        self._wait = wait
        # Guards _rates and _thread_rates, which keep the last samples; held for a look at these.
        self._lock = threading.Lock()
        self._rates = Rates()
        self._thread_rates = Rates()

    # -- what is asked for -------------------------------------------------------------------

    def status(self) -> Status:
        """Return everything; waits a second if nobody has asked within the last fifteen."""
        self._ping()
        before, now = self._samples(self._rates, self._sample)
        context = self._context
        links, sessions = context.router.servers, context.registry.snapshot()
        actions = [under_way(link) for link in links]
        servers = tuple(
            server_status(link, here, rate(before, now, _key(link)))
            for link, here in zip(links, actions)
        )
        clients = self._clients(before, now, actions, MOST)
        figures = together(paced(sessions))
        totals = self._totals(before, now, servers, figures)
        backlogs = sum(each.backlog for each in servers) + figures.backlog
        memory = memory_status(backlogs, rate(before, now, "cpu"))
        threads = tuple(thread_statuses(threads_now(with_times=False)))
        config, reload = context.config, self._last_reload()
        cluster = cluster_status(context)
        return Status(
            version=__version__,
            pid=os.getpid(),
            started=context.started.isoformat(timespec="seconds"),
            uptime=context.uptime,
            interval=now.at - before.at,
            listeners=tuple(spec.name for spec in context.listening()),
            warnings=(
                *alarms(servers, clients, totals, memory, threads),
                *of_cluster(cluster, totals),
                *of_files(reload.problems, reload.waiting, dated(config)),
            ),
            servers=servers,
            clients=clients,
            clients_left_out=max(0, len(sessions) - len(clients)),
            totals=totals,
            memory=memory,
            listening=self.listeners(),
            cluster=cluster,
        )

    def clients(self) -> tuple[ClientStatus, ...]:
        """Return what goes on at each client; waits as ``status``."""
        before, now = self._samples(self._rates, self._sample)
        return self._clients(
            before, now, [under_way(link) for link in self._context.router.servers]
        )

    def users(self) -> tuple[UserStatus, ...]:
        """Return what goes on as each user; waits as ``status``."""
        return tuple(user_statuses(self._context.users, self.clients()))

    def threads(self) -> tuple[ThreadStatus, ...]:
        """Return what the threads do; waits as ``status``."""
        before, now = self._samples(self._thread_rates, _thread_sample)
        looks = threads_now()
        shares = {look.name: rate(before, now, look.name) for look in looks}
        return tuple(thread_statuses(looks, shares))

    def listeners(self) -> tuple[ListenerStatus, ...]:
        """Return where clients are accepted; waits for nothing."""
        return tuple(listener_statuses(self._context))

    def cluster(self) -> ClusterStatus | None:
        """Return the cluster, None where there is none; waits for nothing."""
        return cluster_status(self._context)

    # -- how it is found out -----------------------------------------------------------------

    def _ping(self) -> None:
        """Have each server asked what it is, and how long it takes, unless it was of late."""
        for link in self._context.router.servers:
            look(link, _STALE)

    def _samples(self, rates: Rates, take: Callable[[], Sample]) -> tuple[Sample, Sample]:
        """Return a sample to compare with, and one of now."""
        now = take()
        with self._lock:
            before = rates.since(now.at)
            rates.note(now)
        if before is not None:
            return before, now
        self._wait(SHORTEST + _MARGIN)
        later = take()
        with self._lock:
            rates.note(later)
        return now, later

    def _sample(self) -> Sample:
        context = self._context
        counters: dict[Hashable, float] = {"cpu": time.process_time()}
        received, sent = 0, context.registry.gone_events
        for link in context.router.servers:
            counters[_key(link)] = link.record.events
            received += link.record.events
        for session in context.registry.snapshot():
            count = session.event_count
            counters[_key(session)] = count
            sent += count
        counters["received"], counters["sent"] = received, sent
        return Sample(time.monotonic(), counters)

    def _clients(
        self, before: Sample, now: Sample, actions: Sequence[UnderWay], most: int = 0
    ) -> tuple[ClientStatus, ...]:
        """Return what goes on at each client, or at the *most* that cost most; 0: all."""
        sessions = self._context.registry.snapshot()

        def cost(session: ClientSession) -> tuple[int, float]:
            return backlog(session), rate(before, now, _key(session))

        if 0 < most < len(sessions):
            sessions = tuple(heapq.nlargest(most, paced(sessions), key=cost))
        return tuple(
            client_status(
                session,
                sum(here.of(session.number) for here in actions),
                rate(before, now, _key(session)),
            )
            for session in paced(sessions)
        )

    def _totals(
        self, before: Sample, now: Sample, servers: Sequence[ServerStatus], figures: Together
    ) -> Totals:
        context = self._context
        tallies, registry, admission = context.tallies, context.registry, context.admission
        return Totals(
            clients=admission.clients,
            most_clients=admission.most_clients or None,
            not_logged_in=admission.strangers,
            connections=tallies.count(Tallied.CONNECTION),
            refused=tallies.count(Tallied.REFUSED),
            dropped=tallies.count(Tallied.DROPPED),
            dropped_ago=tallies.ago(Tallied.DROPPED),
            logins=tallies.count(Tallied.LOGIN),
            failed_logins=tallies.count(Tallied.FAILED_LOGIN),
            actions=registry.gone_actions + figures.actions,
            refused_actions=tallies.count(Tallied.REFUSED_ACTION),
            actions_under_way=sum(
                each.actions_under_way + each.actions_waiting for each in servers
            ),
            events_received=int(now.counters["received"]),
            events_received_per_second=rate(before, now, "received"),
            events_sent=int(now.counters["sent"]),
            events_sent_per_second=rate(before, now, "sent"),
            bytes_sent=sum(had.sent for had in registry.had().values()) + figures.bytes_sent,
            log_lines_lost=self._log_lost(),
        )


def _key(one: AsteriskLink | ClientSession) -> Hashable:
    """Return what tells *one* from others also after a new log-in, which changes its number."""
    return id(one)


def _thread_sample() -> Sample:
    looks = threads_now()
    return Sample(time.monotonic(), {look.name: look.cpu or 0.0 for look in looks})
