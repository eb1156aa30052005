# SPDX-License-Identifier: GPL-2.0-or-later
"""What an Originate asks for, and the values it puts into a script."""

from __future__ import annotations

import random

import pytest

from simulator.orders import Identities, Order


@pytest.mark.parametrize(
    ("caller", "parts"),
    [
        ('"Ann" <100>', ("Ann", "100")),
        ("Ann <100>", ("Ann", "100")),
        ("100", ("", "100")),
        ("<100>", ("", "100")),
        ("", ("", "")),
    ],
)
def test_a_caller_has_a_name_and_a_number(caller: str, parts: tuple[str, str]) -> None:
    """Either may be missing; without angle brackets it is a number."""
    assert Order("SIP/1", caller=caller).caller_parts == parts


def test_ids_are_new_for_each_call() -> None:
    """Unique ids, channel names and bridge ids."""
    identities = Identities(random.Random(1))
    first, second = (identities.fill_in(Order("SIP/1", exten="2")) for _ in range(2))

    for name in ("u1", "u6", "a1", "b1", "c2", "bridge1"):
        assert first[name] != second[name]


def test_the_ids_of_an_order_are_used() -> None:
    """ChannelId and OtherChannelId of an Originate."""
    order = Order("SIP/1", channel_id="mine", other_channel_id="other")

    values = Identities(random.Random(1)).fill_in(order)

    assert (values["u1"], values["u2"]) == ("mine", "other")


def test_a_local_channel_dials_a_local_channel() -> None:
    """With both halves in the names; other technologies dial their own."""
    identities = Identities(random.Random(1))

    local = identities.fill_in(Order("Local/201@phones/n", exten="300"))
    other = identities.fill_in(Order("SIP/201", exten="300"))

    assert local["peer"] == "Local/300@phones/n"
    assert local["a1"].endswith(";1")
    assert local["a2"].endswith(";2")
    assert other["peer"] == "SIP/300"
    assert other["a1"] == other["a2"]
