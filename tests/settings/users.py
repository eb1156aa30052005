# SPDX-License-Identifier: GPL-2.0-or-later
"""Texts of the users file for the tests, and their reading."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from amiproxy.errors import ConfigError
from amiproxy.settings.config import Config
from amiproxy.settings.usersfile import read_users

if TYPE_CHECKING:
    from amiproxy.access.user import Users

#: Clients must log in.
GUARDED = Config(auth_required=True)

#: Both forms of the file, and every key of a section.
FULL = """\
; users of the C program's form come first
wall = brick,Local/queue

[general]
enabled = yes
port = 5038
bindaddr = 0.0.0.0
displayconnects = no
allowmultiplelogin = no
authtimeout = 20
authlimit = 40
deny = 0.0.0.0/0.0.0.0, ::/0
permit = 10.0.0.0/8 ; the office
permit = 127.0.0.1

[office](!) ; a template is no user
read = call,agent,user
write = reporting
deny = 0.0.0.0/0,::/0
permit = 10.1.0.0/255.255.0.0
eventfilter = !Event: RTCP

[quiet](!)
displayconnects = yes
eventfilter(action(exclude),name(Newexten)) =

;-- this is a comment
[nobody]
secret = x
--;
[crm](office,quiet)
secret => Cr\\;m!x
write = originate,call
permit = 10.2.0.9
accountcode = ACME
out_context = From-CRM
writetimeout = 5000
allowmultiplelogin = yes

[super]
secret = s=per;-- inline --;
read = all
write = all
proxyactions = all
eventfilter = Event: Hangup
eventfilter(name(Newchannel),header(Channel),method(starts_with)) = PJSIP/

[board](office)
secret = b
channel = PJSIP/20
in_context = Queues
server = PBX1
more_events = yes
filters = cdronly|brionly
proxyactions = SetOutputFormat, ListServers
read = call, nonsense
"""

#: Users of every kind that the description of a user tells apart.
KINDS = """
boss=s
caller=s,SIP/100
clerk=s,,Sales
both=s,SIP/100-,Sales,In,acme,pbx1,,novar|cdronly
billed=s,,,,acme
seer=s,,,In,,,yes
news=s,,,,,,,brionly

[none]
secret=s
read=
write=
[agents]
secret=s
read=call,agent
write=call,agent,originate
channel=PJSIP/20
allowmultiplelogin=no
proxyactions=ListServers
[trusted]
secret=s
read=all
write=all
channel=SIP/100
accountcode=acme
[half]
secret=s
read=system
write=command,originate
out_context=Sales
[watcher]
secret=s
read=all
write=all
eventfilter=Event: Hangup
eventfilter=!Channel: SIP/9
"""

#: A section that draws no warning; further lines can follow.
SECTION = "[u]\nsecret=s\nread=all\nwrite=all\n"


def read(text: str) -> Users:
    """Return the users of *text*."""
    return read_users(text, "f")[0]


def warnings_of(text: str) -> list[str]:
    """Return the warnings about *text*."""
    return read_users(text, "f")[1]


def problems_of(text: str) -> list[str]:
    """Return the problems of *text*, which has some."""
    with pytest.raises(ConfigError) as caught:
        read_users(text, "f")
    return list(caught.value.problems)
