# SPDX-License-Identifier: GPL-2.0-or-later
"""Bearer tokens: made at random, known by their hashes."""

from __future__ import annotations

import re

import pytest

from amiproxy.access import tokens
from amiproxy.access.stamp import Stamp
from amiproxy.access.user import User, Users

TOKEN = "amp_" + "a" * 32
ANN = User("ann", "", tokens=frozenset({tokens.hash_of(TOKEN), tokens.hash_of("amp_other")}))
JOE = User("joe", "secret")


def test_tokens_are_new_each_time() -> None:
    """As many as nobody could try, in characters that no URL, shell or header takes apart."""
    made = {tokens.new_token() for _ in range(100)}

    assert len(made) == 100
    assert all(re.fullmatch("amp_[A-Za-z0-9]{32}", each) for each in made)


def test_a_token_is_found_by_its_hash() -> None:
    """Not by the hash itself, by which nobody must get in who has read the file."""
    users = (JOE, ANN)

    assert tokens.holder(users, tokens.hash_of(TOKEN)) is ANN
    assert tokens.holder(users, tokens.hash_of(tokens.hash_of(TOKEN))) is None
    assert tokens.holder(users, tokens.hash_of("")) is None
    assert TOKEN not in tokens.hash_of(TOKEN)


def test_no_hash_is_shown() -> None:
    """Neither in a user's repr nor in a stamp's: reprs are logged."""
    stamp = Stamp(ANN, tokens.hash_of(TOKEN), key="open sesame")

    assert "sha256" not in repr(ANN) + repr(stamp) + repr(tokens.Given("sha256:x"))
    assert "sesame" not in repr(stamp)


@pytest.mark.parametrize("text", ["sha256:" + "A0" * 32, "sha256:" + "0" * 64])
def test_a_hash_is_read_in_any_case(text: str) -> None:
    """Programs that make hashes write either."""
    assert tokens.read_hash(text) == text.lower()


def test_a_stamp_is_good_as_long_as_what_was_given_is() -> None:
    """By another token or the secret one was not let in."""
    by_token, by_secret = Stamp(ANN, tokens.hash_of(TOKEN)), Stamp(JOE)
    before = Users({"ann": ANN, "joe": JOE})
    after = Users({"ann": User("ann", "new", tokens=ANN.tokens), "joe": User("joe", "new")})

    assert by_token.lets_in(before, "")
    assert by_token.lets_in(after, "")
    assert by_secret.lets_in(before, "")
    assert not by_secret.lets_in(after, "")
    assert by_token.keeps_rights(after)
    assert not Stamp(key="a").lets_in(before, "b")
    assert Stamp().lets_in(after, "")
