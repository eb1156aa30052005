# SPDX-License-Identifier: GPL-2.0-or-later
"""Network: sockets of this process in the network of a machine; ways from there to servers."""

from __future__ import annotations

import contextlib
import ctypes
import os
import shutil
import socket
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Callable

from tests import debian

if TYPE_CHECKING:
    from tests.service.machine import Machine

#: What apt and pip ask, and on which port.
SERVERS = (("pypi.org", 443), ("files.pythonhosted.org", 443))
_CLONE_NEWNET = 0x40000000
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")


def enter(machine: Machine) -> None:
    """Have the calling thread, and no other, make its sockets in *machine*'s network from now on."""
    fd = os.open(f"/proc/{machine.first}/ns/net", os.O_RDONLY)
    try:
        libc = ctypes.CDLL(None, use_errno=True)
        if libc.setns(fd, _CLONE_NEWNET):
            raise OSError(ctypes.get_errno(), "setns")
    finally:
        os.close(fd)


def within(machine: Machine, make: Callable[[], socket.socket]) -> socket.socket:
    """Return the socket that *make* makes; it is one of *machine*'s network."""
    with ThreadPoolExecutor(1, initializer=enter, initargs=(machine,)) as pool:
        return pool.submit(make).result()


class Internet:
    """Lets *machine* reach the mirror of Debian and the package index; counts what comes.

    Inside, the servers' names are those of addresses of its own, at which this process listens
    and passes bytes on: nothing is configured in apt or pip.
    """

    def __init__(self, machine: Machine) -> None:
        self.received = 0
        self._lock = threading.Lock()  # Guards received.
        mirror = debian.mirror("SERVICE_MIRROR").partition("://")[2].partition("/")[0]
        host, _, port = mirror.partition(":")
        self._doors = [
            self._open(machine, f"127.0.2.{number}", *server)
            for number, server in enumerate([(host, int(port or 80)), *SERVERS], 1)
        ]
        self._certificates(machine)

    @staticmethod
    def is_there() -> bool:
        """Return whether this machine has a way to the package index."""
        with contextlib.suppress(OSError):
            socket.create_connection(SERVERS[0], 10).close()
            return True
        return False

    def close(self) -> None:
        """End it."""
        for door in self._doors:
            door.close()

    def _open(self, machine: Machine, address: str, host: str, port: int) -> socket.socket:
        machine("tee", "-a", "/etc/hosts", input=f"{address} {host}\n")
        door = within(machine, lambda: socket.create_server((address, port)))
        threading.Thread(target=self._serve, args=(door, (host, port)), daemon=True).start()
        return door

    def _serve(self, door: socket.socket, server: tuple[str, int]) -> None:
        with contextlib.suppress(OSError):  # closed
            while True:
                inner, _ = door.accept()
                threading.Thread(target=self._pass_on, args=(inner, server), daemon=True).start()

    def _pass_on(self, inner: socket.socket, server: tuple[str, int]) -> None:
        with inner, contextlib.suppress(OSError), socket.create_connection(server, 60) as outer:
            outer.settimeout(None)
            there = threading.Thread(target=self._copy, args=(inner, outer, False), daemon=True)
            there.start()
            self._copy(outer, inner, True)
            there.join()

    def _copy(self, source: socket.socket, target: socket.socket, counts: bool) -> None:
        with contextlib.suppress(OSError):
            while data := source.recv(262144):
                with self._lock:
                    self.received += counts * len(data)
                target.sendall(data)
        with contextlib.suppress(OSError):
            target.shutdown(socket.SHUT_WR)

    def _certificates(self, machine: Machine) -> None:
        """Have pip trust whom this machine trusts: there may be a proxy that decrypts."""
        if _CERTIFICATES.exists():
            shutil.copy(_CERTIFICATES, machine.path("/opt/certificates.pem"))
            machine("tee", "/etc/pip.conf", input="[global]\ncert = /opt/certificates.pem\n")
