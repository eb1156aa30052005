# SPDX-License-Identifier: GPL-2.0-or-later
"""What is told whose first line is no HTTP request."""

from __future__ import annotations

import pytest

from amiproxy.httphead import find_end
from amiproxy.httpmessages import BadRequest


@pytest.mark.parametrize("begin", [b"Action: Login\r\n", b"ProxyAction:ListServers\r\n"])
def test_a_program_that_speaks_ami_is_told_where_it_belongs(begin: bytes) -> None:
    """It has met a listener for HTTP: who runs both reads it in the log."""
    with pytest.raises(BadRequest, match="AMI need a listener with inputformat = standard"):
        find_end(begin, 0)


def test_other_noise_is_told_how_a_request_begins() -> None:
    """With an example."""
    with pytest.raises(BadRequest, match="it begins as in GET /"):
        find_end(b"\x16\x03\x01\x02\x00", 0)
