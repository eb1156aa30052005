# SPDX-License-Identifier: GPL-2.0-or-later
"""The listeners of a Config, and what is wrong with them.

The first listener is that of the keys ``listenaddress`` and ``listenport``; each ``listen``
line adds one (spec section 14).  What a line does not say is as the keys say.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.access.acl import ANYBODY, UNIX
from amiproxy.settings.listenerspec import ListenerSpec, ListenLine

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from amiproxy.formats import Format
    from amiproxy.settings.config import Config


def named(address: str, port: int, path: str = "") -> str:
    """Return the name of the listener at *address* and *port*, or of the Unix socket *path*."""
    if path:
        return f"{UNIX}{path}"
    return f"[{address}]:{port}" if ":" in address else f"{address}:{port}"


def listeners(config: Config) -> tuple[ListenerSpec, ...]:
    """Return every listener of *config*, that of the keys first."""
    lines = tuple(_of_line(line, config) for line in config.listen)
    return (of_keys(config), *lines) if config.listen_port else lines


def of_keys(config: Config) -> ListenerSpec:
    """Return the listener that ``listenaddress`` and the other keys describe."""
    return ListenerSpec(
        name=named(config.listen_address, config.listen_port),
        address=config.listen_address,
        port=config.listen_port,
        input=config.input_format,
        output=config.output_format,
        autofilter=config.autofilter,
        plain=config.accept_unencrypted,
        encrypted=config.accept_encrypted and bool(config.certfile),
        guarded=config.guarded,
        proxy_protocol=config.proxy_protocol,
        acl=config.acl,
        web=config.web,
        shared=config.reuse_port,
        place=config.place("listen_address"),
        port_place=config.place("listen_port"),
    )


def _of_line(line: ListenLine, config: Config) -> ListenerSpec:
    """Return the listener of *line*: the keys of *config* say what it does not."""
    tls = line.tls or ("no" if line.path else "")
    encrypted = tls in ("yes", "both") if tls else config.accept_encrypted
    place = f"{line.place}: " if line.place else ""
    is_unix = bool(line.path)  # whose clients have no addresses
    return ListenerSpec(
        name=named(line.address, line.port, line.path),
        address=line.address,
        port=line.port,
        path=line.path,
        input=line.input or config.input_format,
        output=line.output or config.output_format,
        # No client is written to in http; who else may not be is known once formats are loaded.
        alike=line.input not in ("", "http") and not line.output,
        autofilter=config.autofilter if line.autofilter is None else line.autofilter,
        plain=tls != "yes" if tls else config.accept_unencrypted,
        encrypted=encrypted and bool(config.certfile),
        guarded=config.guarded if line.auth is None else line.auth,
        proxy_protocol=None if is_unix else line.proxy_protocol or config.proxy_protocol,
        acl=ANYBODY if is_unix else config.acl if line.acl is None else line.acl,
        mode=line.mode,
        of_keys=False,
        shared=config.reuse_port and not is_unix,
        web=config.web if line.web is None else line.web,
        place=place,
        port_place=place,
    )


def format_problems(specs: Sequence[ListenerSpec], formats: Mapping[str, Format]) -> Iterator[str]:
    """Yield what is wrong with the formats of ``listen`` lines: there is none so called."""
    readers = sorted(name for name, found in formats.items() if found.is_input)
    writers = sorted(name for name, found in formats.items() if found.is_output)
    for spec in specs:
        if spec.of_keys:
            continue
        for option, name, known in (
            ("input", spec.input, readers), ("output", spec.output, writers)
        ):  # fmt: skip
            if name not in known:
                yield (
                    f"{spec.place}listen: {option}: there is no {option} handler {name!r};"
                    f" there is: {', '.join(known)}"
                )


def check_listeners(config: Config) -> tuple[list[str], list[str]]:
    """Return problems and warnings of the ``listen`` lines, each with its place."""
    problems = [*_clashes(config)]
    warnings: list[str] = []
    if not listeners(config):
        problems.append(
            f"{config.place('listen_port')}listenport: nobody could connect: with no there must be"
            " a listen line"
        )
    for line, spec in zip(config.listen, (_of_line(each, config) for each in config.listen)):
        start = f"{spec.place}listen: "
        if line.tls in ("yes", "both") and not config.certfile:
            problems.append(f"{start}tls={line.tls} needs a certfile; name one, or write tls=no")
        if config.client_ca_file and spec.plain and not spec.path:
            warnings.append(
                f"{start}who connects to {spec.name} without TLS needs no certificate, in spite of"
                " clientcafile; write tls=yes"
            )
        if line.acl is not None and (weakness := line.acl.weakness()):
            warnings.append(f"{start}permit, deny: {weakness}")
        if line.proxy_protocol is not None and line.proxy_protocol.covers_everything:
            warnings.append(
                f"{start}proxyprotocol: who connects may say that it comes from any address; name"
                " the addresses of the load balancers alone"
            )
    return problems, warnings


def _clashes(config: Config) -> Iterator[str]:
    """Yield a problem for each line that wants a port or path that another one has."""
    known: list[ListenerSpec] = []
    for spec in listeners(config):
        for other in known:
            if spec.path != other.path or spec.port != other.port:
                continue
            if spec.path or spec.address == other.address or "*" in (spec.address, other.address):
                yield f"{spec.place}listen: {_taken(spec, other)}"
                break
        known.append(spec)


def _taken(spec: ListenerSpec, other: ListenerSpec) -> str:
    """Return what to say of *spec*, which wants what *other* has."""
    if other.of_keys:
        whose = other.port_place.removesuffix(": ") or "the default of listenport"
        return (
            f"port {spec.port} is that of the first listener already ({whose}); take another one,"
            " or write listenport = no"
        )
    where = other.place.removesuffix(": ")
    if spec.path:
        return f"{spec.name} is in another listen line already ({where}); remove one"
    return f"port {spec.port} is in another listen line already ({where}); take another one"
