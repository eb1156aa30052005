# SPDX-License-Identifier: GPL-2.0-or-later
"""Files that the C program took and read otherwise: the message says what to write."""

from __future__ import annotations

import pytest

from tests.settings.conf import problems_of, read, warnings_of

#: A line, and below it what is said of it.
MISTAKES = """
clientwritetimeout = 200ms
    "200ms" is not a number; write milliseconds, without a unit, as in 200
retryinterval = 2s
    "2s" is not a number; write seconds, without a unit, as in 2
retryinterval = 2,5
    "2,5" is not a number; write seconds, without a unit
sslclienthellotimeout =
    "" is not a number; write milliseconds, without a unit
autofilter = yes
    "yes" is not one of off, on, unique; write one of them
filterlocal = yes
    "yes" is not one of off, allow, allowwith, enforce; write one of them
maxretries = -1
    -1 is too small; write 0 for no limit
maxretries = unlimited
    "unlimited" is not a whole number; write 0 for no limit
listenport =
    "" is not a whole number
authrequired =
    is empty; write yes or no
acceptencryptedconnection = ssl
    "ssl" is neither yes nor no; write yes or no
listenaddress = 127.0.0.1:1234
    "127.0.0.1:1234" holds a port: write listenport = 1234, and 127.0.0.1 here
host = localhost:5038, 5038, u, s, on, off
    "localhost:5038" holds a port: write 5038 as the field behind it, and localhost here
host = [::1]:5038, 5038, u, s, on, off
    "[::1]:5038" holds a port: write 5038 as the field behind it, and [::1] here
host = ami://u:s@pbx, 5038, u, s, on, off
    a URL does not belong here; write the name of the host alone
host = pbx, 5038, u, s, call,agent, off
    use_ssl (sixth field) is neither on nor off; a secret with a comma needs quotes, as do \
several classes of events
"""
PAIRS = MISTAKES.strip().splitlines()


@pytest.mark.parametrize(("line", "said"), list(zip(PAIRS[::2], PAIRS[1::2])))
def test_a_mistake_is_an_error_that_says_what_to_write(line: str, said: str) -> None:
    """With file, line and key."""
    key = line.partition(" ")[0]

    assert problems_of(line) == [f"x.conf:1: {key}: {said.strip()}"]


def test_a_yes_that_was_none_is_named() -> None:
    """Only "on" meant TLS to Asterisk, and only "yes" let clients in."""
    tls, plain = "host = pbx, 5038, u, s, on, yes", "acceptunencryptedconnection = on"

    assert read(tls).servers[0].tls
    [warning] = warnings_of(tls)
    assert warning.startswith("x.conf:1: host: use_ssl: TLS here, plain text in the C program")
    [warning] = warnings_of(plain)
    assert warning.startswith("x.conf:1: acceptunencryptedconnection: yes here, no in the C")
    for same in ("on", "off", "no", ""):
        assert warnings_of(f"host = pbx, 5038, u, s, on, {same}") == []
    for same in ("yes", "YES"):
        assert warnings_of(f"acceptunencryptedconnection = {same}") == []
