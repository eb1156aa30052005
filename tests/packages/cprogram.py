# SPDX-License-Identifier: GPL-2.0-or-later
"""A machine that has run the C program for years: a stand-in for it, its files, its clients."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from typing import TYPE_CHECKING

from tests.service.network import enter

if TYPE_CHECKING:
    from tests.service.machine import Machine

PROGRAM = "/usr/local/sbin/astmanproxy"
BANNER = "Asterisk Call Manager Proxy/1.30.0"

#: In what every Debian has.  As C did: it opens the log as root, becomes a daemon and somebody
#: else, and listens without SO_REUSEADDR; if it cannot, that is said to nobody but the terminal.
_STAND_IN = r"""#!/usr/bin/perl
use strict; use POSIX; use Socket;
my %conf;
open(my $in, "<", "/etc/asterisk/astmanproxy.conf") or die;
while (<$in>) { $conf{lc $1} = $2 if /^\s*(\w+)\s*=\s*([^;#\n]*?)\s*$/ }
open(my $log, ">>", $conf{logfile}) or die "Unable to open logfile: $conf{logfile}!\n";
my ($uid, $gid) = (getpwnam $conf{proc_user})[2, 3];
chown $uid, $gid, $conf{logfile};
POSIX::setgid($gid); POSIX::setuid($uid);
exit 0 if fork;
socket(my $listener, PF_INET, SOCK_STREAM, 0) or die;
bind($listener, sockaddr_in($conf{listenport}, INADDR_ANY)) or die "Cannot bind to listener socket!\n";
listen($listener, 5);
syswrite $log, "Proxy Started\n";
$SIG{CHLD} = "IGNORE";
while (accept(my $client, $listener)) {
    next if fork;
    syswrite $client, "BANNER\r\n";
    while (defined(my $line = <$client>)) {
        syswrite $client, "Response: Success\r\nPing: Pong\r\n\r\n" if $line =~ /^\r?$/;
    }
    exit 0;
}
""".replace("BANNER", BANNER)

#: What the C program's sample file had, as somebody has filled it in.
CONF = """\
; astmanproxy.conf
host = localhost, 5038, ampuser, AmpSecret, on, off
retryinterval = 2
maxretries = 10
asteriskwritetimeout=100
clientwritetimeout=200
sslclienthellotimeout=200
listenaddress = *
listenport = 1234
acceptencryptedconnection = yes
acceptunencryptedconnection = yes
authrequired = no
proc_user = nobody
proc_group = nogroup
inputformat = standard
outputformat = standard
autofilter = on
certfile = /var/lib/asterisk/certs/proxy-server.pem
logfile = /var/log/asterisk/astmanproxy.log
"""
USERS = """\
; user=secret,channel,output format,out context,in context,account,server
joe=joesecret,SIP/101
"""
_SETUP = f"""
groupadd -r asterisk; useradd -r -g asterisk asterisk
install -d -o asterisk -g asterisk -m 0750 /etc/asterisk /var/log/asterisk
cat > {PROGRAM}; chmod 0755 {PROGRAM}
printf '#!/bin/sh\\n{PROGRAM}\\nexit 0\\n' > /etc/rc.local; chmod 0755 /etc/rc.local
"""


def set_up(machine: Machine, conf: str = CONF) -> None:
    """Have it all on *machine*, started by rc.local as at each boot."""
    machine.sh(_SETUP, input=_STAND_IN)
    machine("tee", "/etc/asterisk/astmanproxy.conf", input=conf)
    machine("tee", "/etc/asterisk/astmanproxy.users", input=USERS)
    machine.sh("chmod 0640 /etc/asterisk/*; chown asterisk:asterisk /etc/asterisk/*")
    machine.sh("systemctl daemon-reload; systemctl start rc-local")


class Client(threading.Thread):
    """One that pings, and comes again whenever its connection ends, until *over*.

    An *idle* one pings once, and reads until the other side ends the connection: it is this that
    keeps a port in use for a minute (TIME-WAIT).
    """

    def __init__(self, machine: Machine, *, idle: bool = False) -> None:
        super().__init__(daemon=True)
        self._machine, self._idle = machine, idle
        self._over = threading.Event()
        self.half = 0
        #: Who has answered last; "" since the connection ended.
        self.banner = ""
        #: Seconds from the last answer of one to the first of the next.
        self.gaps: list[float] = []
        self._last = 0.0

    def run(self) -> None:
        """Go on until it is over."""
        enter(self._machine)
        while not self._over.is_set():
            with (
                contextlib.suppress(OSError),
                socket.create_connection(("127.0.0.1", 1234), 10) as sock,
            ):
                self._stay(sock)
            self.banner = ""
            self._over.wait(0.1)

    def end(self) -> None:
        """End it; an idle one when its connection does."""
        self._over.set()

    def _stay(self, sock: socket.socket) -> None:
        file = sock.makefile("rb")
        banner = file.readline().decode().strip()
        while not self._over.is_set():
            sock.sendall(b"Action: Ping\r\n\r\n")
            answer = b""
            while b"Ping: Pong" not in answer:
                answer = b""
                while not answer.endswith(b"\r\n\r\n"):
                    line = file.readline()
                    if not line:
                        self.half += bool(answer)
                        return
                    answer += line
            now = time.monotonic()
            if self._last and self.banner != banner:
                self.gaps.append(now - self._last)
            self._last, self.banner = now, banner
            if self._idle:
                sock.settimeout(None)
                file.read()
                self._last = time.monotonic()
                return
            time.sleep(0.05)
