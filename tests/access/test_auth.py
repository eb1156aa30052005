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

# Of a golden session: the C program's own bcrypt made it.
FROM_C = "$2a$05$CCCCCCCCCCCCCCCCCCCCC.E5YPO9kmyuRGyh0XouQYb4YMJKvyOeW"


def hashed(secret, prefix=b"2b"):
    return bcrypt.hashpw(secret, bcrypt.gensalt(4, prefix)).decode()


def user(secret, name="joe"):
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
def test_secret(stored, given_secret, matches):
    """Plain secrets are compared as they are, `$` means bcrypt, bad hashes match nothing."""
    assert auth.secret_matches(user(stored), given_secret) is matches


def test_bcrypt_reads_72_bytes_as_in_c():
    """A secret longer than bcrypt takes is cut, and not refused."""
    stored = hashed(b"a" * 72)

    assert auth.secret_matches(user(stored), "a" * 200)
    assert not auth.secret_matches(user(stored), "a" * 71)


def test_nobody_has_no_secret():
    """An unknown user is never let in."""
    assert not auth.secret_matches(None, "")
    assert not auth.secret_matches(None, "nobody")
    assert not auth.key_matches(None, "1", hashlib.md5(b"1").hexdigest())


def test_key_is_md5_of_challenge_and_secret():
    """The right key matches in either case of its hex digits, any other does not."""
    key = hashlib.md5(b"123456Secret1").hexdigest()

    assert auth.key_matches(user("Secret1"), "123456", key)
    assert auth.key_matches(user("Secret1"), "123456", key.upper())
    assert not auth.key_matches(user("Secret1"), "123457", key)
    assert not auth.key_matches(user("Secret1"), "123456", "")
    assert not auth.key_matches(user("Secret1"), "123456", key + "0")


def test_key_needs_a_challenge_and_a_plain_secret():
    """Without a Challenge asked for, or with a hash in the file, no key matches."""
    assert not auth.key_matches(user("s"), "", hashlib.md5(b"s").hexdigest())
    assert not auth.key_matches(user(FROM_C), "1", hashlib.md5(b"1" + FROM_C.encode()).hexdigest())
    assert not auth.key_matches(user(FROM_C), "1", hashlib.md5(b"1").hexdigest())
    assert not auth.key_matches(user(""), "1", hashlib.md5(b"1").hexdigest())


def test_challenges_are_new_digits_each_time():
    """Nobody can foresee a challenge, and no two are the same."""
    challenges = {auth.new_challenge() for _ in range(50)}

    assert len(challenges) == 50
    assert all(one.isdigit() and len(one) == 9 for one in challenges)


def test_hash_for_the_users_file_matches(monkeypatch):
    """What --hash-secret prints is a line's secret, and another each time."""
    monkeypatch.setattr("amiproxy.access.hashes.BCRYPT_COST", 4)
    first, second = hash_secret("caf\xe9"), hash_secret("caf\xe9")

    assert first.startswith("$2b$")
    assert first != second
    assert auth.secret_matches(user(first), "caf\xe9")
    assert not auth.secret_matches(user(first), "cafe")


@pytest.mark.parametrize("secret", ["", "a\0b", "\u20ac"])
def test_what_cannot_be_a_secret_is_not_hashed(secret):
    """An empty secret, or one that no client can send, is refused."""
    with pytest.raises(ValueError, match="must not"):
        hash_secret(secret)


def test_authenticate_finds_the_user():
    """The user is returned for his secret or key, and None for anything else."""
    joe = user("Secret1")
    users = Users({"joe": joe})
    key = hashlib.md5(b"1Secret1").hexdigest()

    assert auth.authenticate(users, "joe", "Secret1") is joe
    assert auth.authenticate(users, "joe", "x") is None
    assert auth.authenticate(users, "JOE", "Secret1") is None
    assert auth.authenticate(users, "", "") is None
    assert auth.authenticate_key(users, "joe", "1", key) is joe
    assert auth.authenticate_key(users, "bob", "1", key) is None


@pytest.mark.parametrize("name", ["hashed", "plain", "unknown"])
def test_every_failure_costs_one_bcrypt(monkeypatch, name):
    """How long a failure takes does not tell which names exist."""
    calls = []
    real = bcrypt.checkpw
    monkeypatch.setattr(bcrypt, "checkpw", lambda *args: calls.append(args) or real(*args))
    users = Users({"hashed": user(hashed(b"s"), "hashed"), "plain": user("s", "plain")})

    assert auth.authenticate(users, name, "wrong") is None

    assert [hash_[:7] for _, hash_ in calls] == [b"$2b$04$"]


def test_failure_line_has_address_and_name_but_no_line_break():
    """One line, in which the user name is quoted, escaped and bounded."""
    line = auth.failure_line("192.0.2.7", 'x" \r\n\\\x00\xe9' + "y" * 500, "wrong secret")

    assert line.startswith('login failed from 192.0.2.7 as "x\\x22 \\x0d\\x0a\\x5c\\x00\\xe9yyy')
    assert line.endswith('...": wrong secret')
    assert len(line) < 400


def test_failure_line_shows_an_ipv4_client_of_an_ipv6_socket_as_ipv4():
    """So that it is the address a firewall can ban."""
    assert "from 192.0.2.7 as" in auth.failure_line("::ffff:192.0.2.7", "x", "r")
    assert "from fe80::1 as" in auth.failure_line("fe80::1%eth0", "x", "r")


@given(st.text(max_size=80), st.text(max_size=80), st.text(max_size=40))
def test_any_text_is_compared(stored, secret, challenge):
    """Whatever comes in, comparisons answer, and right only for the same text."""
    one = user(stored.lstrip("$"))
    assert auth.secret_matches(one, secret) is (secret == one.secret and bool(secret))
    assert auth.key_matches(one, challenge, secret) is False
