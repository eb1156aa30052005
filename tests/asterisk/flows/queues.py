# SPDX-License-Identifier: GPL-2.0-or-later
"""Queues, their members, and agents."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.asterisk.flows.flow import flow

if TYPE_CHECKING:
    from tests.asterisk.world import World


@flow
def queue(w: World) -> None:
    """105 waits in a queue; 103 and 104 ring, 103 is faster, talks, and hangs up."""
    w[104].manner.delay, w[103].manner.talk = 2.0, 0.5
    w[105].call("600")
    w.heard("QueueCallerJoin", Queue="support")
    w.heard("AgentConnect", DestChannel="PJSIP/103")
    w.heard("AgentComplete", Reason="agent")


@flow
def queue_through_local(w: World) -> None:
    """Members behind Local channels: the first does not answer, the second does."""
    w[105].manner.takes, w[101].manner.talk = "ring", 0.5
    w[106].call("601")
    w.heard("AgentRingNoAnswer", DestChannel="Local/105")
    w.heard("AgentConnect", DestChannel="Local/101")
    w.heard("AgentComplete")


@flow
def queue_abandoned(w: World) -> None:
    """The caller gives up; another one waits until the queue lets him go on."""
    w[103].manner.takes = w[104].manner.takes = "ring"
    waiting = w[105].call("600")
    w.heard("AgentCalled", DestChannel="PJSIP/103")
    waiting.hang_up()
    w.heard("QueueCallerAbandon", Queue="support")
    w[108].call("603")
    w.heard("QueueCallerLeave", Queue="dynamic")


@flow
def queue_members(w: World) -> None:
    """Members come, pause, get a penalty, take a call, and go; queues are told and reset."""
    seven, one = "PJSIP/107", "PJSIP/101"
    w.ask("QueueAdd", Queue="dynamic", Interface=seven, MemberName="Dyn Seven", Penalty="1")
    w.ask("QueueAdd", Queue="dynamic", Interface=one, MemberName="Dyn One")
    w.ask("QueuePause", Queue="dynamic", Interface=seven, Paused="true", Reason="lunch; x: y")
    w.ask("QueuePenalty", Queue="dynamic", Interface=seven, Penalty="3")
    w.ask("QueueMemberRingInUse", Queue="dynamic", Interface=seven, RingInUse="no")
    w.ask("QueueLog", Queue="dynamic", Event="TEST", Message="m")
    w.ask("QueueStatus", Queue="dynamic")
    w.ask("QueueSummary")
    w[101].manner.talk = 0.5
    w[108].call("603")
    w.heard("AgentComplete", Queue="dynamic")
    for interface in (seven, one):
        w.ask("QueueRemove", Queue="dynamic", Interface=interface)
    w.heard("QueueMemberRemoved", Interface=one)
    w.ask("QueueReset", Queue="support")
    w.ask("QueueReload", Queue="support", Members="yes", Rules="yes")


@flow
def agents(w: World) -> None:
    """101 logs in as agent 1001; 102 asks for him; the agent is logged off."""
    w[101].call("907")
    w.heard("AgentLogin", Agent="1001")
    w.heard("DeviceStateChange", Device="Agent:1001", State="NOT_INUSE")
    w.forget()
    w[102].call("908")
    w.heard("BridgeEnter", Channel="PJSIP/102")
    w.heard("BridgeEnter", Channel="PJSIP/101")
    w.ask("Agents")
    w[102].hang_up()
    w.heard("Hangup", Channel="PJSIP/102")
    w.ask("AgentLogoff", Agent="1001")
    w.heard("AgentLogoff", Agent="1001")
