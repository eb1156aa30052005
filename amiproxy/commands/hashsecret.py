# SPDX-License-Identifier: GPL-2.0-or-later
"""``--hash-secret``: a secret in, its hash for the users file out."""

from __future__ import annotations

import getpass
import sys
from typing import TYPE_CHECKING

from amiproxy.access import hashes
from amiproxy.process.process import say

if TYPE_CHECKING:
    from amiproxy.process.options import Options


def main(_: Options) -> int:
    """Read a secret, without echo where there is a terminal, and print its bcrypt hash."""
    try:
        if sys.stdin.isatty():
            secret = getpass.getpass("Secret: ")
            if getpass.getpass("Again: ") != secret:
                print("The two are not the same", file=sys.stderr)
                return 1
        else:
            secret = sys.stdin.readline().rstrip("\r\n")
    except (EOFError, KeyboardInterrupt):
        return 1
    data = secret.encode(errors="surrogateescape")
    if not data or len(data) > hashes.BCRYPT_LIMIT or b"\0" in data:
        print("A secret has 1 to 72 bytes: bcrypt ignores the rest", file=sys.stderr)
        return 1
    # Bytes are characters, as in the users file.
    say([hashes.hash_secret(data.decode("latin-1"))])
    return 0
