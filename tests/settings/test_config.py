# SPDX-License-Identifier: GPL-2.0-or-later
"""astmanproxy.conf: syntax, keys, defaults, and what is said about mistakes."""

from __future__ import annotations

import dataclasses
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.errors import ConfigError
from amiproxy.routing.autofilter import AutoFilter
from amiproxy.settings import config as config_module
from amiproxy.settings.config import Config, ServerSpec, load_config, parse_config, reloaded
from tests.support import ROOT

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


def read(text: str) -> Config:
    return parse_config(text, "x.conf", "/start")[0]


def problems(text: str) -> tuple[str, ...]:
    with pytest.raises(ConfigError) as caught:
        parse_config(text, "x.conf", "/start")
    return caught.value.problems


def test_a_file_in_the_style_of_the_c_sample_works_unmodified():
    """Every key of the C program is read with its meaning."""
    config, warnings = parse_config(C_SAMPLE, "x.conf")

    assert warnings == []
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


def test_an_empty_file_gives_the_defaults_of_the_specification():
    """Nothing set is: anybody may connect without TLS, formats are standard."""
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


def test_the_shipped_file_names_every_key_and_is_safe():
    """It listens on 127.0.0.1, filters by unique, connects nowhere, and warns of nothing."""
    text = (ROOT / "astmanproxy.conf").read_text()
    config, warnings = load_config(ROOT / "astmanproxy.conf")

    assert warnings == []
    assert config.listen_address == "127.0.0.1"
    assert config.autofilter is AutoFilter.UNIQUE
    assert config.servers == ()
    for key in [*config_module._SETTINGS, "host", "permit", "deny"]:
        assert re.search(rf"(?m)^;?{key} = ", text), key


def test_the_shipped_file_states_the_true_defaults():
    """What stands commented out, and is no example, is what counts without it."""
    text = (ROOT / "astmanproxy.conf").read_text()
    examples = {
        "host", "sslverify", "sslcafile", "certfile", "clientcafile", "handlerdir", "forcebanner",
        "httpcors", "proxykey", "deny", "permit", "proc_group",
    }  # fmt: skip
    commented = [
        line[1:]
        for line in text.splitlines()
        if (found := re.match(r";(\w+) = ", line)) and found[1] not in examples
    ]

    assert len(commented) > 12
    assert read("\n".join(commented)) == Config()


@pytest.mark.parametrize(
    ("line", "banner"),
    [
        ("forcebanner = My Banner/1.0 # comment", "mybanner/1.0"),
        ('forcebanner = "My Banner/1.0" # comment', "My Banner/1.0"),
        ('forcebanner = "Ast #1; really"', "Ast #1; really"),
        ('forcebanner = Abc "Def Ghi" Jkl', "abcDef Ghi"),
        ('forcebanner = "Open End', "Open End"),
        ('forcebanner = "Open ; End', "Open "),
        ("\t ForceBanner\t=\tX\t", "x"),
        ("forcebanner=a=b", "a=b"),
        ("forcebanner = x\r", "x"),
        ("forcebanner = ; nothing", ""),
        ('forcebanner = ""', ""),
        ("forcebanner = caf\xe9", "caf\xe9"),
    ],
)
def test_values_are_read_as_the_c_program_reads_them(line, banner):
    """Comments, quotes, blanks and capitals; only # and ; in quotes are kept, unlike in C."""
    assert read(line).banner == banner


def test_comments_and_blank_lines_are_skipped():
    """However far they are indented."""
    text = '\xef\xbb\xbf; a\n# b\n\n   \t\n   ; c = d\n\t# e\r\n  listenport = 5\n; host = x "y\n'
    config, warnings = parse_config(text, "x.conf")

    assert config.listen_port == 5
    assert warnings == []


def test_a_key_given_twice_counts_the_last_time_and_hosts_add_up():
    """In the order of the file."""
    config = read(
        "listenport = 1\nhost = b,1,u,s,on\nlistenport = 2\nhost = a,1,u,s,on\nLISTENPORT = 3"
    )

    assert config.listen_port == 3
    assert [server.host for server in config.servers] == ["b", "a"]


@pytest.mark.parametrize("word", ["yes", "YES", "true", "on", "On", "1", '"yes"'])
def test_every_word_for_yes_means_yes(word):
    """In the C program only the first did, and the rest left the proxy open."""
    assert read(f"authrequired = {word}").auth_required is True


@pytest.mark.parametrize("word", ["no", "FALSE", "off", "0"])
def test_every_word_for_no_means_no(word):
    """For keys whose default is yes, too."""
    assert read(f"originateasync = {word}").originate_async is False


def test_paths_keep_their_capitals_and_become_absolute():
    """A daemon leaves the directory it was started in."""
    config = read('certfile = Certs/My.pem\nlogfile = "/Var/My Log"\npidfile = /a/../B.pid')

    assert config.certfile == "/start/Certs/My.pem"
    assert config.logfile == "/Var/My Log"
    assert config.pidfile == "/B.pid"


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("A.Example, 5038, Joe, PassWord, On, on", ("a.example", 5038, "Joe", "PassWord", "on", True)),
        ("a, 5038, Joe, PassWord, Call", ("a", 5038, "Joe", "PassWord", "call", False)),
        ("a, 5038, joe, p=w, on, off, more, still", ("a", 5038, "joe", "p=w", "on", False)),
        ('a, 5038, joe, "p#w;, x", on, yes', ("a", 5038, "joe", "p#w;, x", "on", True)),
        ('"a, 5038, Joe, Pw, on, off"', ("a", 5038, "Joe", "Pw", "on", False)),
        ("[2001:DB8::1], 5038, joe, pw, on", ("2001:db8::1", 5038, "joe", "pw", "on", False)),
        ("::1, 5038, joe, pw, on,", ("::1", 5038, "joe", "pw", "on", False)),
        ('a, 5038, joe, pw, "call,system"', ("a", 5038, "joe", "pw", "call,system", False)),
        ("a, 5038, joe, pw, Yes, 1", ("a", 5038, "joe", "pw", "on", True)),
        ("a, 5038, joe, pw, 0", ("a", 5038, "joe", "pw", "off", False)),
        ("a, 5038, j o e, p w, on ; comment", ("a", 5038, "joe", "pw", "on", False)),
    ],
)  # fmt: skip
def test_host_lines(line, expected):
    """Old ones, quoted ones, IPv6, and with more fields than there are."""
    [server] = read(f"host = {line}").servers

    assert dataclasses.astuple(server)[:6] == expected
    assert (server.path, server.line) == ("x.conf", 1)


@pytest.mark.parametrize(
    "line",
    [
        "10.1.2.3,5038,Joe,TopSecret",
        "10.1.2.3,5038,Joe,TopSecret,",
        "10.1.2.3,5038,,TopSecret,on,off",
        "10.1.2.3,TopSecret,Joe,5038,on",
        "10.1.2.3,99999,Joe,TopSecret,on",
        "10.1.2.3,5038,Joe,TopSecret,on,maybe TopSecret",
        "10.1.2.3,5038,Joe,TopSecret,TopSecret,on",
        '10.1.2.3,5038,Joe,"TopSecret\x01",on',
        "10.1.2.3,5038,Joe,TopSecret#1,on,off",
    ],
)
def test_a_bad_host_line_is_an_error_that_tells_no_secret(line):
    """With file and line, whatever stands where."""
    [problem] = problems(f"\nhost = {line}")

    assert problem.startswith("x.conf:2: host: ")
    assert "TopSecret" not in problem


def test_secrets_are_in_no_repr():
    """A repr ends in logs."""
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
        "host = a..b/,1,u,s,on",
        "host = fe80:::1,1,u,s,on",
        "logfile =",
        "permit = 10.0.0.0/33",
        "deny = everybody",
        "httpcors = *",
        "httpcors = example.com",
        'forcebanner = "a\x00b"',
        'forcebanner = "a\rb"',
        "maxline = 0",
        "clientbacklog = 99999999999999999999",
    ],
)
def test_a_bad_value_is_an_error_with_file_and_line(line):
    """And the key; nothing is silently taken for no."""
    [problem] = problems(f"; first\n{line}")

    assert problem.startswith(f"x.conf:2: {line.partition(' =')[0]}: ")


def test_every_problem_is_named_at_once():
    """Not one a try."""
    found = problems("listenport = x\nnosuch = 1\nauthrequired = x\nhost = y")

    assert [problem.split(":")[1] for problem in found] == ["1", "3", "4"]


def test_unknown_keys_are_warned_of_and_change_nothing():
    """With file and line; a torn host line is not quoted."""
    config, warnings = parse_config(
        "nosuch = 1\n[general]\nTopSecret, on = 3\nkey ; x = y", "x.conf"
    )

    assert config == Config()
    assert [warning.split(": ")[0] for warning in warnings] == [f"x.conf:{n}" for n in (1, 2, 3, 4)]
    assert "nosuch" in warnings[0]
    assert "TopSecret" not in "".join(warnings).replace("topsecret", "TopSecret")


def test_the_same_server_twice_is_warned_of_and_connected_once():
    """The C program sent every event twice."""
    config, warnings = parse_config("host = a,1,u,s,on\nhost = A,1,u,s,on,off", "x.conf")

    assert len(config.servers) == 1
    assert warnings == ["x.conf:2: host: this server is named twice, ignored"]


def test_nobody_could_connect_is_an_error():
    """Neither kind of connection, or only TLS and no certificate."""
    assert "x.conf:1: nobody could connect" in problems("acceptunencryptedconnection = no")[0]
    assert (
        "certfile" in problems("acceptunencryptedconnection=no\nacceptencryptedconnection=yes")[0]
    )


def test_tls_without_certificate_is_warned_of():
    """Clients without TLS are served."""
    _, [warning] = parse_config("acceptencryptedconnection = yes", "x.conf")

    assert warning.startswith("x.conf:1: acceptencryptedconnection: ")


def test_no_pause_between_attempts_is_made_a_short_one():
    """0 meant thousands of connects a second."""
    config, [warning] = parse_config("retryinterval = 0", "x.conf")

    assert config.retry_interval == 0.1
    assert warning.startswith("x.conf:1: retryinterval")


def test_permit_and_deny_keep_their_order():
    """The last that matches counts, so order is meaning."""
    config = read("deny=0.0.0.0/0\npermit = 10.0.0.0/255.0.0.0, 192.168.1.1\nDENY = 10.1.0.0/16")

    assert config.acl_lines == (
        "deny=0.0.0.0/0",
        "permit=10.0.0.0/255.0.0.0,192.168.1.1",
        "deny=10.1.0.0/16",
    )


def test_new_keys_have_their_units():
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


def test_a_field_knows_the_line_that_set_it():
    """For complaints of those who use the value."""
    config = read("\nproc_user = root\nlogfile = /x")

    assert config.place("proc_user") == "x.conf:2: "
    assert config.place("certfile") == ""


def test_a_missing_file_is_told_in_the_words_of_the_c_program(tmp_path):
    """Other reasons are added to them."""
    with pytest.raises(ConfigError, match=r"^Unable to open config file: .*/none.conf!$"):
        load_config(tmp_path / "none.conf")
    with pytest.raises(ConfigError, match=r"^Unable to open config file: .*! \(Is a directory\)$"):
        load_config(tmp_path)


def test_lines_may_be_of_any_length():
    """The C program overran its buffers."""
    assert len(read(f'forcebanner = "{"x" * 300_000}"').banner) == 300_000


def test_reload_takes_over_servers_and_limits_and_names_the_rest():
    """What needs a restart stays as it was, and is told."""
    old = read("host = a,1,u,s,on\nmaxline = 100\nforcebanner = old")
    new = read(
        "host = b,1,u,s,on\nmaxline = 200\nforcebanner = new\npermit = 10.0.0.1\nlistenport=9"
    )

    config, waiting = reloaded(old, new)

    assert [server.host for server in config.servers] == ["b"]
    assert config.max_line == 200
    assert config.acl_lines == ("permit=10.0.0.1",)
    assert config.banner == "old"
    assert waiting == ["forcebanner", "listenport"]


def test_reload_of_a_file_without_servers_keeps_those_there_are():
    """A file cut short must not take a working proxy off the air."""
    old = read("host = a,1,u,s,on")

    config, _ = reloaded(old, read("forcebanner = changed"))

    assert config.servers == old.servers


@given(st.text(st.characters(max_codepoint=255), max_size=300))
def test_any_bytes_are_a_configuration_or_an_error(text):
    """And no other exception."""
    try:
        parse_config(text, "x.conf")
    except ConfigError as error:
        assert all(re.match(r"x\.conf:\d+: |nobody|clientcafile", p) for p in error.problems)


@given(
    st.sampled_from(sorted(config_module._SETTINGS)),
    st.text(st.characters(max_codepoint=255, exclude_characters="\n"), max_size=40),
)
def test_any_value_is_taken_or_refused_at_its_line(key, value):
    """Whatever stands behind a key."""
    try:
        parse_config(f"{key} = {value}", "x.conf")
    except ConfigError as error:
        assert all(problem.startswith("x.conf:1: ") for problem in error.problems)


@given(
    st.text(st.characters(min_codepoint=33, max_codepoint=126, exclude_characters='"'), min_size=1)
)
def test_any_printable_secret_can_be_written_in_quotes(secret):
    """Comment signs and commas included."""
    [server] = read(f'host = a, 1, u, "{secret}", on, off').servers

    assert server.secret == secret
