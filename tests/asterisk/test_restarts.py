# SPDX-License-Identifier: GPL-2.0-or-later
"""Asterisk restarts, is killed, or reads its configuration again, while twenty clients are connected.

None of them loses its connection to the proxy; what they are sent before and after is whole
and in order, as of a direct client that has logged in again.
"""

from __future__ import annotations

import contextlib
import itertools
from typing import TYPE_CHECKING, Callable

import pytest

from tests.asterisk.actions.answers import without_server
from tests.asterisk.asking import Admin
from tests.asterisk.compare import compared
from tests.asterisk.decoding import header
from tests.asterisk.instance import Asterisk
from tests.asterisk.proxies import SERVER, certificate, start_proxy
from tests.asterisk.recorder import Recorder
from tests.support import wait_until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.asterisk.chroot import Chroot
    from tests.asterisk.decoding import Lines
    from tests.asterisk.figures import Figures
    from tests.support import ProxyProcess

pytestmark = pytest.mark.real_asterisk

#: What each of five clients is: format, over TLS.
_KINDS = [("", False), ("", True), ("xml", False), ("csv", False), ("json", True)]
_CLIENTS = 20
_MARKS = itertools.count(1)


@pytest.fixture(scope="module")
def asterisk(chroot: Chroot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Asterisk]:
    """An Asterisk of these tests' own, without phones."""
    with Asterisk(chroot, tmp_path_factory.mktemp("restarts"), phones=()) as one:
        yield one


@pytest.fixture(scope="module")
def proxy(asterisk: Asterisk, tmp_path_factory: pytest.TempPathFactory) -> Iterator[ProxyProcess]:
    """A proxy that tries again soon."""
    tls = certificate(tmp_path_factory.mktemp("tls"))
    with start_proxy(asterisk, tls=tls) as one:
        yield one


@pytest.fixture(scope="module")
def clients(proxy: ProxyProcess) -> Iterator[list[Recorder]]:
    """Twenty clients of it, in all formats."""
    with contextlib.ExitStack() as stack:
        found = []
        for number in range(_CLIENTS):
            output, tls = _KINDS[number % len(_KINDS)]
            one = Recorder(f"{number} {output}", proxy.port, output=output, tls=tls)
            stack.callback(one.close)
            found.append(one)
        yield found


def some_events(asterisk: Asterisk) -> tuple[list[Lines], str, str]:
    """Let calls be made; return what a direct client is sent meanwhile, and the marks around it."""
    first, last = (f"mark-{next(_MARKS)}-{what}" for what in ("begins", "ends"))
    watching = Recorder("direct", asterisk.ports.ami, "direct", direct=True)
    with Admin(asterisk.client(timeout=20)) as admin:
        admin.succeed("UserEvent", UserEvent="Mark", Text=first)
        for _ in range(3):
            admin.ask("Originate", Channel="Local/w0@legs", Application="Wait", Data="0")
        wait_until(lambda: not admin.channels(), 20, "no call is left")
        admin.succeed("UserEvent", UserEvent="Mark", Text=last)
    direct = watching.between(first.encode(), last.encode())
    watching.close()
    return direct, first, last


def killed(asterisk: Asterisk) -> None:
    """It ends without a word."""
    asterisk.kill()
    asterisk.start()


def restarted_now(asterisk: Asterisk) -> None:
    """It starts itself again, in the same process."""
    asterisk.cli("core restart now")
    wait_until(lambda: not asterisk.answers, 20, "it has ended")
    asterisk.wait_booted()


def manager_reloaded(asterisk: Asterisk) -> None:
    """Sessions stay, with the rights that they had."""
    asterisk.reload("manager")


def everything_reloaded(asterisk: Asterisk) -> None:
    """Sessions stay."""
    asterisk.reload()


#: What happens, and whether the proxy's connection ends by it.
HAPPENINGS: dict[str, tuple[Callable[[Asterisk], None], bool]] = {
    "stopped and started": (Asterisk.restart, True),
    "killed": (killed, True),
    "core restart now": (restarted_now, True),
    "module reload manager": (manager_reloaded, False),
    "module reload": (everything_reloaded, False),
}


@pytest.mark.parametrize("name", HAPPENINGS)
def test_nobody_loses_its_connection_and_nothing_is_cut(
    asterisk: Asterisk, proxy: ProxyProcess, clients: list[Recorder], figures: Figures, name: str
) -> None:
    """Events before and after are Asterisk's; each learns once that it has booted fully."""
    happens, ends = HAPPENINGS[name]
    connected = proxy.log().count(": connected (")
    before = some_events(asterisk)
    for one in clients:
        one.wait(before[2].encode())  # what is killed sends nothing more
    happens(asterisk)
    if ends:
        wait_until(lambda: proxy.log().count(": connected (") > connected, 30, "connected again")
    after = some_events(asterisk)

    for one in clients:
        for direct, first, last in (before, after):
            seen = without_server(one.between(first.encode(), last.encode()), SERVER)
            assert compared(direct, seen).differences == [], one.name
            figures.counts["events round restarts"] += len(direct)
        between = one.between(before[2].encode(), after[1].encode())
        booted = [each for each in between if header(each, "Event") == "FullyBooted"]
        assert len(booted) == ends, one.name
        assert not one.ended
    assert proxy.log().count(": connected (") == connected + ends


def test_actions_are_answered_before_meanwhile_and_after(
    asterisk: Asterisk, proxy: ProxyProcess
) -> None:
    """Meanwhile: by an error that says so, at once."""
    with proxy.client(timeout=20) as client:
        client.send("Action: Events", "EventMask: off")
        client.read_until("Response: Success")
        assert client.ask("Action: Ping", "ActionID: 1")[:2] == ["Response: Success", "ActionID: 1"]
        asterisk.stop()
        client.send("Action: Ping", "ActionID: 2")
        assert client.read_until("ActionID: 2") == [
            "Response: Error", "ActionID: 2", "Message: No Asterisk server connected",
        ]  # fmt: skip
        asterisk.start()

        def answered() -> bool:
            client.send("Action: Ping", "ActionID: 3")
            return client.read_until("ActionID: 3")[0] == "Response: Success"

        wait_until(answered, 20, "the proxy is connected again")


def test_who_asks_for_a_call_when_asterisk_is_killed_is_told(
    asterisk: Asterisk, proxy: ProxyProcess
) -> None:
    """An action whose answer cannot come any more is answered by an error."""
    with proxy.client(timeout=20) as client:
        client.send("Action: Events", "EventMask: off")
        client.read_until("Response: Success")
        client.send(
            "Action: Originate", "ActionID: 4", "Channel: Local/never@legs", "Application: Wait",
            "Data: 1", "Timeout: 30000",
        )  # fmt: skip
        with Admin(asterisk.client(timeout=20)) as admin:
            wait_until(admin.channels, 20, "it rings")
        asterisk.kill()
        assert client.read_until("ActionID: 4")[0] == "Response: Error"
        asterisk.start()
