# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/clients.md names each field of the rows, and no other."""

from __future__ import annotations

import re

import pytest

from amiproxy.threads.state.encoding import EVENTS, header
from tests.state.test_channels import block, bridge, event, model_of
from tests.support import ROOT


@pytest.mark.parametrize("kind", ["calls", "channels", "bridges"])
def test_fields_are_documented(kind: str) -> None:
    """As the headers in which a snapshot tells them."""
    model = model_of(
        event("Newchannel", *block("101")), event("BridgeCreate", *bridge("b")),
        event("BridgeEnter", *bridge("b"), *block("101")),
    )  # fmt: skip
    (row,) = model.rows(kind, 1000.0)

    text = (ROOT / "docs/clients.md").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^\| `{EVENTS[kind]}` \|.*$", text, re.MULTILINE)
    named = set(re.findall(r"`([A-Z][A-Za-z]*)`", line)) - {EVENTS[kind], "Key"}
    assert named == {header(name) for name in row.fields}
