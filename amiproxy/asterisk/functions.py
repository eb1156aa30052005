# SPDX-License-Identifier: GPL-2.0-or-later
"""The dialplan functions of Asterisk, and what can be done with each: data.

Every function that Asterisk 22 documents is in one row, and those of older versions that
matter.  What Asterisk itself registers as escalating (ast_custom_function_register_escalating)
is in a row that needs the class ``system``.  Modules add functions of their own: those of
func_odbc, one for each query, are covered by ``FAMILIES``.
"""

from __future__ import annotations

from typing import NamedTuple


class Functions(NamedTuple):
    """Functions of one kind: what they can do, and their names in lower case."""

    can: str
    names: tuple[str, ...]
    #: Whether who has not the class ``system`` may not use them anywhere.
    needs_system: bool = False
    #: Whether a user with a channel or context may read them.
    filtered_may_read: bool = False
    #: Whether such a user may write them.
    filtered_may_write: bool = False


def _row(can: str, names: str, **flags: bool) -> Functions:
    return Functions(can, tuple(names.lower().split()), **flags)


RUN = _row("run a command", "SHELL", needs_system=True)
FILES = _row(
    "read, write or list files",
    "FILE FILE_COUNT_LINE FILE_FORMAT STAT MIXMONITOR SPEECH_GRAMMAR MINIVMCOUNTER",
    needs_system=True,
)
NETWORK = _row(
    "send something to another machine",
    "CALENDAR_BUSY CALENDAR_EVENT CALENDAR_QUERY CALENDAR_QUERY_RESULT CALENDAR_WRITE CURL CURLOPT"
    " DUNDILOOKUP DUNDIQUERY DUNDIRESULT ENUMLOOKUP ENUMQUERY ENUMRESULT JABBER_RECEIVE"
    " JABBER_STATUS JACK_HOOK SRVQUERY SRVRESULT TXTCIDNAME",
    needs_system=True,
)
CONFIGURATION = _row(
    "read the configuration, the environment or passwords",
    "AGENT AST_CONFIG AST_SORCERY ENV MINIVMACCOUNT ODBC ODBC_FETCH PP_EACH_EXTENSION PP_EACH_USER"
    " REALTIME REALTIME_DESTROY REALTIME_FIELD REALTIME_HASH REALTIME_STORE SMDI_MSG"
    " SMDI_MSG_RETRIEVE VM_INFO",
    needs_system=True,
)
DATABASE = _row(
    "read or write the database of Asterisk",
    "BLACKLIST DB DB_DELETE DB_EXISTS DB_KEYCOUNT DB_KEYS",
    needs_system=True,
)
LOCKS = _row("stop others by a lock that is kept", "LOCK TRYLOCK UNLOCK", needs_system=True)
EVALUATION = _row(
    "evaluate text that was put together", "EVAL EVAL_EXTEN EVAL_SUB", needs_system=True
)
HOOKS = _row(
    "have something run later: dialplan at intervals, a command at the end of a recording",
    "CONFBRIDGE PERIODIC_HOOK",
    needs_system=True,
)
# A value with line ends is not escaped in an answer (recording b10): what follows them is
# read as further headers, or as further messages.
DECODERS = _row(
    "make text with line ends",
    # MATH(5+5,char) is a line feed; PRESENCE_STATE decodes what is written with its option e.
    "AES_DECRYPT BASE64_DECODE ICONV JSON_DECODE MATH MESSAGE MESSAGE_DATA PJSIP_PARSE_URI"
    " PJSIP_PARSE_URI_FROM PRESENCE_STATE PUSH REPLACE SPRINTF STRFTIME UNSHIFT URIDECODE",
    needs_system=True,
)
CHANNELS = _row(
    "reach other channels",
    "AMI_CLIENT CHANNELS CHANNEL_EXISTS CONFBRIDGE_CHANNELS DIALGROUP EXPORT GROUP GROUP_COUNT"
    " GROUP_LIST GROUP_MATCH_COUNT IMPORT MASTER_CHANNEL PARK_GET_CHANNEL PJSIP_DIAL_CONTACTS"
    " QUEUE_GET_CHANNEL QUEUE_MEMBER QUEUE_MEMBER_LIST QUEUE_MEMBER_PENALTY SHARED",
)
CONTEXTS = _row(
    "look at contexts, or go on in one",
    "CALLCOMPLETION DIALPLAN_EXISTS EXCEPTION EXTENSION_STATE FEATURE FEATUREMAP HINT STACK_PEEK"
    " TONE_DETECT VALID_EXTEN",
)
EVERYBODY = _row(
    "read or change what belongs to everybody",
    "CONFBRIDGE_INFO DAHDI_CHANNEL DEVICE_STATE FRAME_TRACE GLOBAL GLOBAL_DELETE GLOBAL_EXISTS"
    " IAXPEER IFMODULE LOG_GROUP MEETME_INFO PJSIP_AOR PJSIP_CONTACT PJSIP_ENDPOINT"
    " QUEUE_EXISTS QUEUE_MEMBER_COUNT QUEUE_VARIABLES QUEUE_WAITING_COUNT SIPPEER SYSINFO VMCOUNT",
)
VARIABLES = _row(
    "write variables by a name that is only known when they run",
    "ARRAY DEC DELETE INC LOCAL LOCAL_PEEK POP SET SHIFT",
)
# Whose call record a call is written to.
BILLING = _row("change how calls are recorded", "CDR_PROP")
READ = _row(
    "read the channel's own state, or change text",
    "ABS BASE64_ENCODE AES_ENCRYPT BASENAME CSV_QUOTE CUT DIGIT_SUM DIRNAME EXISTS FIELDNUM"
    " FIELDQTY FILTER HANGUPCAUSE HANGUPCAUSE_KEYS HASHKEYS IAXVAR IF IFTIME ISNULL KEYPADHASH"
    " LANGUAGE LEN LISTFILTER LTRIM MAX MD5 MIN MUSICCLASS PASSTHRU PJSIP_HEADERS"
    " PJSIP_HEADER_PARAM PJSIP_INHERITABLE_HEADER PJSIP_RESPONSE_HEADER PJSIP_RESPONSE_HEADERS"
    " QUOTE RAND RECORDING_INFO REGEX RTRIM SAYFILES SHA1 SIPCHANINFO SIP_HEADER SIP_HEADERS SORT"
    " SPEECH_ENGINE SPEECH_RESULTS_TYPE SPEECH_SCORE SPEECH_TEXT SPEECH SQL_ESC SQL_ESC_BACKSLASHES"
    " STIR_SHAKEN STIR_SHAKEN_ATTESTATION STRBETWEEN STRPTIME STRREPLACE TESTTIME TOLOWER TOUPPER"
    " TRIM URIENCODE UUID VARIABLE_EXISTS VERSION",
    filtered_may_read=True,
)
OWN = _row(
    "change the channel itself",
    "AGC CALLERID CALLERPRES CDR CHANNEL CONNECTEDLINE DENOISE FAXOPT FRAME_DROP GEOLOC_PROFILE"
    " HASH HOLD_INTERCEPT JITTERBUFFER MUTEAUDIO PITCH_SHIFT PJSIP_DTMF_MODE PJSIP_HEADER"
    " PJSIP_MEDIA_OFFER PJSIP_MOH_PASSTHROUGH PJSIP_SEND_SESSION_REFRESH PJSIP_TRANSFER_HANDLING"
    " POLARITY REDIRECTING SCRAMBLE TALK_DETECT TIMEOUT VOLUME",
    filtered_may_read=True,
    filtered_may_write=True,
)

#: All of them.
ROWS = (
    RUN, FILES, NETWORK, CONFIGURATION, DATABASE, LOCKS, EVALUATION, HOOKS, DECODERS,
    CHANNELS, CONTEXTS, EVERYBODY, VARIABLES, BILLING, READ, OWN,
)  # fmt: skip

#: Beginnings of names: what begins so and is in no row is taken for one of these.
FAMILIES = {
    "file": FILES,
    "curl": NETWORK,
    "enum": NETWORK,
    "dundi": NETWORK,
    "calendar": NETWORK,
    "odbc": CONFIGURATION,
    "realtime": CONFIGURATION,
    "db": DATABASE,
}

#: Those that read a channel of their technology.  Getvar without Channel asks them of a
#: channel without one, and Asterisk 22 ends (PJSIP_DTMF_MODE, CHANNEL(channeltype)).
NEED_CHANNEL = frozenset(OWN.names) | {
    "iaxvar", "pjsip_headers", "pjsip_header_param", "pjsip_inheritable_header",
    "pjsip_response_header", "pjsip_response_headers", "sipchaninfo", "sip_header", "sip_headers",
}  # fmt: skip

#: Those that evaluate or write what their argument names, after it was put together:
#: ``CUT(${a}${b},...)`` runs SHELL(id) if the variables hold ``SHELL`` and ``(id)``.
INDIRECT = frozenset(
    {
        "array", "cut", "dec", "export", "fieldnum", "fieldqty", "global", "import", "inc",
        "listfilter", "local", "ltrim", "master_channel", "pop", "rtrim", "set", "shift",
        "sort", "strbetween", "strreplace", "trim",
    }
)  # fmt: skip

#: What of the function CHANNEL a user with a channel or context may write.  Left out are
#: hangup handlers and after_bridge_goto, which go on elsewhere, and groups for pickup.
CHANNEL_ITEMS = frozenset(
    {
        "accountcode", "amaflags", "echocan_mode", "faxdetect", "language", "musicclass",
        "peeraccount", "rxgain", "secure_bridge_media", "secure_bridge_signaling", "tonezone",
        "txgain", "userfield",
    }
)  # fmt: skip
