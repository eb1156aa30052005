# SPDX-License-Identifier: GPL-2.0-or-later
"""docs/clients.md names each field of the rows, and no other."""

from __future__ import annotations

import re

import pytest

from tests.state.test_channels import block, bridge, event, model_of
from tests.support import ROOT


def header(field: str) -> str:
    """Return the header that a snapshot tells *field* in."""
    return "".join(part[:1].upper() + part[1:] for part in field.split("_"))


@pytest.mark.parametrize(
    ("kind", "told"),
    [("calls", "ProxyCall"), ("channels", "ProxyChannel"), ("bridges", "ProxyBridge")],
)
def test_fields_are_documented(kind: str, told: str) -> None:
    """As the headers in which a snapshot tells them."""
    model = model_of(
        event("Newchannel", *block("101")), event("BridgeCreate", *bridge("b")),
        event("BridgeEnter", *bridge("b"), *block("101")),
    )  # fmt: skip
    (row,) = model.rows(kind, 1000.0)

    text = (ROOT / "docs/clients.md").read_text(encoding="utf-8")
    (line,) = re.findall(rf"^\| `{told}` \|.*$", text, re.MULTILINE)
    named = set(re.findall(r"`([A-Z][A-Za-z]*)`", line)) - {told, "Key"}
    assert named == {header(name) for name in row.fields}
