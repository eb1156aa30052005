# SPDX-License-Identifier: GPL-2.0-or-later
"""What ``astmanproxy -t`` says of a user is what holds: each sentence is tried out."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Callable

import pytest

from amiproxy.access import rights
from amiproxy.access.actionclasses import ACTIONS
from amiproxy.message import Message
from amiproxy.routing.callfilter import SessionFilter
from amiproxy.routing.calltable import CallTable
from amiproxy.routing.classes import ALL, CLASSES
from amiproxy.routing.visibility import View
from amiproxy.settings.config import Config
from amiproxy.settings.describe import describe_users
from tests.settings.users import FULL, KINDS, read

if TYPE_CHECKING:
    from amiproxy.access.user import User


class Person:
    """A user with their session: what they may send, and what they see."""

    def __init__(self, user: User, local: str) -> None:
        self.user = user
        self.local = local
        self.filter = SessionFilter(user, local)
        self.channel = (user.channel or "SIP/7") + "1"
        self.context = user.out_context or "anywhere"

    def sent(self, *lines: str) -> list[str] | None:
        """Return what goes to Asterisk of an action, or None if it is refused."""
        message = Message.of(*lines)
        if rights.refusal(self.user, message):
            return None
        out = self.filter.outgoing(message)
        return None if isinstance(out, str) else list(out.lines)

    def may(self, action: str, *lines: str) -> bool:
        """Return whether the *action* passes; with an own channel if *lines* name none."""
        named = [line for line in lines if line.startswith("Channel")]
        return (
            self.sent(f"Action: {action}", *lines, *(named or self.own)[len(named) :]) is not None
        )

    @property
    def own(self) -> list[str]:
        """The header of a channel that is the user's."""
        return [f"Channel: {self.channel}"]

    def originates(self, *lines: str) -> bool:
        """Return whether an Originate on an own channel passes."""
        return self.may("Originate", *lines)

    def sees(self, *lines: str, answer: bool = False) -> bool:
        """Return whether an event reaches the user."""
        message = Message.of(*lines)
        CallTable().note(message)
        view = View(mask=self.user.read, filters=(self.user.eventfilters,))
        passes = self.filter.incoming(message, "pbx", answer)
        return bool(passes) and (answer or view.sees_event(message))

    def has(self, *names: str) -> bool:
        """Return whether the user has all classes of these *names*."""
        return all(self.user.write & CLASSES[name] for name in names)


def classes_of(words: str) -> int:
    """Return the classes that the *words* of a line mean."""
    if words.startswith("everything"):
        _, _, missing = words.partition(" but ")
        return ALL & ~sum(CLASSES[word] for word in missing.split(", ") if word)
    return sum(CLASSES[word] for word in words.split(", ")) if words != "nothing" else 0


def check_read(one: Person, words: str) -> None:
    """Events of other classes do not come; those of these do if no other line limits them."""
    free = View(mask=one.user.read)
    for name, bit in CLASSES.items():
        if bit and bit != ALL:
            event = Message.of("Event: X", f"Privilege: {name},all")
            assert free.sees_event(event) is bool(classes_of(words) & bit), name


def check_write(one: Person, words: str) -> None:
    """Of each action that is known: exactly those of these classes."""
    written = classes_of(words)
    for name, needed in ACTIONS.items():
        if name == "filter":
            continue  # has a line of its own
        wanted = all(written & mask for mask in needed)
        assert (rights.refusal(one.user, Message.of(f"Action: {name}")) is None) is wanted, name


def check_channel(one: Person, prefix: str) -> None:
    """Others' channels are refused in any action, the own ones pass."""
    assert one.user.channel == prefix
    for action in ("Hangup", "Redirect", "QueuePause", "Originate", "Setvar", "AGI", "Park"):
        assert one.sent(f"Action: {action}", "Channel: IAX2/9-1", "Variable: X") is None
    assert one.may("Hangup") is one.has("call")
    assert one.sent("Action: MailboxCount", "Mailbox: nobody9@default") is None


def check_context(one: Person, context: str) -> None:
    """Another is refused; where none is named it is this one."""
    for action in ("Redirect", "Originate", "BlindTransfer", "Atxfer"):
        assert not one.may(action, f"Context: {context}x", "Exten: 1")
    assert not one.originates("Exten: 1", f"Context: {context}", "PreDialGoSub: other,s,1")
    if one.has("call"):
        sent = one.sent("Action: BlindTransfer", *one.own, "Exten: 1") or []
        assert f"Context: {context}" in sent
        assert one.may("Redirect", f"Context: {context}", "Exten: 1", "Priority: 1")
        assert not one.may("Setvar", "Variable: TRANSFER_CONTEXT", "Value: x")


def check_account(one: Person, account: str) -> None:
    """Every Originate bears it, whatever it said."""
    for more in ([], ["Account: other"], ["ACCOUNT:other", "Account: x"]):
        context = f"Context: {one.context}"
        sent = one.sent("Action: Originate", *one.own, "Exten: 1", context, *more) or []
        given = [
            line.partition(":")[2].strip() for line in sent if line.lower().startswith("account")
        ]
        assert set(given) == {account}


def check_unchanged_account(one: Person, _: str) -> None:
    """Neither by a variable nor by an application."""
    assert not one.originates("Exten: 1", "Variable: CHANNEL(accountcode)=x")
    assert not one.may("Setvar", "Variable: CDR(accountcode)", "Value: x")
    assert not one.originates("Application: NoCDR")


def check_everybodys(one: Person, _: str) -> None:
    """No action without a channel that is not for reading."""
    for action in ("QueueReset", "QueueReload", "PJSIPUnregister", "BridgeTechnologySuspend"):
        assert not one.may(action)
    assert one.sent("Action: Setvar", "Variable: X", "Value: 1") is None
    assert one.sent("Action: Getvar", "Variable: X") is None


def check_runs(one: Person, _: str) -> None:
    """Playback passes; what reaches others, or is unknown, does not."""
    assert one.originates("Application: Playback", "Data: beep")
    for application in ("ChanSpy", "Goto", "Pickup", "Macro", "Unheard", "Set", "ConfBridge"):
        assert not one.originates(f"Application: {application}", "Data: SIP/9999")
    assert not one.may("Getvar", "Variable: IMPORT(SIP/9999-1,X)")


def check_escapes(one: Person, _: str) -> None:
    """No shell, no file, no database."""
    assert not one.originates("Application: System", "Data: id")
    assert not one.originates("Application: Record", "Data: /tmp/x.wav")
    for function in ("SHELL(id)", "FILE(/x)", "DB(a/b)", "UNLOCK(x)"):
        assert not one.may("Getvar", f"Variable: {function}")
        assert not one.may("Setvar", f"Variable: {function}", "Value: x")


def check_forging(one: Person, _: str) -> None:
    """No function that makes text with line ends."""
    for function in ("URIDECODE(%0a)", "BASE64_DECODE(Cg==)", "SPRINTF(%c,10)"):
        assert not one.may("Getvar", f"Variable: {function}")


def check_beyond(one: Person, words: str) -> None:
    """What these classes are for passes, and these are all that reach further."""
    for name, action in (("command", "Command"), ("config", "UpdateConfig"), ("system", "DBPut")):
        assert one.may(action) is (name in words.split(", "))
    assert one.originates("Application: System") is ("system" in words)


def check_local(one: Person, kind: str) -> None:
    """Any Local channel, those of the context, or moved there."""
    sent = one.sent("Action: Originate", "Channel: Local/5@other", "Exten: 1")
    inside = f"Channel: Local/5@{one.user.out_context}"
    wanted = {"allow": "Channel: Local/5@other", "allowwith": None, "enforce": inside}[kind]
    assert (sent and sent[1]) == wanted
    if kind != "allow":
        assert one.sent("Action: Originate", inside, "Exten: 1")


def check_calls(one: Person, prefix: str) -> None:
    """Others' calls are not seen."""
    assert not one.sees("Event: Newchannel", "Privilege: call,all", "Channel: X/9", "Uniqueid: 1")
    own = ("Event: Cdr", "Privilege: call,all", "Context: In", f"Channel: {prefix}1", "Uniqueid: 2")
    assert one.sees(*own)


def check_calls_context(one: Person, context: str) -> None:
    """Messages of another context are not seen."""
    assert not one.sees("Event: Cdr", f"Context: {context}x", f"Channel: {one.channel}")


def check_only(one: Person, words: str) -> None:
    """Other events are not seen."""
    assert words in ("Cdr", "Bridge")
    assert not one.sees("Event: Newexten", f"Channel: {one.channel}", "Context: In")


def check_novar(one: Person, _: str) -> None:
    """VarSet does not come."""
    assert not one.sees("Event: VarSet", f"Channel: {one.channel}", "Context: In")


def check_no_call(one: Person, words: str) -> None:
    """Such as a PeerStatus."""
    assert one.sees("Event: PeerStatus", "Privilege: system,all") is (words == "also")
    assert not one.sees("Event: SuccessfulAuth", "Privilege: security,all", "AccountID: nobody")


def check_answers(one: Person, _: str) -> None:
    """The answers to the own actions are never filtered."""
    assert one.sees("Event: Status", "Channel: X/9-1", "Uniqueid: 9.9", answer=True)


def check_included(one: Person, words: str) -> None:
    """What no such line matches is not seen."""
    assert words == "events whose text matches Event: Hangup"
    assert not one.sees("Event: Newchannel")
    assert one.sees("Event: Hangup")


def check_excluded(one: Person, words: str) -> None:
    """What such a line matches is not seen."""
    assert words == "events whose text matches Channel: SIP/9"
    assert not one.sees("Event: Hangup", "Channel: SIP/9")


def check_proxyactions(one: Person, words: str) -> None:
    """Those that are named, or all but the privileged."""
    for name in ("AddServer", "ListServers", "SetOutputFormat"):
        allowed = rights.may_proxyaction(one.user, name, privileged=name != "SetOutputFormat")
        missing = words.partition("all but ")[2]
        wanted = name not in missing if words.startswith("all") else name.lower() in words
        assert allowed is wanted, name


def check_filter(one: Person, _: str) -> None:
    """It passes to the proxy, that carries it out."""
    assert one.sent("Action: Filter", "Operation: Add", "Filter: x")


def check_unclassed(one: Person, _: str) -> None:
    """Ping passes, an action that no version has does not."""
    assert one.may("Ping")
    assert one.may("QueueStatus")
    assert not one.may("NoSuchAction")


def check_once(one: Person, _: str) -> None:
    """It is said of no other."""
    assert not one.user.allow_multiple_login


def check_others(one: Person, _: str) -> None:
    """It is said of those whose rights or filters are limited."""
    assert one.user.limited or one.user.follows_calls


def check_server(one: Person, server: str) -> None:
    """Those of their line."""
    assert " and ".join(sorted(one.user.servers)) == server


#: What a line may say -> how it is tried.
CHECKS: dict[str, Callable[[Person, str], None]] = {
    r"sees events of: (.*)": check_read,
    r"sees only calls of channels and devices (.*)\.\.\.": check_calls,
    r"sees only messages of context (.*)": check_calls_context,
    r"sees only (.*) events": check_only,
    r"does not see (variables) being set": check_novar,
    r"sees (no|also) events that belong to no call(?:, but none of the class security)?": check_no_call,
    r"sees everybody's calls in answers to (.*)": check_answers,
    r"sees of these \(or of other such lines\) only (.*)": check_included,
    r"does not see (events whose.*)": check_excluded,
    r"may send actions of: (.*)": check_write,
    r"may send what needs no class (.*)": check_unclassed,
    r"may add (event) filters \(Action: Filter\)": check_filter,
    r"may not run what could (leave) the PBX": check_escapes,
    r"may not use functions that could (forge) an answer": check_forging,
    r"may act only on channels and devices (.*)\.\.\.": check_channel,
    r"may act only in context (.*)": check_context,
    r"calls on account (.*)": check_account,
    r"may not (change) the account of a call": check_unchanged_account,
    r"may not act on what is everybody's (.*)": check_everybodys,
    r"may run only applications and functions that (.*)": check_runs,
    r"may do more than that by the classes: (.*)": check_beyond,
    r".* \(filterlocal = (\w+)\)": check_local,
    r"may call ProxyActions: (.*)": check_proxyactions,
    # Tried with the running program, in tests/system/test_rights.py and test_user_settings.py.
    r"may log in (once) at a time": check_once,
    r"sees and reaches only the servers? (.*)": check_server,
    r"sees no answers to actions of (others)": check_others,
}


@pytest.mark.parametrize("local", ["off", "allow", "allowwith", "enforce"])
@pytest.mark.parametrize("name", list(read(KINDS)))
def test_each_sentence_holds(name: str, local: str) -> None:
    """Every line is one of those that are tried, and what was tried agrees with it."""
    users = read(KINDS)
    lines = describe_users(
        users, Config(filter_local=local), privileged=["AddServer", "ListServers"]
    )
    start = next(i for i, line in enumerate(lines) if line.startswith(f"user {name}:"))
    one = Person(users[name], local)
    for line in lines[start + 1 :]:
        if not line.startswith("  "):
            break
        found = [(check, match[1]) for pattern, check in CHECKS.items()
                 if (match := re.fullmatch(pattern, line.strip()))]  # fmt: skip
        assert found, line
        for check, words in found[:1]:
            check(one, words)


def test_nothing_is_said_that_is_not_tried() -> None:
    """The same of a file with every key of a section."""
    for line in describe_users(read(FULL), Config(filter_local="enforce")):
        if line.startswith("  ") and "does not see Newexten" not in line:
            assert any(re.fullmatch(pattern, line.strip()) for pattern in CHECKS), line
