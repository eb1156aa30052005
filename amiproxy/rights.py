# SPDX-License-Identifier: GPL-2.0-or-later
"""Permission classes: who may see which event and send which action.

Classes, their bits and the class of each action are Asterisk 22's
(include/asterisk/manager.h, and the ``ListCommands`` of recording b1).
"""

from __future__ import annotations

import functools
from types import MappingProxyType
from typing import TYPE_CHECKING

from . import escapes

if TYPE_CHECKING:
    from collections.abc import Mapping

    from .message import Message
    from .users import User

SYSTEM = 1 << 0
CALL = 1 << 1
LOG = 1 << 2
VERBOSE = 1 << 3
COMMAND = 1 << 4
AGENT = 1 << 5
USER = 1 << 6
CONFIG = 1 << 7
DTMF = 1 << 8
REPORTING = 1 << 9
CDR = 1 << 10
DIALPLAN = 1 << 11
ORIGINATE = 1 << 12
AGI = 1 << 13
HOOKRESPONSE = 1 << 14
CC = 1 << 15
AOC = 1 << 16
TEST = 1 << 17
SECURITY = 1 << 18
MESSAGE = 1 << 30
#: Every class there is or may be, as Asterisk's ``all`` (INT_MAX).
ALL = (1 << 31) - 1

#: What the classes are called in manager.conf, in ``Privilege`` and in event masks.
CLASSES: Mapping[str, int] = MappingProxyType(
    {
        "system": SYSTEM,
        "call": CALL,
        "log": LOG,
        "verbose": VERBOSE,
        "command": COMMAND,
        "agent": AGENT,
        "user": USER,
        "config": CONFIG,
        "dtmf": DTMF,
        "reporting": REPORTING,
        "cdr": CDR,
        "dialplan": DIALPLAN,
        "originate": ORIGINATE,
        "agi": AGI,
        "hookresponse": HOOKRESPONSE,
        "cc": CC,
        "aoc": AOC,
        "test": TEST,
        "security": SECURITY,
        "message": MESSAGE,
        "all": ALL,
        "none": 0,
    }
)

_ANYBODY = 0

# One row an action, in lower case: the classes of which a user needs one.  Rows of
# modules the recorded Asterisk had not loaded are from their source.  An action that
# is not here needs every class: a new one is a row.
ACTIONS: Mapping[str, int] = MappingProxyType(
    {
        # main/manager.c
        "absolutetimeout": SYSTEM | CALL,
        "aocmessage": AOC,
        "atxfer": CALL,
        "blindtransfer": CALL,
        "cancelatxfer": CALL,
        "challenge": _ANYBODY,
        "command": COMMAND,
        "coresettings": SYSTEM | REPORTING,
        "coreshowchannelmap": SYSTEM | REPORTING,
        "coreshowchannels": SYSTEM | REPORTING,
        "corestatus": SYSTEM | REPORTING,
        "createconfig": CONFIG,
        "dbdel": SYSTEM,
        "dbdeltree": SYSTEM,
        "dbget": SYSTEM | REPORTING,
        "dbgettree": SYSTEM | REPORTING,
        "dbput": SYSTEM,
        "devicestatelist": CALL | REPORTING,
        "events": _ANYBODY,
        "extensionstate": CALL | REPORTING,
        "extensionstatelist": CALL | REPORTING,
        "filter": SYSTEM,
        "getconfig": SYSTEM | CONFIG,
        "getconfigjson": SYSTEM | CONFIG,
        "getvar": CALL | REPORTING,
        "hangup": SYSTEM | CALL,
        "listcategories": CONFIG,
        "listcommands": _ANYBODY,
        "loggerrotate": SYSTEM | REPORTING,
        "login": _ANYBODY,
        "logoff": _ANYBODY,
        "mailboxcount": CALL | REPORTING,
        "mailboxstatus": CALL | REPORTING,
        "messagesend": MESSAGE,
        "modulecheck": SYSTEM,
        "moduleload": SYSTEM,
        "originate": ORIGINATE,
        "ping": _ANYBODY,
        "presencestate": CALL | REPORTING,
        "presencestatelist": CALL | REPORTING,
        "redirect": CALL,
        "reload": SYSTEM | CONFIG,
        "sendtext": CALL,
        "setvar": CALL,
        "showdialplan": CONFIG | REPORTING,
        "status": SYSTEM | CALL | REPORTING,
        "updateconfig": CONFIG,
        "userevent": USER,
        "waitevent": _ANYBODY,
        # bridges, channels, recording
        "agi": AGI,
        "bridge": CALL,
        "bridgedestroy": _ANYBODY,
        "bridgeinfo": _ANYBODY,
        "bridgekick": _ANYBODY,
        "bridgelist": _ANYBODY,
        "bridgetechnologylist": _ANYBODY,
        "bridgetechnologysuspend": _ANYBODY,
        "bridgetechnologyunsuspend": _ANYBODY,
        "changemonitor": CALL,
        "controlplayback": CALL,
        "dialplanextensionadd": SYSTEM,
        "dialplanextensionremove": SYSTEM,
        "localoptimizeaway": SYSTEM | CALL,
        "mixmonitor": SYSTEM,
        "mixmonitormute": SYSTEM | CALL,
        "monitor": CALL,
        "muteaudio": SYSTEM,
        "park": CALL,
        "parkedcalls": CALL,
        "parkinglots": CALL,
        "pausemonitor": CALL,
        "playdtmf": CALL,
        "playmf": CALL,
        "sendflash": CALL,
        "stopmixmonitor": SYSTEM | CALL,
        "stopmonitor": CALL,
        "unpausemonitor": CALL,
        # agents, queues, conferences
        "agentlogoff": AGENT,
        "agents": AGENT,
        "confbridgekick": CALL,
        "confbridgelist": REPORTING,
        "confbridgelistrooms": REPORTING,
        "confbridgelock": CALL,
        "confbridgemute": CALL,
        "confbridgesetsinglevideosrc": CALL,
        "confbridgestartrecord": SYSTEM,
        "confbridgestoprecord": SYSTEM,
        "confbridgeunlock": CALL,
        "confbridgeunmute": CALL,
        "meetmelist": REPORTING,
        "meetmelistrooms": REPORTING,
        "meetmemute": CALL,
        "meetmeunmute": CALL,
        "queueadd": AGENT,
        "queuechangeprioritycaller": _ANYBODY,
        "queuelog": AGENT,
        "queuememberringinuse": AGENT,
        "queuepause": AGENT,
        "queuepenalty": AGENT,
        "queuereload": _ANYBODY,
        "queueremove": AGENT,
        "queuereset": _ANYBODY,
        "queuerule": _ANYBODY,
        "queues": _ANYBODY,
        "queuestatus": _ANYBODY,
        "queuesummary": _ANYBODY,
        "queuewithdrawcaller": _ANYBODY,
        # channel drivers
        "dahdidialoffhook": _ANYBODY,
        "dahdidndoff": _ANYBODY,
        "dahdidndon": _ANYBODY,
        "dahdihangup": _ANYBODY,
        "dahdirestart": _ANYBODY,
        "dahdishowchannels": _ANYBODY,
        "dahdishowstatus": _ANYBODY,
        "dahditransfer": _ANYBODY,
        "iaxnetstats": SYSTEM | REPORTING,
        "iaxpeerlist": SYSTEM | REPORTING,
        "iaxpeers": SYSTEM | REPORTING,
        "iaxregistry": SYSTEM | REPORTING,
        "jabbersend": SYSTEM,
        "pjsiphangup": SYSTEM,
        "pjsipnotify": SYSTEM,
        "pjsipqualify": SYSTEM | REPORTING,
        "pjsipregister": SYSTEM,
        "pjsipshowaors": SYSTEM,
        "pjsipshowauths": SYSTEM,
        "pjsipshowcontacts": SYSTEM,
        "pjsipshowendpoint": SYSTEM,
        "pjsipshowendpoints": SYSTEM,
        "pjsipshowregistrationinboundcontactstatuses": SYSTEM | REPORTING,
        "pjsipshowregistrationsinbound": SYSTEM | REPORTING,
        "pjsipshowregistrationsoutbound": SYSTEM | REPORTING,
        "pjsipshowresourcelists": SYSTEM | REPORTING,
        "pjsipshowsubscriptionsinbound": SYSTEM | REPORTING,
        "pjsipshowsubscriptionsoutbound": SYSTEM | REPORTING,
        "pjsipunregister": SYSTEM,
        "pridebugfileset": _ANYBODY,
        "pridebugfileunset": _ANYBODY,
        "pridebugset": _ANYBODY,
        "prishowspans": _ANYBODY,
        "sipnotify": SYSTEM,
        "sippeers": SYSTEM | REPORTING,
        "sippeerstatus": SYSTEM,
        "sipqualifypeer": SYSTEM | REPORTING,
        "sipshowpeer": SYSTEM | REPORTING,
        "sipshowregistry": SYSTEM | REPORTING,
        "skinnydevices": SYSTEM | REPORTING,
        "skinnylines": SYSTEM | REPORTING,
        "skinnyshowdevice": SYSTEM | REPORTING,
        "skinnyshowline": SYSTEM | REPORTING,
        # voicemail, fax, message waiting, caches
        "faxsession": CALL,
        "faxsessions": CALL,
        "faxstats": REPORTING,
        "mwidelete": CALL,
        "mwiget": CALL | REPORTING,
        "mwiupdate": CALL,
        "sorcerymemorycacheexpire": SYSTEM,
        "sorcerymemorycacheexpireobject": SYSTEM,
        "sorcerymemorycachepopulate": SYSTEM,
        "sorcerymemorycachestale": SYSTEM,
        "sorcerymemorycachestaleobject": SYSTEM,
        "voicemailboxsummary": CALL | REPORTING,
        "voicemailforward": CALL | REPORTING,
        "voicemailmove": CALL | REPORTING,
        "voicemailrefresh": USER,
        "voicemailremove": CALL | REPORTING,
        "voicemailuserslist": CALL | REPORTING,
        "voicemailuserstatus": CALL | REPORTING,
    }
)

#: ProxyActions that change or show the servers: for users that are given them.
PRIVILEGED_PROXYACTIONS = frozenset({"addserver", "dropserver", "listservers"})

_YES = frozenset({"yes", "true", "y", "t", "1", "on"})
_NO = frozenset({"no", "false", "n", "f", "0", "off"})


@functools.lru_cache(maxsize=512)
def privilege_mask(header_value: str) -> int:
    """Return the classes an event with ``Privilege: header_value`` belongs to.

    ``all`` stands in every such header and is no class.  A word that is no class
    known here needs all of them, so that only those who see everything see it.
    Empty and ``<none>`` are 0.
    """
    mask = 0
    for word in header_value.split(","):
        name = word.strip(" \t").lower()
        if name not in ("", "all", "<none>"):
            mask |= CLASSES.get(name, ALL)
    return mask


def may_see(read: int, event: int) -> bool:
    """Tell whether who may *read* these classes sees an event of the classes *event*.

    As in Asterisk every class of the event is needed, not one of them
    (process_events in main/manager.c).  Takes event masks of sessions as well.
    """
    return read & event == event


def event_mask(value: str) -> int | None:
    """Read ``Events`` of a login or ``EventMask`` of ``Action: Events``.

    Returns the classes meant; 0 is off; None is ``Invalid event mask`` (empty).
    Unknown words are no classes.  As Asterisk's strings_to_mask, which does not
    trim blanks nor ignore case in class names (recording h1_events_action).
    """
    if not value:
        return None
    if value.isascii() and value.isdigit():
        # Longer numbers overflow in Asterisk; all bits is the most there is.
        return int(value) & ALL if len(value) <= 10 else ALL
    if value.lower() in _NO:
        return 0
    if value.lower() in _YES:
        return ALL
    mask = 0
    for word in value.split(","):
        mask |= CLASSES.get(word, 0)
    return mask


def read_classes(value: str) -> tuple[int, list[str]]:
    """Read a ``read`` or ``write`` line: return the classes and the unknown words.

    Blanks around a class and its case do not count.
    """
    mask = 0
    unknown = []
    for word in value.split(","):
        name = word.strip(" \t").lower()
        if name in CLASSES:
            mask |= CLASSES[name]
        elif name:
            unknown.append(name)
    return mask, unknown


def describe_classes(mask: int) -> str:
    """Return the classes in *mask* in words."""
    if mask == ALL:
        return "everything"
    names = [name for name, bit in CLASSES.items() if bit and bit != ALL and mask & bit]
    return ", ".join(names) or "nothing"


def refusal(user: User | None, message: Message) -> str | None:
    """Say why *message* may not go upstream for *user*, or return None: it may.

    The text is for the log, without secrets; the client is told ``Action
    Filtered``.  *user* None is a client without a user, who may do what the proxy's
    configuration lets everybody do.
    """
    if b"\0" in message.raw:
        # Asterisk ends lines at a NUL, and messages at a line that begins with one:
        # what follows would be an action nobody here has looked at.
        return "it holds a NUL byte"
    if user is None or user.write == ALL:
        return None
    name = message.action
    if not name:
        return None
    needed = ACTIONS.get(name)
    if needed is None:
        return "the action is unknown and needs the class all"
    if needed and not user.write & needed:
        return f"the action needs one of the classes {describe_classes(needed)}"
    if not user.write & SYSTEM:
        escape = escapes.escape(name, message)
        if escape is not None:
            return f"{escape} needs the class system"
    return None


def may_proxyaction(user: User | None, name: str) -> bool:
    """Tell whether *user* may call the ProxyAction *name*, in any case.

    Without a user it is for the configuration to say; here all are allowed.  Logoff
    is for everybody.  A user whose ``proxyactions`` is None may call all but
    ``PRIVILEGED_PROXYACTIONS``.
    """
    name = name.lower()
    if user is None or name == "logoff":
        return True
    if user.proxyactions is None:
        return name not in PRIVILEGED_PROXYACTIONS
    return name in user.proxyactions or "all" in user.proxyactions
