# SPDX-License-Identifier: GPL-2.0-or-later
"""What ``astmanproxy -t`` says of the users."""

from __future__ import annotations

from amiproxy.access.user import Users
from amiproxy.settings.config import Config
from amiproxy.settings.describe import describe_servers, describe_users
from tests.settings.conf import read as parse
from tests.settings.users import FULL, GUARDED, read


def test_a_user_is_described_in_words() -> None:
    """What each may see and do."""
    users = read("joe=s,SIP/100,out,in,acme,pbx,,cdronly|novar\nsup=s\n")

    lines = describe_users(users, GUARDED, privileged=["AddServer", "DropServer", "ListServers"])

    assert lines == [
        "who does not log in: sees and may do nothing (authrequired = yes)",
        "user joe: plain secret, from any address",
        "  sees and reaches only the server pbx",
        "  sees events of: everything",
        "  sees only calls of channels and devices sip/100...",
        "  sees only messages of context in",
        "  sees only Cdr events",
        "  does not see variables being set",
        "  sees no events that belong to no call",
        "  sees everybody's calls in answers to their own Status, BridgeList and the like",
        "  sees no answers to actions of others",
        "  may send actions of: everything but system, command, config",
        "  may send what needs no class (Ping, QueueStatus...), of actions unknown here none",
        "  may add event filters (Action: Filter)",
        "  may not run what could leave the PBX",
        "  may not use functions that could forge an answer",
        "  may act only on channels and devices sip/100...",
        "  may act only in context out",
        "  calls on account acme",
        "  may not act on what is everybody's (QueueReset, PJSIPUnregister, variables...)",
        "  may run only applications and functions that act on the channel itself",
        "  may not change the account of a call",
        "  may call ProxyActions: all but AddServer, DropServer, ListServers",
        "user sup: plain secret, from any address",
        "  sees events of: everything",
        "  may send actions of: everything",
        "  may call ProxyActions: all",
    ]


def test_several_servers_are_all_named() -> None:
    """They are the user's together."""
    lines = describe_users(read("joe=s,,,,,pbx2|pbx1\n"), GUARDED)

    assert "  sees and reaches only the servers pbx1 and pbx2" in lines


def test_descriptions() -> None:
    """Every restriction of a section is described."""
    text = "\n".join(describe_users(read(FULL), GUARDED, for_everybody=["Logoff"]))

    assert text.startswith(
        "everyone: from deny 0.0.0.0/0.0.0.0, deny ::/0, permit 10.0.0.0/8, permit 127.0.0.1\n"
    )
    assert "  sees events of: call, agent, user\n" in text
    assert "  does not see events whose text matches Event: RTCP\n" in text
    assert "  does not see Newexten events\n" in text
    assert "only Newchannel events whose Channel starts with PJSIP/\n" in text
    assert "  may not run what could leave the PBX\n" in text
    assert "  may log in once at a time\n" in text
    assert "  may call ProxyActions: listservers, logoff, setoutputformat\n" in text
    assert "  sees also events that belong to no call, but none of the class security\n" in text


def test_an_open_proxy_is_named() -> None:
    """Without a needed log-in the rights of users do not matter."""
    lines = describe_users(read("joe=s\n"), Config())

    assert lines[0] == "who does not log in: sees and may do everything (authrequired = no)"


def test_what_guards_the_proxy_is_named() -> None:
    """Where a log-in or the proxy key is needed."""
    users = read("joe=s\n")

    assert describe_users(users, Config(auth_required=True, proxy_key="k"))[0] == (
        "who neither logs in nor gives the proxykey: sees and may do nothing (authrequired = yes)"
    )
    assert describe_users(users, Config(proxy_key="k"))[0] == (
        "who neither logs in nor gives the proxykey: sees and may do nothing"
    )


def test_the_privileged_proxyactions_are_those_given() -> None:
    """A user who is not given any may call all the others."""
    lines = describe_users(read("[u]\nsecret=s\nread=\nwrite=\n"), GUARDED, privileged=["A", "B"])

    assert "  may call ProxyActions: all but A, B" in lines


def said(line: str, local: str = "off") -> str:
    """Return what is said of a user of the C program's form with the fields *line*."""
    config = Config(auth_required=True, filter_local=local)
    return "\n".join(describe_users(read(f"joe=s,{line}\n"), config))


def test_the_local_channels_are_named() -> None:
    """What filterlocal adds, for whom it adds anything."""
    assert "Local" not in said("SIP/1,Sales") + said(",Sales") + said("", local="allow")
    for line in ("SIP/1", "SIP/1,Sales", ",Sales"):
        assert "  may originate on any Local channel, in any context" in said(line, local="allow")
    assert "  may originate on Local channels of context Sales" in said(
        "SIP/1,Sales", local="allowwith"
    )
    assert "  originates on Local channels in context Sales alone" in said(
        ",Sales", local="enforce"
    )
    assert "Local" not in said("SIP/1", local="enforce")


def test_classes_that_nothing_bounds_are_named() -> None:
    """Where a channel, context or account seems to limit what a user may do."""
    section = "[u]\nsecret=s\nread=all\nwrite={}\n{}=x\n"
    line = "  may do more than that by the classes: "
    for field in ("channel", "out_context", "accountcode"):
        for write, classes in (("all", "system, command, config"), ("call,config", "config")):
            assert line + classes in describe_users(read(section.format(write, field)), GUARDED)
        assert line not in "\n".join(describe_users(read(section.format("call", field)), GUARDED))
    assert line + "system, command, config" in said(",,,acme")
    assert line not in said("SIP/1") + said("") + said(",,in")


def test_servers_are_described_without_secrets() -> None:
    """That there is none to connect to is said as well."""
    config = parse("host = PBX, 5038, Joe, s3cret, on\nhost = b, 5039, u, s3cret, off, on\n")

    assert describe_servers(config) == [
        "server pbx port 5038: as user Joe, events on, no TLS",
        "server b port 5039: as user u, events off, TLS, certificate not checked",
    ]
    assert describe_servers(Config())[0].startswith("no servers: ")


def test_where_there_are_no_users() -> None:
    """Every log-in succeeds, or none."""
    assert describe_users(Users(), Config())[0].startswith("no users: every login succeeds")
    assert describe_users(Users(), GUARDED)[0].startswith("no users and no proxykey: nobody")
    keyed = describe_users(Users(), Config(proxy_key="x"))
    assert keyed == ["no users: nobody can log in, and only the proxykey lets clients in"]


def test_a_secret_nobody_can_give_is_described_as_such() -> None:
    """What begins with $ and is not bcrypt."""
    assert describe_users(read("joe=$x\nann=s\n"), GUARDED)[1:3] == [
        "user joe: cannot log in, as their secret is no bcrypt hash",
        "user ann: plain secret, from any address",
    ]


def test_an_edge_is_described_in_words() -> None:
    """It has no servers of its own; the bus, which may hold a secret, is not shown."""
    lines = describe_servers(parse("bus = redis://:hunter2@192.0.2.7\nbusname = office\n"))

    assert lines == [
        "no host lines: an edge, which has the servers of the other proxies of its cluster",
        (
            "cluster office: of each server one proxy is connected; another takes over after 3 s;"
            " while the bus is lost no server is connected"
        ),
    ]


def test_a_local_asterisk_of_a_cluster_is_said_to_be_one() -> None:
    """Each proxy would take it for its own machine's."""
    [line, _] = describe_servers(
        parse("bus = unix:///run/r.sock\nhost = 127.0.0.1, 5038, u, s, on, off, name=a\n")
    )

    assert line.endswith(
        "no TLS; all proxies of the cluster with such a line must be on this machine"
    )
