# SPDX-License-Identifier: GPL-2.0-or-later
"""What each manager action reaches beyond the caller's own calls: data.

For users whose channels or context are limited.  The headers are those that the sources of
Asterisk 1.8 to 23 read (``astman_get_header``).  Headers that name a channel in any
action (``Channel``, ``Interface``...) are checked wherever they stand, see
amiproxy/routing/actionfilter.py; here is what differs from action to action.
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
_ROLES = frozenset(("need", "device", "context"))


class Reach(NamedTuple):
    """What an action reaches, and the headers that say so, in lower case."""

    kind: str
    #: Without them the action means everybody's, or what is global.
    needed: tuple[str, ...] = ()
    #: They name a mailbox, agent or endpoint, by the name of the user's device.
    devices: tuple[str, ...] = ()
    #: Asterisk takes another context where this header is missing.
    context: str = ""


# Action, kind, then header=role: need, device (which is needed as well), or context (to be
# added where it is missing).
_ROWS = """
AbsoluteTimeout       named
AgentLogoff           named  Agent=device
Agents                reads
AGI                   named
AOCMessage            named
Atxfer                named Context=context
BlindTransfer         named Context=context
Bridge                named
BridgeDestroy         named
BridgeInfo            reads
BridgeKick            named
BridgeList            reads
BridgeTechnologyList  reads
BridgeTechnologySuspend    everybody
BridgeTechnologyUnsuspend  everybody
CancelAtxfer          named
Challenge             reads
ChangeMonitor         named
Command               class
ConfbridgeKick        named
ConfbridgeList        reads
ConfbridgeListRooms   reads
ConfbridgeLock        everybody
ConfbridgeMute        named
ConfbridgeSetSingleVideoSrc  named
ConfbridgeStartRecord class
ConfbridgeStopRecord  class
ConfbridgeUnlock      everybody
ConfbridgeUnmute      named
ControlPlayback       named
CoreSettings          reads
CoreShowChannelMap    reads
CoreShowChannels      reads
CoreStatus            reads
CreateConfig          class
DAHDIDialOffhook      named
DAHDIDNDoff           named
DAHDIDNDon            named
DAHDIHangup           named
DAHDIRestart          everybody
DAHDIShowChannels     reads
DAHDIShowStatus       reads
DAHDITransfer         named
DataGet               reads
DBDel                 class
DBDelTree             class
DBGet                 reads
DBGetTree             reads
DBPut                 class
DeviceStateList       reads
DialplanExtensionAdd     class
DialplanExtensionRemove  class
Events                reads
ExtensionState        reads
ExtensionStateList    reads
FAXSession            reads
FAXSessions           reads
FAXStats              reads
Filter                reads
GetConfig             reads
GetConfigJSON         reads
Getvar                named  Channel=need
Hangup                named
IAXnetstats           reads
IAXpeerlist           reads
IAXpeers              reads
IAXregistry           reads
JabberSend            class
ListCategories        reads
ListCommands          reads
LocalOptimizeAway     named
LoggerRotate          everybody
Login                 reads
Logoff                reads
MailboxCount          reads
MailboxStatus         reads
MeetmeList            reads
MeetmeListRooms       reads
MeetmeMute            everybody
MeetmeUnmute          everybody
MessageSend           named
MixMonitor            class
MixMonitorMute        named
ModuleCheck           reads
ModuleLoad            class
Monitor               named
MuteAudio             named
MWIDelete             named  Mailbox=device
MWIGet                reads
MWIUpdate             named  Mailbox=device
Originate             named
Park                  named
ParkedCalls           reads
Parkinglots           reads
PauseMonitor          named
Ping                  reads
PJSIPHangup           named
PJSIPNotify           class
PJSIPQualify          named  Endpoint=device
PJSIPRegister         everybody
PJSIPSetMaintenance   class
PJSIPShowAors         reads
PJSIPShowAuths        reads
PJSIPShowContacts     reads
PJSIPShowEndpoint     reads
PJSIPShowEndpoints    reads
PJSIPShowMaintenance  reads
PJSIPShowRegistrationInboundContactStatuses  reads
PJSIPShowRegistrationsInbound   reads
PJSIPShowRegistrationsOutbound  reads
PJSIPShowResourceLists          reads
PJSIPShowSubscriptionsInbound   reads
PJSIPShowSubscriptionsOutbound  reads
PJSIPUnregister       everybody
PlayDTMF              named
PlayMF                named
PresenceState         reads
PresenceStateList     reads
PRIDebugFileSet       class
PRIDebugFileUnset     everybody
PRIDebugSet           everybody
PRIShowSpans          reads
QueueAdd              named
QueueChangePriorityCaller  named
QueueLog              named
QueueMemberRingInUse  named
QueuePause            named
QueuePenalty          named
QueueReload           everybody
QueueRemove           named
QueueReset            everybody
QueueRule             reads
Queues                reads
QueueStatus           reads
QueueSummary          reads
QueueWithdrawCaller   named
Redirect              named Context=context
Reload                class
SendFlash             named
SendText              named
Setvar                named  Channel=need
ShowDialPlan          reads
SIPnotify             class
SIPpeers              reads
SIPpeerstatus         reads
SIPqualifypeer        named  Peer=device
SIPshowpeer           reads
SIPshowregistry       reads
SKINNYdevices         reads
SKINNYlines           reads
SKINNYshowdevice      reads
SKINNYshowline        reads
SorceryMemoryCacheExpire        class
SorceryMemoryCacheExpireObject  class
SorceryMemoryCachePopulate      class
SorceryMemoryCacheStale         class
SorceryMemoryCacheStaleObject   class
Status                reads
StopMixMonitor        named
StopMonitor           named
UnpauseMonitor        named
UpdateConfig          class
UserEvent             named
VoicemailBoxSummary   reads
VoicemailForward      named  Mailbox=device
VoicemailMove         named  Mailbox=device
VoicemailRefresh      named  Mailbox=device
VoicemailRemove       named  Mailbox=device
VoicemailUsersList    reads
VoicemailUserStatus   reads
WaitEvent             reads
"""


def _reach(row: str) -> tuple[str, Reach]:
    """Read one row."""
    name, kind, *roles = row.split()
    pairs = [role.lower().split("=") for role in roles]
    assert kind in _KINDS, row
    assert _ROLES.issuperset(role for _, role in pairs), row
    contexts = [header for header, role in pairs if role == "context"]
    return name.lower(), Reach(
        kind,
        needed=tuple(header for header, role in pairs if role != "context"),
        devices=tuple(header for header, role in pairs if role == "device"),
        context=contexts[0] if contexts else "",
    )


#: Action, in lower case -> what it reaches.
REACH: dict[str, Reach] = dict(_reach(row) for row in _ROWS.strip().splitlines())
