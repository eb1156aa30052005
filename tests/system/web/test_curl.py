# SPDX-License-Identifier: GPL-2.0-or-later
"""What curl is answered: each promise of docs/http.md about requests and answers."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
from typing import TYPE_CHECKING

import pytest

from tests.system.web.support import curl, needs_curl, read_body

if TYPE_CHECKING:
    from tests.support import ProxyProcess

pytestmark = needs_curl

XMLLINT = shutil.which("xmllint")


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("version", ["--http1.0", "--http1.1"])
class TestCurl:
    """What curl does, over HTTP/1.0 and 1.1, plain and TLS."""

    def test_get(self, web: ProxyProcess, scheme: str, version: str) -> None:
        """A GET is an action; the answer is the response with length, date and type."""
        status, headers, body = curl(web, "/?Action=Ping&ActionID=Foo", version, scheme=scheme)

        assert status == 200
        assert headers["content-type"] == "text/plain"
        assert int(headers["content-length"]) == len(body)
        assert re.fullmatch(r"\w{3}, \d\d \w{3} \d{4} \d\d:\d\d:\d\d GMT", headers["date"])
        lines = body.split("\r\n")
        assert lines[:3] == ["Response: Success", "ActionID: Foo", "Ping: Pong"]
        assert body.count("\r\n\r\n") == 1

    def test_post(self, web: ProxyProcess, scheme: str, version: str) -> None:
        """``curl -d`` is answered, with a form and with JSON."""
        form = curl(web, "/", version, "-d", "Action=Ping&ActionID=Foo", scheme=scheme)
        as_json = curl(
            web, "/", version, "-H", "Content-Type: application/json",
            "-d", '{"Action": "Ping",\n"ActionID": "Foo"}', scheme=scheme,
        )  # fmt: skip

        for status, _, body in (form, as_json):
            assert status == 200
            assert "ActionID: Foo\r\nPing: Pong\r\n" in body

    def test_head(self, web: ProxyProcess, scheme: str, version: str) -> None:
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
    def test_formats(
        self, web: ProxyProcess, scheme: str, version: str, name: str, content_type: str
    ) -> None:
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

    def test_a_list_is_one_document(self, web: ProxyProcess, scheme: str, version: str) -> None:
        """Stock parsers read it as it is; JSON one a line is there for who asks for it."""
        path = "/?Action=CoreShowChannels"
        as_json = json.loads(curl(web, f"{path}&format=json", version, scheme=scheme)[2])
        as_xml = curl(web, path, version, "-H", "Accept: text/xml", scheme=scheme)[2]
        _, headers, lines = curl(web, f"{path}&format=ndjson", version, scheme=scheme)

        assert [each.get("EventList") for each in (as_json[0], as_json[-1])] == [
            "start",
            "Complete",
        ]
        assert [json.loads(line).keys() for line in lines.splitlines()] == [
            each.keys() for each in as_json
        ]
        assert headers["content-type"] == "application/x-ndjson"
        assert len(ET.fromstring(as_xml)) == len(as_json)
        if XMLLINT:
            subprocess.run([XMLLINT, "--noout", "-"], input=as_xml.encode(), check=True)

    def test_whole_list(self, web: ProxyProcess, scheme: str, version: str) -> None:
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
def test_status(web: ProxyProcess, path: str, options: list[str], status: int) -> None:
    """Each fault has its status."""
    assert curl(web, path, *options)[0] == status


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
def test_errors_are_in_the_format_that_was_asked_for(
    web: ProxyProcess, path: str, options: list[str]
) -> None:
    """A program that reads JSON can read what is wrong with its request, whatever it is."""
    status, headers, body = curl(web, path, *options)

    assert status >= 400
    assert headers["content-type"] == "application/json"
    assert json.loads(body)["Response"] == "Error"


def test_a_byte_order_mark_and_what_is_not_utf_8_are_answered(web: ProxyProcess) -> None:
    """Neither ends the connection without an answer; the proxy finds no bug in itself."""
    kind = ["-H", "Content-Type: application/json", "--data-binary"]

    assert curl(web, "/", *kind, '\ufeff{"Action":"Ping"}')[0] == 200
    assert curl(web, "/", *kind, "\ufeff{")[0] == 400
    assert "bug in the proxy" not in web.log()
