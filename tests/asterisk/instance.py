# SPDX-License-Identifier: GPL-2.0-or-later
"""An Asterisk of the chroot, on the loopback, with ports and directories of its own.

Any number may run at once.  Its configuration is made of the files in ``etc/``: words such as
``@AMI@`` in them are the ports below.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import shutil
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from tests.asterisk.chroot import HOME
from tests.certificates import self_signed
from tests.support import ManagerClient, free_port, is_listening, wait_until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.asterisk.chroot import Chroot

ETC = Path(__file__).parent / "etc"
PHONES = tuple(str(number) for number in range(101, 111))
_DIRECTORIES = ("varlib", "varlib/moh", "db", "keys", "agi", "spool", "run", "log", "etc")
#: Configuration that comes with the package, as it is.
_OF_PACKAGE = ("acl", "ccss", "udptl", "stasis", "pjproject", "pjsip_notify")
_MUSIC = "activated"  # a sound that is played to who is put on hold
_UDP_PORTS = itertools.cycle(range(5_000 + os.getpid() % 4_000, 10_000))


def free_udp_port() -> int:
    """Return a UDP port of the loopback that is free."""
    for port in itertools.islice(_UDP_PORTS, 5_000):
        with socket.socket(type=socket.SOCK_DGRAM) as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
    raise AssertionError("no free UDP port")


class Ports(NamedTuple):
    """What an Asterisk listens on, and where it looks for others."""

    ami: int
    amitls: int
    http: int
    #: UDP: its own SIP, the trunk that it registers with, sipp that takes calls.
    sip: int
    trunk: int
    uas: int


def free_ports() -> Ports:
    """Return ports that are free now."""
    return Ports(*(free_port() for _ in range(3)), *(free_udp_port() for _ in range(3)))


class Asterisk:
    """An Asterisk in *chroot* that keeps all that it writes in the directory *home*.

    Its methods return when what they do is done: ``start`` when it has booted fully, with
    the manager's user ``direct`` (secret ``secret``, all rights) served.  As a context
    manager it is started, and killed at the end.
    """

    def __init__(self, chroot: Chroot, home: Path, *, phones: Sequence[str] = PHONES) -> None:
        self.ports = free_ports()
        self._chroot = chroot
        self._home = home
        self._phones = phones
        self._process: subprocess.Popen[bytes] | None = None
        self._write()

    def __enter__(self) -> Asterisk:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.kill()

    # -- its files --------------------------------------------------------------------------

    @property
    def etc(self) -> Path:
        """Where its configuration is: change it and say ``cli("module reload")``, or restart."""
        return self._home / "etc"

    @property
    def certificate(self) -> Path:
        """The certificate of its manager, with the key, which is its own authority."""
        return self._home / "keys/asterisk.pem"

    def put(self, name: str, data: bytes) -> None:
        """Write the file *name* of its home, which it may change."""
        path = self._home / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        user, group = self._chroot.user("asterisk")
        for one in (path, *path.relative_to(self._home).parents):
            os.chown(self._home / one, user, group)

    def log(self) -> str:
        """Return what it has logged: notices, warnings and errors."""
        path = self._home / "log/messages"
        return path.read_text("latin-1") if path.exists() else ""

    def _write(self) -> None:
        """Write its configuration, and make its directories."""
        for name in _DIRECTORIES:
            (self._home / name).mkdir(parents=True, exist_ok=True)
        given = self._chroot.path / "etc/asterisk"
        for name in _OF_PACKAGE:
            with contextlib.suppress(FileNotFoundError):
                shutil.copy(given / f"{name}.conf", self.etc)
        for path in ETC.glob("*.conf"):
            (self.etc / path.name).write_text(self._filled(path.read_text()))
        for sound in (self._chroot.path / "usr/share/asterisk/sounds").glob(f"*/{_MUSIC}.gsm"):
            shutil.copy(sound, self._home / "varlib/moh")
        self_signed("127.0.0.1").write(self.certificate)
        user, group = self._chroot.user("asterisk")
        for path in [self._home, *self._home.rglob("*")]:
            os.chown(path, user, group)

    def _filled(self, text: str) -> str:
        """Return the configuration *text* with ports and phones in it."""
        phone = (ETC / "phone.part").read_text()
        modules = next((self._chroot.path / "usr/lib").glob("*/asterisk/modules"))
        words = {name.upper(): str(port) for name, port in self.ports._asdict().items()}
        words["MODULES"] = f"/{modules.relative_to(self._chroot.path)}"
        words["PHONES"] = "".join(phone.replace("@NUMBER@", number) for number in self._phones)
        for word, value in words.items():
            text = text.replace(f"@{word}@", value)
        return text

    # -- running ----------------------------------------------------------------------------

    @property
    def pid(self) -> int:
        """Its process id."""
        assert self._process
        return self._process.pid

    @property
    def running(self) -> bool:
        """Whether it runs."""
        return self._process is not None and self._process.poll() is None

    @property
    def answers(self) -> bool:
        """Whether its manager can be reached."""
        return is_listening(self.ports.ami)

    def start(self, timeout: float = 60.0) -> None:
        """Start it, and wait until it has booted fully."""
        self.begin()
        self.wait_booted(timeout)

    def begin(self) -> None:
        """Start it, without waiting for anything."""
        assert not self.running
        with (self._home / "log/console").open("ab") as out:
            self._process = subprocess.Popen(
                self._inside("-f", "-U", "asterisk", "-G", "asterisk"),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def wait_booted(self, timeout: float = 60.0) -> None:
        """Wait until the manager serves clients and all modules are loaded."""
        wait_until(lambda: self._booted() or not self.running, timeout, "Asterisk has booted")
        assert self.running, f"Asterisk has ended: {self.log()[-2000:]}"

    def stop(self) -> None:
        """Stop it, as an operator does: it tells its clients."""
        self.cli("core stop now")
        self.wait_ended()

    def kill(self) -> None:
        """Kill it, if it runs: it tells nobody."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def wait_ended(self, timeout: float = 30.0) -> None:
        """Wait until its process has ended."""
        assert self._process
        self._process.wait(timeout)

    def restart(self) -> None:
        """Stop it and start it again, with the same ports."""
        self.stop()
        self.start()

    def reload(self, module: str = "") -> str:
        """Let it read its configuration again, all of it or that of one *module*."""
        return self.cli(f"module reload {module}".strip())

    def cli(self, command: str) -> str:
        """Return what its console says to *command*."""
        done = subprocess.run(
            self._inside("-rx", command), capture_output=True, timeout=60, check=False
        )
        return done.stdout.decode("latin-1")

    def run(self, *argv: str) -> subprocess.Popen[bytes]:
        """Start another program of the chroot (sipp), in /srv, which is *home* outside."""
        return subprocess.Popen(
            self._chroot.command(self._home, *argv),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def _inside(self, *arguments: str) -> list[str]:
        main = f"{HOME}/etc/asterisk.conf"
        return self._chroot.command(self._home, "/usr/sbin/asterisk", "-C", main, *arguments)

    def _booted(self) -> bool:
        """Return whether it says FullyBooted to who logs in."""
        if not is_listening(self.ports.ami):
            return False
        with contextlib.suppress(OSError, EOFError), self.client("direct", events=True) as client:
            return client.read_until(lambda lines: lines[0] == "Event: FullyBooted") is not None
        return False

    # -- asking it --------------------------------------------------------------------------

    def client(
        self,
        user: str = "admin",
        secret: str = "secret",
        *,
        events: bool = False,
        timeout: float = 10.0,
    ) -> ManagerClient:
        """Return a client that has logged in as *user*, and gets *events* or none."""
        client = ManagerClient(self.ports.ami, timeout=timeout)
        try:
            client.read_line()
            client.send(
                "Action: Login",
                f"Username: {user}",
                f"Secret: {secret}",
                f"Events: {'on' if events else 'off'}",
            )
            answer = client.read_message()
            assert answer[0] == "Response: Success", answer
        except BaseException:
            client.close()
            raise
        return client

    def host_line(
        self, user: str = "proxy", secret: str = "proxysecret", *, tls: bool = False
    ) -> str:
        """Return the line of astmanproxy.conf that names it."""
        port, ssl = (self.ports.amitls, "on") if tls else (self.ports.ami, "off")
        return f"host = 127.0.0.1, {port}, {user}, {secret}, on, {ssl}\n"
