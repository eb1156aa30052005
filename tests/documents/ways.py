# SPDX-License-Identifier: GPL-2.0-or-later
"""How each command of the documents is tried.

- HERE: typed as it stands, in a House.
- BOOTED: typed as it stands on a booted machine (``make service-test``); in booted.py.
- ELSEWHERE: another test types it, or calls what it calls; that file has the words given.
- OPTIONS: a synopsis: the program's own help has each option.
- MINUTES: make is asked what it would do.
- PARTS: a part of a command, or one of a system that there is not: why it is not tried.
"""

from __future__ import annotations

from tests.documents.booted import BOOTED
from tests.documents.typed import Typed

_WEB = "inputformat = http\noutputformat = json\nhttpdigest = MD5\n"
_LIVE = "listen = 127.0.0.1, 8088, input=http\nstate = yes\n"
_JOE = "echo joe=secret > /etc/asterisk/astmanproxy.users"
_PEM = (
    "mkdir -p /etc/asterisk/keys && rm -f /etc/asterisk/keys/* &&"
    " make -s cert CERT=/etc/asterisk/keys/astmanproxy.pem NAME=proxy.example &&"
    " chgrp astmanproxy /etc/asterisk/keys/astmanproxy.pem &&"
    " chmod 0640 /etc/asterisk/keys/astmanproxy.pem"
)
_TLS = "acceptencryptedconnection = yes\ncertfile = /etc/asterisk/keys/astmanproxy.pem\n"
_PING = "Action: Ping\nActionID: 7\n\nAction: Logoff\n\n"

HERE = [
    Typed("sudo astmanproxy -t", r"(?m)^ok"),
    Typed("astmanproxy -t", r"(?m)^ok"),
    Typed(
        r"printf 'Action: Ping\r\n\r\nAction: Logoff\r\n\r\n' | nc 127.0.0.1 1234",
        r"Ping: Pong[\s\S]*Response: Goodbye",
        needs="nc",
    ),
    Typed("astmanproxy --status", "192.0.2.10"),
    Typed("sudo astmanproxy --status", "192.0.2.10"),
    Typed("astmanproxy --control kick 12", "12", status=(0, 1)),
    Typed("astmanproxy --control loglevel debug", "debug"),
    Typed("astmanproxy --show-config", r"astmanproxy\.conf:\d+"),
    Typed("astmanproxy -d", runs=False, until="Listening for connections"),
    Typed("nc 127.0.0.1 1234", r"(?s)Manager/11.*ActionID: 7.*Pong.*Server: ", stdin=_PING,
          needs="nc"),
    Typed(r"printf 'ProxyAction: ListServers\r\n\r\n' | nc -N 127.0.0.1 1234", "pbx1", needs="nc"),
    Typed(
        "python3 -m simulator --port 5038 --speak 11 --technology SIP --calls 0.5",
        until="simulated Asterisk 11.*127.0.0.1:5038",
    ),
    Typed("astmanproxy --control 'show config'", r"astmanproxy\.conf:\d+"),
    Typed("astmanproxy --hash-secret", r"^\$2b\$", stdin="secret\nsecret\n"),
    Typed("astmanproxy --new-token USER", r"(?m)^amp_\w{32}\ntoken = sha256:[0-9a-f]{64}$"),
    Typed("astmanproxy --help", "--status"),
    Typed("adduser astmanproxy asterisk", "astmanproxy", needs="adduser"),
    Typed("curl 'http://localhost:1234/?Action=Ping&ActionID=Foo'", "Pong", config=_WEB,
          before=_JOE, needs="curl"),
    Typed("curl -d Action=QueueStatus http://localhost:1234/", "QueueStatusComplete",
          config=_WEB, needs="curl"),
    Typed(
        'curl --json \'{"Action": "Originate", "Channel": "SIP/100", "Application": "Playback",\n'
        '              "Data": "hello-world", "Variable": ["a=1", "b=2"]}\''
        " http://localhost:1234/",
        '"Response": ?"(Success|Error)"', config=_WEB, needs="curl",
    ),
    Typed("curl 'http://localhost:8088/v1/state/calls?state=ringing&sort=-since'",
          '"rows": ?\\[', config=_LIVE, needs="curl"),
    Typed("curl 'http://localhost:8088/v1/actions/QueueStatus?Queue=support'",
          "QueueStatusComplete", config=_LIVE, needs="curl"),
    Typed(
        'curl --json \'{"Interface": "PJSIP/101", "Paused": true}\''
        " http://localhost:8088/v1/actions/QueuePause",
        '"response"', config=_LIVE, needs="curl",
    ),
    Typed(
        "curl -c jar 'http://localhost:1234/asterisk/rawman?action=login&username=joe&secret=secret'",
        "Response: Success", config=_WEB, needs="curl",
    ),
    Typed(
        "curl -b jar 'http://localhost:1234/asterisk/mxml?action=coreshowchannels'",
        "CoreShowChannelsComplete", config=_WEB, needs="curl",
    ),
    Typed(
        "curl -b jar 'http://localhost:1234/asterisk/rawman?action=waitevent&timeout=10'",
        "WaitEventComplete", config=_WEB, needs="curl",
    ),
    Typed("curl -u joe:secret 'http://localhost:1234/?Action=Ping'", "Pong", config=_WEB,
          needs="curl"),
    Typed("curl -N -u joe:secret 'http://localhost:8088/events?event=Hangup'",
          until="event: hello", config=_LIVE, before=_JOE, needs="curl"),
    Typed(
        "curl --digest -u joe:secret"
        " 'http://localhost:1234/asterisk/arawman?action=coreshowchannels'",
        "CoreShowChannelsComplete", config=_WEB, needs="curl",
    ),
    Typed("make cert CERT=/etc/asterisk/keys/astmanproxy.pem NAME=proxy.example",
          "certificate and key for proxy.example", before="rm -rf /etc/asterisk/keys"),
    Typed("make cert", "certificate and key for"),
    Typed("cat fullchain.pem privkey.pem > /etc/asterisk/keys/astmanproxy.pem",
          before=f"{_PEM}; echo > fullchain.pem; echo > privkey.pem"),
    Typed("chgrp astmanproxy /etc/asterisk/keys/astmanproxy.pem;"
          " chmod 0640 /etc/asterisk/keys/astmanproxy.pem", before=_PEM),
    Typed("openssl s_client -connect proxy.example:1234", "TLSv1.3", before=_PEM, config=_TLS,
          needs="openssl"),
    Typed("install -d -o astmanproxy -g astmanproxy /var/log/astmanproxy",
          before="rmdir /var/log/astmanproxy || true"),
    Typed("ss -ltnp", ":1234.*astmanproxy", needs="ss"),
    Typed("ls -ld /var/log/astmanproxy", "astmanproxy astmanproxy"),
    Typed("cp init/fail2ban/astmanproxy.conf /etc/fail2ban/filter.d/"),
    Typed("cp init/fail2ban/jail.conf /etc/fail2ban/jail.d/astmanproxy.conf"),
    Typed(
        "fail2ban-regex /var/log/astmanproxy/astmanproxy.log astmanproxy", r"Failregex: [1-9]\d* total",
        before="cp init/fail2ban/astmanproxy.conf /etc/fail2ban/filter.d/; " + _JOE +
        r"; astmanproxy --control reload && printf 'Action: Login\r\nUsername: x\r\nSecret: y\r\n\r\n'"
        " | nc -N 127.0.0.1 1234",
        needs="fail2ban-regex",
    ),
    Typed("astmanproxy --control reload", "changed|read"),
    Typed("astmanproxy --control restart"),
    Typed("astmanproxy --control 'show clients'", "BACKLOG.*FILTER"),
    Typed("astmanproxy --control 'show servers'", "UNDER WAY"),
    Typed("astmanproxy --control 'show cluster'", "no cluster", status=(1,)),
    Typed("astmanproxy --control 'show memory'", "backlogs"),
    Typed("astmanproxy --control 'pause pbx1'"),
    Typed("astmanproxy --control 'resume pbx1'"),
    Typed("taskset -c 0 astmanproxy", runs=False, needs="taskset"),
    # 16: there is none.
    Typed("man -aw astmanproxy", "astmanproxy", (0, 16), needs="man"),
    Typed("ulimit -Hn", r"\d+|unlimited"),
    Typed("python -m benchmarks --list", "roundtrip"),
    Typed("killall -w astmanproxy", needs="killall"),
    Typed("astmanproxy --control shutdown"),
]  # fmt: skip
# The proxy is not started anew for each: those with the same configuration follow each other.
HERE.sort(key=lambda way: (not way.runs, way.config))

_INSTALL = "tests/system/test_install.py"
_DEB = "tests/packages/test_deb.py"
_FROM_C = "tests/packages/test_from_c.py"
_OFFLINE = "tests/packages/test_index.py"
_STARTS = "tests/service/test_other_starts.py"
_MAKE = "tests/system/test_make.py"

#: Text of the command: file, and the words in it.
ELSEWHERE = {
    "make demo": ("tests/system/test_demo.py", "demo"),
    "make demo-cluster": ("tests/system/test_demo_cluster.py", "demo/cluster.py"),
    "make test": (".ci/run", "make test"),
    "make check": ("Makefile", "check: style types licences dead"),
    "make style types": (".ci/run", "make types"),
    "make coverage": ("Makefile", "run -m pytest -n auto"),
    "make constraints": (".ci/run", "make constraints ARGS=--check"),
    "make .venv": ("Makefile", "test: .venv/.ready"),
    ".ci/run": (".ci/run", "What CI does"),
    "make docs": ("tests/test_docs.py", "run make docs"),
    "make deb": ("tests/system/test_deb.py", "packaging/debian/build"),
    "sudo make install": (_INSTALL, 'make("install"'),
    "make install": (_INSTALL, 'make("install"'),
    "sudo make uninstall": (_INSTALL, '"uninstall"'),
    'sudo make install PIPFLAGS="--no-index --find-links $PWD/wheels"': (
        "tests/service/installed.py",
        'install PIPFLAGS="--no-index --find-links /opt/wheels"',
    ),
    "sudo apt install ./dist/astmanproxy_*_all.deb": (_DEB, '"install", "/root/new.deb"'),
    "apt remove astmanproxy": (_DEB, '"remove", "astmanproxy"'),
    "mv /usr/local/sbin/astmanproxy /usr/local/sbin/astmanproxy-1": (_FROM_C, "mv {PROGRAM}"),
    "ss -K state time-wait sport = :1234": (_FROM_C, "ss -K state time-wait"),
    "apt purge astmanproxy": (_DEB, '"purge", "astmanproxy"'),
    "pip wheel -w wheels '.[re2]' setuptools": (_OFFLINE, "'.[re2]' setuptools"),
    "pip install '.[re2]'": (_OFFLINE, "'.[re2]'"),
    ".venv/bin/pytest tests/settings/test_config.py -k secret": (
        "tests/settings/test_config.py",
        "secret",
    ),
    "pytest -n auto": ("Makefile", "pytest -n auto"),
    "dnf install rpm-build": ("tests/system/test_rpm.py", "dnf install rpm-build"),
    "make uninstall": (_INSTALL, '"uninstall"'),
    "service astmanproxy start": (_STARTS, "service astmanproxy start"),
    "service astmanproxy stop": (_STARTS, "service astmanproxy stop"),
    "service astmanproxy reload": (_STARTS, "service astmanproxy reload"),
    "service astmanproxy restart": (_STARTS, "service astmanproxy restart"),
    "man astmanproxy": ("tests/test_manual.py", "mandoc"),
    "man astmanproxy.conf": ("tests/test_manual.py", "astmanproxy.conf.5"),
    "man astmanproxy.users": ("tests/test_manual.py", "astmanproxy.users.5"),
    "make bench": ("tests/test_benchmarks.py", 'run("benchmarks"'),
    "make bench ARGS=--quick": ("tests/test_benchmarks.py", "--quick"),
    "make torture": ("tests/test_torture.py", "benchmarks.torture"),
    "make torture-cluster": ("tests/system/test_cluster.py", "measure("),
}
#: Programs of this repository: the synopsis.
OPTIONS = [
    (
        "python -m benchmarks [--quick] [--only NAME]... [--seconds S] [--rounds N]"
        " [--before DIR] [--growth]\n"
        "                     [--subjects direct,relay,proxy] [--json FILE] [--keep]"
        " [--compare FILE] [--proxy COMMAND]"
    ),
    "python -m benchmarks --markdown FILE [--only NAME]... [--write]",
    "python -m benchmarks --plots FILE",
    "python -m benchmarks.soak [--minutes M] [--proxy COMMAND]",
    "python -m benchmarks.restarts [--restarts N] [--service]",
    "python -m benchmarks.resumes [--quick] [--seed N] [--cuts N] [--proxy COMMAND]",
    (
        "python -m benchmarks.bus [--quick] [--list] [--only NAME]... [--seconds S]"
        " [--before DIR] [--json FILE] [--keep]"
    ),
    "python -m benchmarks.bus --markdown FILE [--write]",
    "python -m benchmarks.bus --plots FILE",
    (
        "python -m benchmarks.torture [--list] [--only NAME]... [--seconds S] [--json FILE]"
        " [--proxy COMMAND]"
    ),
    (
        "python -m benchmarks.cluster [--faults N] [--seed N] [--rate N] [--proxies N]"
        " [--asterisks N]\n"
        "                             [--failover S] [--at-once N] [--only WORD] [--alone]"
        " [--no-clocks]\n"
        "                             [--quiet] [--keep DIR] [--set LINE]... [--proxy COMMAND]"
    ),
    "python -m benchmarks.hops [--list]",
]
#: Targets of make that take minutes, or a network: a part of what make would do.
MINUTES = {
    "make asterisk-test": "-m real_asterisk tests/asterisk",
    "make asterisk-test ARGS='-k test_names'": "tests/asterisk -k test_names",
    "make service-test": "-m service tests/service",
    "make deb-test": "-m packages tests/packages",
    "make rpm-test": "-m packages tests/packages/test_rpm.py",
    "make image-test": "-m packages tests/packages/test_image.py",
    "make image BASE=$PWD/rootfs": '/rootfs" packaging/container/build',
    "make libraries": "-m tests.libraries",
    "make libraries ARGS='--only panoramisk --speak 22'": "--only panoramisk --speak 22",
    "make bench ARGS='--before ../old'": "-m benchmarks --before ../old",
    "make bench-growth": "benchmarks --plots docs/plots/growth.json",
    "make plots": "benchmarks --plots docs/plots/growth.json",
    "make bench-compare OLD=bench-before.json": "-m benchmarks --compare bench-before.json",
    "make bench ARGS=\"--only roundtrip --proxy 'taskset -c 0 .venv/bin/python astmanproxy.py'\"": (
        "benchmarks --only roundtrip --proxy 'taskset -c 0 .venv/bin/python astmanproxy.py'"
    ),
    "make rpm": "packaging/rpm/build",
    "make install BUS=yes": "--require-hashes -r requirements/bus.txt",
    "make soak": "-m benchmarks.soak",
    "make bench-restarts": "-m benchmarks.restarts",
    "make bench-resumes": "-m benchmarks.resumes",
    "make bench-cluster ARGS='--before ../old'": "--json docs/plots/cluster.json --before ../old",
    "make torture ARGS='--seconds 3'": "-m benchmarks.torture --seconds 3",
    "make install BINARY=": r"--quiet --upgrade \ --require-hashes",
    "make install RE2FLAGS=": "install --quiet 'astmanproxy[re2]'",
}
_PODMAN_RUN = (
    "podman run -d --name pbx -p 127.0.0.1:1234:1234"
    " -v ./conf.d:/etc/asterisk/conf.d:ro"
    " -v ./astmanproxy.users:/etc/asterisk/astmanproxy.users:ro astmanproxy:2.0.0"
)
PARTS = {
    "sudo dnf install ./dist/astmanproxy-*.noarch.rpm": "tests/packages/test_rpm.py has no Fedora: rpm -i",
    "dnf install python3-redis": "tests/packages/test_rpm.py has no Fedora",
    "dnf remove astmanproxy": "tests/packages/test_rpm.py has no Fedora: rpm -e",
    "podman load -i dist/astmanproxy-*.image.tar.gz": "tests/packages/test_image.py has no container engine",
    _PODMAN_RUN: "tests/packages/test_image.py does that with unshare",
    "podman exec pbx astmanproxy --control reload": "tests/packages/test_image.py does that with nsenter",
    "nc -N": "what netcat's option does",
    "curl -d": "what a client sends",
    "openssl s_server": "what was measured beside it",
    "openssl s_time -new": "what was measured with it",
    "astmanproxy --control 'COMMAND'": "the commands follow there",
    "astmanproxy --instance 1": "tests/system/test_instances.py does, with files of its own",
    "systemctl restart": "what it does to one of several",
}

#: All commands that are tried.
KNOWN = {way.text for way in [*HERE, *BOOTED]}.union(ELSEWHERE, OPTIONS, MINUTES, PARTS)
