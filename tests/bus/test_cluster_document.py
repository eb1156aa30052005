# SPDX-License-Identifier: GPL-2.0-or-later
"""What docs/cluster.md tells people to write for Redis and HAProxy does what it says."""

from __future__ import annotations

import contextlib
import re
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.bus.cluster import Cluster
from tests.bus.redisserver import needs_redis
from tests.bus.test_sharing import asterisk
from tests.support import ROOT, ManagerClient, free_port, is_listening, wait_until
from tests.system.peers import BareServer
from tests.system.people import answer, log_in, logged_in

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.bus.redisserver import StartRedis

PAGE = (ROOT / "docs/cluster.md").read_text(encoding="utf-8")
USER = "user astmanproxy on "
_NEWS = "Event: UserEvent\r\nPrivilege: user,all\r\nUserEvent: News\r\nN: %s\r\n%s\r\n\r\n"

needs_haproxy = pytest.mark.skipif(shutil.which("haproxy") is None, reason="haproxy is missing")


def fenced(language: str) -> str:
    """Return the block of the page in that language."""
    (found,) = re.findall(rf"^```{language}\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    assert isinstance(found, str)
    return found


@pytest.fixture
def guarded(start_redis: StartRedis) -> Iterator[Cluster]:
    """Two proxies at a Redis that lets them do what the page says, and no more."""
    (rule,) = (line for line in fenced("text").splitlines() if line.startswith(USER))
    redis = start_redis(users={"astmanproxy": rule.removeprefix(USER).replace("SECRET", "s3cret")})
    bus = f"redis://astmanproxy:s3cret@127.0.0.1:{redis.port}/1"
    more = f"bus = {bus}\nbusbytes = 1MB\nmaxclients = 50\n"
    with BareServer(script=asterisk) as server:
        made = Cluster(redis, [server], more)
        try:
            for _ in range(2):
                made.start()
            made.wait_shared()
            yield made
        finally:
            for proxy in made.proxies:
                proxy.stop()


def refused(house: Cluster) -> list[str]:
    """Return what Redis has refused to the proxies."""
    entries = house.redis.command("ACL", "LOG")
    return [str(entry) for entry in entries]


@needs_redis
def test_the_rule_for_redis_allows_all_that_proxies_do(guarded: Cluster) -> None:
    """Events, actions, a flood, failed log-ins, orders, a lost connection, a takeover, an end."""
    holder, (other,) = guarded.wait_shared()
    with logged_in(other, "board") as client:
        for name in ("CoreStatus", "SIPpeers"):
            assert answer(client, f"Action: {name}", "ActionID: 7")[0] == "Response: Success"
        for number in range(600):
            guarded.link().sendall((_NEWS % (number, "X: " + "x" * 5000)).encode())
        guarded.link().sendall((_NEWS % ("end", "")).encode())
        client.read_until("N: end", 30)
        with holder.client() as stranger:
            log_in(stranger, "board", "wrong")
        guarded.redis.command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
        guarded.link().sendall((_NEWS % ("again", "")).encode())
        client.read_until("N: again", 30)
        holder.process.kill()
        client.read_until("Event: ProxyServerConnected", 30)
    guarded.proxies.remove(holder)

    assert refused(guarded) == []


@needs_redis
@pytest.mark.parametrize("words", [("KEYS", "*"), ("FLUSHALL",), ("GET", "another:key")])
def test_the_rule_for_redis_allows_nothing_else(
    start_redis: StartRedis, words: tuple[str, ...]
) -> None:
    """Neither other keys, nor what is dangerous."""
    (rule,) = (line for line in fenced("text").splitlines() if line.startswith(USER))
    redis = start_redis(users={"astmanproxy": rule.removeprefix(USER).replace("SECRET", "s3cret")})
    said = redis.command("ACL", "DRYRUN", "astmanproxy", *words)

    assert b"has no permissions" in said


def lines_of_the_page(ports: dict[str, int]) -> str:
    """Return the listen lines for proxies behind HAProxy, with *ports* in the place of theirs."""
    text = "".join(re.findall(r"^    (listen = \*, \d+,.*\n)", PAGE, re.MULTILINE)[:3])
    assert text.count("listen =") == 3
    text = text.replace("tls=yes, ", "").replace("192.0.2.10", "127.0.0.1")
    text = text.replace("*", "127.0.0.1")
    for name, port in ports.items():
        text = text.replace(f", {name},", f", {port},")
    return text


def haproxy_of_the_page(sets: list[dict[str, int]], fronts: dict[str, int]) -> str:
    """Return HAProxy's file for proxies with *sets* of ports, with *fronts* as its own."""
    text = fenced("haproxy")
    for number, ports in enumerate(sets, 21):
        for name in ("1234", "8443"):
            where = f"127.0.0.1:{ports[name]} check port {ports['8088']}"
            text = text.replace(f"192.0.2.{number}:{name}", where)
    for name, port in fronts.items():
        text = text.replace(f"bind :{name}", f"bind 127.0.0.1:{port}")
    assert "192.0.2" not in text
    return text


@pytest.fixture
def balanced(start_redis: StartRedis, tmp_path: Path) -> Iterator[tuple[Cluster, int]]:
    """Two proxies of a cluster behind the HAProxy of the page, and the port of that."""
    with contextlib.ExitStack() as stack:
        server = stack.enter_context(BareServer(script=asterisk))
        house = Cluster(start_redis(), [server])
        stack.callback(lambda: [proxy.stop() for proxy in house.proxies])
        sets = [{name: free_port() for name in ("1234", "8443", "8088")} for _ in range(2)]
        for ports in sets:
            house.start(lines_of_the_page(ports))
        house.wait_shared()
        fronts = {name: free_port() for name in ("1234", "8443")}
        file = tmp_path / "haproxy.cfg"
        file.write_text(haproxy_of_the_page(sets, fronts))
        subprocess.run(["haproxy", "-c", "-f", str(file)], check=True, capture_output=True)
        running = stack.enter_context(subprocess.Popen(["haproxy", "-db", "-q", "-f", str(file)]))
        stack.callback(running.terminate)
        wait_until(lambda: is_listening(fronts["1234"]))
        yield house, fronts["1234"]


@needs_redis
@needs_haproxy
def test_behind_the_haproxy_of_the_page_clients_go_on_at_another_proxy(
    balanced: tuple[Cluster, int],
) -> None:
    """Whoever connects is served, while one proxy is killed and after that."""
    house, port = balanced
    holder, _ = house.wait_shared()

    def is_served() -> bool:
        with contextlib.suppress(OSError, EOFError), ManagerClient(port) as client:
            client.read_line()
            return log_in(client, "board")[0] == "Response: Success"
        return False

    wait_until(is_served, 20)
    wait_until(lambda: is_served() and all("logged in" in each.log() for each in house.proxies), 20)
    house.proxies.remove(holder)
    holder.process.kill()

    # Until HAProxy has marked it as down, one that just comes may be cut off once.
    for _ in range(5):
        wait_until(is_served, 20)
    assert house.proxies[0].process.poll() is None
