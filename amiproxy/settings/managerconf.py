# SPDX-License-Identifier: GPL-2.0-or-later
"""The keys of Asterisk's manager.conf (main/manager.c), and those of our own beside them.

What the lines of a section give is a plain dict of the fields they set; usersfile.py
makes users of it.

A line that would give a user more than Asterisk did must not be ignored silently: what
restricts and cannot be understood is an error, what merely does nothing here is a
warning.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Callable, NamedTuple

from amiproxy.access.acl import ANYBODY, Acl, NamedList, read_rules
from amiproxy.access.tokens import read_hash
from amiproxy.access.user import OPERATOR
from amiproxy.basics.boolean import parse_bool
from amiproxy.routing.callwords import CALL_FILTERS
from amiproxy.routing.classes import CLASSES, read_classes
from amiproxy.routing.eventfilter import EventFilters, FilterError
from amiproxy.settings import typos
from amiproxy.settings.readers import count, lower
from amiproxy.settings.userwords import filter_names, server_names, words

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from amiproxy.access.acl import Rule
    from amiproxy.settings.aclfile import NamedAcls
    from amiproxy.settings.readers import Written
    from amiproxy.settings.report import Report
    from amiproxy.settings.sections import Entry, Section

# Keys of manager.conf that have no meaning in a proxy, and what to do instead.
_IGNORED_GENERAL = {
    **dict.fromkeys(
        (
            "enabled",
            "webenabled",
            "httptimeout",
            "debug",
            "timestampevents",
            "channelvars",
            "disabledevents",
        ),
        "does nothing here",
    ),
    **dict.fromkeys(
        (
            "port",
            "bindaddr",
            "tlsenable",
            "tlsbindaddr",
            "tlscertfile",
            "tlsbindport",
            "tlscafile",
            "tlscapath",
            "tlscipher",
            "tlsclientmethod",
            "tlsdisablev1",
            "tlsdisablev11",
            "tlsdisablev12",
            "tlsdontverifyserver",
            "tlsprivatekey",
            "tlsservercipherorder",
            "tlsverifyclient",
        ),
        "does nothing here; see listenaddress, listenport and certfile in astmanproxy.conf",
    ),
}

# Every line of these counts.
_ADD_UP = frozenset({"acl", "deny", "eventfilter", "permit", "setvar", "token"})
# What restricts a user: with an empty value, or one that a comment has eaten, it does not.
_NEVER_EMPTY = frozenset(
    {"accountcode", "acl", "channel", "eventfilter", "filters", "in_context", "out_context",
     "server"}
)  # fmt: skip

#: The ProxyActions that ``proxyactions`` can name, in lower case.
PROXY_ACTIONS = frozenset(
    {"addserver", "dropserver", "listiohandlers", "listservers", "listsessions", "logoff",
     "resume", "setautofilter", "seteventids", "setinputformat", "setoutputformat", "snapshot",
     "uptime"}
)  # fmt: skip
#: Those of the operator, which ``all`` does not include.
OPERATING = frozenset(
    {"kick", "kickuser", "loglevel", "pauseserver", "reconnectserver", "reload", "restart",
     "resumeserver", "showclients", "showcluster", "showconfig", "showlisteners", "showmemory",
     "showservers", "showstats", "showthreads", "showusers", "shutdown"}
)  # fmt: skip


def general_settings(
    sections: Iterable[Section], acls: NamedAcls, report: Report
) -> dict[str, Any]:
    """Return the fields of access.user.General that the sections ``[general]`` set."""
    settings: dict[str, Any] = {}
    for section in sections:
        if section.is_general and section.template:
            report.error(
                section.line, "[general](!) is a template, and would be in force for nobody"
            )
        elif section.is_general:
            _apply(section, _GENERAL, settings, acls, report)
    return settings


def user_settings(section: Section, acls: NamedAcls, report: Report) -> dict[str, Any]:
    """Return the fields of access.user.User that *section* sets, beside the name.

    *acls* are the lists that an ``acl`` line may name.
    """
    settings: dict[str, Any] = {"eventfilters": EventFilters()}
    _apply(section, _USER, settings, acls, report)
    return settings


def _apply(
    section: Section,
    keys: Mapping[str, _Key],
    settings: dict[str, Any],
    acls: NamedAcls,
    report: Report,
) -> None:
    """Set in *settings* what the lines of *section* say."""
    # A list while lines are added to it, or many of them would take long.
    former = settings.get("acl", ANYBODY)
    settings["rules"], settings["lists"] = [*former.rules], [*former.lists]
    _warn_of_repeated(section, report)
    for entry in section.entries:
        key = keys.get(entry.key)
        if key is None:
            _report_unknown(section, entry, report)
            continue
        line = _Line(entry, settings.get(key.field), acls, report)
        try:
            if entry.key in _NEVER_EMPTY and not (entry.text or entry.criteria):
                raise ValueError("is empty and would restrict nothing; leave the line out")
            settings[key.field] = key.read(line)
        except ValueError as error:
            report.error(entry.line, f"{entry.key}: {error}")
    settings["acl"] = Acl(tuple(settings.pop("rules")), tuple(settings.pop("lists")))
    weakness = settings["acl"].weakness()
    if weakness:
        places = [one.line for one in section.entries if one.key in ("permit", "deny", "acl")]
        report.warn(places[-1] if places else section.line, weakness)


def _warn_of_repeated(section: Section, report: Report) -> None:
    """Warn of a key that the section itself sets to one value and then to another.

    As where the ``[section]`` of the next user is commented out, but not its lines.
    """
    values: dict[str, str] = {}
    own = [one for one in section.entries if one.line > section.line and one.key not in _ADD_UP]
    for entry in own:
        if values.setdefault(entry.key, entry.text) != entry.text:
            report.warn(entry.line, f"{entry.key}: is here twice, this line counts")


def _report_unknown(section: Section, entry: Entry, report: Report) -> None:
    """Report the line *entry*, whose key is not known in *section*."""
    keys = _GENERAL if section.is_general else _USER
    similar = "" if entry.key in KEYS else typos.meant(entry.key, keys)
    if similar:
        report.error(entry.line, f"{entry.key}: unknown key; is {similar} meant?")
    else:
        report.warn(entry.line, _why_ignored(section, entry))


def _why_ignored(section: Section, entry: Entry) -> str:
    """Return the warning about the line *entry*, whose key is not known in *section*."""
    key = entry.key
    if section.is_general and key in _IGNORED_GENERAL:
        return f"{key} {_IGNORED_GENERAL[key]}"
    if key == "setvar" and not section.is_general:
        return "setvar is not supported: channels get no variable from us"
    text = f"{key}: unknown key in [{'general' if section.is_general else section.name}]"
    if "," in entry.text:
        return f"{text}; a user as name=secret,... stands before the first section"
    return text


# -- readers: a line in, the value of the field out; ValueError: the line is an error ----


class _Line(NamedTuple):
    """A line, what its field has held so far, what it may name, and where warnings go."""

    entry: Entry
    former: Any
    acls: NamedAcls
    report: Report

    @property
    def text(self) -> str:
        """The value, as the readers of readers.py want it."""
        return self.entry.text

    def warn(self, text: str) -> None:
        """Warn of this line."""
        self.report.warn(self.entry.line, text)


def _text(line: Written) -> str:
    return line.text


def _flag(line: _Line) -> bool:
    answer = parse_bool(line.text)
    if answer is None and line.text:
        line.warn(f"{line.entry.key} = {line.text}: neither yes nor no, taken for no")
    return bool(answer)


def _classes(line: _Line) -> int:
    mask, unknown = read_classes(line.text)
    for word in unknown:
        hint = typos.question(word, CLASSES)
        line.warn(f"{line.entry.key}: there is no class '{word}'{hint}")
    return mask


def _rule(line: _Line) -> list[Rule]:
    former: list[Rule] = line.former
    former += read_rules(line.entry.key, line.text)
    return former


def _lists(line: _Line) -> list[NamedList]:
    former: list[NamedList] = line.former
    return line.acls.chosen(line.text, former, line.warn)


def _event_filter(line: _Line) -> EventFilters:
    former: EventFilters = line.former
    try:
        return former.with_line(line.text, line.entry.criteria)
    except FilterError as error:
        # The words are Asterisk's; why it is so stands in the cause.
        why = f" ({error.__cause__})" if error.__cause__ else ""
        raise ValueError(f"{error}{why}") from error


def _filters(line: _Line) -> frozenset[str]:
    names, unknown = filter_names(line.text)
    for word in unknown:
        hint = typos.question(word, CALL_FILTERS)
        line.warn(f"filters: there is no filter '{word}'{hint}")
    if unknown and not names:
        raise ValueError("no word is a filter, so nothing would be kept back")
    return names


def _tokens(line: _Line) -> frozenset[str]:
    former: frozenset[str] = line.former or frozenset()
    return former | {read_hash(line.text)}


def _servers(line: Written) -> frozenset[str]:
    return server_names(line.text)


def _names(line: _Line) -> frozenset[str]:
    names = words(line.text) - {"none"}
    known = PROXY_ACTIONS | OPERATING | {"all", OPERATOR}
    for word in sorted(names - known):
        hint = typos.question(word, known)
        line.warn(f"proxyactions: there is no ProxyAction '{word}'{hint}")
    return names


def _write_timeout(line: _Line) -> float | None:
    """Read milliseconds; return seconds."""
    try:
        return count(100)(line) / 1000
    except ValueError:
        line.warn("writetimeout must be 100 ms or more; the line is left out")
        former: float | None = line.former
        return former


class _Key(NamedTuple):
    """One key: the field it sets, and its reader."""

    field: str
    read: Callable[[_Line], Any]


# One row a key, in alphabetical order.
_GENERAL: dict[str, _Key] = {
    "acl": _Key("lists", _lists),
    "allowmultiplelogin": _Key("allow_multiple_login", _flag),
    "authlimit": _Key("auth_limit", count(0)),  # 0: no limit
    "authtimeout": _Key("auth_timeout", count(1, 999_999_999)),  # seconds; there is no "never"
    "brokeneventsaction": _Key("broken_events_action", _flag),
    "deny": _Key("rules", _rule),
    "displayconnects": _Key("display_connects", _flag),
    "maxclients": _Key("max_clients", count(0)),
    "maxperaddress": _Key("max_per_address", count(0)),
    "permit": _Key("rules", _rule),
}
_USER: dict[str, _Key] = {
    "accountcode": _Key("accountcode", _text),
    "acl": _Key("lists", _lists),
    "allowmultiplelogin": _Key("allow_multiple_login", _flag),
    "channel": _Key("channel", lower),
    "deny": _Key("rules", _rule),
    "displayconnects": _Key("display_connects", _flag),
    "eventfilter": _Key("eventfilters", _event_filter),
    "filters": _Key("filters", _filters),
    "in_context": _Key("in_context", _text),
    "more_events": _Key("more_events", _flag),
    "out_context": _Key("out_context", _text),
    "permit": _Key("rules", _rule),
    "proxyactions": _Key("proxyactions", _names),
    "read": _Key("read", _classes),
    "secret": _Key("secret", _text),
    "server": _Key("servers", _servers),
    "token": _Key("tokens", _tokens),
    "write": _Key("write", _classes),
    "writetimeout": _Key("write_timeout", _write_timeout),
}

#: In lower case: the keys of [general] and of a user's section that do something here.
GENERAL_KEYS = frozenset(_GENERAL)
USER_KEYS = frozenset(_USER)
#: Every key of a section, of Asterisk's and ours.
KEYS = frozenset({*GENERAL_KEYS, *USER_KEYS, *_IGNORED_GENERAL, "setvar"})
