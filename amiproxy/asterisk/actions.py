# SPDX-License-Identifier: GPL-2.0-or-later
"""The manager actions of Asterisk 1.8 to 23, and the classes each version asks for: data.

Read off the registrations in the sources of 1.8, 11, 13, 16, 18, 20, 22 and 23.  A row is
the action and, for each span of these versions, the classes of which a user needs one in
``write`` (``none``: no class is needed).  In a version that no span covers the action does
not exist.

An action with several spans asks for different things in different versions.  The proxy
does not know which version answers, so a user needs what every one of them asks for.
"""

from __future__ import annotations

from typing import NamedTuple


class Span(NamedTuple):
    """What the versions from *first* to *last* ask for: one of *classes*, or nothing."""

    first: str
    last: str
    classes: tuple[str, ...]


_ROWS = """
AbsoluteTimeout                             1.8-23 call,system
AgentLogoff                                 1.8-23 agent
Agents                                      1.8-23 agent
AGI                                         1.8-23 agi
AOCMessage                                  1.8-23 aoc
Atxfer                                      1.8-23 call
BlindTransfer                               13-23 call
Bridge                                      1.8-23 call
BridgeDestroy                               13-23 none
BridgeInfo                                  13-23 none
BridgeKick                                  13-23 none
BridgeList                                  13-23 none
BridgeTechnologyList                        13-23 none
BridgeTechnologySuspend                     13-23 none
BridgeTechnologyUnsuspend                   13-23 none
CancelAtxfer                                13-23 call
Challenge                                   1.8-23 none
ChangeMonitor                               1.8-20 call
Command                                     1.8-23 command
ConfbridgeKick                              11-23 call
ConfbridgeList                              11-23 reporting
ConfbridgeListRooms                         11-23 reporting
ConfbridgeLock                              11-23 call
ConfbridgeMute                              11-23 call
ConfbridgeSetSingleVideoSrc                 11-23 call
ConfbridgeStartRecord                       11-23 system
ConfbridgeStopRecord                        11-13 call  16-23 system
ConfbridgeUnlock                            11-23 call
ConfbridgeUnmute                            11-23 call
ControlPlayback                             13-23 call
CoreSettings                                1.8-23 reporting,system
CoreShowChannelMap                          18-23 reporting,system
CoreShowChannels                            1.8-23 reporting,system
CoreStatus                                  1.8-23 reporting,system
CreateConfig                                1.8-23 config
DAHDIDialOffhook                            1.8-23 none
DAHDIDNDoff                                 1.8-23 none
DAHDIDNDon                                  1.8-23 none
DAHDIHangup                                 1.8-23 none
DAHDIRestart                                1.8-23 none
DAHDIShowChannels                           1.8-23 none
DAHDIShowStatus                             18-23 none
DAHDITransfer                               1.8-23 none
DataGet                                     1.8-13 none
DBDel                                       1.8-23 system
DBDelTree                                   1.8-23 system
DBGet                                       1.8-23 reporting,system
DBGetTree                                   16-23 reporting,system
DBPut                                       1.8-23 system
DeviceStateList                             13-23 call,reporting
DialplanExtensionAdd                        13-23 system
DialplanExtensionRemove                     13-23 system
Events                                      1.8-23 none
ExtensionState                              1.8-23 call,reporting
ExtensionStateList                          13-23 call,reporting
FAXSession                                  13-23 call
FAXSessions                                 13-23 call
FAXStats                                    13-23 reporting
Filter                                      11-23 system
GetConfig                                   1.8-23 config,system
GetConfigJSON                               1.8-23 config,system
Getvar                                      1.8-23 call,reporting
Hangup                                      1.8-23 call,system
IAXnetstats                                 1.8-23 reporting,system
IAXpeerlist                                 1.8-23 reporting,system
IAXpeers                                    1.8-23 reporting,system
IAXregistry                                 1.8-23 reporting,system
JabberSend                                  1.8-23 system
ListCategories                              1.8-23 config
ListCommands                                1.8-23 none
LocalOptimizeAway                           1.8-23 call,system
LoggerRotate                                13-23 reporting,system
Login                                       1.8-23 none
Logoff                                      1.8-23 none
MailboxCount                                1.8-23 call,reporting
MailboxStatus                               1.8-23 call,reporting
MeetmeList                                  1.8-23 reporting
MeetmeListRooms                             11-23 reporting
MeetmeMute                                  1.8-23 call
MeetmeUnmute                                1.8-23 call
MessageSend                                 11-23 message
MixMonitor                                  11-23 system
MixMonitorMute                              1.8 none  11-23 call,system
ModuleCheck                                 1.8-23 system
ModuleLoad                                  1.8-23 system
Monitor                                     1.8-20 call
MuteAudio                                   1.8-23 system
MWIDelete                                   13-23 call
MWIGet                                      13-23 call,reporting
MWIUpdate                                   13-23 call
Originate                                   1.8-23 originate
Park                                        1.8-23 call
ParkedCalls                                 1.8-11 none  13-23 call
Parkinglots                                 11 none  13-23 call
PauseMonitor                                1.8-20 call
Ping                                        1.8-23 none
PJSIPHangup                                 18-23 call,system
PJSIPNotify                                 13-23 system
PJSIPQualify                                13-23 reporting,system
PJSIPRegister                               13-23 reporting,system
PJSIPSetMaintenance                         20-23 system
PJSIPShowAors                               16-23 system
PJSIPShowAuths                              16-23 system
PJSIPShowContacts                           16-23 system
PJSIPShowEndpoint                           13-23 system
PJSIPShowEndpoints                          13-23 system
PJSIPShowMaintenance                        20-23 reporting,system
PJSIPShowRegistrationInboundContactStatuses 13-23 system
PJSIPShowRegistrationsInbound               13-23 system
PJSIPShowRegistrationsOutbound              13-23 reporting,system
PJSIPShowResourceLists                      13-23 system
PJSIPShowSubscriptionsInbound               13-23 system
PJSIPShowSubscriptionsOutbound              13-23 system
PJSIPUnregister                             13-23 reporting,system
PlayDTMF                                    1.8-23 call
PlayMF                                      16-23 call
PresenceState                               11-23 call,reporting
PresenceStateList                           13-23 call,reporting
PRIDebugFileSet                             13-23 system
PRIDebugFileUnset                           13-23 none
PRIDebugSet                                 13-23 none
PRIShowSpans                                11-23 none
QueueAdd                                    1.8-23 agent
QueueChangePriorityCaller                   16-23 none
QueueLog                                    1.8-23 agent
QueueMemberRingInUse                        11-23 agent
QueuePause                                  1.8-23 agent
QueuePenalty                                1.8-23 agent
QueueReload                                 1.8-23 none
QueueRemove                                 1.8-23 agent
QueueReset                                  1.8-23 none
QueueRule                                   1.8-23 none
Queues                                      1.8-13 none
QueueStatus                                 1.8-23 none
QueueSummary                                1.8-23 none
QueueWithdrawCaller                         16-23 none
Redirect                                    1.8-23 call
Reload                                      1.8-23 config,system
SendFlash                                   18-23 call
SendText                                    1.8-23 call
Setvar                                      1.8-23 call
ShowDialPlan                                1.8-23 config,reporting
SIPnotify                                   1.8-20 system
SIPpeers                                    1.8-20 reporting,system
SIPpeerstatus                               11-20 system
SIPqualifypeer                              1.8-20 reporting,system
SIPshowpeer                                 1.8-20 reporting,system
SIPshowregistry                             1.8-20 reporting,system
SKINNYdevices                               1.8-20 reporting,system
SKINNYlines                                 1.8-20 reporting,system
SKINNYshowdevice                            1.8-20 reporting,system
SKINNYshowline                              1.8-20 reporting,system
SorceryMemoryCacheExpire                    13-23 system
SorceryMemoryCacheExpireObject              13-23 system
SorceryMemoryCachePopulate                  13-23 system
SorceryMemoryCacheStale                     13-23 system
SorceryMemoryCacheStaleObject               13-23 system
Status                                      1.8-23 call,reporting,system
StopMixMonitor                              11-23 call,system
StopMonitor                                 1.8-20 call
UnpauseMonitor                              1.8-20 call
UpdateConfig                                1.8-23 config
UserEvent                                   1.8-23 user
VoicemailBoxSummary                         18-23 call,reporting
VoicemailForward                            18-23 user
VoicemailMove                               18-23 user
VoicemailRefresh                            13-23 user
VoicemailRemove                             18-23 user
VoicemailUsersList                          1.8-23 call,reporting
VoicemailUserStatus                         16-23 call,reporting
WaitEvent                                   1.8-23 none
"""


def _span(versions: str, classes: str) -> Span:
    """Read one span: ``11-13 call`` or ``1.8 none``."""
    first, _, last = versions.partition("-")
    return Span(first, last or first, () if classes == "none" else tuple(classes.split(",")))


def _spans(row: str) -> tuple[Span, ...]:
    """Read what stands behind the name of a row."""
    words = row.split()[1:]
    return tuple(_span(*pair) for pair in zip(words[::2], words[1::2]))


#: Action, as Asterisk spells it -> what its versions ask for.
ACTIONS: dict[str, tuple[Span, ...]] = {
    row.split()[0]: _spans(row) for row in _ROWS.strip().splitlines()
}
