# SPDX-License-Identifier: GPL-2.0-or-later
"""HTTP with the real program: curl, http.client and raw sockets."""

from __future__ import annotations

import csv
import hashlib
import http.client
import json
import random
import re
import shutil
import signal
import subprocess
import threading
import time
import xml.etree.ElementTree as ET
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import quote

import pytest

from simulator.server import SimulatedAsterisk
from tests.certificates import self_signed
from tests.support import ManagerClient, ProxyProcess, wait_until
from tests.system.peers import wait_connected

pytestmark = [
    pytest.mark.skipif(shutil.which("curl") is None, reason="curl is missing"),
    pytest.mark.asterisk(queue_members=5000),
]

FORMATS = ["standard", "xml", "json", "csv"]


def config(*asterisks, more=""):
    hosts = "".join(
        f"host = 127.0.0.1, {each.port}, ampuser, AmpSecret, on, off\n" for each in asterisks
    )
    return f"{hosts}inputformat = http\n{more}"


@pytest.fixture(scope="module")
def certfile(tmp_path_factory):
    """A self-signed certificate with its key, as ``make cert`` makes them."""
    path = self_signed("localhost").write(tmp_path_factory.mktemp("cert") / "proxy.pem")
    for parent in (path, path.parent, path.parent.parent):
        parent.chmod(0o755)
    return path


@pytest.fixture(scope="module")
def web(asterisk, certfile):
    """A proxy that speaks HTTP and HTTPS."""
    more = f"acceptencryptedconnection = yes\ncertfile = {certfile}\n"
    with ProxyProcess(config(asterisk, more=more)) as process:
        wait_connected(process)
        yield process


def curl(process, path, *options, scheme="http"):
    """Return (status, headers in lower case, body) of what curl is answered."""
    done = subprocess.run(
        ["curl", "-sSik", "-m", "20", *options, f"{scheme}://127.0.0.1:{process.port}{path}"],
        capture_output=True,
    )
    assert done.returncode == 0, done.stderr
    return parse(done.stdout)


def parse(data):
    head, _, body = data.partition(b"\r\n\r\n")
    while head.startswith(b"HTTP/1.1 100"):
        head, _, body = body.partition(b"\r\n\r\n")
    status, *lines = head.decode("latin-1").split("\r\n")
    headers = {}
    for line in lines:
        name, _, value = line.partition(": ")
        headers[name.lower()] = value
    return int(status.split()[1]), headers, body.decode("latin-1")


def short(value):
    """Return a name for a test of *value*: a long one does not fit into the environment."""
    return value[:20] if isinstance(value, str) else None


def raw(process, data, timeout=10.0):
    """Return all that comes for *data* until the proxy closes."""
    with ManagerClient(process.port, timeout=timeout) as client:
        client.send_raw(data)
        return client.read_to_end()


def get(target, *headers, version="1.1"):
    lines = [f"GET {target} HTTP/{version}", "Host: x", "Connection: close", *headers]
    return "\r\n".join(lines) + "\r\n\r\n"


# -- each promise, by curl ----------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("version", ["--http1.0", "--http1.1"])
class TestCurl:
    """What curl does, over HTTP/1.0 and 1.1, plain and TLS."""

    def test_get(self, web, scheme, version):
        """A GET is an action; the answer is the response with length, date and type."""
        status, headers, body = curl(web, "/?Action=Ping&ActionID=Foo", version, scheme=scheme)

        assert status == 200
        assert headers["content-type"] == "text/plain"
        assert int(headers["content-length"]) == len(body)
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["date"])
        lines = body.split("\r\n")
        assert lines[:3] == ["Response: Success", "ActionID: Foo", "Ping: Pong"]
        assert body.count("\r\n\r\n") == 1

    def test_post(self, web, scheme, version):
        """``curl -d`` is answered, with a form and with JSON."""
        form = curl(web, "/", version, "-d", "Action=Ping&ActionID=Foo", scheme=scheme)
        as_json = curl(
            web, "/", version, "-H", "Content-Type: application/json",
            "-d", '{"Action": "Ping",\n"ActionID": "Foo"}', scheme=scheme,
        )  # fmt: skip

        for status, _, body in (form, as_json):
            assert status == 200
            assert "ActionID: Foo\r\nPing: Pong\r\n" in body

    def test_head(self, web, scheme, version):
        """HEAD has the headers of GET."""
        status, headers, body = curl(web, "/?Action=Ping", version, "-I", scheme=scheme)

        assert status == 200
        assert int(headers["content-length"]) > 20
        assert body == ""

    @pytest.mark.parametrize(
        ("name", "content_type"),
        [
            ("standard", "text/plain"),
            ("xml", "text/xml"),
            ("csv", "text/csv"),
            ("json", "application/json"),
        ],
    )
    def test_formats(self, web, scheme, version, name, content_type):
        """``format`` and Accept choose the format."""
        by_field = curl(web, f"/?Action=Ping&format={name}", version, scheme=scheme)
        accept = f"Accept: {content_type}"
        by_header = curl(web, "/?Action=Ping", version, "-H", accept, scheme=scheme)

        for status, headers, body in (by_field, by_header):
            assert status == 200
            assert headers["content-type"] == content_type
            (message,) = read_body(name, body)
            assert message["Response"] == "Success"
            assert message["Ping"] == "Pong"

    def test_whole_list(self, web, scheme, version):
        """A list is whole and nothing else is in it."""
        _, _, body = curl(web, "/?Action=CoreShowChannels&ActionID=7", version, scheme=scheme)

        messages = body.split("\r\n\r\n")
        assert messages.pop() == ""
        assert messages[0].startswith("Response: Success\r\nActionID: 7\r\nEventList: start")
        assert "\r\nEventList: Complete" in messages[-1]
        assert all("\r\nActionID: 7" in message for message in messages)

    @pytest.mark.parametrize(
        ("path", "options", "status"),
        [
            ("/nothing?Action=Ping", [], 404),
            ("/favicon.ico", [], 404),
            ("/?Foo=Bar", [], 400),
            ("/?Action=Ping&A=%0d%0aB:%20c", [], 400),
            ("/?Action=Ping&format=yaml", [], 400),
            ("/?Action=Ping", ["-X", "DELETE"], 405),
            ("/", ["-X", "PUT", "-d", "Action=Ping"], 405),
            ("/?Action=Ping", ["-X", "BREW"], 501),
            ("/", ["-H", "Content-Type: text/plain", "-d", "Action=Ping"], 415),
            ("/", ["-H", "Content-Type: application/json", "-d", "{"], 400),
            ("/?Action=Ping", ["-H", "Origin: http://evil.example"], 200),
            ("/?Action=Originate", ["-H", "Origin: http://evil.example"], 403),
            ("/?Action=Ping&Server=nowhere", [], 503),
            ("/", [], 200),
            ("/", ["-X", "OPTIONS"], 204),
        ],
    )
    def test_status(self, web, scheme, version, path, options, status):
        """Each fault has its status."""
        assert curl(web, path, version, *options, scheme=scheme)[0] == status


@pytest.mark.parametrize(
    ("path", "options"),
    [
        ("/nowhere?format=json", []),
        ("/nowhere", ["-H", "Accept: application/json"]),
        ("/?Action=&format=json", []),
        ("/", ["-d", "Foo=Bar&format=json"]),
        ("/", ["-X", "PUT", "-H", "Accept: application/json"]),
        ("/?Action=Ping&format=yaml", ["-H", "Accept: application/json"]),
        ("/?Action=Ping&A=%0d&format=json", []),
        ("/", ["-H", "Content-Type: application/json", "-H", "Accept: text/json", "-d", "{"]),
    ],
)
def test_errors_are_in_the_format_that_was_asked_for(web, path, options):
    """A program that reads JSON can read what is wrong with its request, whatever it is."""
    status, headers, body = curl(web, path, *options)

    assert status >= 400
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["Response"] == "Error"


def test_a_byte_order_mark_and_what_is_no_utf_8_are_answered(web):
    """Neither ends the connection without an answer; the proxy finds no bug in itself."""
    kind = ["-H", "Content-Type: application/json", "--data-binary"]

    assert curl(web, "/", *kind, '\ufeff{"Action":"Ping"}')[0] == 200
    assert curl(web, "/", *kind, "\ufeff{")[0] == 400
    assert "bug in the proxy" not in web.log()


def read_body(name, body):
    """Return the messages in *body* as dicts, read by stock parsers."""
    if name == "json":
        return [json.loads(line) for line in body.splitlines()]
    if name == "xml":
        root = ET.fromstring(f"<all>{body}</all>")
        return [{field.tag: field.get("Value") for field in message} for message in root]
    if name == "csv":
        rows = csv.reader(body.splitlines(), skipinitialspace=True)
        lists = [row for row in rows if row]
    else:
        lists = [block.split("\r\n") for block in body.split("\r\n\r\n")[:-1]]
    return [dict(line.split(": ", 1) for line in lines if ": " in line) for lines in lists]


# -- on the wire ---------------------------------------------------------------------------


def test_a_long_body_in_pieces(web):
    """Expect: 100-continue and chunked bodies are read."""
    body = "Action=UserEvent&UserEvent=x&" + "&".join(f"A{n}={'b' * 900}" for n in range(100))
    for options in (["-H", "Expect: 100-continue"], ["-H", "Transfer-Encoding: chunked"]):
        status, _, answer = curl(web, "/", *options, "-d", body)
        assert status == 200
        assert "Response: Success" in answer


@pytest.mark.parametrize(
    ("data", "status"),
    [
        ("GET /x\r\n\r\n", 400),
        ("rubbish\r\n\r\n", 400),
        ("GET / HTTP/1.1\r\n\r\n", 400),
        ("Action: Ping\r\n\r\n", 400),
        ("GET / HTTP/3.0\r\nHost: x\r\n\r\n", 505),
        ("GET /?" + "a" * 100000 + " HTTP/1.1\r\nHost: x\r\n\r\n", 431),
        ("GET / HTTP/1.1\r\nHost: x\r\nA: " + "b" * 100000 + "\r\n\r\n", 431),
        ("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2000000\r\n\r\n" + "a" * 2000000, 413),
        ("POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: gzip\r\n\r\n", 501),
        (get("http://x/?Action=Ping"), 200),
        (get("/?Action=Ping&A=" + "b" * 1010), 200),
        (get("/?Action=Ping&A=" + "b" * 1100), 400),
    ],
    ids=short,
)
def test_faults_on_the_wire(web, data, status):
    """What is no request gets its status, then the connection is closed."""
    answer = raw(web, data)

    assert answer.startswith(f"HTTP/1.1 {status} ".encode())
    assert b"Connection: close\r\n" in answer


def test_pipelined_requests_are_answered_in_order(web):
    """Ten requests in one packet: ten answers in their order."""
    requests = "".join(
        f"GET /?Action=Ping&ActionID=n{n} HTTP/1.1\r\nHost: x\r\n\r\n" for n in range(9)
    )

    answer = raw(web, requests + get("/?Action=Ping&ActionID=n9"))

    assert re.findall(rb"ActionID: n(\d)", answer) == [b"%d" % n for n in range(10)]
    assert answer.count(b"HTTP/1.1 200 OK") == 10


def test_http_1_0_stays_if_it_asks(web):
    """A client of HTTP/1.0 that says keep-alive is kept, another is not."""
    keep = "GET /?Action=Ping HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"
    leave = "GET /?Action=Ping HTTP/1.0\r\n\r\n"

    assert raw(web, keep + leave + keep).count(b"HTTP/1.1 200 OK") == 2


def test_a_client_that_half_closes_gets_its_answer(web):
    """``printf ... | nc -N`` is answered."""
    with ManagerClient(web.port) as client:
        client.send_raw("GET /?Action=Ping HTTP/1.1\r\nHost: x\r\n\r\n")
        client.half_close()
        assert b"Ping: Pong" in client.read_to_end()


def test_a_request_in_single_bytes(web):
    """However slowly a request comes, it is answered."""
    with ManagerClient(web.port) as client:
        for char in get("/?Action=Ping&ActionID=slow"):
            client.send_raw(char)
        assert b"ActionID: slow" in client.read_to_end()


def test_an_idle_connection_is_closed(web):
    """A client of HTTP/1.1 that reads to the end gets it after a few seconds."""
    began = time.monotonic()

    answer = raw(web, "GET /?Action=Ping HTTP/1.1\r\nHost: x\r\n\r\n")

    assert b"Ping: Pong" in answer
    assert time.monotonic() - began < 8


# -- whose answer -----------------------------------------------------------------------------


def noise(asterisk, stop):
    """Send events until *stop* is set: nothing of them may be in an answer."""
    while not stop.wait(0.002):
        asterisk.event("Noise", "system,all", Channel="SIP/noise-1", Uniqueid="9.9")


@pytest.fixture
def noisy(asterisk):
    stop = threading.Event()
    thread = threading.Thread(target=noise, args=(asterisk, stop))
    thread.start()
    yield
    stop.set()
    thread.join()


def ask(connection, number):
    """Ask for a number of our own and see to it that its answer comes, and only that."""
    action = random.Random(number).choice(["Ping", "CoreShowChannels", "Getvar"])
    target = f"/?Action={action}&Variable=x&ActionID=mine-{number}"
    connection.request("GET", target)
    response = connection.getresponse()
    body = response.read().decode()
    assert response.status == 200
    messages = body.split("\r\n\r\n")
    assert messages.pop() == ""
    assert all(f"\r\nActionID: mine-{number}\r\n" in message for message in messages), body
    assert messages[0].startswith("Response: ")
    assert len(messages) == 1 or "\r\nEventList: Complete" in messages[-1]


def test_a_thousand_requests_over_kept_connections(web, noisy):
    """20 threads, 50 requests each: each gets its own answer and only that."""

    def work(thread):
        connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
        ask(connection, thread * 1000)
        sock = connection.sock
        for number in range(1, 50):
            ask(connection, thread * 1000 + number)
        assert connection.sock is sock  # never closed in between
        connection.close()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(work, range(20)))


def test_a_thousand_requests_over_fresh_connections(web, noisy):
    """20 threads, 50 connections each: each gets its own answer and only that."""

    def work(thread):
        for number in range(50):
            connection = http.client.HTTPConnection("127.0.0.1", web.port, timeout=20)
            ask(connection, thread * 1000 + number)
            connection.close()

    with ThreadPoolExecutor(20) as pool:
        list(pool.map(work, range(20)))


def test_requests_without_action_id_get_their_own(web, noisy):
    """The proxy gives an ActionID upstream and takes it out of the answer."""

    def work(number):
        _, _, body = curl(web, f"/?Action=Getvar&Variable=v{number}")
        assert f"Variable: v{number}\r\n" in body
        assert "ActionID" not in body
        assert body.count("\r\n\r\n") == 1

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(work, range(50)))


# -- big answers ---------------------------------------------------------------------------------


@pytest.mark.parametrize("name", FORMATS)
def test_a_list_of_5000_members(web, name):
    """QueueStatus arrives whole in every format."""
    status, _, body = curl(web, f"/?Action=QueueStatus&format={name}")

    messages = read_body(name, body)
    assert status == 200
    assert sum(message.get("Event") == "QueueMember" for message in messages) == 5000
    assert messages[-1]["Event"] == "QueueStatusComplete"


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("name", FORMATS)
def test_5_mb_of_command_output(web, asterisk, name, scheme):
    """The output of a command arrives whole in every format."""
    lines = [f"line {n} " + "x" * 90 for n in range(50000)]
    output = "".join(f"Output: {line}\r\n" for line in lines)
    answer = f"Response: Success\r\nActionID: {{ActionID}}\r\nMessage: Command output follows\r\n{output}\r\n"
    asterisk.answer("Command", answer.encode())

    status, _, body = curl(web, f"/?Action=Command&Command=x&format={name}", scheme=scheme)

    asterisk.answer("Command", None)
    assert status == 200
    assert len(body) > 5_000_000
    if name == "xml":
        (message,) = ET.fromstring(f"<all>{body}</all>")
        found = [field.get("Value") for field in message if field.tag == "Output"]
    elif name == "json":
        found = json.loads(body)["Output"]
    elif name == "csv":
        (row,) = [row for row in csv.reader([body.strip()], skipinitialspace=True) if row]
        found = [field[8:] for field in row if field.startswith("Output: ")]
    else:
        found = [line[8:] for line in body.split("\r\n") if line.startswith("Output: ")]
    assert found == lines


def test_a_client_that_does_not_read_delays_nobody(web, asterisk):
    """While a client leaves its answers unread, others are served."""
    with ManagerClient(web.port) as idle:
        idle.send_raw("GET /?Action=QueueStatus HTTP/1.1\r\nHost: x\r\n\r\n" * 20)
        for number in range(5):
            assert curl(web, f"/?Action=Ping&ActionID={number}")[0] == 200


# -- until when ---------------------------------------------------------------------------------------


def test_an_answer_ends_with_the_event_asked_for(web):
    """X-Until-Event, as header or field, adds what belongs to the action until that event."""
    target = (
        "/?Action=Originate&Async=true&Channel=Local/1@default&Exten=1&Context=default&Priority=1"
    )
    by_header = curl(web, target, "-H", "X-Until-Event: OriginateResponse")
    by_field = curl(web, target + "&X-Until-Event=OriginateResponse")

    for status, _, body in (by_header, by_field):
        assert status == 200
        first, last, _ = body.split("\r\n\r\n")
        assert first.startswith("Response: Success")
        assert last.startswith("Event: OriginateResponse")


def test_the_wait_is_bounded(web):
    """X-Maxtime ends the wait for an event that does not come; what came is answered."""
    began = time.monotonic()

    status, _, body = curl(
        web, "/?Action=Ping", "-H", "X-Until-Event: Never", "-H", "X-Maxtime: 300"
    )

    assert status == 200
    assert "Ping: Pong" in body
    assert 0.3 <= time.monotonic() - began < 5


def test_silence_of_asterisk_is_504(web, asterisk):
    """An action that is never answered is 504 after X-Maxtime."""
    asterisk.answer("MuteMonitor", lambda request: None)

    status, _, body = curl(web, "/?Action=MuteMonitor&X-Maxtime=300&format=json")

    assert status == 504
    assert json.loads(body)["Response"] == "Error"


def test_a_cut_off_list_is_504(web, asterisk):
    """A list whose end does not come in time is no success; what came is there."""
    asterisk.answer(
        "Agents",
        b"Response: Success\r\nActionID: {ActionID}\r\nEventList: start\r\n\r\n"
        b"Event: Agents\r\nActionID: {ActionID}\r\nAgent: 1\r\n\r\n",
    )

    status, _, body = curl(web, "/?Action=Agents&X-Maxtime=500")

    asterisk.answer("Agents", None)
    assert status == 504
    assert "Agent: 1\r\n" in body


def test_no_server_is_503(proxy):
    """Without any Asterisk each action is 503, ProxyActions are answered."""
    process = proxy(config())

    status, _, body = curl(process, "/?Action=Ping")

    assert status == 503
    assert "Message: No Asterisk server connected" in body
    assert "ProxyResponse: Success" in curl(process, "/?ProxyAction=ListServers")[2]


def test_a_server_that_goes_ends_the_wait(proxy):
    """An answer that can no longer come is 503 at once."""
    with SimulatedAsterisk() as asterisk:
        asterisk.answer("Agents", lambda request: None)
        process = proxy(config(asterisk))
        wait_connected(process)
        began = time.monotonic()
        with ThreadPoolExecutor(1) as pool:
            waiting = pool.submit(curl, process, "/?Action=Agents")
            asterisk.wait_for_action("Agents")
            asterisk.stop()
            status, _, _ = waiting.result()

    assert status == 503
    assert time.monotonic() - began < 10


# -- who may -----------------------------------------------------------------------------------------


USERS = "joe=secret1\nann=secret2,sip/100\n"


@pytest.fixture(scope="module")
def guarded(asterisk):
    with ProxyProcess(config(asterisk, more="authrequired = yes\n"), USERS) as process:
        wait_connected(process)
        yield process


def test_without_login_it_is_401(guarded):
    """Where a login is required, nothing is done without."""
    for path in ("/?Action=Ping", "/?ProxyAction=ListSessions", "/?Action=WaitEvent&Timeout=1"):
        status, headers, _ = curl(guarded, path)
        assert status == 401
        assert headers["www-authenticate"].startswith('Basic realm="')


def test_basic_authentication(guarded):
    """User and secret of the users file open it, wrong ones do not."""
    assert curl(guarded, "/?Action=Ping", "-u", "joe:secret1")[0] == 200
    status, headers, body = curl(guarded, "/?Action=Ping", "-u", "joe:wrong")
    assert status == 401
    assert "www-authenticate" in headers
    assert "Authentication failed" in body
    assert curl(guarded, "/?Action=Ping", "-H", "Authorization: Basic !")[0] == 401
    guarded.wait_log("login failed from 127.0.0.1")
    assert "wrong" not in guarded.log().split("login failed", 1)[1].split(":")[0]
    assert "secret" not in guarded.log().replace("wrong user or secret", "")


def test_the_users_filters_count(guarded):
    """A request acts as its user."""
    path = "/?Action=Hangup&Channel=SIP/200-1"

    assert "Action Filtered" in curl(guarded, path, "-u", "ann:secret2")[2]
    assert "Action Filtered" not in curl(guarded, path, "-u", "joe:secret1")[2]


def test_proxy_key(proxy, asterisk):
    """The key as field or header opens it, and never reaches Asterisk."""
    process = proxy(config(asterisk, more="proxykey = k3y\n"))
    wait_connected(process)

    assert curl(process, "/?Action=Ping")[0] == 401
    assert curl(process, "/?Action=Ping&ProxyKey=wrong")[0] == 401
    assert curl(process, "/?Action=Ping&ProxyKey=k3y")[0] == 200
    assert curl(process, "/?Action=Ping", "-H", "ProxyKey: k3y")[0] == 200
    assert not any(b"k3y" in action for action in asterisk.received)
    assert "k3y" not in process.log()


def test_many_guarded_connections(guarded):
    """Web clients that are logged in do not count as strangers (authlimit is 50)."""
    connections = []
    try:
        for _ in range(60):
            connection = http.client.HTTPConnection("127.0.0.1", guarded.port, timeout=20)
            connections.append(connection)
            headers = {"Authorization": "Basic am9lOnNlY3JldDE="}
            connection.request("GET", "/?Action=Ping", headers=headers)
            assert connection.getresponse().read().startswith(b"Response: Success")
    finally:
        for connection in connections:
            connection.close()


def test_strangers_do_not_stay(guarded):
    """Who has not logged in is answered once and let go."""
    request = "GET /{} HTTP/1.1\r\nHost: x\r\n\r\n"
    for target in ("?Action=Ping", "rawman?action=ping", "", "nothing"):
        answer = raw(guarded, request.format(target) * 2)
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b"\r\nConnection: close\r\n" in answer


def test_pages_of_others(web, proxy, asterisk):
    """Another site's page may change nothing and read nothing, unless httpcors names it."""
    evil = ["-H", "Origin: https://a.example"]
    before = len(asterisk.actions("Hangup"))
    for options in (
        evil,
        ["-H", "Sec-Fetch-Site: cross-site"],
        ["-H", "Referer: http://evil.example/"],
        ["-A", "Mozilla/5.0 (X11; Linux)", "-H", "Accept-Language: de"],
        [*evil, "-d", "x=y"],
    ):
        assert curl(web, "/?Action=Hangup&Channel=x", *options)[0] == 403
    assert len(asterisk.actions("Hangup")) == before
    status, headers, _ = curl(web, "/?Action=Ping", *evil)
    assert status == 200
    assert "access-control-allow-origin" not in headers

    named = proxy(config(asterisk, more="httpcors = https://a.example\n"))
    wait_connected(named)
    status, headers, _ = curl(named, "/", *evil, "-d", "Action=Ping")
    assert status == 200
    assert headers["access-control-allow-origin"] == "https://a.example"
    assert curl(named, "/", "-H", "Origin: https://b.example", "-d", "Action=Ping")[0] == 403
    preflight = curl(
        named, "/", *evil, "-X", "OPTIONS", "-H", "Access-Control-Request-Method: POST"
    )
    assert preflight[0] == 204
    assert "POST" in preflight[1]["access-control-allow-methods"]


def test_rebound_names(web):
    """A browser that comes by a public name that is not ours is refused."""
    browser = ["-H", "Sec-Fetch-Site: same-origin"]

    assert curl(web, "/?Action=Ping", *browser, "-H", "Host: evil.example")[0] == 403
    assert curl(web, "/?Action=Ping", *browser, "-H", "Host: localhost:1")[0] == 200
    assert curl(web, "/?Action=Ping", "-H", "Host: pbx.example.com")[0] == 200


# -- Asterisk's own HTTP interface ---------------------------------------------------------------------


def start_session(process, path="/asterisk/rawman?action=login&username=joe&secret=secret1"):
    status, headers, body = curl(process, path)
    assert status == 200
    assert body == "Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
    match = re.match(
        r'mansession_id="([0-9a-f]{32})"; Version=1; Max-Age=60', headers["set-cookie"]
    )
    return f'Cookie: mansession_id="{match[1]}"'


@pytest.mark.parametrize("prefix", ["", "/asterisk"])
def test_a_session_of_asterisks_own_interface(guarded, asterisk, prefix):
    """Log in, ask as text and XML, wait for an event, log off."""
    cookie = start_session(guarded, f"{prefix}/rawman?action=login&username=joe&secret=secret1")

    _, _, body = curl(guarded, f"{prefix}/rawman?action=ping&actionid=1", "-H", cookie)
    assert body.startswith("Response: Success\r\nActionID: 1\r\nPing: Pong\r\n")
    _, headers, body = curl(guarded, f"{prefix}/mxml?action=ping&actionid=3", "-H", cookie)
    assert headers["content-type"] == "text/xml"
    assert "<generic response='Success' actionid='3' ping='Pong'" in body
    assert ET.fromstring(body)[0].attrib == {"type": "object", "id": "unknown"}
    _, headers, body = curl(guarded, f"{prefix}/manager?action=ping", "-H", cookie)
    assert headers["content-type"].startswith("text/html")
    assert "<tr><td>Ping</td><td>Pong</td></tr>" in body
    asterisk.event("UserEvent", "user,all", UserEvent="Kept")
    wait_until(lambda: "Kept" in wait_event(guarded, prefix, cookie))
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(wait_event, guarded, prefix, cookie)
        time.sleep(0.2)  # the event may come before or after: it is told in either case
        asterisk.event("UserEvent", "user,all", UserEvent="Awaited")
        body = waiting.result()
    assert body.startswith("Response: Success\r\nMessage: Waiting for Event completed.\r\n\r\n")
    assert "UserEvent: Awaited\r\n" in body
    assert body.endswith("\r\n\r\nEvent: WaitEventComplete\r\n\r\n")
    _, headers, body = curl(guarded, f"{prefix}/rawman?action=logoff", "-H", cookie)
    assert body == "Response: Goodbye\r\nMessage: Thanks for all the fish.\r\n\r\n"
    assert "Max-Age=0" in headers["set-cookie"]
    _, _, body = curl(guarded, f"{prefix}/rawman?action=ping", "-H", cookie)
    assert body == "Response: Error\r\nMessage: Permission denied\r\n\r\n"


def wait_event(process, prefix, cookie):
    return curl(process, f"{prefix}/rawman?action=waitevent&timeout=5", "-H", cookie)[2]


def test_a_challenge_is_answered_with_the_next_request(guarded):
    """Log-in by MD5, as programs for Asterisk's interface do it: the cookie joins the two."""
    _, headers, body = curl(guarded, "/asterisk/rawman?action=challenge&authtype=md5")
    challenge = re.fullmatch(r"Response: Success\r\nChallenge: (\d+)\r\n\r\n", body)[1]
    cookie = "Cookie: " + headers["set-cookie"].partition(";")[0]
    _, _, before = curl(guarded, "/asterisk/rawman?action=ping", "-H", cookie)
    key = hashlib.md5(f"{challenge}secret1".encode()).hexdigest()
    log_in = f"/asterisk/rawman?action=login&authtype=md5&username=joe&key={key}"
    _, _, login = curl(guarded, log_in, "-H", cookie)
    _, _, after = curl(guarded, "/asterisk/rawman?action=ping", "-H", cookie)

    assert before == "Response: Error\r\nMessage: Permission denied\r\n\r\n"
    assert login == "Response: Success\r\nMessage: Authentication accepted\r\n\r\n"
    assert after.startswith("Response: Success\r\nPing: Pong\r\n")
    assert "Authentication failed" in curl(guarded, log_in)[2]  # without the cookie


def test_a_failed_login_begins_no_session(guarded):
    """Nobody gets a cookie for a wrong secret; unknown cookies count for nothing."""
    status, headers, body = curl(guarded, "/rawman?action=login&username=joe&secret=x")

    assert status == 200
    assert body == "Response: Error\r\nMessage: Authentication failed\r\n\r\n"
    assert "set-cookie" not in headers
    for cookie in ("", "0" * 32, "../x"):
        options = ["-H", f"Cookie: mansession_id={cookie}"]
        assert "Permission denied" in curl(guarded, "/rawman?action=ping", *options)[2]


def test_recorded_requests(web):
    """What was recorded from Asterisk's interface is answered alike, as far as it is ours."""
    _, _, body = curl(web, "/asterisk/mxml?action=coreshowchannels")
    root = ET.fromstring(body)
    assert root[0][0].attrib["eventlist"] == "start"
    assert root[-1][0].attrib["event"] == "CoreShowChannelsComplete"
    text = quote("ä <&>")
    _, _, body = curl(web, f"/asterisk/rawman?action=userevent&userevent=ViaHttp&x={text}")
    assert body.startswith("Response: Success\r\nMessage: Event Sent\r\n")


# -- faults of the C program (spec section 13) -------------------------------------------------------


@pytest.mark.parametrize(
    "data",
    [
        "GET /x\r\n\r\n",
        "GET / HTTP/1.1\r\n\r\n",
        "GET /?Action=Ping&A=" + "b" * 5000 + " HTTP/1.1\r\nHost: x\r\n\r\n",
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5000\r\n\r\n" + "A=" * 2500,
        "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n",
        get("/?ProxyAction=SetOutputFormat&OutputFormat=http"),
        get("/?ProxyAction=DropServer"),
        get("/?ProxyAction=AddServer&Server=x&Port=1&Events=on&Secret=y&Username=" + "u" * 300),
        "x" * 300000,
    ],
    ids=short,
)
def test_no_request_ends_the_proxy(web, data):
    """What killed the C program is answered, and the proxy lives."""
    with ManagerClient(web.port) as client:
        client.send_raw(data)
        client.half_close()
        assert client.read_to_end().startswith(b"HTTP/1.1 ")
    assert curl(web, "/?Action=Ping")[0] == 200


def test_no_header_can_be_smuggled_in(web, asterisk):
    """CR and LF in a value are refused; nothing of it reaches Asterisk."""
    before = len(asterisk.received)

    status, _, _ = curl(web, "/?Action=UserEvent&UserEvent=a%0d%0a%0d%0aAction:%20Originate")

    assert status == 400
    assert not any(b"Originate" in action for action in asterisk.received[before:])


def test_separators_in_values(web, asterisk):
    """%26 and %3D belong to the value."""
    curl(web, "/?Action=UserEvent&UserEvent=sep&V=a%26b%3Dc%2Bd+e")

    assert any(b"\r\nV: a&b=c+d e\r\n" in action for action in asterisk.actions("UserEvent"))


def test_a_post_in_one_packet(web):
    """Head and body in one packet are answered."""
    data = "POST / HTTP/1.0\r\nContent-Length: 23\r\n\r\nAction=Ping&ActionID=Foo"

    assert b"Ping: Pong" in raw(web, data[:-1] + "o")


def test_a_slow_answer_is_waited_for(web, asterisk):
    """An answer that takes a second arrives (in C the answer ended after 0.2 s)."""
    asterisk.answer("Agents", slow_answer)

    status, _, body = curl(web, "/?Action=Agents&ActionID=1")

    asterisk.answer("Agents", None)
    assert status == 200
    assert "Message: slow" in body


def slow_answer(request):
    time.sleep(1)
    return f"Response: Success\r\nActionID: {request.action_id}\r\nMessage: slow\r\n\r\n".encode()


def test_kept_connections_do_not_delay_the_end(proxy, asterisk):
    """SIGTERM ends a proxy with kept connections in order, and soon."""
    process = proxy(config(asterisk))
    wait_connected(process)
    connection = http.client.HTTPConnection("127.0.0.1", process.port, timeout=20)
    connection.request("GET", "/?Action=Ping")
    connection.getresponse().read()
    began = time.monotonic()

    assert process.stop(signal.SIGTERM) == 0

    assert time.monotonic() - began < 4
    connection.close()


NOISE = [
    "GET ", "POST ", "/", "/?Action=Ping", " HTTP/1.1\r\n", " HTTP/1.0\r\n", "\r\n", "\n", "\0",
    "Host: x\r\n", "Content-Length: 5\r\n", "Transfer-Encoding: chunked\r\n", "a" * 2000, "\xff",
    "Expect: 100-continue\r\n", "5\r\nabcde\r\n", "0\r\n\r\n", "Cookie: mansession_id=\r\n",
]  # fmt: skip


def test_noise_on_real_connections(web):
    """Whatever is sent is answered or closed, soon; no traceback, no thread left."""
    generator = random.Random(5)

    def send(pieces):
        with ManagerClient(web.port) as client:
            try:
                client.send_raw("".join(pieces))
                client.half_close()
                answer = client.read_to_end()
            except (ConnectionResetError, BrokenPipeError):
                return
            assert answer == b"" or answer.startswith(b"HTTP/1.1 ")

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, [generator.choices(NOISE, k=8) for _ in range(300)]))
    assert "bug in the proxy" not in web.log()
    assert "Traceback" not in web.log() + web.stderr()
    assert curl(web, "/?Action=Ping")[0] == 200
