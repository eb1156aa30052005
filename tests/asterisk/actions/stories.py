# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that change something: each story is asked on a scene of its own, from the same start.

The headers of each step stand between bars; words in braces are names of what the story needs.
"""

from __future__ import annotations

from typing import NamedTuple


class Story(NamedTuple):
    """What it needs (props.py), and what is asked, step by step."""

    need: str
    steps: tuple[str, ...]


STORIES = {
    "channel": Story(
        "leg",
        (
            "Setvar|Channel: {leg}|Variable: NOTE|Value: M\xfcller: a, b",
            "Getvar|Channel: {leg}|Variable: NOTE",
            "Setvar|Variable: STORY|Value: x y",
            "Getvar|Variable: STORY",
            "AbsoluteTimeout|Channel: {leg}|Timeout: 60",
            "PlayDTMF|Channel: {leg}|Digit: 5",
            "PlayDTMF|Channel: {leg}|Digit: 5|Duration: 100|Receive: yes",
            "PlayMF|Channel: {leg}|Digit: 5",
            "SendFlash|Channel: {leg}",
            "SendText|Channel: {leg}|Message: hi",
            "SendText|Channel: {leg}|Message: hi|ContentType: text/html",
            "MuteAudio|Channel: {leg}|Direction: all|State: on",
            "AOCMessage|Channel: {leg}|MsgType: D|ChargeType: Free",
            "LocalOptimizeAway|Channel: {leg}",
            "Redirect|Channel: {leg}|Context: legs|Exten: stay|Priority: 1",
            "Hangup|Channel: {leg}|Cause: 16",
        ),
    ),
    "all channels of a kind": Story("leg", ("Hangup|Channel: /^Local/stay.*;1$/",)),
    "two channels": Story(
        "pair",
        (
            "BridgeInfo|BridgeUniqueid: {bridge}",
            "CoreShowChannelMap|Channel: {leg}",
            "BridgeKick|BridgeUniqueid: {bridge}|Channel: {leg}",
        ),
    ),
    "two channels are joined": Story(
        "legs", ("Bridge|Channel1: {leg}|Channel2: {other}|Tone: no",)
    ),
    "a bridge ends": Story("pair", ("BridgeDestroy|BridgeUniqueid: {bridge}",)),
    "a call is transferred": Story(
        "pair", ("BlindTransfer|Channel: {leg}|Context: legs|Exten: stay",)
    ),
    "a call is transferred with words": Story(
        "pair", ("Atxfer|Channel: {leg}|Context: legs|Exten: stay",)
    ),
    "a call is parked": Story("pair", ("Park|Channel: {leg}|Timeout: 60000",)),
    "a call is refused": Story("incoming", ("PJSIPHangup|Channel: {leg}|Cause: busy",)),
    "conference": Story(
        "conference",
        (
            "ConfbridgeList|Conference: story",
            "ConfbridgeMute|Conference: story|Channel: {leg}",
            "ConfbridgeUnmute|Conference: story|Channel: {leg}",
            "ConfbridgeSetSingleVideoSrc|Conference: story|Channel: {leg}",
            "ConfbridgeLock|Conference: story",
            "ConfbridgeUnlock|Conference: story",
            "ConfbridgeStartRecord|Conference: story|RecordFile: story.wav",
            "ConfbridgeStartRecord|Conference: story|RecordFile: story.wav",
            "ConfbridgeStopRecord|Conference: story",
            "ConfbridgeKick|Conference: story|Channel: {leg}",
        ),
    ),
    "recording": Story(
        "leg",
        (
            "MixMonitor|Channel: {leg}|File: story.wav|Options: b",
            "MixMonitorMute|Channel: {leg}|Direction: both|State: 1",
            "StopMixMonitor|Channel: {leg}",
            "StopMixMonitor|Channel: {leg}",
        ),
    ),
    "somebody waits in a queue": Story(
        "waiting",
        (
            "QueueChangePriorityCaller|Queue: dynamic|Caller: {leg}|Priority: 5",
            "QueueWithdrawCaller|Queue: dynamic|Caller: {leg}|WithdrawInfo: enough",
            "QueueWithdrawCaller|Queue: dynamic|Caller: {leg}",
        ),
    ),
    "members of a queue": Story(
        "",
        (
            "QueueReset|Queue: dynamic",
            "QueueAdd|Queue: dynamic|Interface: Local/7@x|MemberName: Dyn: Seven|Penalty: 1",
            "QueueAdd|Queue: dynamic|Interface: Local/7@x",
            "QueuePause|Queue: dynamic|Interface: Local/7@x|Paused: true|Reason: lunch; x: y",
            "QueuePenalty|Queue: dynamic|Interface: Local/7@x|Penalty: 3",
            "QueueMemberRingInUse|Queue: dynamic|Interface: Local/7@x|RingInUse: no",
            "QueueLog|Queue: dynamic|Event: STORY|Message: m",
            "QueueStatus|Queue: dynamic",
            "QueueSummary|Queue: dynamic",
            "QueueRemove|Queue: dynamic|Interface: Local/7@x",
            "QueueRemove|Queue: dynamic|Interface: Local/7@x",
            "QueueReset|Queue: dynamic",
            "QueueReload|Queue: dynamic|Members: yes|Rules: yes|Parameters: yes",
        ),
    ),
    "agent": Story("agent", ("AgentLogoff|Agent: 1002|Soft: false",)),
    "AGI": Story(
        "agi",
        (
            "AGI|Channel: {leg}|Command: NOOP|CommandID: c1",
            "AGI|Channel: {leg}|Command: EXEC Wait 0",
        ),
    ),
    "playback": Story(
        "playback",
        (
            "ControlPlayback|Channel: {leg}|Control: pause",
            "ControlPlayback|Channel: {leg}|Control: x",
        ),
    ),
    "database": Story(
        "",
        (
            "DBPut|Family: story|Key: k|Val: v: w \xfc",
            "DBGet|Family: story|Key: k",
            "DBDel|Family: story|Key: k",
            "DBDel|Family: story|Key: k",
            "DBPut|Family: story|Key: empty|Val: ",
            "DBPut|Family: story|Key: a/b|Val: 1",
            "DBGetTree|Family: story",
            "DBDelTree|Family: story|Key: a",
            "DBDelTree|Family: story",
        ),
    ),
    "dialplan": Story(
        "",
        tuple(
            f"Dialplan{what}|Context: story|Extension: new|Priority: 1{more}"
            for what, more in (
                ("ExtensionAdd", "|Application: NoOp|ApplicationData: a, b"),
                ("ExtensionAdd", "|Application: NoOp"),
                ("ExtensionAdd", "|Application: NoOp|Replace: yes"),
                ("ExtensionRemove", ""),
                ("ExtensionRemove", ""),
            )
        ),
    ),
    "files": Story(
        "no file",
        (
            "CreateConfig|Filename: story.conf",
            (
                "UpdateConfig|SrcFilename: story.conf|DstFilename: story.conf|Action-000000: NewCat"
                "|Cat-000000: one|Action-000001: Append|Cat-000001: one|Var-000001: a|Value-000001: >b"
            ),
            (
                "UpdateConfig|SrcFilename: story.conf|DstFilename: story.conf|Action-000000: DelCat"
                "|Cat-000000: none"
            ),
            "GetConfig|Filename: story.conf",
            "ListCategories|Filename: story.conf",
        ),
    ),
    "modules": Story(
        "",
        (
            "ModuleLoad|Module: app_while.so|LoadType: unload",
            "ModuleCheck|Module: app_while.so",
            "ModuleLoad|Module: app_while.so|LoadType: load",
            "ModuleLoad|Module: app_while.so|LoadType: load",
            "ModuleLoad|Module: app_queue.so|LoadType: reload",
            "Reload|Module: none",
            "Reload|Module: features",
            "LoggerRotate",
            "BridgeTechnologySuspend|BridgeTechnology: native_rtp",
            "BridgeTechnologyList",
            "BridgeTechnologyUnsuspend|BridgeTechnology: native_rtp",
        ),
    ),
    "originated": Story(
        "",
        (
            "Originate|Channel: Local/stay@legs|Application: Wait|Data: 0|Timeout: 9000",
            "Originate|Channel: Local/busy@legs|Application: Wait|Data: 0|Timeout: 9000",
            "Originate|Channel: Local/never@legs|Application: Wait|Data: 0|Timeout: 300",
            "Originate|Channel: Local/none@legs|Application: Wait|Data: 0|Timeout: 9000",
            (
                "Originate|Channel: Local/stay@legs|Context: legs|Exten: w0|Priority: 1|Variable: A=1"
                "|Variable: B=2,C=3|CallerID: M\xfcller <1>|Account: a|EarlyMedia: true|Timeout: 9000"
            ),
            "Originate|Channel: Local/stay@legs|Context: legs|Exten: w0|Priority: 1|Async: true",
            "Originate|Channel: Local/none@legs|Context: legs|Exten: w0|Priority: 1|Async: yes",
            "Originate|Channel: Local/stay@legs|Application: System|Data: true",
            "Ping|X: behind all calls",
        ),
    ),
    "phones": Story(
        "",
        (
            "PJSIPNotify|Endpoint: 109|Variable: Event=check-sync|Variable: Content=x=y",
            "PJSIPSetMaintenance|Endpoint: 109|State: on",
            "PJSIPShowMaintenance|Endpoint: 109",
            "PJSIPSetMaintenance|Endpoint: 109|State: off",
            "PJSIPUnregister|Registration: trunkreg",
            "PJSIPRegister|Registration: trunkreg",
            'MessageSend|To: pjsip:109|From: "x" <sip:x@127.0.0.1>|Body: hi',
            "MessageSend|To: pjsip:109|From: sip:x@127.0.0.1|Base64Body: aGkNCnlvdQ==|Variable: a=b",
        ),
    ),
    "voicemail": Story(
        "message",
        (
            "MailboxCount|Mailbox: 110@default",
            "VoicemailUserStatus|Context: default|Mailbox: 110",
            "VoicemailBoxSummary|Context: default|Mailbox: 110",
            (
                "VoicemailForward|Mailbox: 110|Context: default|Folder: INBOX|ID: {message}"
                "|ToMailbox: 101|ToContext: default|ToFolder: INBOX"
            ),
            "VoicemailMove|Mailbox: 110|Context: default|Folder: INBOX|ID: {message}|ToFolder: Old",
            "VoicemailRemove|Mailbox: 110|Context: default|Folder: Old|ID: {message}",
            "VoicemailRefresh|Context: default|Mailbox: 110",
        ),
    ),
    "an event": Story("", ("UserEvent|UserEvent: Story|A: b|A: c|NoColon",)),
}


def actions() -> set[str]:
    """Return the names of all actions in the stories."""
    return {step.partition("|")[0] for one in STORIES.values() for step in one.steps}


def blocks(story: Story, names: dict[str, str]) -> list[tuple[str, ...]]:
    """Return the lines of the steps, where what the story needs has these *names*."""
    found = []
    for step in story.steps:
        action, *lines = step.format(**names).split("|")
        found.append((f"Action: {action}", *lines))
    return found
