# SPDX-License-Identifier: GPL-2.0-or-later
"""The keys of astmanproxy.conf in a few words each: the table of docs/configuration.md.

A new key is a row here, in the order of the sample file; ``make docs`` writes the table.  What
a missing line means and what SIGHUP changes follows from amiproxy/settings/config.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from amiproxy.settings import inforce
from amiproxy.settings.config import SETTINGS, Config

if TYPE_CHECKING:
    from collections.abc import Iterator

#: What each key sets, as Markdown.  A time begins with its unit.
KEYS = {
    "include": "the lines of other files stand here ([more](#files-that-are-included))",
    "host": "`host, port, user, secret, events(on/off), use_ssl(on/off), name=pbx1`: a server; one "
    "line for each. `name=` is what messages call it, instead of its host; servers on one address "
    "need names. `proxy=yes`: what is there is another astmanproxy ([more](#chains))",
    "retryinterval": "s before the first attempt to reconnect; at least 0.1. Further pauses grow "
    "to twice the last one, less up to half of it by chance",
    "retrylongest": "s of the longest such pause; 0: every pause lasts `retryinterval`",
    "maxretries": "attempts before a server is given up until SIGHUP or AddServer; 0: for ever",
    "connecttimeout": "s an attempt to connect may take, to all addresses of a name together; a "
    "TLS handshake has the same time again",
    "logintimeout": "s a log-in to a server may take",
    "keepalive": "s of silence before a Ping is sent to a server, which is lost without an answer "
    "in the same time; 0: never ([more](operations.md#when-an-asterisk-is-lost))",
    "actiontimeout": "s until an action that is not answered, or gets no turn, ends with an error; "
    "0: never ([more](operations.md#actions-that-are-not-answered))",
    "asteriskwritetimeout": "ms a write to a server may stall",
    "sslverify": "check the certificates of servers",
    "sslcafile": "against these authorities; an error without `sslverify = yes`",
    "originateasync": "send a waiting Originate as an asynchronous one",
    "serverheader": "put `Server: name` into each message of a server; `no` only with one server: "
    "`-t` warns of more",
    "serverevents": "tell clients that a server is lost, and that it is connected "
    "([clients.md](clients.md#when-a-server-is-lost))",
    "replay": "how much of each server's last events is kept for clients that come back, as `64MB` "
    "([clients.md](clients.md#nothing-lost-without-notice)); no: nothing",
    "replayseconds": "s for which they are kept at the most",
    "maxmessage": "bytes of one message from a server",
    "state": "answer `ProxyAction: Snapshot`: calls, queues, phones as they are now "
    "([clients.md](clients.md#snapshot)); the console, WebSocket, events and REST tell them, too "
    "([live.md](live.md#state)); costs nothing until somebody asks",
    "statelimit": "rows (channels, members, phones...) kept of one server; one with more is `too "
    "large`, and nothing is kept of it",
    "abandonshort": "s: who hangs up in a queue that soon does not count as lost in its level "
    "([clients.md](clients.md#snapshot))",
    "timezone": "whose midnight begins a day of the numbers of queues, as `Europe/Berlin`; absent: "
    "that of this machine",
    "listenaddress": "an IPv4 or IPv6 address, or all",
    "listenport": "where clients connect; `no`: only where `listen` lines say",
    "listen": "`ADDRESS, PORT, option=value...` or `unix:PATH, option=value...`: a further "
    "listener; one line for each ([more](#listeners))",
    "reuseport": "other processes of the same user may listen on the same ports, and each gets a "
    "share of the clients; Unix sockets cannot be shared "
    "([cluster.md](cluster.md#several-processes-on-one-machine))",
    "acceptencryptedconnection": "accept TLS clients",
    "acceptunencryptedconnection": "accept plain clients, on the same port",
    "certfile": "our certificate and key; SIGHUP reads the file again, another name needs a "
    "restart",
    "clientcafile": "clients must have a certificate of these authorities; needs "
    "`acceptunencryptedconnection = no`",
    "sslclienthellotimeout": "ms to wait for a first byte before a client is taken for a plain one",
    "clientwritetimeout": "ms a client may take nothing while output waits",
    "clientbacklog": "bytes that may lie unread for a client ([more](#clientbacklog))",
    "drainseconds": "s that clients have for their last answers and messages when the proxy stops "
    "or restarts; 0: none",
    "inputformat": "format of clients that have not chosen one; an unknown one is an error",
    "outputformat": "the same",
    "handlerdir": "directory of your own I/O handlers; nobody but root, or who starts the proxy, "
    "may write there",
    "autofilter": "off, on, unique: who gets which answer ([clients.md](clients.md))",
    "forcebanner": "the greeting; without it `Asterisk Call Manager Proxy/` and our version. "
    "`server`: that of the first connected server; while there is none, of the first that was "
    "connected before",
    "maxline": "bytes of a line of an action",
    "maxheaders": "lines of an action",
    "maxblock": "bytes of an action, web request or document",
    "maxunanswered": "actions of one client that a server has not answered; 0: no limit",
    "httpcors": "origins whose web pages may use the HTTP input; a host without scheme: both http "
    "and https",
    "web": "what listeners with the input http have beside actions: `console`, `events`, `ws`, "
    "`rest`, `metrics`, or `yes`: all of it, or `no` ([live.md](live.md))",
    "metricspermit": "networks, separated by commas, that read `/metrics` without a log-in "
    "([live.md](live.md#metrics)); none: it is as the listener's `auth`",
    "metricsqueues": "queues with a label of their own in `/metrics`; the rest is told as `other`",
    "httpdigest": "algorithms of HTTP Digest ([http.md](http.md#asterisks-own-http-interface)), "
    "the preferred one first; `no`: no Digest. For users whose secret is not hashed",
    "authrequired": "clients must log in",
    "proxykey": "or give this key",
    "permit, deny": "networks clients may connect from; the last line that matches counts; begin "
    "with `deny = 0.0.0.0/0` and `deny = ::/0`",
    "aclfile": "Asterisk's acl.conf: the lists that `acl =` of a user may name ([more](#aclfile))",
    "proxyprotocol": "networks of load balancers, separated by commas "
    "([more](#behind-a-load-balancer))",
    "authtimeout": "s a client may take to log in",
    "authlimit": "unauthenticated clients at a time; 0: any number; as many as may come at once",
    "maxclients": "clients in all, at all proxies of a `bus` together; 0: any number",
    "maxperaddress": "clients from one address; 0: any number",
    "maxperuser": "clients logged in as one user, web requests aside; 0: any number",
    "displayconnects": "log that clients connect, log in and leave; `displayconnects` in a section "
    "of astmanproxy.users takes precedence",
    "filterlocal": "off, allow, allowwith, enforce: Originate on `Local/` for users with a "
    "`channel`; a user with an `out_context` alone may use `Local/x@out_context` in any case",
    "bus": "the Redis, or Valkey, through which proxies share servers: `redis://`, `rediss://` "
    "(TLS), `unix://`, `redis+sentinel://`; needs the package `redis`; `no`: each proxy is alone",
    "busname": "the name of the cluster: what its keys in Redis begin with; proxies with the same "
    "`bus` and `busname` share servers",
    "busfailover": "s after which another proxy takes the servers of one that says nothing any "
    "more; 0.5 to 60; the same at all proxies of a cluster",
    "busoptional": "without Redis, each proxy connects to all servers by itself; `no`: none does, "
    "as nobody knows who else would",
    "busbytes": "how much of each server's last events is kept in Redis, as `64MB`",
    "busjoin": "events go to Redis at most once in so many ms, all together; 0: at once",
    "proc_user": "user to run as; needed if root starts it",
    "proc_group": "default: the user's own",
    "logfile": "best in a directory of its own that belongs to `proc_user`; or `journal`, "
    "`syslog`, `stderr`, `stdout` ([more](operations.md#where-the-log-goes))",
    "logformat": "`text`, or `json`: one object a line",
    "audit": "log each action that changes something, and how it ended "
    "([more](operations.md#the-audit))",
    "loglevel": "debug, info, warning, error, critical: what is logged at least",
    "pidfile": "of the daemon; with `-f` only if it is set",
    "controlsocket": "a Unix socket for `--control`, which root and the proxy's user may use; "
    "`no`: none. Without the line it is beside the pid file, as `astmanproxy.sock`",
}

#: Keys that add up, so that no line is their default: SIGHUP changes them all.
ADDED = frozenset({"host", "include", "listen", "permit", "deny"})
#: SIGHUP reads the file again, though not its name.
REREAD = frozenset({"certfile"})


def written(key: str) -> str:
    """Return the default of *key* as a line would give it, ``none``: a line has to be missing."""
    if key in ADDED:
        return "none"
    setting = SETTINGS[key]
    return inforce.written(setting, getattr(Config(), setting.field))


def at_once(key: str) -> bool:
    """Return whether SIGHUP changes what *key* sets."""
    return key in ADDED | REREAD or SETTINGS[key].live


def table() -> str:
    """Return the table of all keys.

    Raises:
        ValueError: a key of the configuration has no row, or a row no key.

    """
    listed = [key for keys in KEYS for key in keys.split(", ")]
    known = {*SETTINGS, *ADDED}
    if odd := known.symmetric_difference(listed):
        raise ValueError(f"in docs/keys.py or in the configuration, but not in both: {sorted(odd)}")
    return "\n".join(["| key | default | SIGHUP | |", "|---|---|---|---|", *_rows()])


def _rows() -> Iterator[str]:
    for keys, text in KEYS.items():
        names = keys.split(", ")
        quoted = ", ".join(f"`{name}`" for name in names)
        now = "now" if at_once(names[0]) else ""
        yield f"| {quoted} | {written(names[0])} | {now} | {text} |".replace("|  |", "| |")
