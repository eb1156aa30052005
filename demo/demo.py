# SPDX-License-Identifier: GPL-2.0-or-later
"""``make demo``: two simulated Asterisks with calls, and the proxy in front of them.

Nothing is installed and no file outside a temporary directory is written.  Ctrl-C ends it.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

ROOT = Path(__file__).resolve().parent.parent

CONFIG = """\
host = 127.0.0.1, {first}, ampuser, AmpSecret, on, off
host = localhost, {second}, ampuser, AmpSecret, on, off
listenaddress = 127.0.0.1
listenport = {port}
autofilter = unique
inputformat = {format}
proc_user = nobody
logfile = {directory}/{format}.log
"""

HELP = """
Two simulated Asterisk servers (22 with PJSIP phones, 11 with SIP phones) make calls.  The proxy listens for
manager clients on port {port}, and for web clients on port {web}.

In a second terminal, type one of these (each ends with Ctrl-C or by itself):

  See the events of both servers:
    nc 127.0.0.1 {port}

  Send an action, and see only your own answer:
    printf 'Action: Ping\\r\\nActionID: me\\r\\n\\r\\n' | timeout 2 nc 127.0.0.1 {port} | grep -B2 -A2 Pong

  The same as JSON, one message a line:
    (printf 'ProxyAction: SetOutputFormat\\r\\nOutputFormat: json\\r\\n\\r\\n'; sleep 5) | nc 127.0.0.1 {port}

  Over HTTP, one answer for each request (or open the address in a browser):
    curl 'http://127.0.0.1:{web}/?Action=CoreShowChannels'
    curl 'http://127.0.0.1:{web}/?Action=Ping&Server=localhost&format=xml'

  The servers of the proxy:
    curl 'http://127.0.0.1:{web}/?ProxyAction=ListServers'

The log of the proxy: {directory}/standard.log
Ctrl-C ends the demo.
"""


def main() -> int:
    """Run the demo until it is interrupted; return the exit status."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    ports = dict(zip(("first", "second", "port", "web"), free_ports(5038, 5039, 1234, 8088)))
    with tempfile.TemporaryDirectory(prefix="astmanproxy-demo-") as directory:
        # The proxy drops privileges, and must still reach its files.
        Path(directory).chmod(0o755)
        try:
            with contextlib.ExitStack() as running:
                running.enter_context(asterisk(ports["first"], "22", "PJSIP"))
                running.enter_context(asterisk(ports["second"], "11", "SIP"))
                running.enter_context(proxy(directory, "http", ports, ports["web"]))
                standard = running.enter_context(proxy(directory, "standard", ports, ports["port"]))
                print(HELP.format(directory=directory, **ports), flush=True)
                return standard.wait()
        except KeyboardInterrupt:
            return 0
        except RuntimeError as error:
            print(f"demo: {error}", file=sys.stderr)
            return 1


def free_ports(*wanted: int) -> list[int]:
    """Return the ports *wanted*; in place of one in use, a free one."""
    found = []
    with contextlib.ExitStack() as stack:
        for port in wanted:
            probe = stack.enter_context(socket.socket())
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                probe.bind(("127.0.0.1", 0))
            found.append(int(probe.getsockname()[1]))
    return found


def asterisk(
    port: int, version: str, phones: str
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """Run a simulated Asterisk with a call every two seconds."""
    arguments = ["-m", "simulator", "--port", str(port), "--calls", "0.5"]
    return process([*arguments, "--speak", version, "--technology", phones], port)


def proxy(
    directory: str, name: str, ports: dict[str, int], port: int
) -> contextlib.AbstractContextManager[subprocess.Popen[bytes]]:
    """Run the proxy with input format *name* on *port*, in the foreground."""
    config = Path(directory, f"{name}.conf")
    users = Path(directory, "users")
    write(config, CONFIG.format(format=name, directory=directory, **{**ports, "port": port}))
    write(users, "")
    return process(["astmanproxy.py", "-f", "-c", str(config), "-u", str(users)], port)


def write(path: Path, text: str) -> None:
    """Write a file that the proxy alone may read, as it wants its files."""
    path.touch()
    path.chmod(0o640)
    if os.geteuid() == 0:
        os.chown(path, -1, pwd.getpwnam("nobody").pw_gid)
    path.write_text(text, encoding="utf-8")


@contextlib.contextmanager
def process(arguments: Sequence[str], port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run Python with *arguments* until the block ends; enter when *port* accepts."""
    # A session of its own: only we get Ctrl-C, and we end the others in order.
    running = subprocess.Popen(
        [sys.executable, *arguments], cwd=ROOT, stdout=subprocess.DEVNULL, start_new_session=True
    )
    try:
        until = time.monotonic() + 15
        while not answers(port):
            if running.poll() is not None or time.monotonic() > until:
                raise RuntimeError(f"{' '.join(arguments[:2])} did not start")
            time.sleep(0.05)
        yield running
    finally:
        running.terminate()
        try:
            running.wait(10)
        except subprocess.TimeoutExpired:
            running.kill()
            running.wait()


def answers(port: int) -> bool:
    """Return whether a program listens on *port*."""
    try:
        socket.create_connection(("127.0.0.1", port), 1).close()
    except OSError:
        return False
    return True


if __name__ == "__main__":
    sys.exit(main())
