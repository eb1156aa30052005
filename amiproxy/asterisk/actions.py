# SPDX-License-Identifier: GPL-2.0-or-later
"""The manager actions of Asterisk 1.8 to 23, what each reaches, and which classes it needs: data.

Read off the registrations in the sources of 1.8, 11, 13, 16, 18, 20, 22 and 23, and off the
headers that they read (``astman_get_header``).
"""

from __future__ import annotations

from typing import NamedTuple

#: It changes nothing.
READS = "reads"
#: It acts on what its headers name, and on nothing else.
NAMED = "named"
#: It acts on what belongs to everybody, so that no header could limit it.
EVERYBODY = "everybody"
#: It needs system, command or config; who has these is not limited by headers.
CLASS = "class"

_KINDS = frozenset((READS, NAMED, EVERYBODY, CLASS))
_ROLES = frozenset(("need", "context"))

# What a header names, for DEVICES.
#: A mailbox or agent, called as the device is.
NAME = "name"
#: A device of a technology that stands before its name.
DEVICE = "device"
#: Where a message goes to: ``pjsip:101``.
TARGET = "target"
#: Who a message is said to be from: ``"Name" <sip:101@host>``.
SENDER = "sender"
#: What is nobody's own.
FOREIGN = "foreign"

#: Headers by which an action names a device, or what belongs to one, in another way than
#: ``Channel`` and its like do; in lower case.  They mean the same in every action, those of
#: modules nobody knows included.  Another value than those above is the technology of the
#: device: chan_pjsip calls them endpoints, chan_sip peers.
DEVICES: dict[str, str] = {
    "agent": NAME,  # AgentLogoff
    "aor": "pjsip",
    "destination": TARGET,  # MessageSend
    "device": "skinny",  # SKINNYshowdevice; elsewhere its technology stands before it
    "endpoint": "pjsip",  # PJSIPNotify, PJSIPQualify, PJSIPSetMaintenance, PJSIPShowEndpoint...
    "from": SENDER,  # MessageSend
    "line": "skinny",  # SKINNYshowline
    "mailbox": NAME,  # MailboxCount, MWIUpdate, VoicemailMove...
    "member": DEVICE,  # QueueStatus
    "peer": "sip",  # SIPqualifypeer, SIPshowpeer, SIPpeerstatus
    "to": TARGET,  # MessageSend
    "tomailbox": NAME,  # VoicemailForward
    "uri": FOREIGN,  # PJSIPNotify: any phone anywhere
}
#: Actions whose headers are for the program that reads the event.
FREE = frozenset({"userevent"})


class Span(NamedTuple):
    """What the versions from *first* to *last* ask for: one of *classes*, or nothing."""

    first: str
    last: str
    classes: tuple[str, ...]


class Reach(NamedTuple):
    """What an action reaches beyond the caller's own calls, and the headers that say so.

    For users whose channels or context are limited.  Headers are in lower case.  Those that
    name a channel in any action (``Channel``, ``Interface``...) or a device (DEVICES) are
    checked wherever they stand, see amiproxy/routing/actionfilter.py; here is what differs
    from action to action.
    """

    kind: str
    #: Without them the action means everybody's, or what is global.
    needed: tuple[str, ...]
    #: Asterisk takes another context where this header is missing.
    context: str


class Action(NamedTuple):
    """One action.

    With several spans it asks for different things in different versions.  The proxy does
    not know which version answers, so a user needs what every one of them asks for.
    """

    reach: Reach
    spans: tuple[Span, ...]


# The action, and what kind it is.  For each span of versions the classes of which a user needs
# one in ``write`` (none: no class is needed); where no span is it does not exist.  Then
# header=role: need, or context (to be added where it is missing).
_ROWS = """
AbsoluteTimeout                             named     1.8-23 call,system
AgentLogoff                                 named     1.8-23 agent                  Agent=need
Agents                                      reads     1.8-23 agent
AGI                                         named     1.8-23 agi
AOCMessage                                  named     1.8-23 aoc
Atxfer                                      named     1.8-23 call                   Context=context
BlindTransfer                               named     13-23 call                    Context=context
Bridge                                      named     1.8-23 call
BridgeDestroy                               named     13-23 none
BridgeInfo                                  reads     13-23 none
BridgeKick                                  named     13-23 none
BridgeList                                  reads     13-23 none
BridgeTechnologyList                        reads     13-23 none
BridgeTechnologySuspend                     everybody 13-23 none
BridgeTechnologyUnsuspend                   everybody 13-23 none
CancelAtxfer                                named     13-23 call
Challenge                                   reads     1.8-23 none
ChangeMonitor                               named     1.8-20 call
Command                                     class     1.8-23 command
ConfbridgeKick                              named     11-23 call
ConfbridgeList                              reads     11-23 reporting
ConfbridgeListRooms                         reads     11-23 reporting
ConfbridgeLock                              everybody 11-23 call
ConfbridgeMute                              named     11-23 call
ConfbridgeSetSingleVideoSrc                 named     11-23 call
ConfbridgeStartRecord                       class     11-23 system
ConfbridgeStopRecord                        class     11-13 call  16-23 system
ConfbridgeUnlock                            everybody 11-23 call
ConfbridgeUnmute                            named     11-23 call
ControlPlayback                             named     13-23 call
CoreSettings                                reads     1.8-23 reporting,system
CoreShowChannelMap                          reads     18-23 reporting,system
CoreShowChannels                            reads     1.8-23 reporting,system
CoreStatus                                  reads     1.8-23 reporting,system
CreateConfig                                class     1.8-23 config
DAHDIDialOffhook                            named     1.8-23 none
DAHDIDNDoff                                 named     1.8-23 none
DAHDIDNDon                                  named     1.8-23 none
DAHDIHangup                                 named     1.8-23 none
DAHDIRestart                                everybody 1.8-23 none
DAHDIShowChannels                           reads     1.8-23 none
DAHDIShowStatus                             reads     18-23 none
DAHDITransfer                               named     1.8-23 none
DataGet                                     reads     1.8-13 none
DBDel                                       class     1.8-23 system
DBDelTree                                   class     1.8-23 system
DBGet                                       reads     1.8-23 reporting,system
DBGetTree                                   reads     16-23 reporting,system
DBPut                                       class     1.8-23 system
DeviceStateList                             reads     13-23 call,reporting
DialplanExtensionAdd                        class     13-23 system
DialplanExtensionRemove                     class     13-23 system
Events                                      reads     1.8-23 none
ExtensionState                              reads     1.8-23 call,reporting
ExtensionStateList                          reads     13-23 call,reporting
FAXSession                                  reads     13-23 call
FAXSessions                                 reads     13-23 call
FAXStats                                    reads     13-23 reporting
Filter                                      reads     11-23 system
GetConfig                                   reads     1.8-23 config,system
GetConfigJSON                               reads     1.8-23 config,system
Getvar                                      named     1.8-23 call,reporting         Channel=need
Hangup                                      named     1.8-23 call,system
IAXnetstats                                 reads     1.8-23 reporting,system
IAXpeerlist                                 reads     1.8-23 reporting,system
IAXpeers                                    reads     1.8-23 reporting,system
IAXregistry                                 reads     1.8-23 reporting,system
JabberSend                                  class     1.8-23 system
ListCategories                              reads     1.8-23 config
ListCommands                                reads     1.8-23 none
LocalOptimizeAway                           named     1.8-23 call,system
LoggerRotate                                everybody 13-23 reporting,system
Login                                       reads     1.8-23 none
Logoff                                      reads     1.8-23 none
MailboxCount                                reads     1.8-23 call,reporting
MailboxStatus                               reads     1.8-23 call,reporting
MeetmeList                                  reads     1.8-23 reporting
MeetmeListRooms                             reads     11-23 reporting
MeetmeMute                                  everybody 1.8-23 call
MeetmeUnmute                                everybody 1.8-23 call
MessageSend                                 named     11-23 message
MixMonitor                                  class     11-23 system
MixMonitorMute                              named     1.8 none  11-23 call,system
ModuleCheck                                 reads     1.8-23 system
ModuleLoad                                  class     1.8-23 system
Monitor                                     named     1.8-20 call
MuteAudio                                   named     1.8-23 system
MWIDelete                                   named     13-23 call                    Mailbox=need
MWIGet                                      reads     13-23 call,reporting
MWIUpdate                                   named     13-23 call                    Mailbox=need
Originate                                   named     1.8-23 originate
Park                                        named     1.8-23 call
ParkedCalls                                 reads     1.8-11 none  13-23 call
Parkinglots                                 reads     11 none  13-23 call
PauseMonitor                                named     1.8-20 call
Ping                                        reads     1.8-23 none
PJSIPHangup                                 named     18-23 call,system
PJSIPNotify                                 named     13-23 system
PJSIPQualify                                named     13-23 reporting,system        Endpoint=need
PJSIPRegister                               everybody 13-23 reporting,system
PJSIPSetMaintenance                         named     20-23 system                 Endpoint=need
PJSIPShowAors                               reads     16-23 system
PJSIPShowAuths                              reads     16-23 system
PJSIPShowContacts                           reads     16-23 system
PJSIPShowEndpoint                           reads     13-23 system
PJSIPShowEndpoints                          reads     13-23 system
PJSIPShowMaintenance                        reads     20-23 reporting,system
PJSIPShowRegistrationInboundContactStatuses reads     13-23 system
PJSIPShowRegistrationsInbound               reads     13-23 system
PJSIPShowRegistrationsOutbound              reads     13-23 reporting,system
PJSIPShowResourceLists                      reads     13-23 system
PJSIPShowSubscriptionsInbound               reads     13-23 system
PJSIPShowSubscriptionsOutbound              reads     13-23 system
PJSIPUnregister                             everybody 13-23 reporting,system
PlayDTMF                                    named     1.8-23 call
PlayMF                                      named     16-23 call
PresenceState                               reads     11-23 call,reporting
PresenceStateList                           reads     13-23 call,reporting
PRIDebugFileSet                             class     13-23 system
PRIDebugFileUnset                           everybody 13-23 none
PRIDebugSet                                 everybody 13-23 none
PRIShowSpans                                reads     11-23 none
QueueAdd                                    named     1.8-23 agent
QueueChangePriorityCaller                   named     16-23 none
QueueLog                                    named     1.8-23 agent
QueueMemberRingInUse                        named     11-23 agent
QueuePause                                  named     1.8-23 agent
QueuePenalty                                named     1.8-23 agent
QueueReload                                 everybody 1.8-23 none
QueueRemove                                 named     1.8-23 agent
QueueReset                                  everybody 1.8-23 none
QueueRule                                   reads     1.8-23 none
Queues                                      reads     1.8-13 none
QueueStatus                                 reads     1.8-23 none
QueueSummary                                reads     1.8-23 none
QueueWithdrawCaller                         named     16-23 none
Redirect                                    named     1.8-23 call                   Context=context
Reload                                      class     1.8-23 config,system
SendFlash                                   named     18-23 call
SendText                                    named     1.8-23 call
Setvar                                      named     1.8-23 call                   Channel=need
ShowDialPlan                                reads     1.8-23 config,reporting
SIPnotify                                   class     1.8-20 system
SIPpeers                                    reads     1.8-20 reporting,system
SIPpeerstatus                               reads     11-20 system
SIPqualifypeer                              named     1.8-20 reporting,system       Peer=need
SIPshowpeer                                 reads     1.8-20 reporting,system
SIPshowregistry                             reads     1.8-20 reporting,system
SKINNYdevices                               reads     1.8-20 reporting,system
SKINNYlines                                 reads     1.8-20 reporting,system
SKINNYshowdevice                            reads     1.8-20 reporting,system
SKINNYshowline                              reads     1.8-20 reporting,system
SorceryMemoryCacheExpire                    class     13-23 system
SorceryMemoryCacheExpireObject              class     13-23 system
SorceryMemoryCachePopulate                  class     13-23 system
SorceryMemoryCacheStale                     class     13-23 system
SorceryMemoryCacheStaleObject               class     13-23 system
Status                                      reads     1.8-23 call,reporting,system
StopMixMonitor                              named     11-23 call,system
StopMonitor                                 named     1.8-20 call
UnpauseMonitor                              named     1.8-20 call
UpdateConfig                                class     1.8-23 config
UserEvent                                   named     1.8-23 user
VoicemailBoxSummary                         reads     18-23 call,reporting
VoicemailForward                            named     18-23 user                    Mailbox=need
VoicemailMove                               named     18-23 user                    Mailbox=need
VoicemailRefresh                            named     13-23 user                    Mailbox=need
VoicemailRemove                             named     18-23 user                    Mailbox=need
VoicemailUsersList                          reads     1.8-23 call,reporting
VoicemailUserStatus                         reads     16-23 call,reporting
WaitEvent                                   reads     1.8-23 none
"""


def _span(versions: str, classes: str) -> Span:
    """Read one span: ``11-13 call`` or ``1.8 none``."""
    first, _, last = versions.partition("-")
    return Span(first, last or first, () if classes == "none" else tuple(classes.split(",")))


def _reach(kind: str, roles: list[str]) -> Reach:
    """Read a kind, and roles of headers: ``Mailbox=need``."""
    pairs = [role.lower().split("=") for role in roles]
    assert kind in _KINDS, kind
    assert _ROLES.issuperset(role for _, role in pairs), roles
    return Reach(
        kind,
        needed=tuple(header for header, role in pairs if role == "need"),
        context=next((header for header, role in pairs if role == "context"), ""),
    )


def _action(kind: str, *words: str) -> Action:
    """Read what stands behind the name of a row."""
    roles = [word for word in words if "=" in word]
    spans = words[: len(words) - len(roles)]
    return Action(_reach(kind, roles), tuple(map(_span, spans[::2], spans[1::2])))


#: By name, as Asterisk spells it.
ACTIONS: dict[str, Action] = {
    name: _action(*words) for name, *words in map(str.split, _ROWS.strip().splitlines())
}
#: By name in lower case.
REACH: dict[str, Reach] = {name.lower(): action.reach for name, action in ACTIONS.items()}

_NAMES = {name.lower(): name for name in ACTIONS}


def name_of(action: str) -> str:
    """Return the name of *action*, in lower case, as Asterisk spells it; "other" if it has none.

    What clients may choose without end becomes one of few words.
    """
    return _NAMES.get(action, "other")
