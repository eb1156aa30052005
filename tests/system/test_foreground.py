# SPDX-License-Identifier: GPL-2.0-or-later
"""The program in the foreground: warnings, debug output, limits, addresses."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING, Callable

import pytest

from tests.support import ManagerClient, wait_until

if TYPE_CHECKING:
    from tests.support import ProxyProcess


def test_warnings_do_not_stop_the_start(proxy: Callable[..., ProxyProcess]) -> None:
    """They are printed on stderr and logged."""
    started = proxy("proc_user = nobody\nnosuch = 1\n")

    assert "astmanproxy.conf:5: unknown key nosuch, ignored" in started.stderr()
    started.wait_log("unknown key nosuch, ignored")
    assert "no host line names an Asterisk" in started.stderr()


def test_debug_prints_to_stdout_and_stays_in_the_foreground(
    proxy: Callable[..., ProxyProcess],
) -> None:
    """Without any secret."""
    started = proxy("proc_user = nobody\n", "joe=TopSecret\n", args=["-dd"])
    with started.client() as client:
        client.ask("Action: Login", "Username: joe", "Secret: TopSecret")
    assert started.stop() == 0

    assert "Proxy Started: Listening for connections" in started.stdout()
    assert "TopSecret" not in started.stdout() + started.log()


def serving(process: ProxyProcess) -> int:
    """Return the pid of *process* once it serves; it listens before it sets its limits."""
    wait_until(lambda: "Proxy Started" in process.log())
    return process.pid


def limits(pid: int, name: str) -> list[str]:
    """Return soft and hard limit of a process."""
    for line in Path(f"/proc/{pid}/limits").read_text().splitlines():
        if line.startswith(name):
            return line[len(name) :].split()[:2]
    raise AssertionError(name)


def test_core_dumps_are_off_unless_asked_for(proxy: Callable[..., ProxyProcess]) -> None:
    """A core dump contains every secret."""
    own = limits(os.getpid(), "Max core file size")
    plain = serving(proxy("proc_user = nobody\n", args=["-f"]))
    asked = serving(proxy("proc_user = nobody\n", args=["-fg"]))

    assert limits(plain, "Max core file size") == ["0", "0"]
    assert limits(asked, "Max core file size") == [own[1], own[1]]


def test_the_limit_of_open_files_is_raised(proxy: Callable[..., ProxyProcess]) -> None:
    """To what the system permits: each client needs one."""
    soft, hard = limits(serving(proxy("proc_user = nobody\n")), "Max open files")

    assert soft == hard


@pytest.mark.parametrize("address", ["*", "::", "[::1]", "::1", "localhost", "127.0.0.1"])
def test_listen_addresses(proxy: Callable[..., ProxyProcess], address: str) -> None:
    """Both families, with and without brackets, and names."""
    if not socket.has_dualstack_ipv6() and ":" in address:
        pytest.skip("no IPv6 here")
    started = proxy(f"proc_user = nobody\nlistenaddress = {address}\n")
    hosts = {"*": ["127.0.0.1", "::1"], "::": ["::1"], "localhost": ["localhost"]}

    for host in hosts.get(address, [address.strip("[]")]):
        if ":" in host and not socket.has_dualstack_ipv6():
            continue
        with ManagerClient(started.port, host) as client:
            assert client.read_line().startswith("Asterisk Call Manager Proxy/")
