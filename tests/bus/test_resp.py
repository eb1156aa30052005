# SPDX-License-Identifier: GPL-2.0-or-later
"""Ready-made commands are what a library for Redis would send."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.bus.resp import command, xadd


@given(st.lists(st.binary(max_size=20), max_size=8))
def test_commands_are_packed_as_redis_py_packs_them(words: list[bytes]) -> None:
    """Byte by byte."""
    connection = pytest.importorskip("redis").connection.Connection()

    assert command(b"SET", *words) == b"".join(connection.pack_command("SET", *words))


@given(st.binary(max_size=9), st.binary(max_size=9), st.binary(max_size=9))
def test_an_entry_is_added(key: bytes, entry_id: bytes, body: bytes) -> None:
    """With and without a limit for those before it."""
    assert xadd(key, entry_id, body) == command(b"XADD", key, entry_id, b"b", body)
    assert xadd(key, entry_id, body, b"5-0") == command(
        b"XADD", key, b"MINID", b"=", b"5-0", entry_id, b"b", body
    )
