# SPDX-License-Identifier: GPL-2.0-or-later
"""TLS on both sides of the running program: good certificates and bad, good manners and none."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading
import time
from pathlib import Path

import psutil
import pytest

from simulator.server import SimulatedAsterisk
from tests.certificates import Authority
from tests.support import ROOT, ManagerClient, ProxyProcess, tls_context, wait_until
from tests.system.peers import QUICK, Collector, host_line, is_response, wait_connected

needs_openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl is missing")

MIXED = QUICK + "acceptencryptedconnection = yes\nclientwritetimeout = 20000\n"
ONLY_TLS = MIXED + "acceptunencryptedconnection = no\n"
ONLY_PLAIN = QUICK + "acceptencryptedconnection = no\n"
REFUSED = "Unencrypted connections are not accepted"


class Certificates:
    """Files of one authority and its certificates, where anybody may read them."""

    def __init__(self):
        # The proxy reads some of them when it has dropped its privileges.
        self.dir = Path(tempfile.mkdtemp(prefix="astmanproxy-tls-"))
        self.dir.chmod(0o755)
        self.authority = Authority("Test root")
        self.middle = Authority("Test intermediate", self.authority)
        self.stranger = Authority("Another root")
        hosts = ("localhost", "127.0.0.1")
        self.ca = self.authority.write(self.dir / "ca.pem")
        self.other_ca = self.stranger.write(self.dir / "other-ca.pem")
        self.good = self._put("good", self.authority.sign(*hosts))
        self.chained = self._put("chained", self.middle.sign(*hosts))
        self.expired = self._put("expired", self.authority.expired(*hosts))
        self.elsewhere = self._put("elsewhere", self.authority.sign("pbx.example", "192.0.2.1"))
        self.unknown = self._put("unknown", self.stranger.sign(*hosts))
        self.client = self._put("client", self.authority.sign("joe", client=True))
        self.false_client = self._put("false-client", self.stranger.sign("joe", client=True))

    def _put(self, name, certificate):
        return certificate.write(self.dir / f"{name}.pem")


@pytest.fixture(scope="module")
def pki():
    """Certificates of every kind."""
    made = Certificates()
    yield made
    shutil.rmtree(made.dir)


@pytest.fixture(scope="module")
def mixed(pki, asterisk):
    """A proxy that takes both kinds of clients on one port; its certificate has a chain."""
    with ProxyProcess(MIXED + f"certfile = {pki.chained}\n" + host_line(asterisk)) as program:
        wait_connected(program)
        yield program


def checked(pki, **versions):
    """Return a client's context that checks everything."""
    context = tls_context(str(pki.ca))
    for name, version in versions.items():
        setattr(context, name, version)
    return context


def ping(client, action_id="1"):
    """Have a Ping answered."""
    client.send("Action: Ping", f"ActionID: {action_id}")
    client.read_until(f"ActionID: {action_id}")


def lines_about(program, client_port):
    """Return what the log says of the client at that port of its own."""
    return [line for line in program.log().splitlines() if f":{client_port}: " in line]


def threads(program):
    """Return how many threads the proxy has."""
    return psutil.Process(program.pid).num_threads()


# -- clients ----------------------------------------------------------------------------------


def test_one_port_serves_plain_text_and_tls(mixed, pki):
    """The banner greets both; TLS 1.3 is preferred."""
    with mixed.client() as plain, mixed.client(tls=checked(pki)) as secure:
        ping(plain)
        ping(secure)

        assert secure.sock.version() == "TLSv1.3"


@pytest.mark.parametrize("version", ["TLSv1_2", "TLSv1_3"])
def test_either_version(mixed, pki, version):
    """A session from log-in to goodbye over TLS 1.2 and 1.3, with the chain checked."""
    wanted = ssl.TLSVersion[version]
    context = checked(pki, minimum_version=wanted, maximum_version=wanted)
    with mixed.client(tls=context, server_hostname="localhost") as client:
        assert client.sock.version() == version.replace("_", ".")
        client.send("Action: Login", "Username: joe", "Secret: x")
        assert client.read_message()[0] == "Response: Success"
        assert client.read_message()[0] == "Event: FullyBooted"
        ping(client)
        client.send("Action: Logoff")
        assert client.read_until(is_response)[0] == "Response: Goodbye"
        assert client.read_to_end() == b""


@needs_openssl
@pytest.mark.parametrize("version", ["-tls1_2", "-tls1_3"])
def test_openssl_s_client(mixed, pki, version):
    """The stock tool verifies the certificate, asks and gets its answer."""
    done = s_client(
        mixed.port,
        *(version, "-CAfile", str(pki.ca), "-verify_ip", "127.0.0.1", "-verify_return_error"),
        text="ProxyAction: ListServers\r\nActionID: s\r\n\r\nAction: Logoff\r\n\r\n",
    )

    assert done.returncode == 0, done.stderr
    assert "Asterisk Call Manager Proxy/" in done.stdout
    assert "ActionID: s" in done.stdout
    assert "Response: Goodbye" in done.stdout


@needs_openssl
def test_tls_1_1_is_refused(mixed):
    """With a line in the log."""
    before = mixed.log().count("TLS handshake")
    done = s_client(mixed.port, "-tls1_1", "-cipher", "ALL:@SECLEVEL=0")

    assert done.returncode != 0
    wait_until(lambda: mixed.log().count("TLS handshake") > before)
    mixed.wait_log("TLS handshake: unsupported protocol")


def s_client(port, *arguments, text=""):
    """Run openssl s_client until the other side closes."""
    command = ["openssl", "s_client", "-connect", f"127.0.0.1:{port}", "-quiet", *arguments]
    return subprocess.run(command, input=text, capture_output=True, timeout=20, encoding="latin-1")


@pytest.mark.parametrize(
    ("certfile", "ca", "why"),
    [
        ("expired", "ca", "certificate has expired"),
        ("elsewhere", "ca", "not valid for '127.0.0.1'"),
        ("unknown", "ca", "unable to get local issuer certificate"),
        ("good", "other_ca", "unable to get local issuer certificate"),
    ],
)
def test_clients_see_what_is_wrong_with_our_certificate(proxy, pki, certfile, ca, why):
    """They refuse; the log says that a handshake failed; others are served."""
    program = proxy(MIXED + f"certfile = {getattr(pki, certfile)}\n")
    context = tls_context(str(getattr(pki, ca)))
    with pytest.raises(ssl.SSLCertVerificationError, match=re.escape(why)):
        ManagerClient(program.port, tls=context)

    program.wait_log("TLS handshake: ")
    assert "bug in the proxy" not in program.log()
    with program.client(tls=True) as careless:
        careless.send("ProxyAction: ListServers")
        assert careless.read_message() == ["ProxyResponse: Success"]


@needs_openssl
def test_make_cert_makes_one_that_clients_accept(proxy, tmp_path):
    """Checked as strictly as Python can, by each name it is made for."""
    made = tmp_path / "made.pem"
    subprocess.run(
        ["make", "-s", "cert", f"CERT={made}", "NAME=pbx.example"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    )
    program = proxy(MIXED + f"certfile = {made}\n")
    for name in ("pbx.example", "localhost", "127.0.0.1"):
        context = ssl.create_default_context(cafile=made)
        with program.client(tls=context, server_hostname=name) as client:
            client.send("ProxyAction: ListServers")
            assert client.read_message() == ["ProxyResponse: Success"]
    done = subprocess.run(
        ["openssl", "x509", "-in", made, "-noout", "-text"], capture_output=True, check=True
    )
    assert b"id-ecPublicKey" in done.stdout
    assert b"DNS:pbx.example" in done.stdout
    assert made.stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("key", ["certfile", "clientcafile", "sslcafile"])
@pytest.mark.parametrize(
    ("text", "why"), [("nonsense", "holds no certificate in PEM form"), (None, "No such file")]
)
def test_an_unusable_file_fails_the_start(proxy, pki, tmp_path, key, text, why):
    """With the file, the line, the key, and why."""
    path = tmp_path / "bad.pem"
    if text is not None:
        path.write_text(text)
    lines = {"certfile": str(pki.good), "sslverify": "yes", key: str(path)}
    config = MIXED + "".join(f"{name} = {value}\n" for name, value in lines.items())
    with pytest.raises(AssertionError, match="exit status 1") as failed:
        proxy(config)

    assert re.search(rf"astmanproxy\.conf:\d+: {key} {re.escape(str(path))}: {why}", str(failed))


def test_a_renewed_certificate_is_loaded_by_sighup_and_drops_nobody(proxy, pki):
    """Who connects then sees the new one; a broken one is reported and changes nothing."""
    path = pki.dir / "renewed.pem"
    first, second = (pki.authority.sign("127.0.0.1") for _ in range(2))
    first.write(path)
    program = proxy(MIXED + f"certfile = {path}\n")

    def serial():
        with program.client(tls=checked(pki)) as client:
            return int(client.sock.getpeercert()["serialNumber"], 16)

    assert serial() == first.serial
    with program.client(tls=checked(pki)) as old, program.client() as plain:
        second.write(path)
        program.send_signal(1)
        wait_until(lambda: serial() == second.serial, what="the new certificate")
        path.write_text("broken")
        program.send_signal(1)
        log = program.wait_log("the certificate stays as it was")
        assert f"certfile {path}: holds no certificate" in log
        assert serial() == second.serial
        for client in (old, plain):
            client.send("ProxyAction: ListServers")
            assert client.read_message() == ["ProxyResponse: Success"]


def test_client_certificates(proxy, pki):
    """With clientcafile only who shows one that its authority signed gets in."""
    program = proxy(ONLY_TLS + f"certfile = {pki.good}\nclientcafile = {pki.ca}\n")

    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        allowed = checked(pki, maximum_version=version)
        allowed.load_cert_chain(pki.client)
        with program.client(tls=allowed) as client:
            client.send("ProxyAction: ListServers")
            assert client.read_message() == ["ProxyResponse: Success"]

        for certificate, alert in [(None, "ALERT"), (pki.false_client, "ALERT_UNKNOWN_CA")]:
            refused = checked(pki, maximum_version=version)
            if certificate:
                refused.load_cert_chain(certificate)
            # In TLS 1.3 the client is done first, and hears of it when it reads.
            with pytest.raises(ssl.SSLError, match=alert):
                first_line(program, refused)
    log = program.log()
    assert "TLS handshake: peer did not return a certificate" in log
    assert "TLS handshake: certificate not accepted: " in log
    assert "bug in the proxy" not in log


def first_line(program, context):
    """Return what the proxy greets with."""
    with ManagerClient(program.port, tls=context) as client:
        client.send("ProxyAction: ListServers")
        return client.read_line()


# -- the wrong kind of client --------------------------------------------------------------------


@pytest.mark.parametrize("said", [b"Action: Ping\r\n\r\n", b"GET / HTTP/1.0\r\n\r\n", b"\x80", b""])
def test_plain_text_where_only_tls_is_taken(proxy, pki, said):
    """It is closed without a word, and the log says why; TLS is served."""
    program = proxy(ONLY_TLS + f"certfile = {pki.good}\nsslclienthellotimeout = 200\n")
    with program.client(banner=False) as client:
        client.send_raw(said)
        assert client.read_to_end() == b""
    program.wait_log(REFUSED)
    with program.client(tls=checked(pki)) as client:
        client.send("ProxyAction: ListServers")
        assert client.read_message() == ["ProxyResponse: Success"]


def test_https_where_only_plain_text_is_taken(proxy, pki):
    """The log says why, as for manager clients; it was no bad HTTP request."""
    program = proxy(ONLY_PLAIN + f"certfile = {pki.good}\ninputformat = http\n")
    with pytest.raises(OSError):
        ManagerClient(program.port, tls=True)
    assert " 400 " not in program.wait_log("TLS on a connection that is to be plain text")


def test_tls_where_only_plain_text_is_taken(proxy, pki):
    """It fails at once, and the log says why; plain text is served."""
    program = proxy(ONLY_PLAIN + f"certfile = {pki.good}\n")
    began = time.monotonic()
    with pytest.raises(OSError):
        ManagerClient(program.port, tls=True)
    assert time.monotonic() - began < 5
    program.wait_log("TLS on a connection that is to be plain text")
    with program.client() as client:
        client.send("ProxyAction: ListServers")
        assert client.read_message() == ["ProxyResponse: Success"]


def test_where_only_plain_text_is_taken_the_banner_goes_at_once(proxy):
    """There is nothing to wait for."""
    program = proxy(ONLY_PLAIN + "sslclienthellotimeout = 60000\n")
    with program.client(banner=False) as client:
        assert client.read_line(5).startswith("Asterisk Call Manager Proxy/")


def test_a_silent_client_is_taken_for_plain_text_and_delays_nobody(proxy, pki):
    """It gets its banner after sslclienthellotimeout; who speaks first, at once."""
    program = proxy(MIXED + f"certfile = {pki.good}\nsslclienthellotimeout = 1500\n")
    with program.client(banner=False) as silent, program.client(banner=False) as quick:
        began = time.monotonic()
        quick.send("ProxyAction: ListServers")
        quick.read_line()
        assert time.monotonic() - began < 1
        silent.read_line()
        assert 1 < time.monotonic() - began < 5


@pytest.mark.parametrize(
    "data",
    [
        b"\x16\x03\x01\x00\x05hello",
        b"\x16\x03\x01\xff\xff" + b"x" * 70000,
        b"\x16" * 600,
        b"\x16Action: Ping\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(600),
    ],
)
def test_what_only_begins_like_tls_is_closed(mixed, data):
    """With a line in the log and no traceback; others are not affected."""
    with mixed.client(banner=False) as client:
        port = client.sock.getsockname()[1]
        with contextlib.suppress(OSError):
            client.send_raw(data)
        client.read_to_end()
    wait_until(lambda: "TLS handshake: " in "".join(lines_about(mixed, port)))
    assert "Traceback" not in mixed.log()


def test_a_handshake_that_dawdles_delays_nobody(proxy, pki, asterisk):
    """5 bytes and silence, or byte by byte: others connect at once; it ends after 10 s."""
    program = proxy(MIXED + f"certfile = {pki.good}\n" + host_line(asterisk))
    wait_connected(program)
    hello = client_hello()
    with contextlib.ExitStack() as stack:
        stopped = [stack.enter_context(program.client(banner=False)) for _ in range(10)]
        for client in stopped:
            client.send_raw(hello[:5])
        drop = stack.enter_context(program.client(banner=False))
        began = time.monotonic()
        slow = None
        for number in range(len(hello)):
            if time.monotonic() - began > 13:
                break
            try:
                drop.send_raw(hello[number : number + 1])
            except OSError:
                break
            if number % 10 == 0:
                moment = time.monotonic()
                with program.client(tls=checked(pki)) as quick, program.client(banner=False) as one:
                    ping(quick)
                    ping_at_once(one)
                slow = max(slow or 0, time.monotonic() - moment)
            threading.Event().wait(0.15)
        for client in [*stopped, drop]:
            assert client.read_to_end(15) == b""
        took = time.monotonic() - began
    assert 9 < took < 20
    assert slow is not None
    assert slow < 2
    log = program.wait_log("no TLS handshake within 10 s")
    assert log.count("no TLS handshake within 10 s") == 11


def ping_at_once(client):
    """Have a Ping answered before the banner is read."""
    client.send("Action: Ping", "ActionID: once")
    client.read_line()
    client.read_until("ActionID: once")


def client_hello():
    """Return the first bytes of a TLS client."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    with contextlib.suppress(ssl.SSLWantReadError):
        tls_context().wrap_bio(incoming, outgoing, server_hostname="localhost").do_handshake()
    return outgoing.read()


def test_a_hello_in_single_bytes_is_a_hello(mixed, pki):
    """However the handshake is cut, it succeeds."""
    incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
    tls = checked(pki).wrap_bio(incoming, outgoing, server_hostname="localhost")
    with mixed.client(banner=False) as client:

        def step(function, *arguments):
            while True:
                try:
                    return function(*arguments)
                except ssl.SSLWantReadError:
                    for byte in outgoing.read():
                        client.send_raw(bytes([byte]))
                    incoming.write(client.sock.recv(65536))

        client.sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        step(tls.do_handshake)
        tls.write(b"Action: Ping\r\nActionID: bytes\r\n\r\n")
        said = b""
        while b"ActionID: bytes" not in said:
            said += step(tls.read, 65536)
    assert said.startswith(b"Asterisk Call Manager Proxy/")


# -- the end of a connection, and load --------------------------------------------------------------


@pytest.mark.parametrize("end", ["close", "half-close", "reset", "stay"])
def test_half_a_record_leaves_no_spinning_thread(mixed, pki, end):
    """Whether the client closes behind it or stays: no processor time, no thread left."""
    process = psutil.Process(mixed.pid)
    before = wait_quiet(mixed)
    client = mixed.client(tls=checked(pki))
    try:
        ping(client)
        os.write(client.sock.fileno(), b"\x17\x03\x03\x01\x00half a record")
        if end == "reset":
            client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        if end == "half-close":
            socket.socket.shutdown(client.sock, socket.SHUT_WR)
        if end in ("close", "reset"):
            client.close()
        if end != "stay":
            wait_until(lambda: threads(mixed) <= before, what="the thread's end")
        times = process.cpu_times()
        threading.Event().wait(0.5)
        later = process.cpu_times()
        assert later.user + later.system - times.user - times.system < 0.25
    finally:
        client.close()
    wait_until(lambda: threads(mixed) <= before, what="the thread's end")


def wait_quiet(program):
    """Wait until the clients of earlier tests have left; return the number of threads."""
    with program.client() as client:

        def alone():
            client.send("ProxyAction: ListSessions")
            answer = client.read_until(is_response)
            return sum(line.startswith("ProxyClientSession") for line in answer) == 1

        wait_until(alone, what="no other clients")
        count = threads(program) - 1
    wait_until(lambda: threads(program) <= count, what="our own thread's end")
    return threads(program)


def test_a_client_that_ends_its_side_gets_its_answers(proxy, asterisk, pki):
    """As over plain text: half-closed, also without TLS's goodbye, it gets what is under way."""
    program = proxy(MIXED + f"certfile = {pki.good}\n" + host_line(asterisk))
    wait_connected(program)
    asterisk.answer("Command", late)
    with program.client(tls=checked(pki)) as client:
        client.send("Action: Command", "Command: late", "ActionID: last")
        socket.socket.shutdown(client.sock, socket.SHUT_WR)
        assert "ActionID: last" in client.read_until(is_response)
        assert client.read_to_end() == b""
    asterisk.answer("Command", None)


def late(request):
    """Answer half a second later."""
    time.sleep(0.5)
    return f"Response: Success\r\nActionID: {request.action_id}\r\n\r\n".encode()


def test_forty_tls_clients(mixed, pki):
    """All at once, each served (in C 16 was the end)."""
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(mixed.client(tls=checked(pki))) for _ in range(40)]
        for number, client in enumerate(clients):
            client.send("ProxyAction: ListServers", f"ActionID: n{number}")
        for number, client in enumerate(clients):
            assert f"ActionID: n{number}" in client.read_until(is_response)


def test_a_big_answer_reaches_a_slow_reader(proxy, asterisk, pki):
    """9 MB, read more slowly than clientwritetimeout, but steadily: all of it, in order."""
    program = proxy(
        MIXED.replace("= 20000", "= 1500")
        + f"clientbacklog = 268435456\ncertfile = {pki.good}\n"
        + host_line(asterisk)
    )
    wait_connected(program)
    lines = [f"line {n} {'x' * 80}" for n in range(90_000)]
    output = "".join(f"Output: {line}\r\n" for line in lines)
    asterisk.answer("Command", f"Response: Success\r\n{output}\r\n".encode())
    with program.client(tls=checked(pki)) as client:
        client.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 65536)
        client.send("Action: Command", "Command: big")
        parts = []
        while not parts or not parts[-1].endswith(b"\r\n\r\n"):
            parts.append(client.sock.recv(16384))
            threading.Event().wait(0.005)
            assert parts[-1], program.log()[-500:]
    asterisk.answer("Command", None)
    found = b"".join(parts).decode().split("\r\n")
    assert [line[8:] for line in found if line.startswith("Output: ")] == lines


def test_a_burst_reaches_many_tls_clients_whole_and_in_order(mixed, asterisk, pki):
    """20 clients, 3 000 events in one go, actions meanwhile."""
    events = [
        f"Event: UserEvent\r\nPrivilege: user,all\r\nN: {n}\r\nText: {'y' * 200}\r\n\r\n"
        for n in range(3000)
    ]
    wanted = "".join(f"{one[:-2]}Server: 127.0.0.1\r\n\r\n" for one in events).encode()
    with contextlib.ExitStack() as stack:
        clients = [stack.enter_context(mixed.client(tls=checked(pki))) for _ in range(20)]
        for client in clients:
            client.send("ProxyAction: SetAutoFilter", "AutoFilter: unique")
            client.read_until(is_response)
        collectors = [stack.enter_context(Collector(client)) for client in clients]
        asterisk.send("".join(events).encode())
        for client in clients:
            client.send("ProxyAction: ListServers", "ActionID: between")
        for collector in collectors:
            data = collector.wait_size(len(wanted) + 1)
            collector.wait_for(b"N: 2999\r\n")
            collector.wait_for(b"ActionID: between\r\n\r\n")
        for collector in collectors:
            wait_until(lambda it=collector: it.data.endswith(b"\r\n\r\n"))
            data = re.sub(
                rb"ProxyResponse: (?:(?!\r\n\r\n).)*\r\n\r\n", b"", collector.data, flags=re.DOTALL
            )
            assert data == wanted


def test_shutdown_tells_tls_clients(proxy, pki):
    """The last message, then TLS's own goodbye."""
    program = proxy(MIXED + f"certfile = {pki.good}\n")
    with program.client(tls=checked(pki)) as client:
        client.send("ProxyAction: ListServers")
        client.read_message()
        assert program.stop() == 0
        assert client.read_message() == ["ProxyMessage: Proxy Shutting Down"]
        # An end without close_notify would be an SSLEOFError.
        assert client.sock.recv(1) == b""


# -- Asterisk -----------------------------------------------------------------------------------------


def verifying(pki, *, ca="ca"):
    """Return the lines that make the proxy check its servers."""
    return QUICK + f"sslverify = yes\nsslcafile = {getattr(pki, ca)}\n"


@pytest.mark.parametrize("verify", [False, True], ids=["unverified", "verified"])
@pytest.mark.parametrize("host", ["127.0.0.1", "localhost"])
def test_asterisk_over_tls(proxy, pki, verify, host):
    """Actions go, answers come, a lost connection is re-established."""
    with SimulatedAsterisk(tls=pki.chained) as server:
        config = (verifying(pki) if verify else QUICK) + host_line(server, host=host, tls="on")
        program = proxy(config)
        wait_connected(program)
        with program.client() as client:
            ping(client, "before")
            server.restart()
            wait_connected(program, 2)
            ping(client, "after")
            server.restart(reset=True)
            wait_connected(program, 3)
            ping(client, "again")


@pytest.mark.parametrize(
    ("certfile", "ca", "why"),
    [
        ("expired", "ca", "certificate has expired"),
        ("elsewhere", "ca", "not valid for 'localhost'"),
        ("unknown", "ca", "unable to get local issuer certificate"),
        ("good", "other_ca", "unable to get local issuer certificate"),
    ],
)
def test_a_bad_certificate_of_asterisk_is_named_and_tried_again(proxy, pki, certfile, ca, why):
    """No secret is sent there; once it is renewed the proxy connects by itself."""
    with SimulatedAsterisk(tls=getattr(pki, certfile)) as server:
        program = proxy(verifying(pki, ca=ca) + host_line(server, host="localhost", tls="on"))
        log = program.wait_log("trying again")
        wait_until(lambda: program.log().count("TLS handshake: certificate not accepted: ") > 1)
        assert why in log
        assert not server.received
        assert "Traceback" not in log
        good = pki.good if ca == "ca" else pki.unknown
        server.stop()
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(good)
        server.start()
        wait_connected(program)


@pytest.mark.parametrize("certfile", ["expired", "elsewhere", "unknown"])
def test_without_sslverify_any_certificate_of_asterisk_will_do(proxy, pki, certfile):
    """As in the C program."""
    with SimulatedAsterisk(tls=getattr(pki, certfile)) as server:
        program = proxy(QUICK + host_line(server, tls="on"))
        wait_connected(program)


def test_an_asterisk_that_speaks_no_tls(proxy, pki):
    """The log says so, it is tried again, and works once it does."""
    with SimulatedAsterisk() as server:
        program = proxy(QUICK + host_line(server, tls="on"))
        program.wait_log("TLS handshake: the other side speaks no TLS; trying again")
        wait_until(lambda: program.log().count("speaks no TLS") > 1, what="another try")
        with program.client() as client:
            client.send("Action: Ping", "ActionID: 1")
            assert client.read_message()[1] == "Message: No Asterisk server connected"
        server.stop()
        server.tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        server.tls.load_cert_chain(pki.good)
        server.start()
        wait_connected(program)


def test_an_asterisk_that_dawdles_in_its_handshake(proxy):
    """Nobody waits for it: clients are served, and it is given up after connecttimeout."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent.settimeout(10)
        port = silent.getsockname()[1]
        program = proxy(
            QUICK + f"connecttimeout = 1\nhost = 127.0.0.1, {port}, user, secret, on, on\n"
        )
        sock, _ = silent.accept()
        with sock, program.client() as client:
            client.send("ProxyAction: ListServers")
            assert client.read_message()[0] == "ProxyResponse: Success"
            program.wait_log("no TLS handshake within")


def test_tls_to_both_sides(proxy, pki):
    """A TLS client asks a TLS Asterisk."""
    with SimulatedAsterisk(tls=pki.good) as server:
        program = proxy(
            MIXED.replace(QUICK, verifying(pki))
            + f"certfile = {pki.chained}\n"
            + host_line(server, tls="on")
        )
        wait_connected(program)
        with program.client(tls=checked(pki)) as client:
            ping(client)
            server.event("UserEvent", Text="both")
            assert "Text: both" in client.read_message()
