# SPDX-License-Identifier: GPL-2.0-or-later
"""The settings of astmanproxy.conf: keys, defaults, units, and what SIGHUP changes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from amiproxy.access.acl import Acl, read_rules
from amiproxy.errors import ConfigError
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.settings.conffile import load_config, parse_config
from amiproxy.settings.config import SETTINGS, Config, ServerSpec, reloaded
from tests.settings.conf import problems_of, read, warnings_of
from tests.support import ROOT

if TYPE_CHECKING:
    from pathlib import Path

# In the manner of the C program's own sample: all its keys, comments, blanks, an old
# host line without its last field.
C_SAMPLE = """\
; This file contains the default configuration of the Asterisk
; Manager Proxy (astmanproxy).

; List of asterisk host(s) you want to proxy
; host = ip, port, user, secret, events (on/off), use_ssl (on/off)

host = localhost, 5038, Admin, PassWord, on, off
host = 10.0.0.2,5038,\tadmin , pass , on
#host = x, y

retryinterval\t= 2
maxretries = 10
asteriskwritetimeout=100
clientwritetimeout=200
sslclienthellotimeout = 500 ; in ms
acceptencryptedconnection = yes
acceptunencryptedconnection = YES
certfile = /var/lib/asterisk/Certs/proxy-server.pem
listenaddress = *
listenport = 1234      # the port
authrequired = no
proxykey = foobar
proc_user = nobody
proc_group = nobody
inputformat = standard
outputformat = XML
autofilter = on
filterlocal = off
forcebanner = "Asterisk Call Manager/1.1"
logfile = /var/log/asterisk/astmanproxy.log
"""


def test_a_file_in_the_style_of_the_c_sample_works_unmodified() -> None:
    """Every key of the C program is read with its meaning."""
    config, problems, warnings = parse_config(C_SAMPLE, "x.conf")

    assert problems == warnings == []
    assert config == Config(
        servers=(
            ServerSpec("localhost", 5038, "Admin", "PassWord", "on", tls=False),
            ServerSpec("10.0.0.2", 5038, "admin", "pass", "on", tls=False),
        ),
        retry_interval=2.0,
        max_retries=10,
        client_write_timeout=0.2,
        accept_encrypted=True,
        accept_unencrypted=True,
        certfile="/var/lib/asterisk/Certs/proxy-server.pem",
        proxy_key="foobar",
        proc_user="nobody",
        proc_group="nobody",
        output_format="xml",
        autofilter=AutoFilter.ON,
        banner="Asterisk Call Manager/1.1",
    )


def test_an_empty_file_gives_the_defaults_of_the_specification() -> None:
    """Among them: anybody may connect without TLS, formats are standard."""
    config = read("")

    assert config == Config()
    assert config.accept_unencrypted
    assert (config.listen_address, config.listen_port) == ("*", 1234)
    assert (config.retry_interval, config.max_retries) == (2.0, 0)
    assert (config.server_write_timeout, config.client_write_timeout) == (0.1, 0.1)
    assert config.hello_timeout == 0.5
    assert config.logfile == "/var/log/asterisk/astmanproxy.log"
    assert config.autofilter is AutoFilter.OFF
    assert config.filter_local == "off"


def test_the_shipped_file_names_every_key_and_is_safe() -> None:
    """It listens on 127.0.0.1, filters by unique, connects nowhere, and warns of nothing."""
    text = (ROOT / "astmanproxy.conf").read_text()
    config, warnings = load_config(ROOT / "astmanproxy.conf")

    assert warnings == []
    assert config.listen_address == "127.0.0.1"
    assert config.autofilter is AutoFilter.UNIQUE
    assert config.servers == ()
    for key in [*SETTINGS, "host", "listen", "permit", "deny"]:
        assert re.search(rf"(?m)^;?{key} = ", text), key


def test_the_shipped_file_states_the_true_defaults() -> None:
    """A line that is commented out, and is not an example, shows the default."""
    text = (ROOT / "astmanproxy.conf").read_text()
    examples = {
        "bus", "host", "listen", "sslverify", "sslcafile", "certfile", "clientcafile", "handlerdir", "forcebanner",
        "aclfile", "httpcors", "proxykey", "proxyprotocol", "metricspermit", "timezone", "deny", "permit", "proc_group", "controlsocket",
    }  # fmt: skip
    commented = [
        line[1:]
        for line in text.splitlines()
        if (found := re.match(r";(\w+) = ", line)) and found[1] not in examples
    ]

    assert len(commented) > 12
    assert read("\n".join(commented)) == Config()


@pytest.mark.parametrize("word", ["yes", "True", "y", '"on"'])
def test_every_word_for_yes_means_yes(word: str) -> None:
    """In the C program only the first did, and the others left the proxy open."""
    assert read(f"authrequired = {word}").auth_required is True


@pytest.mark.parametrize("word", ["no", "FALSE", "n", "0"])
def test_every_word_for_no_means_no(word: str) -> None:
    """Even for keys whose default is yes."""
    assert read(f"originateasync = {word}").originate_async is False


def test_paths_keep_their_capitals_and_become_absolute() -> None:
    """A daemon leaves the directory it was started in."""
    config = read('certfile = Certs/My.pem\nlogfile = "/Var/My Log"\npidfile = /a/../B.pid')

    assert config.certfile == "/start/Certs/My.pem"
    assert config.logfile == "/Var/My Log"
    assert config.pidfile == "/B.pid"


def test_secrets_are_in_no_repr() -> None:
    """A repr may end up in a log."""
    config = read('host = a,1,u,TopSecret,on\nproxykey = "TopSecret"')

    assert config.proxy_key == config.servers[0].secret == "TopSecret"
    assert "TopSecret" not in repr(config)
    assert "TopSecret" not in repr(config.servers)


@pytest.mark.parametrize(
    "line",
    [
        "authrequired = maybe",
        "authrequired =",
        "authrequired = yes please",
        "listenport = 0",
        "listenport = 65536",
        "listenport = 1e3",
        "listenport = \xb2",
        "listenport = -1",
        "retryinterval = -1",
        "retryinterval = inf",
        "retryinterval = nan",
        "clientwritetimeout = 100ms",
        "logintimeout = 0",
        "keepalive = 999999999",
        "autofilter = sometimes",
        "filterlocal = yes",
        "listenaddress =",
        "listenaddress = 1.2.3.4:5",
        "listenaddress = a b/c",
        "listenaddress = 127.0.0.256",
        "logfile =",
        "permit = 10.0.0.0/33",
        "deny = everybody",
        "httpcors = *",
        "httpcors = example.com/page",
        'forcebanner = "a\x00b"',
        'forcebanner = "a\rb"',
        "maxline = 0",
        "clientbacklog = 99999999999999999999",
    ],
)
def test_a_bad_value_is_a_problem_with_file_and_line(line: str) -> None:
    """And with the key; nothing is silently taken for no."""
    [problem] = problems_of(f"; first\n{line}")

    assert problem.startswith(f"x.conf:2: {line.partition(' =')[0]}: ")


def test_a_configuration_that_admits_nobody_is_a_problem() -> None:
    """Neither kind of connection is accepted, or only TLS and there is no certificate."""
    assert "x.conf:1: nobody could connect" in problems_of("acceptunencryptedconnection = no")[0]
    assert (
        "certfile"
        in problems_of("acceptunencryptedconnection=no\nacceptencryptedconnection=yes")[0]
    )


def test_tls_without_certificate_causes_a_warning() -> None:
    """Clients without TLS are served."""
    [warning] = warnings_of("acceptencryptedconnection = yes")

    assert warning.startswith("x.conf:1: acceptencryptedconnection: ")


def test_retries_without_a_pause_get_a_short_one() -> None:
    """0 meant thousands of connects a second."""
    [warning] = warnings_of("retryinterval = 0")

    assert read("retryinterval = 0").retry_interval == 0.1
    assert warning.startswith("x.conf:1: retryinterval")


def test_permit_and_deny_keep_their_order() -> None:
    """The last rule that matches counts."""
    config = read("deny=0.0.0.0/0\npermit = 10.0.0.0/255.0.0.0, 192.168.1.1\nDENY = 10.1.0.0/16")

    assert config.acl.describe() == (
        "deny 0.0.0.0/0, permit 10.0.0.0/255.0.0.0, permit 192.168.1.1, deny 10.1.0.0/16,"
        " any IPv6 address"
    )


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("permit = 10.0.0.0/8", True),
        ("deny = 0.0.0.0/0\npermit = 10.0.0.0/8", True),
        ("deny = 0.0.0.0/0\ndeny = ::/0\npermit = 10.0.0.0/8", False),
        ("listenaddress = 127.0.0.1\ndeny = 0.0.0.0/0\npermit = 10.0.0.0/8", False),
        ("listenaddress = 127.0.0.1\npermit = 10.0.0.0/8", True),
        ("listenaddress = ::\ndeny = 0.0.0.0/0", True),
        ("deny = 192.0.2.1", False),
    ],
)
def test_a_list_that_restricts_less_than_it_seems_to_is_warned_of(text: str, warned: bool) -> None:
    """With what to put before it; not where nobody can come by IPv6."""
    found = [line for line in warnings_of(text) if "no line is about" in line]

    assert [line.partition(": ")[0] for line in found] == (
        [f"x.conf:{text.count(chr(10)) + 1}"] if warned else []
    )


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("clientcafile = /ca\ncertfile = /c", "acceptunencryptedconnection = no"),
        ("clientcafile = /ca\ncertfile = /c\nacceptencryptedconnection = yes",
         "acceptunencryptedconnection = no"),
        ("sslcafile = /ca", "sslverify = yes"),
        ("sslcafile = /ca\nsslverify = off", "sslverify = yes"),
    ],
)  # fmt: skip
def test_authorities_that_would_check_nobody_are_a_problem(text: str, wanted: str) -> None:
    """It names the key that makes them count."""
    [problem] = problems_of(text)

    assert problem.startswith(f"x.conf:1: {text.partition(' ')[0]}: ")
    assert wanted in problem


@pytest.mark.parametrize("name", ["astmanproxy.conf", "astmanproxy.users"])
def test_the_address_rules_that_are_shipped_as_examples_keep_others_out(name: str) -> None:
    """Of either version of IP."""
    lines = re.findall(r"(?m)^;((?:deny|permit) = .*)$", (ROOT / name).read_text())
    acl = read("\n".join(lines)).acl

    assert len(lines) > 2
    assert acl.allows("192.168.1.9")
    assert not any(acl.allows(address) for address in ("192.0.2.1", "2001:db8::1", "::1"))


def test_verification_of_no_server_is_warned_of() -> None:
    """Sslverify looks at servers with use_ssl only."""
    text = "sslverify = yes\nhost = a, 1, u, s, on"

    assert warnings_of(f"{text}, on\n") == []
    [warning] = warnings_of(text)
    assert warning.startswith("x.conf:1: sslverify: no host line says use_ssl = on")


def test_new_keys_have_their_units() -> None:
    """Seconds and bytes."""
    config = read(
        "connecttimeout = 1.5\nkeepalive = 0\nclientbacklog = 1000\nmaxclients = 7\n"
        "httpcors = https://a.example, HTTP://B:8080\nlistenaddress = [::]\nsslverify = on"
    )

    assert config.connect_timeout == 1.5
    assert config.keepalive == 0
    assert config.client_backlog == 1000
    assert config.max_clients == 7
    assert config.http_cors == ("https://a.example", "http://b:8080")
    assert config.listen_address == "::"
    assert config.ssl_verify


def test_a_field_knows_the_line_that_set_it() -> None:
    """For messages of the code that uses the value."""
    config = read("\nproc_user = root\nlogfile = /x")

    assert config.place("proc_user") == "x.conf:2: "
    assert config.place("certfile") == ""


def test_a_missing_file_is_reported_in_the_words_of_the_c_program(tmp_path: Path) -> None:
    """Other reasons are added to them."""
    with pytest.raises(ConfigError, match=r"^Unable to open config file: .*/none.conf!$"):
        load_config(tmp_path / "none.conf")
    with pytest.raises(ConfigError, match=r"^Unable to open config file: .*! \(Is a directory\)$"):
        load_config(tmp_path)


def test_reload_takes_over_servers_and_limits_and_names_the_rest() -> None:
    """What needs a restart stays as it was, and its keys are returned."""
    old = read("host = a,1,u,s,on\nmaxline = 100\nforcebanner = old")
    new = read(
        "host = b,1,u,s,on\nmaxline = 200\nforcebanner = new\npermit = 10.0.0.1\nlistenport=9"
    )

    config, waiting = reloaded(old, new)

    assert [server.host for server in config.servers] == ["b"]
    assert config.max_line == 200
    assert config.acl == new.acl == Acl(tuple(read_rules("permit", "10.0.0.1")))
    assert config.banner == "old"
    assert waiting == ["forcebanner", "listenport"]


def test_reload_of_a_file_without_servers_keeps_those_there_are() -> None:
    """A file cut short must not take a working proxy off the air."""
    old = read("host = a,1,u,s,on")

    config, waiting = reloaded(old, read("forcebanner = changed"))

    assert config.servers == old.servers
    assert waiting == ["forcebanner", "host (no line names a server)"]
    assert reloaded(read(""), read("")) == (read(""), [])
