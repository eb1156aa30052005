# SPDX-License-Identifier: GPL-2.0-or-later
"""A proxy in this process that keeps what there is now, quickly, and its clients."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any

from amiproxy.access.user import Users
from amiproxy.formats import load_formats
from amiproxy.settings.config import Config, ServerSpec
from amiproxy.settings.listeners import of_keys
from amiproxy.threads.net.door import bound
from amiproxy.threads.proxy import Proxy
from amiproxy.threads.state.followers import Followers
from amiproxy.threads.state.lists import Pace
from tests.support import ROOT, ManagerClient, free_port, wait_until

if TYPE_CHECKING:
    from tests.system.peers import Address

FORMATS = load_formats(ROOT / "handlers")
#: Lists are asked as often as possible.
QUICK = Pace(apart=0.05, each=0.1, share=1.0, settle=0.05, patience=5.0)

Item = dict[str, str]


def server(asterisk: Address, name: str = "") -> ServerSpec:
    """Return the host line of *asterisk*."""
    return ServerSpec(asterisk.host, asterisk.port, "ampuser", "AmpSecret", name=name)


class Program:
    """A proxy on a free port, before *asterisks*."""

    def __init__(
        self,
        *asterisks: Address,
        users: Users | None = None,
        pace: Pace = QUICK,
        **settings: Any,
    ) -> None:
        names = [f"pbx{number}" for number, _ in enumerate(asterisks, 1)]
        options: dict[str, Any] = {
            "listen_address": "127.0.0.1",
            "listen_port": free_port(),
            "retry_interval": 0.1,
            "retry_longest": 0.1,
            "state": True,
            "servers": tuple(map(server, asterisks, names)),
            **settings,
        }
        self.config = Config(**options)
        door = bound(of_keys(self.config), None)
        self.proxy = Proxy(self.config, users or Users(), FORMATS, [door], None)
        self.context = self.proxy.context
        self.followers = Followers(self.context, pace)
        self.context.made["followers"] = self.followers
        self.proxy.start()
        wait_until(lambda: all(one.connected for one in self.proxy.router.servers))

    def __enter__(self) -> Program:
        return self

    def __exit__(self, *_: object) -> None:
        self.proxy.stop()
        wait_until(lambda: not any(one.is_alive for one in self.followers.there().values()))

    def client(self, *login: str) -> ManagerClient:
        """Return a client, which has logged in with the headers *login*, if there are any."""
        client = ManagerClient(self.config.listen_port)
        client.read_line()
        if login:
            assert client.ask("Action: Login", *login)[0] == "Response: Success"
        return client

    def reload(self, **settings: Any) -> None:
        """Take new settings."""
        self.config = dataclasses.replace(self.config, **settings)
        self.proxy.reload(self.config, self.context.users, None)


def read(client: ManagerClient) -> Item:
    """Return the headers of the next message; of a repeated one all values, commas between."""
    found: Item = {}
    for line in client.read_message():
        name, _, text = line.partition(": ")
        found[name] = f"{found[name]},{text}" if name in found else text
    return found


def snapshot(client: ManagerClient, *headers: str) -> list[Item]:
    """Return all messages of a snapshot, without events."""
    client.send("ProxyAction: Snapshot", "ActionID: snap", *headers)
    found: list[Item] = []
    while not found or found[-1].get("Event") != "ProxySnapshotComplete":
        item = read(client)
        if item.get("ActionID") == "snap":
            found.append(item)
        if item.get("ProxyResponse") == "Error":
            return [item]
    return found


def rows(items: list[Item], event: str) -> dict[str, Item]:
    """Return those of *items* that are of the kind *event*, by key."""
    return {one["Key"]: one for one in items if one.get("Event") == event}
