# SPDX-License-Identifier: GPL-2.0-or-later
"""The dialplan applications of Asterisk, and what can be done with each: data.

Every application that Asterisk 22 documents is in one row, and those of older versions
that matter.
"""

from __future__ import annotations

from typing import NamedTuple

#: Parts of names, in lower case, of what runs commands, reads or writes files or the
#: database, or reaches other machines.  As in Asterisk a part is enough: "exec" stands for
#: Exec, TryExec, ExecIf, ExecIfTime; "agi" for EAGI and FastAGI.
DANGEROUS_PARTS = {
    "agi": "runs a program",
    "alarmreceiver": "runs a program, writes files",
    "audiosocket": "connects to another machine",
    "curl": "connects to another machine",
    "dahdiras": "runs a program",
    "dbdel": "deletes from the database",
    "dbget": "reads the database",
    "dbput": "writes the database",
    "dictate": "writes files",
    "exec": "runs any application",
    "externalivr": "runs a program",
    "fax": "reads or writes any file: SendFAX, ReceiveFAX, RxFAX, TxFAX",
    "festival": "connects to another machine",
    "grammar": "reads files: SpeechLoadGrammar",
    "ices": "runs a program",
    "jabber": "sends to another machine",
    "jack": "connects to another program",
    "ldap": "connects to another machine",
    "minivm": "runs a command for each message",
    "monitor": "runs a command when it ends, writes files: MixMonitor, Monitor",
    "mp3player": "runs a program, reads any file",
    "mysql": "connects to a database",
    "nbscat": "runs a program",
    "odbc": "connects to a database",
    "originate": "runs an application inside an application",
    "readfile": "reads any file",
    "realtime": "reads the configuration",
    "record": "writes any file",
    "reload": "reloads modules",
    "sendimage": "reads any file",
    "sms": "writes files",
    "statsd": "sends to another machine",
    "system": "runs a command: System, TrySystem",
    "testclient": "writes files",
    "testserver": "writes files",
    "zapras": "runs a program",
}


class Applications(NamedTuple):
    """Applications of one kind, in lower case, and why a filtered user may not run them.

    A filtered user has a channel or a context that they may act on.
    """

    why: str
    names: tuple[str, ...]
    #: Whether the class ``system`` is what they need, and all that they need.
    needs_system: bool = False


def _row(why: str, names: str, *, needs_system: bool = False) -> Applications:
    return Applications(why, tuple(names.lower().split()), needs_system)


#: What a filtered user may run, whatever its data: it acts on the channel alone.
HARMLESS = _row(
    "",
    "AMD Answer Busy Congestion DateTime Echo Flash Hangup HangupCauseClear Milliwatt Morsecode"
    " MusicOnHold NoOp PJSIPHangup PlayTones Proceeding Progress Ringing SayAlpha SayAlphaCase"
    " SayCountedAdj SayCountedNoun SayDigits SayMoney SayNumber SayOrdinal SayPhonetic SayUnixTime"
    " SendText SetMusicOnHold StartMusicOnHold StopMusicOnHold StopPlayTones StreamEcho Wait"
    " WaitForNoise WaitForRing WaitForSilence WaitForTone WaitMusicOnHold WaitUntil Zapateller",
)
#: What they may run with a sound file of Asterisk's own directory.
SOUNDS = _row("", "ControlPlayback Playback")
#: What they may run if it names channels of theirs, in the way of the application.
DIAL = _row("", "Dial")
DTMF = _row("", "SendDTMF")

CHANNELS = _row(
    "it reaches channels of others",
    "AddQueueMember AgentLogin AgentRequest AttendedTransfer BlindTransfer Bridge BridgeAdd"
    " BridgeWait Broadcast CallCompletionCancel CallCompletionRequest ChanIsAvail ChanSpy"
    " ChannelRedirect ConfBridge ConfKick DAHDIBarge DAHDIScan ExtenSpy FollowMe MeetMe MeetMeAdmin"
    " MeetMeChannelAdmin MeetMeCount PJSIPNotify Page Park ParkAndAnnounce ParkedCall"
    " PauseQueueMember Pickup PickupChan Queue QueueUpdate RemoveQueueMember RetryDial SLAStation"
    " SLATrunk SendMF SendSF Signal SoftHangup Stasis StasisBroadcast Transfer"
    " UnpauseQueueMember WaitForSignal",
)
CONTEXTS = _row(
    "it goes on in a context",
    "AELSub BackGround BackgroundDetect ContinueWhile DISA Directory Else ElseIf EndIf EndWhile"
    " ExitIf ExitWhile Gosub GosubIf Goto GotoIf GotoIfTime IVRDemo If Incomplete Macro"
    " MacroExclusive MacroExit MacroIf PrivacyManager RaiseException Read ReadExten Return StackPop"
    " VMAuthenticate VMSayName VoiceMail VoiceMailMain VoiceMailPlayMsg WaitExten WaitForCondition"
    " While",
)
VARIABLES = _row(
    "it writes variables that are not looked at",
    "ClearHash ImportVar MSet ReceiveMF ReceiveSF ReceiveText Set SetGlobalVar SetVar StoreDTMF"
    " ToneScan WaitDigit",
)
BILLING = _row(
    "it changes how calls are recorded",
    "AppendCDRUserField CELGenUserEvent ForkCDR NoCDR ResetCDR SetAMAFlags SetAccount"
    " SetCDRUserField",
)
MESSAGES = _row(
    "it sends messages, events or lines of the log",
    "DumpChan Log MessageSend QueueLog UserEvent Verbose",
)
HARDWARE = _row(
    "it acts on a device or a trunk",
    "ADSIProg DAHDIAcceptR2Call DAHDISendCallreroutingFacility DAHDISendKeypadFacility GetCPEID"
    " IAX2Provision SkelGuessNumber",
)
SPEECH = _row(
    "it hands the call to an engine for speech",
    "SpeechBackground SpeechCreate SpeechDestroy SpeechProcessingSound SpeechStart",
)
PASSWORDS = _row("it reads a file of passwords", "Authenticate", needs_system=True)
PROGRAMS = _row(
    "it runs programs, reads or writes files, or reaches other machines",
    "AGI AlarmReceiver AudioSocket DBdeltree DeadAGI Dictate EAGI Exec ExecIf ExecIfTime"
    " ExternalIVR Festival JACK JabberJoin JabberLeave JabberSend JabberSendGroup MP3Player"
    " MinivmAccMess MinivmDelete MinivmGreet MinivmMWI MinivmNotify MinivmRecord MixMonitor"
    " ODBCFinish ODBC_Commit ODBC_Rollback Originate ReceiveFAX Record Reload SMS SendFAX"
    " SpeechActivateGrammar SpeechDeactivateGrammar SpeechLoadGrammar SpeechUnloadGrammar StatsD"
    " StopMixMonitor System TestClient TestServer TryExec TrySystem",
    needs_system=True,
)

#: All of them.
ROWS = (
    HARMLESS, SOUNDS, DIAL, DTMF, CHANNELS, CONTEXTS, VARIABLES, BILLING, MESSAGES,
    HARDWARE, SPEECH, PASSWORDS, PROGRAMS,
)  # fmt: skip
#: By name.
ROW_OF = {name: row for row in ROWS for name in row.names}

#: What a filtered user may put behind the destinations of a Dial: ringing and music,
#: whether the callee's number is shown, no reaction to redirections.
DIAL_OPTIONS = frozenset("rRmiIocg")

#: Commands of AGI that a filtered user may send; those behind them are looked at, too.
AGI_OWN = frozenset(
    {
        "answer", "asyncagi break", "noop", "receive char", "receive text", "say alpha", "say date",
        "say datetime", "say digits", "say number", "say phonetic", "say time", "send text",
        "set autohangup", "set callerid", "set extension", "set music", "set priority", "tdd mode",
        "verbose", "wait for digit",
    }
)  # fmt: skip
#: Those that name a sound file.
AGI_SOUNDS = frozenset({"control stream file", "get data", "get option", "stream file"})
#: Those whose argument, if there is one, names a channel.
AGI_CHANNELS = frozenset({"channel status", "hangup"})
#: Those that name a context.
AGI_CONTEXTS = frozenset({"gosub", "set context"})
