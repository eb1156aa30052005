# SPDX-License-Identifier: GPL-2.0-or-later
"""Who else rotates the log, and what else on this machine looks for what is in it."""

from __future__ import annotations

import contextlib
import fnmatch
import shlex
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from amiproxy.settings.config import Config

#: Where logrotate's rules are.
LOGROTATE = "/etc/logrotate.conf", "/etc/logrotate.d"

#: Bytes of a file of rules, and files of a directory, that are looked at.
_LONGEST = 262144
_MOST_FILES = 500

_ENDS = """
.bak ,v .cfsaved .disabled .dpkg-bak .dpkg-del .dpkg-dist .dpkg-new .dpkg-old .dpkg-tmp .new .old
.orig .rpmnew .rpmorig .rpmsave .swp .ucf-dist .ucf-new .ucf-old ~
"""
#: Ends of names that logrotate leaves out (logrotate(8), taboo extensions).
_TABOO = tuple(_ENDS.split())
_SCRIPTS = frozenset(("postrotate", "prerotate", "firstaction", "lastaction", "preremove"))


def log_warnings(config: Config, places: Iterable[str] = LOGROTATE) -> list[str]:
    """Return what is wrong with how *config* logs, by what else there is on this machine."""
    found = [each.warning() for each in rules(places) if config.log_path and each.harms(config)]
    if config.log_level in ("error", "critical"):
        found.append(
            f"{config.place('log_level')}loglevel: failed log-ins, which are warnings, are not"
            " logged, so fail2ban bans nobody; write warning"
        )
    return found


class Rule(NamedTuple):
    """One rule of logrotate: *where* ``FILE:LINE``, for which files, and what it says."""

    where: str
    patterns: tuple[str, ...]
    text: str

    def harms(self, config: Config) -> bool:
        """Return whether it rotates the proxy's log and does not tell the proxy."""
        is_told = "astmanproxy" in self.text or "copytruncate" in self.text.split()
        return not is_told and any(_matches(config.log_path, each) for each in self.patterns)

    def warning(self) -> str:
        """Return what is to be said of a rule that harms."""
        return (
            f"{self.where}: this rule of logrotate rotates the proxy's log, too"
            f" ({' '.join(self.patterns)}): the proxy is not told, so it writes on into the renamed"
            " file, and a rule of its own is skipped; give logfile a directory of its own, as"
            " /var/log/astmanproxy"
        )


def rules(places: Iterable[str]) -> Iterator[Rule]:
    """Yield the rules of logrotate in *places*, files and directories, that can be read."""
    for place in places:
        paths = [Path(place)]
        with contextlib.suppress(OSError):
            if paths[0].is_dir():
                paths = sorted(paths[0].iterdir())[:_MOST_FILES]
        for path in paths:
            if path.name.endswith(_TABOO):
                continue
            with contextlib.suppress(OSError):
                if path.is_file():
                    with path.open("rb") as file:
                        yield from _rules(str(path), file.read(_LONGEST).decode("latin-1"))


def _rules(name: str, text: str) -> Iterator[Rule]:
    """Yield the rules of the file *name*, which has *text*."""
    head: list[str] = []
    body: list[str] = []
    first, is_inside, script = 0, False, False
    for number, line in enumerate(text.splitlines(), 1):
        words = line.split()
        if not words or words[0].startswith("#"):
            continue
        if script:
            script = words[0] != "endscript"
            body.append(line)
        elif is_inside:
            script = words[0] in _SCRIPTS
            if words[0].startswith("}"):
                yield Rule(f"{name}:{first}", tuple(head), "\n".join(body))
                head, body, is_inside = [], [], False
            else:
                body.append(line)
        elif words[0][0] in "/\"'" or head:
            first = first if head else number
            before, brace, after = line.partition("{")
            head += _split(before)
            is_inside = bool(brace)
            body.append(after)


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:  # a quote is open
        return text.split()


def _matches(path: str, pattern: str) -> bool:
    """Return whether *pattern* means *path*, as glob(7) has it: no ``*`` crosses a slash."""
    parts, wanted = path.split("/"), pattern.split("/")
    return len(parts) == len(wanted) and all(map(fnmatch.fnmatchcase, parts, wanted))
