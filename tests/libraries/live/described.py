# SPDX-License-Identifier: GPL-2.0-or-later
"""schemathesis asks all that ``/openapi.json`` describes, and compares the answers with it.

By a user who may do everything but stop the proxy, and as a stranger where nobody must log in.
"""

from __future__ import annotations

import re
import subprocess
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from amiproxy.access import tokens
from amiproxy.threads.actions.proxyactions import PROXY_ACTIONS
from simulator.behaviour import Behaviour
from simulator.server import SimulatedAsterisk
from tests.support import ProxyProcess
from tests.system.peers import host_line, wait_connected

if TYPE_CHECKING:
    from tests.libraries.installing import Ready

#: The driver, which schemathesis loads.
HOOKS = "schemathesis_rest.py"

_CONFIG = "retryinterval = 1\nretrylongest = 1\ninputformat = http\nstate = yes\nreplay = 64KB\n"
_USER = "[wallboard]\nread = all\nwrite = all\nproxyactions = {}\ntoken = {}\n"
#: What would end the stage.
_NEVER = {"Shutdown", "Restart"}
_CHECKS = (
    "not_a_server_error",
    "status_code_conformance",
    "content_type_conformance",
    "response_headers_conformance",
    "response_schema_conformance",
)
#: How many requests of each operation are made up, beside those that the description suggests.
_EXAMPLES = 20
_OPTIONS = (
    "--phases=examples,coverage,fuzzing",
    f"--checks={','.join(_CHECKS)}",
    f"--max-examples={_EXAMPLES}",
    "--continue-on-failure",
    "--seed=1",
    "--generation-database=none",
    "--request-timeout=60",
    "--warnings=off",
    "--no-color",
)
#: Seconds that one run may take.
_PATIENCE = 300.0


def wrong(ready: Ready) -> list[str]:
    """Return what is answered otherwise than it is described, with a log-in and without."""
    return [
        f"{who}: {fault}"
        for who, guarded in (("logged in", True), ("stranger", False))
        for fault in _asked(ready, guarded=guarded)
    ]


def _asked(ready: Ready, *, guarded: bool) -> list[str]:
    token = tokens.new_token()
    may = ", ".join(each.name for each in PROXY_ACTIONS.values() if each.name not in _NEVER)
    config = f"{_CONFIG}authrequired = {'yes' if guarded else 'no'}\n"
    with (
        SimulatedAsterisk(behaviour=Behaviour(technology="PJSIP")) as asterisk,
        SimulatedAsterisk() as spare,
        ProxyProcess(
            config
            + host_line(asterisk, options="name=pbx1")
            + host_line(spare, options="name=spare"),
            _USER.format(may, tokens.hash_of(token)),
        ) as proxy,
    ):
        wait_connected(proxy)
        log_in = [f"--header=Authorization: Bearer {token}"] if guarded else []
        faults = _run(ready, f"http://127.0.0.1:{proxy.port}", log_in)
        stopped = proxy.process.poll() is not None
        return [*faults, "the proxy has stopped"] if stopped else faults


def _run(ready: Ready, url: str, log_in: list[str]) -> list[str]:
    """Run schemathesis at *url*; return what it found, with the request that shows it."""
    python, hooks = ready.command
    settings = Path(hooks).with_name("schemathesis.toml")
    command = [
        str(Path(python).with_name("schemathesis")),
        f"--config-file={settings}",
        "run",
        f"{url}/openapi.json",
        f"--url={url}",
        *_OPTIONS,
        *log_in,
    ]
    with tempfile.TemporaryDirectory() as place:
        try:
            done = subprocess.run(
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                timeout=_PATIENCE,
                check=False,
                cwd=place,
                env={"PATH": "/usr/bin:/bin", "HOME": place, "SCHEMATHESIS_HOOKS": hooks},
            )
        except subprocess.TimeoutExpired:
            return [f"not done within {_PATIENCE:.0f} s"]
    return faults(done.returncode, done.stdout)


def faults(status: int, output: str) -> list[str]:
    """Return what schemathesis, which ended with *status*, says in *output* that it found."""
    found: list[str] = []
    operation = ""
    for line in output.splitlines():
        if heading := re.fullmatch(r"_{3,} (.+?) _{3,}", line):
            operation = heading[1]
        elif fault := re.fullmatch(r"- (?:ST\d+ )?(.+)", line):
            found.append(f"{operation}: {fault[1]}")
        elif shown := re.match(r"    (curl -X .+)", line):
            found.append(shown[1])
    if status:
        return found or [" ".join(output.split())[-500:] or f"exit status {status}"]
    asked = re.search(r"Selected: (\d+)/(\d+)\s+Tested: (\d+)", output)
    return [] if asked and len({*asked.groups()}) == 1 else ["not all was asked"]
