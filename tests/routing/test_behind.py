# SPDX-License-Identifier: GPL-2.0-or-later
"""Which servers are behind another proxy: what it may say, and what counts of it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.message import END, Message
from amiproxy.routing.behind import MOST, Behind, Inner, listed
from amiproxy.wire.inner import NAME

C = (
    "ProxyResponse: Success",
    "ProxyListServer I: 10.0.0.1 H: pbx.example U: ampuser P: 5038 E: on ",
    "ProxyListServer I: 10.0.0.2 H: 10.0.0.2 U: a P: b H: c P: 5039 E: on ",
)
OURS = (
    *C,
    "ProxyServer: pbx1", "ProxyServerState: connected", "ProxyServerSince: 1700000000",
    "ProxyServer: proxy3", "ProxyServerState: lost", "ProxyServerBehind: Far1, far2, , -x, pbx1",
    "ActionID: 1",
)  # fmt: skip


def names(*lines: str) -> list[str]:
    return [each.name for each in listed(Message.of(*lines))]


def test_the_c_program_lists_hosts() -> None:
    """By which ``Server:`` calls them, and the addresses and ports that may be meant as well."""
    first, second = listed(Message.of(*C))

    assert (first.name, second.name) == ("pbx.example", "10.0.0.2")
    assert first.words == {
        "pbx.example", "10.0.0.1", "pbx.example:5038", "10.0.0.1:5038",
        "[pbx.example]:5038", "[10.0.0.1]:5038",
    }  # fmt: skip


def test_this_program_lists_names_and_what_is_further_behind() -> None:
    """Each once; what cannot be a name is left out."""
    found = {each.name: each.words for each in listed(Message.of(*OURS))}

    assert list(found) == ["pbx1", "proxy3", "far1", "far2"]
    assert found["pbx1"] > {"pbx1", "pbx.example", "10.0.0.1:5038"}
    assert found["far1"] == {"far1"}


@pytest.mark.parametrize(
    "line",
    [
        "ProxyListServer I: a H: b U: c P: 99999999 E: on ",
        "ProxyListServer I: a H: b c U: c P: 1 E: on ",
        f"ProxyListServer I: a H: {'b' * 65} U: c P: 1 E: on ",
        "ProxyListServer I: a H: \xe9 U: c P: 1 E: on ",
        "ProxyListServer: I: a H: b U: c P: 1 E: on ",
    ],
)
def test_what_is_no_server_is_left_out(line: str) -> None:
    """A peer may write anything."""
    assert names("ProxyResponse: Success", line) == []


def test_there_are_only_so_many() -> None:
    """However many it lists, at once or one after the other, and whatever passes."""
    behind = Behind()
    lines = [f"ProxyListServer I: a H: h{number} U: u P: 1 E: on " for number in range(MOST * 2)]
    assert len(listed(Message.of(*lines))) == MOST

    assert sum(behind.see(f"s{number}") for number in range(MOST * 2)) == MOST
    assert behind.see("s0")
    assert not behind.see("late")

    behind.tell([Inner("late", frozenset({"late"}))])

    assert behind.names == ("late",)
    assert behind.was_told("late")


def test_a_name_has_precedence_over_a_host_and_who_was_told_first_over_others() -> None:
    behind = Behind()
    assert not behind
    behind.tell(
        [Inner("a", frozenset({"a", "b", "10.0.0.1"})), Inner("b", frozenset({"b", "10.0.0.1"}))]
    )

    found = [behind.find(word) for word in ("a", " B ", "10.0.0.1", "c", "")]

    assert [each and each.name for each in found] == ["a", "b", "a", None, None]


def test_what_passes_is_known_until_the_proxy_says_what_there_is() -> None:
    behind = Behind()
    behind.tell([Inner("a", frozenset({"a"}))])
    assert behind.see("b")
    assert not behind.was_told("b")
    assert behind.find("b") is not None

    behind.tell([Inner("a", frozenset({"a"}))])

    assert behind.names == ("a",)


words = st.text(st.characters(max_codepoint=255, blacklist_characters="\r\n"), max_size=20)
rows = st.builds(
    "{}: {}".format,
    st.sampled_from(["ProxyServer", "ProxyServerBehind", "ProxyListServer", "ProxyResponse"]),
    st.one_of(words, st.lists(words, max_size=4).map(", ".join)),
)
servers = st.builds("ProxyListServer I: {} H: {} U: {} P: {} E: {} ".format, *[words] * 5)


@given(st.lists(st.one_of(words, rows, servers, st.sampled_from(OURS)), max_size=20))
def test_whatever_a_peer_answers(lines: list[str]) -> None:
    """Names of strict characters result, each once, or none."""
    found = listed(Message("\r\n".join(lines).encode("latin-1") + END))

    assert len({each.name for each in found}) == len(found) <= MOST
    for each in found:
        assert NAME.fullmatch(each.name)
        assert each.name in each.words
        assert all(len(word) <= 80 for word in each.words)
