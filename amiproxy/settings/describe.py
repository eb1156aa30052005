# SPDX-License-Identifier: GPL-2.0-or-later
"""What ``astmanproxy -t`` says of servers and users: who may see and do what, in words."""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy import replies
from amiproxy.access import hashes
from amiproxy.access.rights import trusts_listing
from amiproxy.access.user import BOUNDED, UNBOUNDED
from amiproxy.routing.callwords import CALL_FILTERS
from amiproxy.routing.classes import ALL, SYSTEM, describe_classes
from amiproxy.settings.config import AS_SERVER
from amiproxy.settings.listeners import listeners
from amiproxy.settings.readers import is_loopback

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from amiproxy.access.user import User, Users
    from amiproxy.settings.config import Config, ServerSpec
    from amiproxy.settings.listenerspec import ListenerSpec

# Field of User -> what is said where it is not empty.
_SEES = {
    "channel": "sees only calls of channels and devices {}...",
    "in_context": "sees only messages of context {}",
}
_MAY = {
    "channel": "may act only on channels and devices {}...",
    "out_context": "may act only in context {}",
    "accountcode": "calls on account {}",
}

# filterlocal -> what it adds for a user with a channel, and for one with a context alone.
_LOCAL = {
    "allow": "may originate on any Local channel, in any context (filterlocal = allow)",
    "allowwith": "may originate on Local channels of context {} (filterlocal = allowwith)",
    "enforce": "originates on Local channels in context {} alone (filterlocal = enforce)",
}


# Where there are no users: what a log-in is good for.
_NO_USERS = "no users: every login succeeds, and nobody needs one (authrequired = no)"
_NO_USERS_GUARDED = {
    True: "no users: nobody can log in, and only the proxykey lets clients in",
    False: "no users and no proxykey: nobody can log in (authrequired = yes)",
}


def describe_listener(spec: ListenerSpec, *, every: bool) -> str:
    """Return in words where and how clients may connect; *every*: and what holds for them.

    Where there is but one listener the keys say that.
    """
    if spec.path:
        where, how = f"the Unix socket {spec.path}", f"mode {spec.mode:04o}"
    else:
        address = "all addresses" if spec.address == "*" else spec.address
        kinds = {"plain text": spec.plain, "TLS": spec.encrypted}
        where = f"{address} port {spec.port}"
        how = " and ".join(kind for kind, accepted in kinds.items() if accepted)
        how += ", shared with other processes" * spec.shared
    if every:
        output = "the same" if spec.alike else spec.output
        how += f"; input {spec.input}, output {output}, autofilter {spec.autofilter.value}, "
        how += "log-in needed" if spec.guarded else "no log-in needed"
    whom = f"; from {spec.acl.describe()}" if spec.acl else ""
    return f"listens on {where}: {how}{whom}"


#: What is said of an Asterisk at 127.0.0.1 that a cluster has.
_LOCAL_SERVER = "; all proxies of the cluster with such a line must be on this machine"


def describe_servers(config: Config) -> list[str]:
    """Return a line for each server, without secrets."""
    checked = "checked" if config.ssl_verify else "not checked"
    lines = [
        f"{_named(one)}: as user {one.user}, events {one.events}, "
        + (f"TLS, certificate {checked}" if one.tls else "no TLS")
        + ", another proxy" * one.proxy
        + _LOCAL_SERVER * (bool(config.bus) and is_loopback(one.host) and not one.proxy)
        for one in config.servers
    ] or [_no_server(config)]
    if config.bus:
        lines.append(_cluster(config))
    if config.proxy_protocol is not None:
        lines.append(
            f"load balancers: {config.proxy_protocol.permitted}; they must send the PROXY"
            " protocol's header, whose address counts"
        )
    if config.metrics_permit is not None:
        lines.append(f"/metrics without a log-in: {config.metrics_permit.permitted}")
    if config.banner.lower() == AS_SERVER:
        lines.append(
            "greeting: that of the first connected server; until one was connected"
            f" {replies.BANNER} (forcebanner = server)"
        )
    return lines


def _no_server(config: Config) -> str:
    """Return what there is where no line names a server."""
    if config.bus:
        return "no host lines: an edge, which has the servers of the other proxies of its cluster"
    return "no servers: no host line names an Asterisk to connect to"


def _cluster(config: Config) -> str:
    """Return which cluster the proxy is of, without secrets."""
    alone = "each proxy connects by itself" if config.bus_optional else "no server is connected"
    return (
        f"cluster {config.bus_name}: of each server one proxy is connected; another takes over"
        f" after {config.bus_failover:g} s; while the bus is lost {alone}"
    )


def _named(server: ServerSpec) -> str:
    """Return which server it is."""
    where = f"{server.host} port {server.port}"
    return f"server {server.name} at {where}" if server.name else f"server {where}"


def describe_users(
    users: Users,
    config: Config,
    *,
    privileged: Sequence[str] = (),
    for_everybody: Sequence[str] = (),
) -> list[str]:
    """Return, line by line, what each user may see and do with *config*, without secrets.

    *privileged* are the names of the ProxyActions that a user needs to be given,
    *for_everybody* of those that no user can be denied.
    """
    if not users:
        return [_nobody(config)]
    lines = []
    if users.general.acl:
        lines.append(f"everyone: from {users.general.acl.describe()}")
    lines.append(_strangers(config))
    for user in users.values():
        if hashes.is_hash(user.secret) and hashes.hash_cost(user.secret) is None:
            lines.append(f"user {user.name}: cannot log in, as their secret is no bcrypt hash")
            continue
        known = _kind(user.secret) + _tokens(len(user.tokens))
        lines.append(f"user {user.name}: {known}, from {user.acl.describe()}")
        lines += [f"  {text}" for text in (*_sees(user), *_may(user, config.filter_local))]
        lines.append(f"  may call ProxyActions: {_proxyactions(user, privileged, for_everybody)}")
        if not user.allow_multiple_login:
            lines.append("  may log in once at a time")
    return lines


def _nobody(config: Config) -> str:
    """Return what a log-in is good for where there are no users."""
    if any(each.guarded for each in listeners(config)):
        more = f"; at {where} nobody needs one" if (where := _open(config)) else ""
        return _NO_USERS_GUARDED[bool(config.proxy_key)] + more
    return _NO_USERS


def _open(config: Config) -> str:
    """Return where nobody has to log in: the names of these listeners."""
    return ", ".join(each.name for each in listeners(config) if not each.guarded)


def _strangers(config: Config) -> str:
    """Return what who does not log in sees and may do."""
    if (where := _open(config)) and any(each.guarded for each in listeners(config)):
        return f"who does not log in: sees and may do everything at {where}, nothing elsewhere"
    if where:
        return "who does not log in: sees and may do everything (authrequired = no)"
    either = "who neither logs in nor gives the proxykey"
    who = either if config.proxy_key else "who does not log in"
    return f"{who}: sees and may do nothing" + " (authrequired = yes)" * config.auth_required


def _kind(secret: str) -> str:
    """Return what kind of secret *secret* is, in words."""
    if not secret:
        return "no secret"
    return "bcrypt secret" if hashes.is_hash(secret) else "plain secret"


def _tokens(count: int) -> str:
    """Return how many tokens there are, in words, to be added to the kind of secret."""
    return f", {count} token{'s' * (count > 1)}" if count else ""


def _filled(texts: dict[str, str], user: User) -> Iterator[str]:
    """Yield those of *texts* whose field of *user* is not empty."""
    for field, text in texts.items():
        value = getattr(user, field)
        if value:
            yield text.format(value)


def _sees(user: User) -> Iterator[str]:
    """Yield what *user* sees."""
    if user.servers:
        servers = sorted(user.servers)
        yield f"sees and reaches only the server{'s' * (len(servers) > 1)} {' and '.join(servers)}"
    yield f"sees events of: {describe_classes(user.read)}"
    yield from _filled(_SEES, user)
    chosen = [CALL_FILTERS[name] for name in sorted(user.filters)]
    only = [row.description for row in chosen if row.only]
    if only:
        yield f"sees only {', '.join(only)} events"
    for row in chosen:
        if not row.only:
            yield f"does not see {row.description}"
    if user.channel or user.in_context:
        more = "also events that belong to no call, but none of the class security"
        yield f"sees {more if user.more_events else 'no events that belong to no call'}"
        yield "sees everybody's calls in answers to their own Status, BridgeList and the like"
    if user.limited or user.follows_calls:
        yield "sees no answers to actions of others"
    for one in user.eventfilters.includes:
        yield f"sees of these (or of other such lines) only {one.describe()}"
    for one in user.eventfilters.excludes:
        yield f"does not see {one.describe()}"


def _may(user: User, local: str) -> Iterator[str]:
    """Yield which actions *user* may send to Asterisk; *local* is ``filterlocal``."""
    yield f"may send actions of: {describe_classes(user.write)}"
    if user.write != ALL:
        unknown = "those that its server permits with these classes"
        yield (
            "may send what needs no class (Ping, QueueStatus...), of actions unknown here"
            f" {unknown if trusts_listing(user) else 'none'}"
        )
    if user.write == BOUNDED:
        yield "may add event filters (Action: Filter)"
    if not user.write & SYSTEM:
        yield "may not run what could leave the PBX"
        yield "may not use functions that could forge an answer"
    yield from _filled(_MAY, user)
    if user.channel:
        yield "may not act on what is everybody's (QueueReset, PJSIPUnregister, variables...)"
    if user.bounded:
        yield "may run only applications and functions that act on the channel itself"
        yield from _locals(user, local)
    if user.accountcode:
        yield "may not change the account of a call"
    beyond = user.write & UNBOUNDED
    if beyond and (user.bounded or user.accountcode):
        yield f"may do more than that by the classes: {describe_classes(beyond)}"


def _locals(user: User, local: str) -> Iterator[str]:
    """Yield on which Local channels *user*, who is bounded, may originate."""
    if local == "allow" or (user.out_context and local in _LOCAL):
        yield _LOCAL[local].format(user.out_context)


def _proxyactions(user: User, privileged: Sequence[str], for_everybody: Sequence[str]) -> str:
    """Return which ProxyActions *user* may call, in words."""
    if user.proxyactions is None:
        return f"all but {', '.join(privileged)}" if privileged else "all"
    if "all" in user.proxyactions:
        return ", ".join(["all", *sorted(user.proxyactions - {"all"})])
    return ", ".join(sorted({*user.proxyactions, *map(str.lower, for_everybody)}))
