# SPDX-License-Identifier: GPL-2.0-or-later
"""ListenerSpec: where clients are accepted, and what holds for those that come in there."""

from __future__ import annotations

from dataclasses import dataclass, field

from amiproxy.access.acl import ANYBODY, Acl
from amiproxy.routing.autofilter import AutoFilter

#: The mode of a Unix socket's file where no line says: who runs the proxy, and root.
PRIVATE = 0o600


@dataclass(frozen=True)
class ListenLine:
    """One ``listen`` line.  None and ``""``: the line does not say."""

    address: str = ""  # as in listenaddress; "" for a Unix socket
    port: int = 0
    path: str = ""  # of a Unix socket, absolute
    input: str = ""
    output: str = ""
    autofilter: AutoFilter | None = None
    tls: str = ""  # no, yes, both
    auth: bool | None = None
    proxy_protocol: Acl | None = None
    acl: Acl | None = None
    mode: int = PRIVATE
    web: tuple[str, ...] | None = None
    place: str = field(default="", compare=False)  # FILE:LINE


@dataclass(frozen=True)
class ListenerSpec:
    """One listener: *name* is what people and logs call it."""

    name: str = "*:1234"
    address: str = "*"
    port: int = 1234
    path: str = ""
    #: The formats of clients that have not chosen any.
    input: str = "standard"
    output: str = "standard"
    #: *output* is only for an *input* that clients cannot be written to in.
    alike: bool = False
    autofilter: AutoFilter = AutoFilter.OFF
    plain: bool = True
    encrypted: bool = False
    #: Whether clients must log in, or give the proxy key, before anything else.
    guarded: bool = False
    proxy_protocol: Acl | None = None
    acl: Acl = ANYBODY
    mode: int = PRIVATE
    of_keys: bool = True  # the first listener
    #: Whether other processes may listen on the same port (reuseport).
    shared: bool = False
    #: What is there beside actions, where the input is http: words of the key ``web``.
    web: tuple[str, ...] = ()
    #: ``FILE:LINE: ``, or "", of what names the address, and of what names the port.
    place: str = field(default="", compare=False)
    port_place: str = field(default="", compare=False)

    @property
    def key(self) -> tuple[str, int, str]:
        """What tells it from the others: where it listens."""
        return self.address, self.port, self.path
