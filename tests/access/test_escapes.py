# SPDX-License-Identifier: GPL-2.0-or-later
"""Actions that could leave the PBX are found, ordinary ones are not."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.access.escapes import escape
from amiproxy.message import Message

APPLICATIONS = [
    "Record",
    "SendFAX",
    "ReceiveFAX",
    "TxFAX",
    "MP3Player",
    "NBScat",
    "Festival",
    "Dictate",
    "JACK",
    "SMS",
    "AlarmReceiver",
    "AudioSocket",
    "SpeechLoadGrammar",
    "TestServer",
    "DBget",
    "System",
    "TrySystem",
    "Exec",
    "TryExec",
    "ExecIf",
    "ExecIfTime",
    "AGI",
    "EAGI",
    "FastAGI",
    "DeadAGI",
    "AsyncAGI",
    "MixMonitor",
    "Monitor",
    "ExternalIVR",
    "Originate",
    "ReadFile",
    "Reload",
    "DBdeltree",
    "DBdel",
    "MinivmNotify",
    "DAHDIRAS",
    "ICES",
]


def escapes(name: str, *lines: str) -> bool:
    """Return whether the action *name* with the headers *lines* could leave the PBX."""
    return escape(Message.of(f"Action: {name}", *lines)) is not None


@pytest.mark.parametrize("application", APPLICATIONS)
def test_an_originate_of_a_dangerous_application(application: str) -> None:
    """In any case."""
    assert escapes("Originate", "Channel: SIP/1", f"Application: {application}")
    assert escapes("Originate", f"Application: {application.upper()}")
    assert escapes("Originate", f"Application: {application.lower()}")


@pytest.mark.parametrize(
    "line", ["application:System", "APPLICATION:   System ", "Application: \tSystem"]
)
def test_blanks_and_case_do_not_hide_an_application(line: str) -> None:
    """Asterisk does not mind them either."""
    assert escapes("Originate", line)


@pytest.mark.parametrize(
    "lines",
    [
        ["Application: Playback", "Data: imagination"],
        ["Application: Dial", "Data: PJSIP/100,30,tT"],
        ["Application: Queue", "Data: support,t,,,60"],
        ["Application: Wait", "Data: 1"],
        ["Application: ConfBridge", "Data: 1"],
        ["Context: system", "Exten: 100", "Priority: 1"],
        ["Context: agi-test", "Exten: 100", "Variable: profile(x)=1"],
        ["Exten: 1", "Variable: CDR(userfield)=a,CALLERID(name)=Joe (sales)"],
        ["CallerID: Shelly (sales) <100>"],
        ["Variable: x=${CALLERID(num)}"],
        ["CallerID: Agent (sales) <100>"],
        ["Application: MeetMe", "Data: 100,dM"],
        ["Application: ChanSpy", "Data: SIP/100,q"],
        ["Application: Authenticate", "Data: 1234"],
        ["Application: DISA", "Data: no-password,in"],
        ["Variable: x=${CUT(CALLERID(num),@,1)}"],
        ["Application: Set", "Data: CALLERID(name)=Joe"],
    ],
)
def test_an_ordinary_originate_does_not_escape(lines: list[str]) -> None:
    """It calls an extension or a harmless application."""
    assert not escapes("Originate", "Channel: PJSIP/100", *lines)


@pytest.mark.parametrize(
    "value",
    [
        "${SHELL(id)}",
        "${shell(id)}",
        "x${SHELL (id)}",
        "${EVAL(${x})}",
        "${FILE(/etc/passwd)}",
        "${FILE_COUNT_LINE(/etc/passwd)}",
        "${CURL(http://x)}",
        "CURLOPT(proxy)=x",
        "${DB(a/b)}",
        "${DB_DELETE(a/b)}",
        "${ODBC_USERS(1)}",
        "${REALTIME(a,b)}",
        "${ENV(PATH)}",
        "${STAT(e,/etc)}",
        "FILE(/tmp/x)=y",
        "${SH${NOTHING}ELL(id)}",
        "${${x}(id)}",
        "${SH$[1]ELL(id)}",
        "MONITOR_EXEC=/bin/sh",
        "MIXMONITOR_EXEC=/bin/sh",
        "CONFBRIDGE(bridge,record_command)=id",
        "CONFBRIDGE(bridge,record_file)=/tmp/x",
        "MEETME_AGI_BACKGROUND=x.agi",
        "${IMPORT(x,SH\\ELL(id))}",
        '${IMPORT(x,"SHELL"(id))}',
        "${CUT(SH${N}ELL(id),x,1)}",
        "${CUT(${a}${b},x,1)}",
        "${LEN(SH${N}ELL(id))}",
        "NAME$[1]ELL(id)",
        "${import(${c},${d})}",
        "SET(${a}${b})=x",
        "GLOBAL(FI$[1]LE(/x))=y",
        "${UNLOCK(a)}",
        "PERIODIC_HOOK(in,1,60)=x",
        "${VM_INFO(100,password)}",
        "${ENUMLOOKUP(+1)}",
        "${EVAL_EXTEN(a,b,1)}",
    ],
)
def test_a_function_in_a_header_of_an_originate(value: str) -> None:
    """Functions that reach files, processes or the network."""
    assert escapes("Originate", "Channel: SIP/1", "Application: NoOp", f"Data: {value}")


@pytest.mark.parametrize("header", ["Variable", "Exten", "Channel", "CallerID", "X-Odd"])
def test_a_function_in_any_header_of_an_originate(header: str) -> None:
    """Except in those that are never evaluated, such as ActionID."""
    assert escapes("Originate", f"{header}: ${{SHELL(id)}}")
    assert not escapes("Originate", "ActionID: ${SHELL(id)}")


@pytest.mark.parametrize(
    ("name", "line"),
    [
        ("Redirect", "Exten: ${SHELL(id)}"),
        ("Atxfer", "Exten: ${SHELL(id)}"),
        ("Setvar", "Variable: FILE(/tmp/x)"),
        ("Setvar", "Value: ${EVAL(x)}"),
        ("Setvar", "Variable: SHELL(id)"),
        ("Setvar", "Variable: MONITOR_EXEC"),
        ("Getvar", "Variable: SHELL(id)"),
        ("Getvar", "Variable: shell(id)"),
        ("Getvar", "Variable: AST_CONFIG(manager.conf,admin,secret)"),
        ("Getvar", "Variable: AST_SORCERY(res_pjsip,auth,100,password)"),
        ("Getvar", "Variable: REALTIME(sippeers,name,100)"),
        ("Status", "Variables: CHANNEL(x),FILE(/etc/passwd)"),
        ("AGI", "Command: EXEC System id"),
        ("AGI", "Command: exec\tsystem id"),
        ("AGI", 'Command: EXEC "Sys\\tem" id'),
        ("AGI", 'Command: "EX"EC MixMonitor x'),
        ("AGI", "Command: GET FULL VARIABLE ${SHELL(id)}"),
        ("AGI", "Command: GET VARIABLE SH\\ELL(id)"),
        ("AGI", 'Command: GET VARIABLE SH""ELL(id)'),
        ("AGI", "Command: SET VARIABLE MONITOR_EX\\EC id"),
        ("AGI", "Command: EXEC Queue q,,,,,script.agi"),
        ("AGI", "Command: DATABASE PUT a b c"),
        ("AGI", 'Command: "data"base\tdeltree a'),
        ("AGI", "Command: RECORD FILE /tmp/x wav #"),
        ("AGI", "Command: SPEECH LOAD GRAMMAR x /etc/passwd"),
        ("AGI", "Command: EXEC SendFAX /etc/x.tif"),
        ("AGI", "Command: EXEC Set ${a}${b}=x"),
        ("AGI", "Command: EXEC MeetMe 1,b"),
        ("Getvar", "Variable: DB(cidname/100)"),
        ("Getvar", "Variable: db_keys(x)"),
        ("Setvar", "Variable: DB(cidname/100)"),
        ("Getvar", "Variable: UNLOCK(x)"),
        ("Setvar", "Variable: PERIODIC_HOOK(x,1,1)"),
        ("Setvar", "Variable: CONFBRIDGE(user,template)"),
        ("Getvar", "Variable: URIDECODE(%0d%0a%0d%0aResponse: Success)"),
        ("Getvar", "Variable: uriDecode (%0d%0a)"),
        ("Getvar", "Variable: URI\\DECODE(%0d%0a)"),
        ("Getvar", "Variable: BASE64_DECODE(DQoNCg==)"),
        ("Getvar", "Variable: AES_DECRYPT(k,x)"),
        ("Getvar", "Variable: SPRINTF(%c%c,13,10)"),
        ("Getvar", "Variable: STRFTIME(0,,%n)"),
        ("Getvar", "Variable: MATH(5+5,char)"),
        ("Setvar", "Variable: PRESENCE_STATE(CustomPresence:x)"),
        ("Getvar", "Variable: JSON_DECODE(x,y)"),
        ("Getvar", "Variable: ICONV(utf-7,latin1,+AA0ACg-)"),
        ("Getvar", "Variable: REPLACE(x,a,\\n)"),
        ("Getvar", "Variable: IMPORT(SIP/1-1,URIDECODE(%0a))"),
        ("Setvar", "Variable: PUSH(x,\\n)"),
        ("Status", "Variables: CHANNEL(state),URIDECODE(%0a)"),
        ("AGI", "Command: GET FULL VARIABLE ${URIDECODE(%0a)}"),
        ("Getvar", "Variable: PJSIP_PARSE_URI(sip:%0d%0a@x,user)"),
        ("Getvar", "Variable: MESSAGE(body)"),
        ("MixMonitor", "File: /tmp/x"),
        ("Originate", "Data: SHELL"),
        ("UpdateConfig", "DstFilename: /etc/passwd"),
        ("UpdateConfig", "SrcFilename: ../x.conf"),
        ("UpdateConfig", "Value-000000: 1,1,System(id)"),
        ("UpdateConfig", "Value-000000: 1,n,TrySystem (id)"),
        ("UpdateConfig", "Value-000000: #exec /bin/sh"),
        ("UpdateConfig", "Var-000000: #exec"),
        ("ListCategories", "Filename: /etc/passwd"),
        ("GetConfig", "Filename: ../../etc/passwd"),
        ("CreateConfig", "Filename: /tmp/x"),
        ("Monitor", "File: $(id)"),
        ("Monitor", "File: /var/www/x"),
        ("ChangeMonitor", "File: a;id"),
    ],
)
def test_other_actions_that_escape(name: str, line: str) -> None:
    """They evaluate text, run applications or name files."""
    assert escapes(name, "Channel: SIP/1", line)


@pytest.mark.parametrize(
    ("name", "lines"),
    [
        ("Redirect", ["Channel: SIP/1-01", "Context: system", "Exten: 100", "Priority: 1"]),
        ("Setvar", ["Variable: CDR(userfield)", "Value: called back (twice)"]),
        ("UpdateConfig", ["Value-000000: 1,n,Set(CONFBRIDGE(user,template)=x)"]),
        ("UpdateConfig", ["Value-000000: 1,n,Set(x=${STRFTIME(,,%H)}${DB(a/b)})"]),
        ("Getvar", ["Variable: PROFILE(x)"]),
        ("MessageSend", ["To: pjsip:100", "Body: see the file (attached), ${SHELL(id)}"]),
        ("UserEvent", ["UserEvent: x", "Text: FILE(x)"]),
        ("AGI", ["Command: EXEC Playback imagination"]),
        ("AGI", ['Command: STREAM FILE system ""']),
        ("UpdateConfig", ["SrcFilename: queues.conf", "DstFilename: queues.conf", "Value-000000: PJSIP/100"]),
        ("GetConfig", ["Filename: queues.conf"]),
        ("Monitor", ["File: queue-5/call_1.2", "Format: wav"]),
        ("Command", ["Command: dialplan eval function SHELL(id)"]),  # has a class of its own
        ("Ping", ["ActionID: SHELL(1)"]),
    ],
)  # fmt: skip
def test_ordinary_actions(name: str, lines: list[str]) -> None:
    """They run nothing and reach no file, so they need only their own class."""
    assert not escapes(name, *lines)


@pytest.mark.parametrize(
    "variable",
    ["PJSIP_DTMF_MODE()", "channel(channeltype)", "CUT(CHANNEL(channeltype),-,1)", "PJSIP_HEADERS(X)",
     'PJSIP_"MOH"_PASSTHROUGH()', "PJSIP_MEDIA_OFFER(audio)"],
)  # fmt: skip
def test_a_function_of_a_channel_is_not_asked_of_none(variable: str) -> None:
    """Asterisk 22 reads the technology of the channel that is not there, and ends."""
    assert escapes("Getvar", f"Variable: {variable}")
    assert escapes("Getvar", "Channel:", "Channel: SIP/1-1", f"Variable: {variable}")
    assert not escapes("Getvar", "Channel: SIP/1-1", f"Variable: {variable}")


def test_queue_with_a_script() -> None:
    """Queue's sixth argument runs an AGI script."""
    assert escapes("Originate", "Application: Queue", "Data: q,,,,60,run.agi")
    assert escapes("Originate", "Application: Queue", "Data: q||||60|run.agi")
    assert not escapes("Originate", "Application: Queue", "Data: q,,,,60,")


@pytest.mark.parametrize(
    ("application", "data"),
    [
        ("MeetMe", "100,db"),
        ("MeetMe", "100|r"),
        ("ChanSpy", "SIP/100,qr(x)"),
        ("ExtenSpy", "100@in,r"),
        ("Authenticate", "/etc/passwd"),
        ("DISA", "/etc/asterisk/pins,in"),
        ("Set", "FI${N}LE(/x)=y"),
        ("MSet", "a=1,${b}${c}=y"),
    ],
)
def test_data_can_make_an_application_dangerous(application: str, data: str) -> None:
    """An option that runs a script or records, a file in place of a number."""
    assert escapes("Originate", f"Application: {application}", f"Data: {data}")


def test_the_text_shows_nothing_of_the_value() -> None:
    """It goes to the log, and the value may be a secret."""
    reason = escape(Message.of("Action: Setvar", "Variable: SHELL(hunter2)"))

    assert reason is not None
    assert "hunter2" not in reason


def seconds_for(value: str) -> float:
    """Return the CPU time that judging *value* takes, the best of five."""
    messages = [Message.of(f"Action: {name}", f"Value-0: {value}")
                for name in ("UpdateConfig", "Originate")]  # fmt: skip

    def once() -> float:
        start = time.process_time()
        for message in messages:
            escape(message)
        return time.process_time() - start

    return min(once() for _ in range(5))


@pytest.mark.parametrize(
    "part",
    ["${", "_file", "system", "${$", "shell ", "exec", "file\\", "monitor_", "a(", "](", "cut("],
)
def test_time_grows_with_the_length_of_a_value_and_not_faster(part: str) -> None:
    """Twice the length takes at most three times as long."""
    single = seconds_for(part * 10_000)

    assert seconds_for(part * 20_000) < 3 * single + 0.005


@given(st.sampled_from(["originate", "agi", "updateconfig", "getvar", "x"]), st.binary(max_size=60))
def test_any_bytes_are_judged(name: str, data: bytes) -> None:
    """Noise gives a reason or None, and no exception."""
    head = f"Action: {name}\r\n".encode()
    reason = escape(Message(b"%bApplication: %b\r\nCommand: %b\r\n\r\n" % (head, data, data)))
    assert reason is None or reason.isprintable()
