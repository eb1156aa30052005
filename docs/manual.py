# SPDX-License-Identifier: GPL-2.0-or-later
"""What the manual pages in man/ have from the code and from the sample file: ``make docs``."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from amiproxy.process.options import OPTIONS
from amiproxy.settings.config import SETTINGS
from amiproxy.threads.actions.proxyactions import PRIVILEGED, PROXY_ACTIONS
from amiproxy.threads.control.table import COMMANDS
from docs import keys, mdoc, sample, userkeys

if TYPE_CHECKING:
    from collections.abc import Iterable

    from amiproxy.process.options import Option

ROOT = Path(__file__).resolve().parent.parent
PAGES = ROOT / "man"

#: A word of an indented list with what explains it, and a further line of that.
_ITEM = re.compile(r"( +)(\S+)( {2,})(\S.*)")


def texts() -> dict[tuple[Path, str], str]:
    """Return the text of every generated piece, by page and name."""
    program = PAGES / "astmanproxy.8"
    conf = PAGES / "astmanproxy.conf.5"
    users = PAGES / "astmanproxy.users.5"
    pieces = {
        (program, "options"): options(),
        (program, "commands"): commands(),
        (program, "proxyactions"): proxy_actions(),
        (program, "privileged"): [mdoc.listed(PRIVILEGED)],
        (program, "signals"): signals((ROOT / "docs/configuration.md").read_text("utf-8")),
        (conf, "keys"): conf_keys((ROOT / "astmanproxy.conf").read_text("utf-8")),
        (users, "fields"): user_keys(userkeys.LINE),
        (users, "section"): user_keys(userkeys.SECTION),
        (users, "general"): user_keys(userkeys.GENERAL),
    }
    return {place: "\n".join(lines) for place, lines in pieces.items()}


# -- astmanproxy(8) -----------------------------------------------------------------------


def options() -> list[str]:
    """Return the list of the command line's options."""
    return mdoc.tagged(((_option(each),), _sentence(" ".join(each.text))) for each in OPTIONS)


def _sentence(text: str) -> list[str]:
    """Return the words of a table as a paragraph: with a capital, and a full stop."""
    end = "" if text.endswith(".") else "."
    return mdoc.paragraph(f"{text[0].upper()}{text[1:]}{end}")


def _option(option: Option) -> str:
    """Return the arguments of the option's .It line."""
    value = f" Ar {option.value}" if option.value else ""
    short = f"Fl {option.short} , " if option.short else ""
    return f"{short}Fl {mdoc.argument(f'-{option.long}')}{value}"


def commands() -> list[str]:
    """Return the list of what a running proxy can be asked at its control socket."""
    return mdoc.tagged(
        ([" ".join([f"Ic {each.name}", *map(_argument, each.arguments)])], _sentence(each.help))
        for each in COMMANDS.values()
    )


def _argument(name: str) -> str:
    return f"Op Ar {name[1:-1]}" if name.startswith("[") else f"Ar {name}"


def proxy_actions() -> list[str]:
    """Return the list of ProxyActions: headers and reply."""
    return mdoc.tagged(
        (
            (f"Ic {each.name}",),
            [*_labelled("Headers", each.headers), *_labelled("Reply", each.reply)],
        )
        for each in PROXY_ACTIONS.values()
    )


def _labelled(label: str, text: str) -> list[str]:
    return mdoc.paragraph(f"{label}: {text}.") if text else []


def signals(page: str) -> list[str]:
    """Return the list of signals, which is the table below "Signals" in the Markdown *page*."""
    section = page.partition("\n## Signals\n")[2].partition("\n## ")[0]
    rows = re.findall(r"^\| (.*?) \| (.*?) \|$", section, re.MULTILINE)[1:]
    return mdoc.tagged(([names.replace(", ", " , ")], _sentence(text)) for names, text in rows)


# -- astmanproxy.users(5) -----------------------------------------------------------------


def user_keys(place: str) -> list[str]:
    """Return the list of the keys that may stand at *place*."""
    rows = (row for row in userkeys.ROWS if row.places == place)
    return mdoc.tagged(
        ([mdoc.listed(row.names)[1:]], _sentence(row.text.replace("\\|", "|"))) for row in rows
    )


# -- astmanproxy.conf(5) ------------------------------------------------------------------


def conf_keys(text: str) -> list[str]:
    """Return a section for each part of the sample file *text*, with its keys."""
    lines: list[str] = []
    for part in sample.parts(text)[1:]:
        items = (([*map(_conf_head, each.keys)], _explained(each)) for each in part.entries)
        lines += [f".Ss {part.title}", *mdoc.tagged(items)]
    return lines


def _conf_head(key: str) -> str:
    now = " ; HUP" if keys.at_once(key) else ""
    return f"Ic {key} Pq {mdoc.argument(keys.written(key))}{now}"


def _explained(entry: sample.Entry) -> list[str]:
    """Return the paragraphs of *entry*, and its lines if they say more than the default."""
    pieces = [
        _indented(lines) if indented else mdoc.paragraph(_marked(" ".join(lines)))
        for indented, lines in mdoc.blocks(entry.text)
    ]
    shown = [f"{key} = {value}" for key, value in entry.lines if value != keys.written(key)]
    if shown:
        pieces.append(mdoc.display(shown))
    lines = pieces[0]
    for piece in pieces[1:]:
        # A display sets itself apart.
        lines += piece if piece[0].startswith(".Bd") else [".Pp", *piece]
    return lines


def _marked(text: str) -> str:
    """Return *text* with the keys in it as words to type."""
    names = sorted(SETTINGS, key=len, reverse=True)
    return re.sub(rf"(?<![\w./\"])({'|'.join(names)})(?![\w\"]|\.\w)", r"**\1**", text)


def _indented(lines: Iterable[str]) -> list[str]:
    """Return the mdoc of lines that stand indented: a list of words, or text as it stands."""
    items: list[tuple[str, str]] = []
    column = 0
    for line in lines:
        if found := _ITEM.fullmatch(line):
            items.append((found[2], found[4]))
            column = found.start(4)
        elif items and line.startswith(" " * column):
            word, text = items.pop()
            items.append((word, f"{text} {line.strip()}"))
        else:
            return mdoc.display(each.strip() for each in lines)
    return mdoc.tagged(
        (([f"Cm {word}"], mdoc.paragraph(text)) for word, text in items), width="allowwith"
    )
