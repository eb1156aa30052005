# SPDX-License-Identifier: GPL-2.0-or-later
r"""Text that becomes dialplan: which functions it calls, read as Asterisk reads it.

Asterisk removes quotes and backslashes from arguments before it uses them
(AST_STANDARD_APP_ARGS in main/app.c), so ``IMPORT(x,SH\ELL(id))`` runs a shell.
"""

from __future__ import annotations

import re

from amiproxy.asterisk import functions

# Headers, and actions, whose text is for people and never evaluated.
_FREE_TEXT = frozenset({"actionid", "body", "base64body", "message", "server", "proxykey"})
_TEXT_ACTIONS = frozenset({"userevent", "queuelog", "sendtext", "pjsipnotify", "command"})

# At the beginning of a word only, or the time would grow with the square of its length.
_CALL = re.compile(r"(?<!\w)_*(\w{1,255})\s*\(")
# A name that Asterisk puts together only when it evaluates the text: ``${SH${X}ELL(id)}``,
# and the end of one behind an expression: ``${IMPORT(x,SH${N}ELL(id))}``.
_ASSEMBLED = re.compile(r"\$\{[^(}$]*\$[{\[]|[}\]]\w{0,255}\(")
_INDIRECT = re.compile(rf"(?<![a-z0-9])(?:{'|'.join(sorted(functions.INDIRECT))})[ \t]*\(")
_REMOVED = str.maketrans("", "", "\"'\\")


def is_evaluated(action: str, header: str) -> bool:
    """Return whether Asterisk may evaluate this *header* of the *action*, both in lower case."""
    return header not in _FREE_TEXT and action not in _TEXT_ACTIONS


def plain(text: str) -> str:
    """Return *text* in lower case, without quotes and backslashes."""
    text = text.lower()
    if '"' in text or "\\" in text or "'" in text:  # to look is cheaper than to translate
        text = text.translate(_REMOVED)
    return text


def arguments(text: str) -> list[str]:
    """Return the arguments in *text*; older versions of Asterisk separate them by ``|``, too."""
    return text.replace("|", ",").split(",")


def called(text: str) -> list[str]:
    """Return the names, without underscores at their beginning, before each parenthesis.

    *text* is plain.
    """
    return _CALL.findall(text) if "(" in text else []


def is_assembled(text: str) -> bool:
    """Return whether the plain *text* calls a function by a name that is put together."""
    return "$" in text and _ASSEMBLED.search(text) is not None


def is_indirect(text: str) -> bool:
    """Return whether the plain *text* lets a function evaluate what variables hold."""
    if "$" not in text:
        return False
    indirect = _INDIRECT.search(text)
    return indirect is not None and text.find("$", indirect.end()) >= 0
