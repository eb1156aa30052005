# SPDX-License-Identifier: GPL-2.0-or-later
"""Network namespaces: parts of this machine, joined to the rest by cables that can be pulled."""

from __future__ import annotations

import contextlib
import functools
import os
import secrets
import shutil
import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


@functools.cache
def missing() -> str:
    """Return why there can be none here; "" if they can be made."""
    if os.geteuid() != 0:
        return "only root may make network namespaces"
    if shutil.which("ip") is None:
        return "ip (iproute2) is missing"
    with contextlib.suppress(subprocess.CalledProcessError):
        with Namespace() as made:
            made.cable()
        return ""
    return "this system makes no network namespaces, or no pairs of veth"


class Cable:
    """Joins a namespace to the rest: *here* is the address at this end, *there* the one inside."""

    def __init__(self, name: str, here: str, there: str) -> None:
        self.name, self.here, self.there = name, here, there

    @contextlib.contextmanager
    def pulled(self) -> Iterator[None]:
        """Pull it out for the block: nothing passes, and nobody is told."""
        _ip("link", "set", self.name, "down")
        try:
            yield
        finally:
            _ip("link", "set", self.name, "up")


class Namespace:
    """A namespace of its own; use it as a context manager."""

    def __init__(self) -> None:
        self.name = f"astmanproxy-{secrets.token_hex(4)}"

    def __enter__(self) -> Namespace:
        _ip("netns", "add", self.name)
        return self

    def __exit__(self, *_: object) -> None:
        _ip("netns", "del", self.name)  # with its cables

    @property
    def command(self) -> list[str]:
        """The words before a command that is to run inside."""
        return ["ip", "netns", "exec", self.name]

    def cable(self) -> Cable:
        """Return a new cable to it, plugged in."""
        token = secrets.token_hex(4)
        # One of the four million networks of four addresses below 10/8, as others do this as well.
        network = [10, *secrets.token_bytes(2), secrets.randbelow(64) * 4]
        ends = [".".join(map(str, [*network[:3], network[3] + host])) for host in (1, 2)]
        outer, inner = f"a{token}", f"b{token}"
        _ip("link", "add", outer, "type", "veth", "peer", "name", inner, "netns", self.name)
        _ip("addr", "add", f"{ends[0]}/30", "dev", outer)
        _ip("link", "set", outer, "up")
        _ip("-n", self.name, "addr", "add", f"{ends[1]}/30", "dev", inner)
        _ip("-n", self.name, "link", "set", inner, "up")
        return Cable(outer, *ends)


def _ip(*words: str) -> None:
    subprocess.run(["ip", *words], check=True, capture_output=True)
