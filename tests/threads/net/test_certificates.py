# SPDX-License-Identifier: GPL-2.0-or-later
"""Certificates that have expired, or will soon."""

from __future__ import annotations

import datetime as dt
import time
from typing import TYPE_CHECKING

from hypothesis import given
from hypothesis import strategies as st

from amiproxy.settings.config import Config
from amiproxy.threads.net.certificates import dated, validities
from tests.certificates import Authority, self_signed

if TYPE_CHECKING:
    from pathlib import Path

DAY = 86400.0
PEM = self_signed("pbx.example").public


def test_the_times_are_those_of_the_certificate() -> None:
    """As a library reads them."""
    one = self_signed("pbx.example")

    [found] = validities((one.secret + one.public).decode())

    assert found.begin == one.certificate.not_valid_before_utc.timestamp()
    assert found.end == one.certificate.not_valid_after_utc.timestamp()


def test_a_certificate_that_is_valid_for_ever_is_read() -> None:
    """Years from 2050 on are written otherwise (RFC 5280, 4.1.2.5)."""
    one = Authority().sign("pbx.example", ends=dt.timedelta(days=365 * 7000))

    end = one.certificate.not_valid_after_utc
    assert end.year > 9000
    assert next(iter(validities(one.public.decode()))).end == end.timestamp()


def test_old_certificates_are_told(tmp_path: Path) -> None:
    """Two weeks before, and from then on; of each file, and of the chain in it."""
    path = str(self_signed("pbx.example").write(tmp_path / "proxy.pem"))
    config = Config(certfile=path, where={"certfile": "x.conf:7"})
    [valid] = validities((tmp_path / "proxy.pem").read_text())

    assert dated(config, valid.end - 15 * DAY) == []
    [soon] = dated(config, valid.end - 13 * DAY)
    [late] = dated(config, valid.end + 1)
    [early] = dated(config, valid.begin - 1)
    assert soon.startswith(f"x.conf:7: certfile {path}: its certificate expires on ")
    assert "has expired on " in late
    assert "is not valid before " in early
    authorities = Config(client_ca_file=path, ssl_ca_file=path)
    assert [line.split(" ")[0] for line in dated(authorities, valid.end + 1)] == [
        "clientcafile", "sslcafile",
    ]  # fmt: skip


def test_an_intermediate_certificate_counts(tmp_path: Path) -> None:
    """Clients refuse a chain with one that has expired."""
    path = tmp_path / "chain.pem"
    path.write_bytes(self_signed("a").public + self_signed("b").public)

    lines = dated(Config(certfile=str(path)), time.time() + 99999 * DAY)

    assert ["certificate 2 in it" in line for line in lines] == [False, True]


def test_a_file_without_certificates_is_no_business_of_ours(tmp_path: Path) -> None:
    """Others say what is wrong with it."""
    path = tmp_path / "x"
    path.write_bytes(b"\xff")
    for name in (path, tmp_path, tmp_path / "none"):
        assert dated(Config(certfile=str(name))) == []


@given(st.binary(max_size=80), st.integers(0, 400))
def test_any_bytes_are_read_or_left_out(noise: bytes, at: int) -> None:
    """Whatever a file holds."""
    list(validities((PEM[:at] + noise + PEM[at:]).decode("latin-1")))
