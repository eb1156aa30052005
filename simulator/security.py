# SPDX-License-Identifier: GPL-2.0-or-later
"""Security events: which session did what, for those who read class security."""

from __future__ import annotations

import datetime as dt
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from simulator.session import Session


def bad_format(session: Session, action: str) -> None:
    """Report that *session* asked for *action*, which does not exist."""
    if session.authenticated:
        report(session, "RequestBadFormat", "Error", RequestType=f"Action: {action}")


def report(session: Session, name: str, severity: str, **more: str) -> None:
    """Send the security event *name* about *session*, if the settings want them."""
    pbx = session.pbx
    if not pbx.behaviour.security_events:
        return
    now = dt.datetime.now(dt.timezone.utc)
    stamp = now.strftime("%Y-%m-%dT%H:%M:%S.") + f"{now.microsecond // 1000:03d}+0000"
    headers = {
        "EventTV": stamp,
        "Severity": severity,
        "Service": "AMI",
        "EventVersion": "1",
        "AccountID": session.user,
        "SessionID": f"0x{id(session):x}",
        "LocalAddress": "IPV4/TCP/{}/{}".format(*session.local),
        "RemoteAddress": "IPV4/TCP/{}/{}".format(*session.peer),
        **more,
        "SessionTV": stamp,
    }
    if name == "RequestBadFormat":  # the recordings have it last
        headers["AccountID"] = headers.pop("AccountID")
    pbx.event(name, **headers)
