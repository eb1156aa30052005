# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m simulator``: a simulated Asterisk from the shell; see ``--help``."""

from __future__ import annotations

import argparse
import signal
import sys
import threading
from typing import Any, Callable

from simulator.behaviour import Behaviour
from simulator.centre import Centre
from simulator.dialects import DIALECTS
from simulator.faults import Faults
from simulator.recordings import pauses
from simulator.server import SimulatedAsterisk
from simulator.technologies import TECHNOLOGIES

# By name: what it looks like, and the fields of Faults that cause it.
_FAULTS: dict[str, tuple[str, dict[str, Any]]] = {
    "silent": ("accept, and never send anything", {"silent": True}),
    "garbage": (
        "garbage in place of the banner",
        {"garbage": b"\x16\x03\xff\x00\xfe" * 20 + b"\n"},
    ),
    "slow-login": ("answer a login after 5 s", {"login_delay": 5.0}),
    "mute-login": ("never answer a login", {"mute_login": True}),
    "refuse-login": ("refuse any secret", {"login_error": "Authentication failed"}),
    "mute": ("answer no action after the login", {"mute": True}),
    "deaf": ("read nothing after the login", {"deaf": True}),
    "shutting-down": ("refuse every action, as in 'core stop gracefully'", {"shutting_down": True}),
    "close-on-accept": ("close every connection at once", {"close_on_accept": True}),
    "reset-on-accept": ("reset every connection at once", {"reset_on_accept": True}),
}

_SIGNALS = (signal.SIGINT, signal.SIGTERM)


def _restart(asterisk: SimulatedAsterisk) -> None:
    asterisk.shutdown(restart=True)
    asterisk.start()


# Faults that happen again and again (--every) to all who are logged in.
_ACCIDENTS: dict[str, tuple[str, Callable[[SimulatedAsterisk], None]]] = {
    "half-message": ("half a message, then close", lambda asterisk: asterisk.half_a_message()),
    "reset": ("reset all connections", lambda asterisk: asterisk.drop_sessions(reset=True)),
    "restart": ("end as 'core restart now' does", _restart),
}


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; return the exit status."""
    options = _parser().parse_args(arguments)
    # Blocked here and so in every later thread: only sigwait() below gets them.  A
    # signal handler would not run while the main thread waits for a lock.
    signal.pthread_sigmask(signal.SIG_BLOCK, _SIGNALS)
    try:
        if options.replay and options.speed:
            pauses(options.replay)  # so that who started us is told
        asterisk = _asterisk(options)
        asterisk.start()
    except (OSError, ValueError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1
    print(
        f"simulated Asterisk {asterisk.dialect.version} listens on {asterisk.host}:{asterisk.port}",
        flush=True,
    )
    over = threading.Event()
    threads = [
        threading.Thread(target=work, args=(asterisk, options, over), daemon=True)
        for work in (_accidents, _traffic)
    ]
    for thread in threads:
        thread.start()
    signal.sigwait(_SIGNALS)
    over.set()
    for thread in threads:
        thread.join()
    asterisk.shutdown()
    return 0


def _accidents(
    asterisk: SimulatedAsterisk, options: argparse.Namespace, over: threading.Event
) -> None:
    """Cause the accidents that were asked for, in turn."""
    names = [name for name in options.fault if name in _ACCIDENTS]
    while names and not over.wait(options.every):
        if asterisk.sessions:
            names.append(names.pop(0))
            print(f"{names[-1]} to {len(asterisk.sessions)}", flush=True)
            _ACCIDENTS[names[-1]][1](asterisk)
            if names[-1] == "restart" and options.calls:
                asterisk.exchange.keep_calling(options.calls)


def _traffic(
    asterisk: SimulatedAsterisk, options: argparse.Namespace, over: threading.Event
) -> None:
    if options.calls:
        asterisk.exchange.keep_calling(options.calls)
    if options.centre:
        Centre(asterisk.exchange, options.centre).open()
    while options.replay and not over.is_set():
        # Without a client nobody would get it.
        if not asterisk.sessions:
            over.wait(0.1)
            continue
        asterisk.replay(
            options.replay, rate=options.rate, speed=options.speed, wanted=lambda: not over.is_set()
        )
        if not options.again:
            return
        asterisk.flush()


def _asterisk(options: argparse.Namespace) -> SimulatedAsterisk:
    fields: dict[str, Any] = {"refusal_delay": 1.0}
    for name in options.fault:
        fields.update(_FAULTS.get(name, ("", {}))[1])
    return SimulatedAsterisk(
        options.host,
        options.port,
        users={options.user: options.secret},
        tls=options.tls,
        behaviour=Behaviour(
            speak=options.speak,
            technology=options.technology,
            boot=not options.no_boot,
            pieces=options.pieces,
            write_timeout=options.write_timeout,
            security_events=True,
            queue_members=options.queue_members,
            peers=options.peers,
            command_lines=options.command_lines,
        ),
        faults=Faults(**fields),
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="An AMI server that answers and behaves as Asterisk does.",
        epilog="\n".join(
            ["faults:"]
            + [f"  {name:16} {what}" for name, (what, _) in _FAULTS.items()]
            + ["again and again (--every), to all who are logged in:"]
            + [f"  {name:16} {what}" for name, (what, _) in _ACCIDENTS.items()]
        ),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=int, default=5038, help="port, 0 for any free one (%(default)s)")
    add("--user", default="ampuser", help="name that may log in (%(default)s)")
    add("--secret", default="AmpSecret", help="its secret (%(default)s)")
    add(
        "--speak",
        default="22",
        choices=list(DIALECTS),
        help="version of Asterisk to speak like (%(default)s)",
    )
    add(
        "--technology",
        default="Local",
        choices=list(TECHNOLOGIES),
        help="the phones: of calls, queue members, registrations (%(default)s)",
    )
    add("--tls", metavar="FILE", help="use TLS, with certificate and key from this PEM file")
    add("--calls", type=float, default=0, metavar="N", help="begin N calls a second")
    add(
        "--centre",
        type=float,
        default=0,
        metavar="N",
        help="have queues with agents, which N people a second call (--speak 22, PJSIP)",
    )
    add("--replay", metavar="FILE", help="send this recording (NAME.s2c.ami) to every client")
    add("--rate", type=float, default=0, metavar="N", help="... at N messages a second")
    add("--speed", type=float, default=0, metavar="N", help="... N times as fast as recorded")
    add("--again", action="store_true", help="... and begin again at its end")
    add("--queue-members", type=int, default=8, metavar="N", help="members in QueueStatus")
    add("--peers", type=int, default=20, metavar="N", help="entries in IAXpeers and SIPpeers")
    add("--command-lines", type=int, default=2000, metavar="N", help="lines of 'large output'")
    add("--pieces", type=int, default=0, metavar="N", help="cut output into pieces of 1 to N bytes")
    add(
        "--write-timeout",
        type=float,
        default=0.1,
        metavar="S",
        help="drop a client that reads nothing for S seconds",
    )
    add("--no-boot", action="store_true", help="never send FullyBooted")
    add(
        "--fault",
        action="append",
        default=[],
        choices=[*_FAULTS, *_ACCIDENTS],
        metavar="NAME",
        help="a fault of the list below; may be repeated",
    )
    add(
        "--every",
        type=float,
        default=5,
        metavar="S",
        help="seconds between accidents (%(default)s)",
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
