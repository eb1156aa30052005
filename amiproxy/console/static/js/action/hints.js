// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
// What the Action tab knows of actions before it asks a server: one row an action of Asterisk.
//
// Name; "reads" if it changes nothing, else "acts"; the classes of which a user needs one in `write`
// ("none": no class is needed); its headers, "!" those it cannot do without, "*" those that may be
// repeated.  Names, kinds and classes are those of amiproxy/asterisk/actions.py: a test compares.

const ROWS = `
AbsoluteTimeout acts call,system Channel! Timeout!
AgentLogoff acts agent Agent! Soft
Agents reads agent
AGI acts agi Channel! Command! CommandID
AOCMessage acts aoc Channel ChannelPrefix MsgType! ChargeType! UnitAmount(0) UnitType(0) CurrencyName CurrencyAmount CurrencyMultiplier TotalType AOCBillingId ChargingAssociationId ChargingAssociationNumber ChargingAssociationPlan
Atxfer acts call Channel! Exten! Context
BlindTransfer acts call Channel! Exten! Context
Bridge acts call Channel1! Channel2! Tone
BridgeDestroy acts none BridgeUniqueid!
BridgeInfo reads none BridgeUniqueid!
BridgeKick acts none BridgeUniqueid Channel!
BridgeList reads none BridgeType
BridgeTechnologyList reads none
BridgeTechnologySuspend acts none BridgeTechnology!
BridgeTechnologyUnsuspend acts none BridgeTechnology!
CancelAtxfer acts call Channel!
Challenge reads none AuthType!
ChangeMonitor acts call Channel! File!
Command acts command Command!
ConfbridgeKick acts call Conference! Channel!
ConfbridgeList reads reporting Conference!
ConfbridgeListRooms reads reporting
ConfbridgeLock acts call Conference!
ConfbridgeMute acts call Conference! Channel!
ConfbridgeSetSingleVideoSrc acts call Conference! Channel!
ConfbridgeStartRecord acts system Conference! RecordFile
ConfbridgeStopRecord acts system Conference!
ConfbridgeUnlock acts call Conference!
ConfbridgeUnmute acts call Conference! Channel!
ControlPlayback acts call Channel! Control!
CoreSettings reads reporting,system
CoreShowChannelMap reads reporting,system Channel!
CoreShowChannels reads reporting,system
CoreStatus reads reporting,system
CreateConfig acts config Filename!
DAHDIDialOffhook acts none DAHDIChannel! Number!
DAHDIDNDoff acts none DAHDIChannel!
DAHDIDNDon acts none DAHDIChannel!
DAHDIHangup acts none DAHDIChannel!
DAHDIRestart acts none
DAHDIShowChannels reads none DAHDIChannel
DAHDIShowStatus reads none
DAHDITransfer acts none DAHDIChannel!
DataGet reads none Path! Search Filter
DBDel acts system Family! Key!
DBDelTree acts system Family! Key
DBGet reads reporting,system Family! Key!
DBGetTree reads reporting,system Family Key
DBPut acts system Family! Key! Val
DeviceStateList reads call,reporting
DialplanExtensionAdd acts system Context! Extension! Priority! Application! ApplicationData Replace
DialplanExtensionRemove acts system Context! Extension! Priority
Events reads none EventMask!
ExtensionState reads call,reporting Exten! Context!
ExtensionStateList reads call,reporting
FAXSession reads call SessionNumber!
FAXSessions reads call
FAXStats reads reporting
Filter reads system Operation! Filter! MatchCriteria
GetConfig reads config,system Filename! Category Filter
GetConfigJSON reads config,system Filename! Category Filter
Getvar acts call,reporting Channel Variable!
Hangup acts call,system Channel! Cause
IAXnetstats reads reporting,system
IAXpeerlist reads reporting,system
IAXpeers reads reporting,system
IAXregistry reads reporting,system
JabberSend acts system Jabber! JID! Message!
ListCategories reads config Filename!
ListCommands reads none
LocalOptimizeAway acts call,system Channel!
LoggerRotate acts reporting,system
Login reads none Username! Secret! AuthType Key Events
Logoff reads none
MailboxCount reads call,reporting Mailbox!
MailboxStatus reads call,reporting Mailbox!
MeetmeList reads reporting Conference
MeetmeListRooms reads reporting
MeetmeMute acts call Meetme! Usernum!
MeetmeUnmute acts call Meetme! Usernum!
MessageSend acts message Destination To From Body Base64Body Variable*
MixMonitor acts system Channel! File Options Command
MixMonitorMute acts call,system Channel! Direction State! MixMonitorID
ModuleCheck reads system Module!
ModuleLoad acts system Module LoadType!
Monitor acts call Channel! File Format Mix
MuteAudio acts system Channel! Direction! State!
MWIDelete acts call Mailbox!
MWIGet reads call,reporting Mailbox!
MWIUpdate acts call Mailbox! OldMessages NewMessages
Originate acts originate Channel! Context Exten Priority Application Data Timeout CallerID Variable* Account EarlyMedia Async Codecs ChannelId OtherChannelId PreDialGoSub
Park acts call Channel! TimeoutChannel AnnounceChannel Timeout Parkinglot
ParkedCalls reads call ParkingLot
Parkinglots reads call
PauseMonitor acts call Channel!
Ping reads none
PJSIPHangup acts call,system Channel! Cause
PJSIPNotify acts system Endpoint URI Channel Option Variable*
PJSIPQualify acts reporting,system Endpoint!
PJSIPRegister acts reporting,system Registration!
PJSIPSetMaintenance acts system Endpoint! State!
PJSIPShowAors reads system
PJSIPShowAuths reads system
PJSIPShowContacts reads system
PJSIPShowEndpoint reads system Endpoint!
PJSIPShowEndpoints reads system
PJSIPShowMaintenance reads reporting,system Endpoint
PJSIPShowRegistrationInboundContactStatuses reads system
PJSIPShowRegistrationsInbound reads system
PJSIPShowRegistrationsOutbound reads reporting,system
PJSIPShowResourceLists reads system
PJSIPShowSubscriptionsInbound reads system
PJSIPShowSubscriptionsOutbound reads system
PJSIPUnregister acts reporting,system Registration!
PlayDTMF acts call Channel! Digit! Duration Receive
PlayMF acts call Channel! Digit! Duration
PresenceState reads call,reporting Provider!
PresenceStateList reads call,reporting
PRIDebugFileSet acts system File!
PRIDebugFileUnset acts none
PRIDebugSet acts none Span! Level!
PRIShowSpans reads none Span
QueueAdd acts agent Queue! Interface! Penalty Paused MemberName StateInterface
QueueChangePriorityCaller acts none Queue! Caller! Priority! Immediate
QueueLog acts agent Queue! Event! Uniqueid Interface Message
QueueMemberRingInUse acts agent Interface! RingInUse! Queue
QueuePause acts agent Interface! Paused! Queue Reason
QueuePenalty acts agent Interface! Penalty! Queue
QueueReload acts none Queue Members Rules Parameters
QueueRemove acts agent Queue! Interface!
QueueReset acts none Queue
QueueRule reads none Rule
Queues reads none
QueueStatus reads none Queue Member
QueueSummary reads none Queue
QueueWithdrawCaller acts none Queue! Caller! WithdrawInfo
Redirect acts call Channel! Exten! Context! Priority! ExtraChannel ExtraExten ExtraContext ExtraPriority
Reload acts config,system Module
SendFlash acts call Channel! Receive
SendText acts call Channel! Message! ContentType
Setvar acts call Channel Variable! Value!
ShowDialPlan reads config,reporting Context Extension
SIPnotify acts system Channel! Variable!* CallID
SIPpeers reads reporting,system
SIPpeerstatus reads system Peer
SIPqualifypeer acts reporting,system Peer!
SIPshowpeer reads reporting,system Peer!
SIPshowregistry reads reporting,system
SKINNYdevices reads reporting,system
SKINNYlines reads reporting,system
SKINNYshowdevice reads reporting,system Device!
SKINNYshowline reads reporting,system Line!
SorceryMemoryCacheExpire acts system Cache!
SorceryMemoryCacheExpireObject acts system Cache! Object!
SorceryMemoryCachePopulate acts system Cache!
SorceryMemoryCacheStale acts system Cache!
SorceryMemoryCacheStaleObject acts system Cache! Object! Reload
Status reads call,reporting,system Channel Variables AllVariables
StopMixMonitor acts call,system Channel! MixMonitorID
StopMonitor acts call Channel!
UnpauseMonitor acts call Channel!
UpdateConfig acts config SrcFilename! DstFilename! Reload PreserveEffectiveContext Action-000000! Cat-000000 Var-000000 Value-000000 Match-000000 Line-000000 Options-000000
UserEvent acts user UserEvent!
VoicemailBoxSummary reads call,reporting Context! Mailbox!
VoicemailForward acts user Mailbox! Context! Folder! ID! ToMailbox! ToContext! ToFolder!
VoicemailMove acts user Mailbox! Context! Folder! ID! ToFolder!
VoicemailRefresh acts user Context Mailbox
VoicemailRemove acts user Mailbox! Context! Folder! ID!
VoicemailUsersList reads call,reporting
VoicemailUserStatus reads call,reporting Context! Mailbox!
WaitEvent reads none Timeout
`;

/**
 * @typedef {object} Header
 * @property {string} name
 * @property {boolean} needed
 * @property {boolean} repeats
 *
 * @typedef {object} Hint
 * @property {string} name
 * @property {boolean} reads
 * @property {string[]} classes
 * @property {Header[]} headers
 */

/** @type {Map<string, Hint>} by name in lower case */
export const HINTS = new Map(ROWS.trim().split("\n").map((row) => {
  const [name, kind, classes, ...headers] = row.split(" ");
  return [name.toLowerCase(), {
    name,
    reads: kind === "reads",
    classes: classes === "none" ? [] : classes.split(","),
    headers: headers.map(header),
  }];
}));

/** @param {string} text @returns {Header} */
function header(text) {
  return {
    name: text.replace(/[!*]+$/, ""),
    needed: text.includes("!"),
    repeats: text.includes("*"),
  };
}
