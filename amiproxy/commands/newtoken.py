# SPDX-License-Identifier: GPL-2.0-or-later
"""``--new-token USER``: a new token, and the line of the users file that lets it in."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

from amiproxy.access import tokens
from amiproxy.errors import ConfigError
from amiproxy.process.process import say
from amiproxy.settings.usersfile import load_users

if TYPE_CHECKING:
    from amiproxy.process.options import Options


def main(options: Options) -> int:
    """Print a token and its line, each in a line of its own; what to do with them to stderr."""
    name = options.user
    if not name or set(name) & set("[]\r\n\0"):
        print("Name the user that the token is for", file=sys.stderr)
        return 1
    token = tokens.new_token()
    path = options.users
    print(
        f"The token for {name}, shown this once, and the line for the section [{name}] of"
        f" {path}. It lets in from the next reload on, until the line is taken out.",
        file=sys.stderr,
    )
    if missing := _missing(name, path):
        print(f"{path}: {missing}", file=sys.stderr)
    sys.stderr.flush()
    say([token, f"token = {tokens.hash_of(token)}"])
    return 0


def _missing(name: str, path: str) -> str:
    """Return why the line has no place in the users file *path* yet, "" if it has."""
    wire = name.encode(errors="surrogateescape").decode("latin-1")  # as in the file
    if wire.lower() == "general":
        return "[general] is no user: take another name"
    try:
        users, _ = load_users(path)
    except ConfigError as error:
        return f"cannot be looked at ({str(error).splitlines()[0]})"
    if wire not in users:
        return f"there is no user {name}: write a section [{name}], with read and write lines"
    if not _is_section(users[wire].place):
        return f"user {name} stands in a line: tokens need a section [{name}] instead of it"
    return ""


def _is_section(place: str) -> bool:
    """Return whether at *place*, ``FILE:LINE``, a section begins."""
    path, _, number = place.rpartition(":")
    try:
        lines = Path(path).read_text("latin-1").split("\n")
        return lines[int(number) - 1].lstrip().startswith("[")
    except (OSError, ValueError, IndexError):
        return True
