# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP Digest: what a client has sent, and whether it proves that it knows a secret."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.access import digest
from amiproxy.access.hashes import hash_secret
from amiproxy.access.user import User

BOTH = ("MD5", "SHA-256")
MUFASA = User("Mufasa", "Circle of Life")

#: RFC 7616, section 3.9.1.
HEADER = (
    'Digest username="Mufasa", realm="{realm}", uri="/dir/index.html", algorithm={algorithm}, '
    'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", nc=00000001, '
    'cnonce="f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ", qop=auth, response="{response}", '
    'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
)
RESPONSES = {
    "MD5": "8ca523f5e9506fed4657c9700eebdbec",
    "SHA-256": "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1",
}


def parse(header: str, method: str = "GET", target: str = "/dir/index.html") -> digest.Credentials:
    return digest.parse(header, method, target, BOTH)


@pytest.fixture
def example(monkeypatch: pytest.MonkeyPatch) -> digest.Credentials:
    """The credentials of the RFC's example."""
    realm = "http-auth@example.org"
    monkeypatch.setattr(digest, "REALM", realm)
    return parse(HEADER.format(realm=realm, algorithm="MD5", response=RESPONSES["MD5"]))


@pytest.mark.parametrize("algorithm", BOTH)
def test_the_example_of_the_rfc(algorithm: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its response is that of the secret, and of no other."""
    realm = "http-auth@example.org"
    monkeypatch.setattr(digest, "REALM", realm)
    header = HEADER.format(realm=realm, algorithm=algorithm, response=RESPONSES[algorithm])

    given = parse(header)

    assert given.proves_secret_of(MUFASA)
    assert not given.proves_secret_of(User("Mufasa", "Circle of life"))


def test_what_is_signed_cannot_be_changed(example: digest.Credentials) -> None:
    """Neither method nor URL, user, nonce or count: the response fits none other."""
    for changed in (
        {"method": "POST"},
        {"uri": "/dir/index.html?x"},
        {"username": "Scar"},
        {"nonce": "x"},
        {"count": "00000002"},
        {"cnonce": "x"},
        {"algorithm": "SHA-256"},
        {"response": ""},
    ):
        assert not replace(example, **changed).proves_secret_of(MUFASA)


def test_nobody_and_hashed_secrets_are_proved_by_nothing(example: digest.Credentials) -> None:
    """Not even by the digest of an empty secret, or of the hash as it stands in the file."""
    hashed = hash_secret("Circle of Life", cost=4)
    for user in (None, User("Mufasa", ""), User("Mufasa", hashed), User("Mufasa", "$5$a$b")):
        for secret in ("", hashed, "Circle of Life"):
            forged = replace(example, response=example.response_with(secret))
            assert not forged.proves_secret_of(user)


GOOD = HEADER.format(realm="asterisk", algorithm="MD5", response="0" * 32)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("qop=auth, ", "", "lacks qop"),
        ("nc=00000001, ", "", "lacks nc"),
        ("qop=auth", "qop=auth-int", "qop=auth"),
        ("nc=00000001", "nc=1", "eight digits"),
        ("algorithm=MD5", "algorithm=MD5-sess", "MD5 and SHA-256"),
        ("algorithm=MD5", "algorithm=SHA-1", "MD5 and SHA-256"),
        ('realm="asterisk"', 'realm="pbx"', "realm"),
        ("/dir/index.html", "/dir/other.html", "uri"),
        ("/dir/index.html", "/dir/index%2Ehtml", "uri"),
        ("qop=auth", "qop=auth, qop=auth", "twice"),
        ("qop=auth", 'qop="auth', "commas"),
        ("Digest ", "Digest ,", "commas"),
        ("Digest ", "Digest x" + "y" * 70000 + "=1,", "too long"),
    ],
)
def test_what_is_not_for_this_request_is_told_why(old: str, new: str, told: str) -> None:
    """The text is for who has written the client; it quotes nothing of the header."""
    parse(GOOD)

    with pytest.raises(ValueError, match=told) as error:
        parse(GOOD.replace(old, new))

    assert "Mufasa" not in str(error.value)


def test_quoted_text_is_unquoted() -> None:
    """A quotation mark and a backslash in a name are what they stand for; tokens need no quotes."""
    assert parse(GOOD.replace("Mufasa", r"a\"b\\\\c")).username == 'a"b\\\\c'
    assert parse(GOOD.replace("qop=auth", 'QOP = "AUTH"')).username == "Mufasa"


@given(st.text(st.characters(max_codepoint=255), max_size=200))
def test_any_header_is_read_or_refused(text: str) -> None:
    """Noise is a ValueError and nothing else."""
    with pytest.raises(ValueError, match=r"."):
        parse(f"Digest {text}")


def test_a_challenge_names_its_algorithm() -> None:
    """One header each, the preferred one first; stale where the nonce was the only fault."""
    (_, first), (name, second) = digest.challenges("n0", ("SHA-256", "MD5"), stale=True)

    assert first == (
        'Digest realm="asterisk", qop="auth", algorithm=SHA-256, nonce="n0", stale=true'
    )
    assert name == "WWW-Authenticate"
    assert "algorithm=MD5" in second
    assert "stale" not in digest.challenges("n0", BOTH, stale=False)[0][1]
