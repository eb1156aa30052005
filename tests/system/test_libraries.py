# SPDX-License-Identifier: GPL-2.0-or-later
"""Manager libraries of others work unchanged through the proxy."""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Callable

import pytest

from simulator.server import SimulatedAsterisk
from tests.support import ProxyProcess, wait_until
from tests.system.peers import QUICK, Stage, host_line, wait_connected

if TYPE_CHECKING:
    from collections.abc import Iterator

NODE_MODULES = Path(sys.prefix) / "npm"

# Several libraries expect the slash after "Manager" in the first line.
ASTERISK_BANNER = 'forcebanner = "Asterisk Call Manager/2.8.0"\n'


@pytest.fixture(scope="module", params=["off", "unique"])
def busy(request: pytest.FixtureRequest) -> Iterator[Stage]:
    """A proxy in front of a simulated Asterisk with calls going on."""
    with SimulatedAsterisk() as asterisk:
        config = QUICK + f"autofilter = {request.param}\n" + ASTERISK_BANNER + host_line(asterisk)
        with ProxyProcess(config) as proxy:
            wait_connected(proxy)
            asterisk.exchange.keep_calling(5)
            yield Stage(proxy, asterisk)


async def until(condition: Callable[[], object]) -> None:
    """Wait until *condition* is true, 10 seconds at most."""
    for _ in range(1000):
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("not within 10 s")


def test_panoramisk_works_unchanged(busy: Stage) -> None:
    """Connect, log in, ping, a list, a command, events, log off."""
    panoramisk = pytest.importorskip("panoramisk")
    proxy, asterisk = busy
    calls: list[Any] = []

    async def use() -> tuple[Any, ...]:
        gone = asyncio.Event()
        manager = panoramisk.Manager(
            host="127.0.0.1",
            port=proxy.port,
            username="anybody",
            secret="whatever",
            loop=asyncio.get_running_loop(),
            on_disconnect=lambda *_: gone.set(),
        )
        manager.register_event("Newchannel", lambda _, event: calls.append(event))
        await manager.connect()
        await until(lambda: manager.authenticated)
        pong = await manager.send_action({"Action": "Ping"})
        channels = await manager.send_action({"Action": "CoreShowChannels"}, as_list=True)
        queue = await manager.send_action({"Action": "QueueStatus"}, as_list=True)
        output = await manager.send_command("core show version")
        unknown = await manager.send_action({"Action": "NoSuchThing"})
        await until(lambda: len(calls) > 1)
        manager.send_action({"Action": "Logoff"})
        await asyncio.wait_for(gone.wait(), 10)
        manager.close()
        # What it plans for a reconnect must not outlive the test.
        manager.connect = lambda: None
        return pong, channels, queue, output, unknown

    pong, channels, queue, output, unknown = asyncio.run(use())

    assert pong.ping == "Pong"
    assert (channels[0].response, channels[-1].event) == ("Success", "CoreShowChannelsComplete")
    assert len(channels) - 2 == int(channels[-1].listitems)
    assert (queue[-1].event, calls[0].event) == ("QueueStatusComplete", "Newchannel")
    assert ("Asterisk" in str(output), unknown.response) == (True, "Error")
    assert not asterisk.actions("Logoff")


@pytest.mark.filterwarnings("ignore::DeprecationWarning")
def test_asterisk_ami_works_unchanged(busy: Stage) -> None:
    """Connect, log in, ping, a list, events, log off."""
    client_module = pytest.importorskip("asterisk.ami")
    proxy, asterisk = busy
    calls: list[Any] = []
    ends: list[Any] = []
    before = set(threading.enumerate())
    client = client_module.AMIClient(address="127.0.0.1", port=proxy.port, timeout=10)
    client.add_event_listener(
        on_event=lambda event, **_: calls.append(event), white_list=["Newchannel"]
    )
    client.add_event_listener(
        on_event=lambda event, **_: ends.append(event), white_list=["CoreShowChannelsComplete"]
    )

    login = client.login("anybody", "whatever").response
    pong = client.send_action(client_module.SimpleAction("Ping")).response
    listing = client.send_action(client_module.SimpleAction("CoreShowChannels")).response
    wait_until(lambda: calls and ends, what="events")
    goodbye = client.logoff().response
    wait_until(lambda: not set(threading.enumerate()) - before, what="the end of its thread")
    client.disconnect()

    assert not login.is_error()
    assert pong.keys["Ping"] == "Pong"
    assert listing.keys["EventList"] == "start"
    assert calls[0].name == "Newchannel"
    assert goodbye.status == "Goodbye"
    assert not asterisk.actions("Logoff")


SCRIPT = r"""
const Manager = require(process.argv[2] + '/node_modules/asterisk-manager');
const ami = new Manager(+process.argv[3], '127.0.0.1', 'anybody', 'whatever', true);
const seen = {};
const need = (what, yes) => { if (!yes) { console.log('failed: ' + what); process.exit(1); } };
ami.on('managerevent', (event) => { seen[event.event] = (seen[event.event] || 0) + 1; });
ami.on('close', () => { console.log('closed'); process.exit(0); });
setTimeout(() => { console.log('too late', JSON.stringify(seen)); process.exit(2); }, 15000);
ami.action({action: 'ping'}, (err, res) => {
  need('ping', !err && res.ping === 'Pong');
  ami.action({action: 'coreshowchannels'}, (err, res) => {
    need('list', !err && res.eventlist === 'start');
    ami.action({action: 'command', command: 'core show version'}, (err, res) => {
      need('command', !err && /Asterisk/.test(JSON.stringify(res)));
      ami.action({action: 'nosuchthing'}, (err, res) => {
        need('error', err && err.response === 'Error');
        const wait = setInterval(() => {
          if (!seen.Newchannel || !seen.CoreShowChannelsComplete) return;
          clearInterval(wait);
          ami.action({action: 'logoff'}, (err, res) => {
            need('logoff', res.response === 'Goodbye');
            console.log('all well');
          });
        }, 20);
      });
    });
  });
});
"""


@pytest.fixture(scope="module")
def asterisk_manager() -> Path:
    """The directory that contains asterisk-manager; made once, beside the environment."""
    if shutil.which("node") is None:
        pytest.skip("node is not installed")
    if not (NODE_MODULES / "node_modules" / "asterisk-manager").is_dir():
        if shutil.which("npm") is None:
            pytest.skip("npm is not installed")
        work = NODE_MODULES.with_name(f"npm-{os.getpid()}")
        work.mkdir(exist_ok=True)
        done = subprocess.run(
            ["npm", "install", "--no-save", "--no-audit", "--no-fund", "asterisk-manager@0.2.0"],
            cwd=work,
            capture_output=True,
            text=True,
            timeout=100,
            check=False,
        )
        if done.returncode:
            shutil.rmtree(work)
            pytest.skip(f"npm cannot fetch asterisk-manager: {done.stderr[-200:]}")
        try:
            work.rename(NODE_MODULES)
        except OSError:
            shutil.rmtree(work)  # another test run has made it
    return NODE_MODULES


def test_asterisk_manager_of_node_works_unchanged(
    busy: Stage, asterisk_manager: Path, tmp_path: Path
) -> None:
    """Connect, log in, ping, a list, a command, an error, events, log off."""
    proxy, asterisk = busy
    script = tmp_path / "use.js"
    script.write_text(SCRIPT)

    done = subprocess.run(
        ["node", str(script), str(asterisk_manager), str(proxy.port)],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )

    assert done.stdout == "all well\nclosed\n", done.stderr
    assert not asterisk.actions("Logoff")
