# SPDX-License-Identifier: GPL-2.0-or-later
"""Commands of the documents that are typed on a booted machine (``make service-test``)."""

from __future__ import annotations

from tests.documents.typed import Typed

_ASTERISK = """
printf '[Service]\\nWorkingDirectory=%s\\nExecStart=python3 -m simulator\\n' /usr/src/astmanproxy \\
  > /run/systemd/system/asterisk.service
systemctl daemon-reload
"""
_LAB_CONF = (
    "sed 's/^listenport.*/listenport = 8088/; s/^logfile.*/logfile = journal/'"
    " /etc/asterisk/astmanproxy.conf > /etc/asterisk/lab.conf;"
    " echo 'pidfile = /run/astmanproxy-lab/astmanproxy-lab.pid' >> /etc/asterisk/lab.conf;"
    " chgrp astmanproxy /etc/asterisk/lab.conf; chmod 0640 /etc/asterisk/lab.conf"
)

#: In this order: each finds what those before have left.
BOOTED = [
    Typed("systemctl start astmanproxy"),
    Typed("systemctl status astmanproxy", "active"),
    Typed("systemctl reload astmanproxy"),
    Typed("systemctl restart astmanproxy"),
    Typed("cat ca.pem crl.pem > /etc/asterisk/keys/clients-ca.pem; systemctl reload astmanproxy",
          before="mkdir -p /etc/asterisk/keys; cd /usr/src/astmanproxy; touch ca.pem crl.pem"),
    Typed("systemctl cat astmanproxy", "ExecStart="),
    Typed("systemctl stop astmanproxy"),
    Typed("sudo systemctl restart astmanproxy"),
    Typed("sudo systemctl enable astmanproxy"),
    Typed("systemctl disable --now astmanproxy"),
    Typed("systemctl enable --now astmanproxy"),
    Typed("sudo systemctl enable --now astmanproxy",
          before="systemctl disable --now astmanproxy"),
    Typed("systemctl enable --now astmanproxy.socket", before="systemctl stop astmanproxy"),
    Typed("systemctl edit astmanproxy", before="export SYSTEMD_EDITOR=true"),
    Typed("systemd-analyze security astmanproxy", "Overall exposure"),
    Typed("journalctl -u astmanproxy", "Started"),
    Typed("journalctl -t astmanproxy -p warning"),
    Typed("journalctl ASTMANPROXY_USER=joe", "", (0, 1)),
    Typed("systemctl restart asterisk", before=_ASTERISK),
    Typed('cp "$(systemctl show astmanproxy -p FragmentPath --value)"'
          " /etc/systemd/system/astmanproxy-lab.service"),
    Typed("echo 'OPTIONS=\"-c /etc/asterisk/lab.conf\"' > /etc/default/astmanproxy-lab"),
    Typed("grep pidfile /etc/asterisk/lab.conf", "/run/astmanproxy-lab/astmanproxy-lab.pid",
          before=_LAB_CONF),
    Typed("systemctl daemon-reload; systemctl enable --now astmanproxy-lab"),
    # Instances, on one port; the lab's proxy has another.
    Typed("systemctl disable --now astmanproxy"),
    Typed("systemctl enable --now astmanproxy@1 astmanproxy@2",
          before="echo 'reuseport = yes' >> /etc/asterisk/astmanproxy.conf"),
    Typed("astmanproxy --instance 1 --status", "SERVER", (0, 1)),
    Typed("systemctl restart astmanproxy@1"),
    Typed("systemctl enable --now astmanproxy",
          before="systemctl disable --now astmanproxy@1 astmanproxy@2"),
    Typed("fail2ban-client reload", "OK",
          before="cp /usr/src/astmanproxy/init/fail2ban/astmanproxy.conf /etc/fail2ban/filter.d;"
          " rm -f /etc/fail2ban/jail.d/*; systemctl unmask fail2ban; systemctl start fail2ban;"
          " until fail2ban-client ping; do sleep 0.2; done"),
    Typed("sudo apt install make dpkg-dev debhelper dh-python",
          before='apt() { apt-get --simulate "$@"; }; sudo() { "$@"; }'),
    *(
        Typed(f"apt install {names}", "", before="alias apt='apt-get --simulate'")
        for names in (
            "python3 python3-venv make",
            "dpkg-dev debhelper dh-python",
            "python3-systemd",
            "python3-redis",
            "g++ python3-dev pybind11-dev libre2-dev",
            "chromium chromium-driver",
        )
    ),
]  # fmt: skip
