# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands for Redis as ready-made bytes of its protocol, RESP2.

A library packs each command argument by argument, which for an entry of a stream takes longer
than all the rest of the work.  https://redis.io/docs/latest/develop/reference/protocol-spec/
"""

from __future__ import annotations


def command(*words: bytes) -> bytes:
    """Return the command of *words*."""
    parts = [b"*%d\r\n" % len(words)]
    parts += [b"$%d\r\n%b\r\n" % (len(word), word) for word in words]
    return b"".join(parts)


def xadd(key: bytes, entry_id: bytes, body: bytes, minid: bytes | None = None) -> bytes:
    """Return the command that adds an entry with the one field ``b`` to the stream *key*.

    *entry_id* is its ID, ``*`` where Redis is to give it one.  Entries before *minid* are
    removed with it.  Redis answers with the ID.
    """
    if minid is None:
        return b"*5\r\n$4\r\nXADD\r\n$%d\r\n%b\r\n$%d\r\n%b\r\n$1\r\nb\r\n$%d\r\n%b\r\n" % (
            len(key),
            key,
            len(entry_id),
            entry_id,
            len(body),
            body,
        )
    return command(b"XADD", key, b"MINID", b"=", minid, entry_id, b"b", body)
