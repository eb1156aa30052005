# SPDX-License-Identifier: GPL-2.0-or-later
"""The first bytes of a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.errors import ProtocolError
from amiproxy.threads.net.hello import refuse_tls

if TYPE_CHECKING:
    from tests.threads.conftest import MakePair


def test_tls_on_a_plain_connection_is_rejected(pair: MakePair) -> None:
    """Told by the first bytes; a plain block passes, and so does a lone control character."""
    transport, _theirs = pair()

    refuse_tls(transport, b"Action: Ping\r\n")
    refuse_tls(transport, b"\x16Action")
    with pytest.raises(ProtocolError, match="TLS on a connection"):
        refuse_tls(transport, b"\x16\x03\x01")
