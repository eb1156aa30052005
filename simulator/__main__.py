# SPDX-License-Identifier: GPL-2.0-or-later
"""``python -m simulator``: a simulated Asterisk from the shell; ``--help`` tells more."""

from __future__ import annotations

import argparse
import signal
import sys
import threading

from simulator.dialects import DIALECTS
from simulator.faults import Faults
from simulator.server import SimulatedAsterisk

_FAULTS = {
    "silent": "accept, and never say a word",
    "mute": "answer no action after the log-in",
    "mute-login": "never answer a log-in",
    "deaf": "read nothing after the log-in",
    "close-on-accept": "close every connection at once",
    "reset-on-accept": "reset every connection at once",
}


def main(arguments: list[str] | None = None) -> int:
    """Serve until SIGINT or SIGTERM; return the exit status."""
    options = _parser().parse_args(arguments)
    over = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: over.set())
    try:
        asterisk = _asterisk(options)
        asterisk.start()
    except (OSError, ValueError) as error:
        print(f"simulator: {error}", file=sys.stderr)
        return 1
    print(
        f"simulated Asterisk {asterisk.dialect.version} listens on {asterisk.host}:{asterisk.port}",
        flush=True,
    )
    try:
        _traffic(asterisk, options, over)
        over.wait()
    finally:
        asterisk.shutdown()
    return 0


def _traffic(
    asterisk: SimulatedAsterisk, options: argparse.Namespace, over: threading.Event
) -> None:
    if options.calls:
        asterisk.exchange.keep_calling(options.calls)
    while options.replay and not over.is_set():
        # Nobody would hear it: wait for a client, looking for signals meanwhile.
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
    faults = Faults()
    for name in options.fault:
        setattr(faults, name.replace("-", "_"), True)
    return SimulatedAsterisk(
        options.host,
        options.port,
        options.user,
        options.secret,
        options.speak,
        options.tls,
        boot=not options.no_boot,
        faults=faults,
        pieces=options.pieces,
        write_timeout=options.write_timeout,
        security_events=True,
        queue_members=options.queue_members,
        peers=options.peers,
        command_lines=options.command_lines,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m simulator",
        description="An AMI server that answers and behaves as Asterisk does.",
        epilog="faults: " + "; ".join(f"{name}: {what}" for name, what in _FAULTS.items()),
    )
    add = parser.add_argument
    add("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    add("--port", type=int, default=5038, help="port, 0 for any free one (%(default)s)")
    add("--user", default="ampuser", help="name that may log in (%(default)s)")
    add("--secret", default="AmpSecret", help="its secret (%(default)s)")
    add("--speak", default="22", choices=list(DIALECTS), help="generation (%(default)s)")
    add("--tls", metavar="FILE", help="speak TLS, with certificate and key of this PEM file")
    add("--calls", type=float, default=0, metavar="N", help="begin N calls a second")
    add("--replay", metavar="FILE", help="send this recording (NAME.s2c.ami) to every client")
    add("--rate", type=float, default=0, metavar="N", help="... at N messages a second")
    add("--speed", type=float, default=0, metavar="N", help="... N times as fast as recorded")
    add("--again", action="store_true", help="... and begin again at its end")
    add("--queue-members", type=int, default=8, metavar="N", help="members in QueueStatus")
    add("--peers", type=int, default=20, metavar="N", help="entries in IAXpeers and SIPpeers")
    add("--command-lines", type=int, default=2000, metavar="N", help="lines of 'large output'")
    add("--pieces", type=int, default=0, metavar="N", help="cut output into pieces of 1..N bytes")
    add("--write-timeout", type=float, default=0.1, metavar="S", help="patience with a client (s)")
    add("--no-boot", action="store_true", help="never send FullyBooted")
    add("--fault", action="append", default=[], choices=list(_FAULTS), help="misbehave")
    return parser


if __name__ == "__main__":
    sys.exit(main())
