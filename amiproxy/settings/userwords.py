# SPDX-License-Identifier: GPL-2.0-or-later
"""Values of several words in the users file: filters, servers, ProxyActions; of both its forms."""

from __future__ import annotations

from amiproxy.routing.callwords import CALL_FILTERS


def filter_names(value: str) -> tuple[frozenset[str], list[str]]:
    """Read ``filters``; return the keys of CALL_FILTERS in it and the words that are none.

    Like the C program, this looks for each name anywhere in the text: a name with
    something around it counts, and its word is returned as unknown as well.
    """
    names: set[str] = set()
    unknown = []
    for part in value.lower().replace(",", "|").split("|"):
        word = part.strip(" \t")
        names.update(name for name in CALL_FILTERS if name in word)
        if word and word not in CALL_FILTERS:
            unknown.append(word)
    return frozenset(names), unknown


def server_names(value: str) -> frozenset[str]:
    """Read ``server``: names, hosts, addresses or host:port, in lower case.

    Raises:
        ValueError: there is none among the separators, which would restrict nothing.

    """
    names = words(value)
    if not names:
        raise ValueError("names no server and would restrict nothing")
    return names


def words(value: str) -> frozenset[str]:
    """Return the words of *value*, in lower case, which ``|`` or a comma separates."""
    words = value.lower().replace("|", ",").split(",")
    return frozenset(filter(None, (word.strip(" \t") for word in words)))
