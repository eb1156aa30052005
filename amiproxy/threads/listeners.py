# SPDX-License-Identifier: GPL-2.0-or-later
"""Listeners: all of them; SIGHUP adds and removes some, and no client of another one notices."""

from __future__ import annotations

import logging
import os
import threading
from typing import TYPE_CHECKING, Callable

from amiproxy.errors import ConfigError
from amiproxy.settings.describe import describe_listener
from amiproxy.threads.listener import Listener
from amiproxy.threads.net.door import GIVEN, OWN, Door, bound
from amiproxy.threads.net.sharing import begin_no_more

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from amiproxy.basics.deadline import Deadline
    from amiproxy.settings.listenerspec import ListenerSpec

log = logging.getLogger("amiproxy.listener")

#: What is said where only root may: a restart in place keeps the user, too.
_NO_ROOT = "; the proxy has given up root: stop it, and start it again"

#: Makes the listener of a door; its thread is not started.
Make = Callable[[Door], Listener]

#: Says why clients of a listener could not be served, "" if they can.
Objection = Callable[["ListenerSpec"], str]


class Listeners:
    """Every listener.  *make* makes one; any thread may ask for ``doors``."""

    def __init__(self, doors: Iterable[Door], make: Make) -> None:
        self._make = make
        # Guards _all and _closed: a listener is started, or taken out, in one step.  Threads are
        # started under it; none is joined, nothing bound and no file removed.
        self._lock = threading.Lock()
        self._all: tuple[Listener, ...] = tuple(make(each) for each in doors)
        self._closed = False

    @property
    def doors(self) -> list[Door]:
        """Where clients are accepted, the first listener first."""
        return [each.door for each in self._all]

    def specs(self) -> Sequence[ListenerSpec]:
        """Each listener, as it is now."""
        return [each.door.spec for each in self._all]

    def start(self, deadline: Deadline) -> None:
        """Accept clients when the servers are there, at *deadline* at the latest."""
        with self._lock:
            for each in self._all:
                each.start(deadline)
        for each in self._all:
            log.info("%s", describe_listener(each.door.spec, every=True))

    def reload(
        self, wanted: Sequence[ListenerSpec], objection: Objection, deadline: Deadline
    ) -> list[str]:
        """Have those that are *wanted*, and no other one; return what could not be done.

        What has changed holds for clients that come from now on; all others stay.  For the
        thread of a SIGHUP.
        """
        problems: list[str] = []
        specs = {each.key: each for each in wanted}
        for each in self._all:
            spec = specs.pop(each.door.spec.key, None)
            if spec is None:
                problems += self._remove(each)
            elif text := objection(spec):
                problems.append(f"{text}; {spec.name} stays as it was")
            elif each.door.has_lost_its_file:
                problems += [*self._remove(each), *self._add(spec, deadline)]
            else:
                problems += _change(each, spec)
        for spec in specs.values():
            if text := objection(spec):
                problems.append(f"{text}; nobody is accepted at {spec.name}")
            else:
                problems += self._add(spec, deadline)
        return problems

    def _add(self, spec: ListenerSpec, deadline: Deadline) -> list[str]:
        """Accept clients at *spec* as well; return what is wrong."""
        try:
            door = bound(spec, None, patience=0.0)
        except ConfigError as error:
            way = _NO_ROOT if isinstance(error.__cause__, PermissionError) else ""
            return [f"{each}{way}; nobody is accepted there" for each in error.problems]
        try:
            listener = self._make(door)
            with self._lock:
                if not self._closed:
                    listener.start(deadline)
                    self._all = (*self._all, listener)
                    log.info("%s", describe_listener(spec, every=True))
                    return []
        except (RuntimeError, MemoryError, OSError) as error:  # no thread, no descriptor
            door.close()
            return [f"{spec.place}listen: nobody is accepted at {spec.name}: {error}"]
        door.close()  # the proxy stops
        return []

    def _remove(self, listener: Listener) -> list[str]:
        """Accept no more there; return what is left of it.  Its clients stay."""
        with self._lock:
            if self._closed:
                return []
            self._all = tuple(each for each in self._all if each is not listener)
        _leave([listener])
        listener.stop()
        door = listener.door
        left = door.close()
        log.info("%s: nobody is accepted there any more; who is connected stays", door.spec.name)
        if door.name == GIVEN:
            left = "its socket unit keeps the socket: stop that, or who connects waits for ever"
        return [f"{door.spec.name}: {left}"] if left else []

    def leave(self) -> None:
        """Accept who has connected, where other processes accept the next ones (reuseport)."""
        _leave(self._all)

    def stop(self, *, keep_sockets: bool) -> None:
        """Accept no more; *keep_sockets*: for who comes next.  Others are closed."""
        with self._lock:
            self._closed = True
        for each in self._all:
            each.stop()
        if keep_sockets:
            return
        for each in self._all:
            if left := each.door.close():
                log.warning("%s: %s", each.door.spec.name, left)


def _leave(listeners: Iterable[Listener]) -> None:
    """As Listeners.leave, at those *listeners* whose ports are shared."""
    leaving = [each for each in listeners if each.door.spec.shared and each.door.name == OWN]
    for each in leaving:
        each.leaves = True
    begin_no_more([each.door.sock for each in leaving])


def _change(listener: Listener, spec: ListenerSpec) -> list[str]:
    """Have *listener* hold what *spec* says for who comes from now on; return what is wrong."""
    door = listener.door
    listener.door = door._replace(spec=spec)
    if spec.mode == door.spec.mode or not spec.path or door.name != OWN:
        return []
    try:
        os.chmod(spec.path, spec.mode)  # noqa: PTH101 - a plain string
    except OSError as error:
        return [f"{spec.place}listen: the mode of {spec.path} stays: {error.strerror}"]
    return []
