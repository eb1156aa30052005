# SPDX-License-Identifier: GPL-2.0-or-later
"""Calls that AMI makes and changes, and what it does to Asterisk itself."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.asterisk.flows.flow import flow

if TYPE_CHECKING:
    from tests.asterisk.world import World


@flow
def originated(w: World) -> None:
    """A call is originated, its legs are redirected, bridged, transferred, and hung up."""
    w.ask(
        "Originate", Channel="PJSIP/101", Exten="102", Context="from-phones", Priority="1",
        CallerID="Click <999>", Async="true", Variable="A=1", Account="acct", Timeout="8000",
    )  # fmt: skip
    w.heard("OriginateResponse", Response="Success")
    w.heard("BridgeEnter", Channel="PJSIP/102")
    one, two = w.channel(101), w.channel(102)
    w.ask("Status", Channel=one, Variables="PHONEVAR,A")
    w.ask("AbsoluteTimeout", Channel=one, Timeout="30")
    w.ask("SendText", Channel=one, Message="hi")
    w.ask(
        "Redirect", Channel=one, Context="from-phones", Exten="901", Priority="1",
        ExtraChannel=two, ExtraContext="from-phones", ExtraExten="900", ExtraPriority="1",
    )  # fmt: skip
    w.heard("Newexten", Channel="PJSIP/101", Application="MusicOnHold")
    w.heard("Newexten", Channel="PJSIP/102", Application="Echo")
    w.ask("Bridge", Channel1=one, Channel2=two, Tone="no")
    w.heard("BridgeEnter", Channel="PJSIP/101")
    w.ask("BridgeList")
    w.ask("BlindTransfer", Channel=one, Context="from-phones", Exten="103")
    w.heard("BridgeEnter", Channel="PJSIP/103")
    w.ask("Hangup", Channel="/^PJSIP.*$/", Cause="16")


@flow
def originated_and_waited_for(w: World) -> None:
    """Originate without Async: answered, busy, and not answered in time."""
    wait = {"Application": "Wait", "Data": "0.2"}
    w.ask("Originate", Channel="PJSIP/103", Timeout="8000", **wait)
    w[102].manner.takes = "busy"
    w.ask("Originate", Channel="PJSIP/102", Timeout="8000", **wait)
    w[102].manner.takes = "ring"
    w.ask("Originate", Channel="PJSIP/102", Timeout="1000", **wait)


@flow
def local_channels(w: World) -> None:
    """Local channels, optimized away and not."""
    w.ask(
        "Originate", Channel="Local/stay@legs", Exten="101", Context="from-phones", Priority="1",
        Async="true",
    )  # fmt: skip
    w.heard("BridgeEnter", Channel="PJSIP/101")
    w.ask("Hangup", Channel="/^.*$/")
    w.ask(
        "Originate", Channel="Local/17@loadcaller/n", Context="load", Exten="17", Priority="1",
        Async="true",
    )  # fmt: skip
    w.heard("BridgeEnter", Channel="Local/211@phones")
    w.heard("Hangup", Channel="Local/211@phones")
    w.ask("Hangup", Channel="/^.*$/")


@flow
def reloads(w: World) -> None:
    """Modules are reloaded, logs rotated, the database changed, commands run."""
    for module in ("app_queue.so", "pbx_config.so", "res_pjsip.so", "features"):
        w.ask("Reload", Module=module)
        w.heard("Reload")
    w.ask("LoggerRotate")
    w.ask("DBPut", Family="f", Key="k", Val="v: w")
    w.ask("DBGet", Family="f", Key="k")
    w.ask("DBDel", Family="f", Key="k")
    w.ask("UserEvent", "Header1: a", "Header1: b", UserEvent="Twice")
    w.ask("UserEvent", "Latin: M\xfcller", "Bell: \x07", "NoColon", UserEvent="Odd")
    w.ask("Command", Command="core show channels")
    w.ask("Command", Command="pjsip show contacts")
