# SPDX-License-Identifier: GPL-2.0-or-later
"""The keys of astmanproxy.users in a few words each: docs/configuration.md, astmanproxy.users(5).

A new user setting is a row here; ``make docs`` writes table and manual page.
"""

from __future__ import annotations

from typing import NamedTuple

from amiproxy.routing.callwords import CALL_FILTERS
from amiproxy.routing.classes import CLASSES
from amiproxy.settings.managerconf import GENERAL_KEYS, USER_KEYS
from amiproxy.threads.actions.proxyactions import PRIVILEGED


class Row(NamedTuple):
    """Some keys, where they may stand, and what they set, as Markdown."""

    keys: str
    places: str
    text: str

    @property
    def names(self) -> list[str]:
        """The keys, each for itself."""
        return self.keys.split(", ")


#: Where a key may stand: in a line ``user=secret,...``, in a ``[section]``, in ``[general]``.
LINE, SECTION, GENERAL = "line, section", "section", "[general]"

#: Those with LINE are in the order of the line's fields.
ROWS = (
    Row("secret", LINE, "plain, or a bcrypt hash, which `astmanproxy --hash-secret` makes; log-in "
        "by MD5 challenge needs a plain one"),
    Row("channel", LINE, "sees and controls only channels and devices that begin so: `pjsip/1002`. "
        "That is `pjsip/10021`, too; `pjsip/1002-` is the one device, which is shown to the user, "
        "but to which the user cannot originate"),
    Row("out_context", LINE, "may use only this context; where an action names none, this one is "
        "added"),
    Row("in_context", LINE, "sees only this context"),
    Row("accountcode", LINE, "of every Originate; variables and applications cannot change it"),
    Row("server", LINE, "sees and reaches only these servers, by name, host, address or "
        "`host:port` of their `host` lines; separated by `\\|`, in a section by commas as well. An "
        "action without `Server:` goes to the first of them that is connected; one for another "
        "server is refused"),
    Row("more_events", LINE, "sees events that belong to no channel, too, but never the class "
        "`security`. In a line any value, in a section `yes`"),
    Row("filters", LINE, "words separated by `\\|`: "
        + "; ".join(f"`{word}`: {'only' if each.only else 'no'} events of {each.description}"
                    for word, each in CALL_FILTERS.items())),
    Row("read", SECTION, "classes of events that the user sees, separated by commas; without the "
        f"line none, as in Asterisk 22: {', '.join(f'`{name}`' for name in CLASSES)}"),
    Row("write", SECTION, "classes of actions that the user may send; without the line only "
        "actions that need none"),
    Row("token", SECTION, "the hash of a token, by which programs log in to the web "
        "([live.md](live.md#log-in)): `astmanproxy --new-token USER` prints both; lines add up. A "
        "section with tokens needs no secret"),
    Row("permit, deny", SECTION, "networks the user may log in from; the last line that matches "
        "counts; begin with `deny = 0.0.0.0/0` and `deny = ::/0`"),
    Row("acl", SECTION, "lists of `aclfile`, separated by commas: each must permit the address as "
        "well"),
    Row("eventfilter", SECTION, "events that the user sees, or with `!` does not see, in both "
        "forms of Asterisk: `eventfilter = !Channel: Local/`, `eventfilter(name(Newchannel)) =`; "
        "lines add up"),
    Row("proxyactions", SECTION, "ProxyActions the user may call: `all`, `none`, or names "
        f"separated by commas; without the line all but {', '.join(PRIVILEGED)}; "
        "the operator's (Kick, Reload, Shutdown ...) must be named, or `operator` stand here"),
    Row("allowmultiplelogin", SECTION, "`no`: one connection at a time; web requests do not count"),
    Row("displayconnects", SECTION, "`no`: the log does not say that the user logs in and leaves"),
    Row("writetimeout", SECTION, "so many ms, at least 100, the user may take nothing while "
        "output waits; without the line `clientwritetimeout`"),
    Row("permit, deny, acl", GENERAL, "networks of all clients, besides `permit` and `deny` of "
        "astmanproxy.conf and of the user"),
    Row("authtimeout, authlimit, maxclients, maxperaddress, displayconnects", GENERAL, "instead of "
        "those of astmanproxy.conf"),
    Row("allowmultiplelogin", GENERAL, "for users whose section does not say it"),
    Row("brokeneventsaction", GENERAL, "`yes`: `Action: Events` is not answered where it chooses "
        "all events or makes no sense, as in Asterisk"),
)  # fmt: skip


def table() -> str:
    """Return the table of all keys.

    Raises:
        ValueError: a key that the program reads has no row, or a row no key.

    """
    for place, known in (("section", USER_KEYS), (GENERAL, GENERAL_KEYS)):
        listed = [name for row in ROWS if place in row.places for name in row.names]
        if odd := known.symmetric_difference(listed):
            raise ValueError(
                f"in docs/userkeys.py or in managerconf.py, not in both: {sorted(odd)}"
            )
    lines = ["| key | in a | |", "|---|---|---|"]
    for row in ROWS:
        keys = ", ".join(f"`{name}`" for name in row.names)
        lines.append(f"| {keys} | {row.places} | {row.text} |")
    return "\n".join(lines)
