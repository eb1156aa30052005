# SPDX-License-Identifier: GPL-2.0-or-later
"""/metrics of the running program, as Prometheus' own tools read it."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.request
from typing import TYPE_CHECKING, NamedTuple

import pytest

from amiproxy.metrics import families
from amiproxy.metrics.family import HISTOGRAM
from simulator.orders import FOREVER
from tests.metrics.parsing import read
from tests.support import ProxyProcess, free_port, wait_until
from tests.system.peers import PATIENT, host_line, is_response, wait_connected

if TYPE_CHECKING:
    from collections.abc import Iterator

    from simulator.server import SimulatedAsterisk
    from tests.metrics.parsing import Samples

pytestmark = pytest.mark.asterisk(technology="PJSIP", time_scale=0.05, talk=FOREVER)

USERS = "[anna]\nsecret = secret\nwrite = reporting\n"


class Scraped(NamedTuple):
    """A proxy with a call and some clients behind it, and where its metrics are."""

    process: ProxyProcess
    asterisk: SimulatedAsterisk
    url: str

    def body(self, path: str = "/metrics", accept: str = "*/*") -> bytes:
        """Return what is at *path*."""
        request = urllib.request.Request(self.url + path, headers={"Accept": accept})
        with urllib.request.urlopen(request, timeout=10) as answer:
            found: bytes = answer.read()
        return found

    def samples(self) -> Samples:
        """Return what a scrape says now."""
        return read(self.body())


@pytest.fixture(scope="module")
def scraped(asterisk: SimulatedAsterisk) -> Iterator[Scraped]:
    """A call is up, actions have been answered, refused and wrong; somebody has failed to log in."""
    port = free_port()
    http = f"listen = 127.0.0.1, {port}, input=http\n"
    more = "state = yes\nreplay = 1MB\nautofilter = unique\nserverevents = yes\nmaxunanswered = 0\n"
    config = PATIENT + host_line(asterisk) + http + more
    with ProxyProcess(config, USERS) as process:
        wait_connected(process)
        found = Scraped(process, asterisk, f"http://127.0.0.1:{port}")
        found.body()  # from now on all is measured
        asterisk.call("PJSIP/101", "answered", exten="102")
        wait_until(lambda: sum(bool(each.bridge) for each in asterisk.exchange.channels) == 2)
        with process.client() as client:
            for lines in (
                ["Action: Login", "Username: anna", "Secret: wrong"],
                ["Action: Login", "Username: anna", "Secret: secret"],
                ["Action: Ping"],
                ["Action: Ping"],
                ["Action: MailboxCount"],  # without a mailbox: an error
                ["Action: Hangup", "Channel: PJSIP/101-1"],  # write lacks call
                ["Action: QuiteUnknown"],
            ):
                client.send(*lines)
                client.read_until(is_response)
            client.send("Action: CoreShowChannels")
            client.read_until(lambda message: "CoreShowChannelsComplete" in message[0])
            yield found


def value(samples: Samples, name: str, **labels: str) -> float:
    """Return the value of the sample *name* with *labels*."""
    words = (word for pair in sorted(labels.items()) for word in pair)
    return samples[(f"astmanproxy_{name}", *words)]


def test_actions_are_counted_by_how_they_ended(scraped: Scraped) -> None:
    """With how long they took, by what kind of answer that was."""
    found, server = scraped.samples(), scraped.asterisk.host

    def ended(action: str, result: str, at: str = server) -> float:
        return value(found, "actions_total", server=at, action=action, result=result)

    assert ended("Ping", "ok") == 2
    assert ended("MailboxCount", "error") == 1
    assert ended("CoreShowChannels", "ok") == 1
    assert ended("Hangup", "refused", "") == 1
    assert ended("other", "refused", "") == 1
    took = "action_duration_seconds_count"
    assert value(found, took, server=server, kind="single") == 3
    assert value(found, took, server=server, kind="list") == 1


def test_what_goes_on_is_told_with_few_labels(scraped: Scraped) -> None:
    """Servers, events by class, clients, log-ins, requests."""
    wait_until(lambda: value(scraped.samples(), "state_live", server=scraped.asterisk.host) == 1)
    found, server = scraped.samples(), scraped.asterisk.host
    listener = f"127.0.0.1:{scraped.process.port}"

    assert value(found, "server_up", server=server) == 1
    assert value(found, "server_events_total", server=server, **{"class": "call"}) > 5
    assert value(found, "delivery_delay_seconds_count", server=server) > 0
    assert value(found, "server_bytes_total", server=server, direction="received") > 1000
    clients = {"listener": listener, "format": "standard"}
    assert value(found, "clients", **clients, user_class="restricted") == 1
    assert value(found, "client_bytes_total", format="standard", direction="sent") > 100
    assert value(found, "client_connections_total", listener=listener) >= 1
    assert value(found, "logins_total", result="failed") == 1
    assert value(found, "logins_total", result="ok") == 1
    assert value(found, "http_requests_total", route="/metrics", code="200") >= 2
    assert value(found, "state_entries", server=server, kind="channels") == 2
    assert value(found, "gaps_total", server=server, reason="ring") == 0
    assert value(found, "config_last_reload_success") == 1
    assert found[("process_open_fds",)] > 5
    assert not [key for key in found if "anna" in key or any("PJSIP/" in word for word in key)]


def test_each_family_is_there(scraped: Scraped) -> None:
    """But what this proxy cannot have: a certificate, the clock of an Asterisk that has no Ping."""
    wait_until(lambda: b"\nastmanproxy_server_clock_offset_seconds{" in scraped.body())
    text = scraped.body().decode()
    told = set(re.findall("^# TYPE ([a-z_]+) ", text, re.MULTILINE))

    assert {each.full_name for each in families.ALL} - told == {
        "astmanproxy_certificate_expiry_timestamp_seconds"
    }
    assert text.count("# HELP ") == len(told)
    histograms = [each.full_name for each in families.ALL if each.kind == HISTOGRAM]
    assert all(f'{name}_bucket{{server="' in text for name in histograms)


def test_openmetrics_says_the_same(scraped: Scraped) -> None:
    """For who asks for it."""
    newer = read(scraped.body(accept="application/openmetrics-text"), is_openmetrics=True)

    assert newer.keys() == scraped.samples().keys()


@pytest.mark.skipif(shutil.which("promtool") is None, reason="promtool is missing")
def test_promtool_has_nothing_to_say(scraped: Scraped) -> None:
    """Its linter knows what names, kinds and texts are to be like."""
    done = subprocess.run(
        ["promtool", "check", "metrics"], input=scraped.body(), capture_output=True, check=False
    )

    assert (done.returncode, done.stdout, done.stderr) == (0, b"", b"")


def test_what_is_lost_shows(scraped: Scraped) -> None:
    """A server that goes: it is down, its counters stay, and a loss is counted by why."""
    server = scraped.asterisk.host
    before = value(scraped.samples(), "server_bytes_total", server=server, direction="received")
    scraped.asterisk.shutdown(restart=True)
    wait_until(lambda: value(scraped.samples(), "server_up", server=server) == 0)

    found = scraped.samples()

    lost = value(found, "server_losses_total", server=server, reason="closed the connection")
    assert lost == 1
    assert value(found, "server_bytes_total", server=server, direction="received") >= before
    assert json.loads(scraped.body("/healthz"))["status"] == "ok"
