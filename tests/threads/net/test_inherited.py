# SPDX-License-Identifier: GPL-2.0-or-later
"""Inherited sockets: which of them count, and how they are handed on."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.settings.config import Config
from amiproxy.threads.net import inherited
from amiproxy.threads.net.door import GIVEN, OWN, Door
from amiproxy.threads.net.inherited import hand_on, open_doors
from tests.support import ROOT, free_port
from tests.system.sockets import listening

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def given(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[str], dict[str, str]]]:
    """Say that a new listening socket is inherited, under a name; the environment that does."""
    made: list[socket.socket] = []

    def give(name: str, address: str = "127.0.0.1") -> dict[str, str]:
        made.append(listening(address, free_port()))
        monkeypatch.setattr(inherited, "FIRST", os.dup(made[-1].fileno()))
        return {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1", "LISTEN_FDNAMES": name}

    yield give
    for each in made:
        each.close()


def port_of(door: Door) -> int:
    port: int = door.sock.getsockname()[1]
    return port


@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"LISTEN_PID": "1", "LISTEN_FDS": "1"},
        {"LISTEN_PID": "", "LISTEN_FDS": "1"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "none"},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "0"},
        {"LISTEN_PID": str(os.getpid())},
        {"LISTEN_PID": str(os.getpid()), "LISTEN_FDS": "1" * 5000},
    ],
)
def test_without_any_the_configured_address_is_bound(environment: dict[str, str]) -> None:
    """Also where they are another process's; and nobody reads of them a second time."""
    config = Config(listen_address="127.0.0.1", listen_port=free_port())

    (door,), warnings = open_doors(config, None, pytest.fail, environment)

    assert (door.name, port_of(door), warnings) == (OWN, config.listen_port, [])
    assert environment == {}
    door.sock.close()


def test_what_the_proxy_has_bound_counts_while_the_file_says_so(
    given: Callable[..., dict[str, str]],
) -> None:
    """Another address in the file is bound anew, and the old one is free."""
    environment = given(OWN)
    with socket.socket(fileno=os.dup(inherited.FIRST)) as sock:
        port = sock.getsockname()[1]
    (door,), _ = open_doors(
        Config(listen_address="127.0.0.1", listen_port=port), None, pytest.fail, dict(environment)
    )
    assert door.fileno() == inherited.FIRST
    door.sock.detach()

    (other,), warnings = open_doors(
        Config(listen_address="127.0.0.1", listen_port=free_port()), None, pytest.fail, environment
    )

    assert (port_of(other) != port, other.name, warnings) == (True, OWN, [])
    other.sock.close()
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(inherited.FIRST)


@pytest.mark.parametrize(
    ("address", "said"),
    [("127.0.0.1", ""), ("localhost", ""), ("*", "at 127.0.0.1 port"), ("127.0.0.9", "at 127.0.0.1 port")],
)  # fmt: skip
def test_a_supervisors_socket_counts_and_a_difference_is_told(
    given: Callable[..., dict[str, str]], address: str, said: str
) -> None:
    """Who may connect is what the operator has to know."""
    environment = given(GIVEN)
    with socket.socket(fileno=os.dup(inherited.FIRST)) as sock:
        port = sock.getsockname()[1]

    (door,), warnings = open_doors(
        Config(listen_address=address, listen_port=port), None, pytest.fail, environment
    )

    assert (door.name, port_of(door), len(warnings)) == (GIVEN, port, bool(said))
    assert all(said in each for each in warnings)
    door.sock.close()


PROGRAM = """
import os, sys
from amiproxy.settings.config import Config
from amiproxy.threads.net.door import GIVEN, OWN, Door
from amiproxy.threads.net.inherited import hand_on, open_doors
from amiproxy.threads.net.listening import bind_listener
sys.path.insert(0, {root!r})
from tests.system.sockets import listening
if sys.argv[1:] == ["again"]:
    doors, _ = open_doors(Config(listen_port={two}))
    for door in doors:
        print(door.name, door.sock.getsockname()[1], os.get_inheritable(door.fileno()))
else:
    doors = [Door(listening("127.0.0.1", port), GIVEN) for port in ({one}, {two})]
    assert [door.fileno() for door in doors] == [3, 4]
    hand_on(doors[::-1], os.environ)
    os.execv(sys.executable, [sys.executable, __file__, "again"])
"""


def test_they_are_handed_on_to_what_the_process_becomes(tmp_path: object) -> None:
    """In their order, though each is where the other has to go."""
    one, two = free_port(), free_port()
    script = ROOT.__class__(str(tmp_path)) / "program.py"
    script.write_text(PROGRAM.format(root=str(ROOT), one=one, two=two))

    done = subprocess.run(
        [sys.executable, str(script)],
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=True,
    )

    assert done.stdout.splitlines() == [f"{GIVEN} {two} False", f"{GIVEN} {one} False"]


def test_no_door_is_handed_on_where_there_is_none() -> None:
    """The next program binds its own."""
    environment: dict[str, str] = {}

    hand_on([], environment)

    assert environment["LISTEN_FDS"] == "0"
