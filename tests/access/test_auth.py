# SPDX-License-Identifier: GPL-2.0-or-later
"""Secrets, keys and challenges."""

from __future__ import annotations

import hashlib

import bcrypt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.access import auth
from amiproxy.access.hashes import hash_secret
from amiproxy.access.user import User, Users

# From a golden session: made by the C program's bcrypt.
FROM_C = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"


def hashed(secret: bytes) -> str:
    """Return a cheap bcrypt hash of *secret*."""
    return bcrypt.hashpw(secret, bcrypt.gensalt(4)).decode()


def user(secret: str, name: str = "joe") -> User:
    """Return a user without filters."""
    return User(name, secret)


@pytest.mark.parametrize(
    ("stored", "given_secret", "matches"),
    [
        ("Secret1", "Secret1", True),
        ("Secret1", "secret1", False),
        ("Secret1", "Secret1 ", False),
        ("Secret1", "", False),
        ("", "", False),
        ("caf\xe9", "caf\xe9", True),
        ("a=b", "a=b", True),
        ("?", "\u20ac", False),
        (FROM_C, "U*U", True),
        (FROM_C, "U*u", False),
        (FROM_C, FROM_C, False),
        (FROM_C, "", False),
        (FROM_C, "U*U\0", False),
        (FROM_C.replace("$2a$", "$2b$"), "U*U", True),
        (FROM_C.replace("$2a$", "$2y$"), "U*U", True),
        (FROM_C.replace("$2a$", "$2x$"), "U*U", True),
        ("$1$abc$def", "$1$abc$def", False),
        ("$2b$10$tooshort", "$2b$10$tooshort", False),
        ("$2b$03$" + "." * 53, "x", False),
        ("$2b$32$" + "." * 53, "x", False),
        ("$", "$", False),
    ],
)
def test_secret(stored: str, given_secret: str, matches: bool) -> None:
    """Plain secrets are compared as they are, `$` means bcrypt, bad hashes match nothing."""
    assert auth.secret_matches(user(stored), given_secret) is matches


def test_old_bcrypt_is_asked_for_no_kind_that_it_does_not_know(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Version 3, which Debian 12 has, raises ValueError for $2x$."""
    asked: list[bytes] = []

    def check(_: bytes, stored: bytes) -> bool:
        asked.append(stored[:4])
        return False

    monkeypatch.setattr(bcrypt, "checkpw", check)

    auth.secret_matches(user(FROM_C.replace("$2a$", "$2x$")), "U*U")

    assert asked == [b"$2b$"]


def test_bcrypt_reads_72_bytes_as_in_c() -> None:
    """A longer secret is cut, and not rejected."""
    stored = hashed(b"a" * 72)

    assert auth.secret_matches(user(stored), "a" * 200)
    assert not auth.secret_matches(user(stored), "a" * 71)


def test_an_unknown_user_is_never_let_in() -> None:
    """Whatever the secret or key."""
    assert not auth.secret_matches(None, "")
    assert not auth.secret_matches(None, "nobody")
    assert not auth.key_matches(None, "1", hashlib.md5(b"1").hexdigest())


def test_key_is_md5_of_challenge_and_secret() -> None:
    """The right key matches in either case of its hex digits, any other does not."""
    key = hashlib.md5(b"123456Secret1").hexdigest()

    assert auth.key_matches(user("Secret1"), "123456", key)
    assert auth.key_matches(user("Secret1"), "123456", key.upper())
    assert not auth.key_matches(user("Secret1"), "123457", key)
    assert not auth.key_matches(user("Secret1"), "123456", "")
    assert not auth.key_matches(user("Secret1"), "123456", key + "0")


def test_key_needs_a_challenge_and_a_plain_secret() -> None:
    """Without a Challenge asked for, or with a hash in the file, no key matches."""
    assert not auth.key_matches(user("s"), "", hashlib.md5(b"s").hexdigest())
    assert not auth.key_matches(user(FROM_C), "1", hashlib.md5(b"1" + FROM_C.encode()).hexdigest())
    assert not auth.key_matches(user(FROM_C), "1", hashlib.md5(b"1").hexdigest())
    assert not auth.key_matches(user(""), "1", hashlib.md5(b"1").hexdigest())


def test_challenges_are_new_digits_each_time() -> None:
    """No two are the same; each is too long to come again, and exact as a JavaScript number."""
    challenges = {auth.new_challenge() for _ in range(50)}

    assert len(challenges) == 50
    assert all(one.isdigit() and len(one) == 15 for one in challenges)


def test_hash_for_the_users_file_matches() -> None:
    """Each is another, since each has its own salt."""
    first, second = hash_secret("caf\xe9", cost=4), hash_secret("caf\xe9", cost=4)

    assert first.startswith("$2b$")
    assert first != second
    assert auth.secret_matches(user(first), "caf\xe9")
    assert not auth.secret_matches(user(first), "cafe")


@pytest.mark.parametrize("secret", ["", "a\0b", "\u20ac"])
def test_a_secret_that_no_client_can_send_is_not_hashed(secret: str) -> None:
    """An empty one is not hashed either."""
    with pytest.raises(ValueError, match="must not"):
        hash_secret(secret)


def test_authenticate_finds_the_user() -> None:
    """The user is returned for the right secret, and None for anything else."""
    joe = user("Secret1")
    users = Users({"joe": joe})

    assert auth.authenticate(users, "joe", "Secret1") is joe
    assert auth.authenticate(users, "joe", "x") is None
    assert auth.authenticate(users, "JOE", "Secret1") is None
    assert auth.authenticate(users, "", "") is None


@pytest.fixture
def rounds(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the rounds of each bcrypt that is done from now on."""
    done: list[int] = []
    real = bcrypt.checkpw

    def checkpw(secret: bytes, hashed_secret: bytes) -> bool:
        done.append(2 ** int(hashed_secret[4:6]))
        return real(secret, hashed_secret)

    monkeypatch.setattr(bcrypt, "checkpw", checkpw)
    return done


#: With costs of 4, 6 and 8, one of bcrypt's form that is none, one that is no hash at all.
MIXED = Users(
    {
        "cheap": user(hash_secret("s", cost=4), "cheap"),
        "middle": user(hash_secret("s", cost=6), "middle"),
        "dear": user(hash_secret("s", cost=8), "dear"),
        "plain": user("s", "plain"),
        "odd": user("$2b$04$" + "." * 21 + "A" + "." * 31, "odd"),
        "none": user("$5$x$y", "none"),
    }
)


@pytest.mark.parametrize("secret", ["wrong", "", "a\0b", "x" * 300, "\u20ac"])
@pytest.mark.parametrize("name", [*MIXED, "unknown", ""])
def test_every_failure_costs_as_much_as_the_dearest(
    rounds: list[int], name: str, secret: str
) -> None:
    """So its time does not tell which names exist, nor what their own secrets cost."""
    assert auth.authenticate(MIXED, name, secret) is None

    assert sum(rounds) == 2**8


@pytest.mark.parametrize("name", ["cheap", "middle", "dear", "plain"])
def test_a_right_secret_that_does_not_help_costs_the_same(rounds: list[int], name: str) -> None:
    """Refused for its address, or afterwards; one that helps costs no more than its own."""
    assert auth.authenticate(MIXED, name, "s", permitted=False) is None
    assert sum(rounds) == 2**8
    rounds.clear()

    named = auth.authenticate(MIXED, name, "s")
    assert named is MIXED[name]
    assert sum(rounds) == {"cheap": 2**4, "middle": 2**6, "dear": 2**8, "plain": 0}[name]
    auth.spend_rest(MIXED, named, "s")
    assert sum(rounds) == 2**8


def test_without_bcrypt_nothing_is_spent(rounds: list[int]) -> None:
    """Plain secrets alone leave nothing to be told by time."""
    assert auth.authenticate(Users({"joe": user("s")}), "nobody", "x") is None

    assert rounds == []


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("joe", "joe"),
        ("Joe", "an unknown user of 3 characters"),
        ("hunter2!", "an unknown user of 8 characters"),
        ("", "an unknown user of 0 characters"),
        ("joe ", "an unknown user of 4 characters"),
    ],
)
def test_a_name_that_nobody_has_is_told_by_its_length(name: str, shown: str) -> None:
    """It may be a password."""
    assert auth.claimed_name(Users({"joe": user("s")}), name) == shown


def test_failure_line_has_address_and_name_but_no_line_break() -> None:
    """One line, in which the user name is quoted, escaped and bounded."""
    line = auth.failure_line("192.0.2.7", 'x" \r\n\\\x00\xe9' + "y" * 500, "wrong secret")

    assert line.startswith('login failed from 192.0.2.7 as "x\\x22 \\x0d\\x0a\\x5c\\x00\\xe9yyy')
    assert line.endswith('...": wrong secret')
    assert len(line) < 400


def test_failure_line_shows_an_ipv4_client_of_an_ipv6_socket_as_ipv4() -> None:
    """A firewall bans it by that address."""
    assert "from 192.0.2.7 as" in auth.failure_line("::ffff:192.0.2.7", "x", "r")
    assert "from fe80::1 as" in auth.failure_line("fe80::1%eth0", "x", "r")


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=40))
def test_any_text_is_compared(stored: str, secret: str, challenge: str) -> None:
    """Only the same text matches, and nothing raises."""
    one = user(stored.lstrip("$"))
    assert auth.secret_matches(one, secret) is (secret == one.secret and bool(secret))
    assert auth.key_matches(one, challenge, secret) is False
