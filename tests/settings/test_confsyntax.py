# SPDX-License-Identifier: GPL-2.0-or-later
"""The lines of astmanproxy.conf: keys, quotes, comments, and what is said about mistakes."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.settings.conffile import parse_config
from amiproxy.settings.config import SETTINGS, Config
from tests.settings.conf import problems_of, read, warnings_of


@pytest.mark.parametrize(
    ("line", "banner"),
    [
        ("forcebanner = My Banner/1.0 # comment", "mybanner/1.0"),
        ('forcebanner = "My Banner/1.0" # comment', "My Banner/1.0"),
        ('forcebanner = "Ast #1; really"', "Ast #1; really"),
        ('forcebanner = Abc "Def Ghi" Jkl', "abcDef Ghi"),
        ('forcebanner = "Open End', "Open End"),
        ("\t ForceBanner\t=\tX\t", "x"),
        ("forcebanner=a=b", "a=b"),
        ("forcebanner = x\r", "x"),
        ('forcebanner = ""', ""),
        ("forcebanner = caf\xe9", "caf\xe9"),
    ],
)
def test_values_are_read_as_the_c_program_reads_them(line: str, banner: str) -> None:
    """Comments, quotes, blanks and capitals; unlike in C, # and ; in quotes are kept."""
    assert read(line).banner == banner


FREE = ["proxykey", "forcebanner", "proc_user", "proc_group", "certfile", "clientcafile", "sslcafile",
        "handlerdir", "logfile", "pidfile", "controlsocket"]  # fmt: skip


@pytest.mark.parametrize("key", [*FREE, "host", "permit", "deny"])
@pytest.mark.parametrize(
    "value",
    [
        "#secret",
        " ; secret",
        "ab#cd",
        "ab;cd",
        '"ab" cd;ef',
        '"ab ; cd',
        '"ab',
        ' "a" "b;c',
        "ab\t;",
    ],
)
def test_a_comment_never_cuts_a_value_unnoticed(key: str, value: str) -> None:
    """A key that a comment has eaten would open the proxy; quotes keep it whole."""
    found = problems_of(f"{key} = {value}")

    good = value in ('"ab', "ab\t;") and key in FREE
    assert [
        line.split(": ")[1]
        for line in found
        if not re.search("needs a cert|checked|without TLS", line)
    ] == ([] if good else [key])
    assert "cd" not in "".join(found)


@pytest.mark.parametrize("key", sorted(SETTINGS))
def test_a_value_that_is_only_a_comment_is_a_problem(key: str) -> None:
    """Whichever key it is: the default is hardly what was meant."""
    for value in (";", "#no", "\t; yes", "  # 1"):
        assert problems_of(f"{key} ={value}") == [
            f"x.conf:1: {key}: ; or # begins a comment, so the value is empty; put it in quotes"
        ]


@pytest.mark.parametrize("key", ["proxykey", "clientcafile", "sslcafile", "logfile", "pidfile"])
def test_an_empty_value_that_would_open_something_is_a_problem(key: str) -> None:
    """An empty key lets everybody in, an empty list of authorities checks nobody."""
    for value in ("", '""', "\t \r"):
        assert problems_of(f"{key} ={value}")[0].startswith(f"x.conf:1: {key}: is empty; ")


@pytest.mark.parametrize(
    "line",
    ["authrequired yes", "authrequired: yes", "AuthRequired > yes", "auth required = yes",
     "\xa0authrequired = yes", "authrequired : = yes", "deny 0.0.0.0/0", "proxykey;x = y",
     "proxykey", "authrequired ", "deny ; all"],
)  # fmt: skip
def test_a_known_key_without_its_equals_sign_is_a_problem(line: str) -> None:
    """Ignored, it would leave the proxy open."""
    [problem] = problems_of(f"\n{line}")

    assert re.match(r'x\.conf:2: (\w+): write "\1 = value"', problem)


@pytest.mark.parametrize(
    ("key", "similar"),
    [("authrequird", "authrequired"), ("auth_required", "authrequired"), ("proxykay", "proxykey"),
     ("deni", "deny"), ("listenadress", "listenaddress"), ("autofiler", "autofilter"),
     ("authrequierd", "authrequired"), ("hosts", "host"),
     ("logfiles", "logfile"), ("retry_intervall", "retryinterval")],
)  # fmt: skip
def test_a_misspelled_key_is_a_problem_that_names_the_right_one(key: str, similar: str) -> None:
    """What it sets would silently stay as it is; other unknown keys are warnings (section 3)."""
    [problem] = problems_of(f"{key} = yes")

    assert problem.startswith("x.conf:1: unknown key ")
    assert problem.endswith(f"; is {similar} meant?")
    assert warnings_of("colour = yes")[0].endswith(", ignored")


@pytest.mark.parametrize(
    ("line", "read_as"),
    [
        ("listenport = 1234 5", "12345"),
        ("maxclients = 1 000 ; many", "1000"),
        ("listenaddress = 10.0.0.1 10.0.0.2", "10.0.0.110.0.0.2"),
        ("authrequired = y es", "yes"),
        ("httpcors = https://a https://b", "https://ahttps://b"),
        ("deny = 10.1.0.0/16, 10.2.0.0 3.4", "10.1.0.0/16,10.2.0.03.4"),
    ],
)
def test_words_that_would_be_joined_are_a_problem(line: str, read_as: str) -> None:
    """The C program removes blanks: 1234 5 is port 12345, which nobody meant."""
    [problem] = problems_of(line)

    assert read_as in problem


def test_blanks_beside_what_separates_do_not_count() -> None:
    """As in the lists of the sample file."""
    text = "permit = 10.0.0.0 / 8 , 192.0.2.1\nlistenport =  5 \t ; x\nhttpcors = a , b\n"

    assert read(text).listen_port == 5


def test_a_path_that_loses_a_blank_is_warned_of() -> None:
    """It is another file."""
    [warning] = warnings_of("logfile = /var/log/my log\n")

    assert warning == (
        'x.conf:1: logfile: without its blanks this is "/var/log/mylog"; put the value in quotes'
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("maxclients = -1", "-1 is too small; write 0 for no limit"),
        ("maxline = 0", "0 is too small; the least is 1"),
        ("listenport = -1", "-1 is not between 1 and 65535"),
        ("retryinterval = -1.5", '"-1.5" is negative; write seconds from 0 on'),
        ("retryinterval = 2000001", '"2000001" is too long; at most 2000000 seconds can be waited'),
        ("clientwritetimeout = -1", '"-1" is negative; write milliseconds from 0 on'),
        ("maxclients = 99999999999999", "99999999999999 is not between 0 and 1099511627776"),
    ],
)
def test_what_is_said_of_a_number_is_so(line: str, said: str) -> None:
    """A negative number is one."""
    assert problems_of(line) == [f"x.conf:1: {line.partition(' ')[0]}: {said}"]


@pytest.mark.parametrize(
    "text",
    [
        "; settings\rauthrequired = yes\rproxykey = x\r",
        "listenport = 5 ; a\rauthrequired = yes",
        "authrequired = yes\rproxykey = x",
        "\xff\xfe" + "".join(f"{c}\0" for c in "authrequired = yes\n"),
        "".join(f"\0{c}" for c in "; x\nauthrequired = yes\n"),
    ],
)
def test_a_file_of_another_machine_is_a_problem(text: str) -> None:
    """Lines that end with CR alone, or characters of two bytes: nothing of it would be read."""
    assert problems_of(text)


def test_a_guard_that_is_undone_later_is_warned_of() -> None:
    """The last line counts, as in the C program; host, permit and deny add up."""
    text = "authrequired = yes\nlistenport=1\nhost=a,1,u,s,on\nhost=b,1,u,s,on\nlistenport=2\n"

    assert warnings_of(text + "authrequired = on") == []
    assert warnings_of(text + "authrequired = no") == [
        "x.conf:6: authrequired: is here twice, this line counts"
    ]


def test_comments_and_blank_lines_are_skipped() -> None:
    """Even if they are indented."""
    text = '\xef\xbb\xbf; a\n# b\n\n   \t\n   ; c = d\n\t# e\r\n  listenport = 5\n; host = x "y\n'

    assert read(text).listen_port == 5
    assert warnings_of(text) == []


def test_a_key_given_twice_counts_the_last_time_and_hosts_add_up() -> None:
    """In the order of the file."""
    config = read(
        "listenport = 1\nhost = b,1,u,s,on\nlistenport = 2\nhost = a,1,u,s,on\nLISTENPORT = 3"
    )

    assert config.listen_port == 3
    assert [server.host for server in config.servers] == ["b", "a"]


def test_lines_may_be_of_any_length() -> None:
    """The C program overran its buffers."""
    assert len(read(f'forcebanner = "{"x" * 300_000}"').banner) == 300_000


def test_every_problem_is_named_at_once() -> None:
    """The operator need not start several times to find them all."""
    found = problems_of("listenport = x\nnosuch = 1\nauthrequired = x\nhost = y")

    assert [problem.split(":")[1] for problem in found] == ["1", "3", "4"]


def test_unknown_keys_cause_a_warning_and_change_nothing() -> None:
    """With file and line; a torn host line is not quoted."""
    text = "nosuch = 1\n[general]\nTopSecret, on = 3\nkey ; x = y"

    warnings = warnings_of(text)

    assert read(text) == Config()
    assert [warning.split(": ")[0] for warning in warnings] == [f"x.conf:{n}" for n in (1, 2, 3, 4)]
    assert "nosuch" in warnings[0]
    assert "topsecret" not in "".join(warnings).lower()


@given(st.text(st.characters(max_codepoint=255), max_size=300))
def test_any_bytes_are_a_configuration_or_problems(text: str) -> None:
    """Parsing raises nothing."""
    for problem in parse_config(text, "x.conf").problems:
        assert re.match(r"x\.conf:\d+: |nobody|clientcafile", problem)


@given(
    st.sampled_from(sorted(SETTINGS)),
    st.text(st.characters(max_codepoint=255, exclude_characters="\n"), max_size=40),
)
def test_any_value_is_taken_or_rejected_with_its_line(key: str, value: str) -> None:
    """Whatever follows a key."""
    for problem in parse_config(f"{key} = {value}", "x.conf").problems:
        assert problem.startswith("x.conf:1: ")


@pytest.mark.parametrize(
    ("line", "warned"),
    [
        ("forcebanner = Asterisk Call Manager/1.1", True),
        ("proxykey = Sesame", True),
        ('forcebanner = "Asterisk Call Manager/1.1"', False),
        ("proxykey = sesame ; Open", False),
        ("listenaddress = LOCALHOST", False),
        ("logfile = /A b", False),
    ],
)
def test_texts_that_lose_capitals_or_blanks_are_warned_of(line: str, warned: bool) -> None:
    """As in the C program both count in quotes only."""
    found = [one for one in warnings_of(f"{line}\n") if "capitals and blanks count" in one]

    assert [one.partition(": ")[0] for one in found] == ["x.conf:1"] * warned


def test_a_quote_that_is_not_closed_is_named() -> None:
    """It takes the rest of the line; a host line lacks fields then."""
    warned = "a quote is open at the end of the line; close it"

    assert warnings_of('proxykey = "abc\n') == [f"x.conf:1: proxykey: {warned}"]
