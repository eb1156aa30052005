# SPDX-License-Identifier: GPL-2.0-or-later
"""Bodies that can be read in two ways, or cost much to read, are refused."""

from __future__ import annotations

import json
from typing import Any

import pytest

from amiproxy.formats import Limits, load_formats
from amiproxy.httpmessages import BadRequest, Request
from amiproxy.web import urls
from tests.support import ROOT

FORMATS = load_formats(ROOT / "handlers")
FORM = "application/x-www-form-urlencoded"
PING = b"Action=Ping"


def read(body: bytes, kind: str = FORM, *, target: str = "/", **headers: str) -> urls.Asked:
    """Return what a POST of *body* asks for."""
    others = tuple((name.replace("_", "-"), value) for name, value in headers.items())
    request = Request("POST", target, "1.1", (("content-type", kind), *others), body)
    return urls.read(request, urls.parse_target(request), Limits(), FORMATS)


def status(*args: Any, **options: Any) -> int:
    """Return the status of the error that ``read`` raises."""
    with pytest.raises(BadRequest) as caught:
        read(*args, **options)
    return caught.value.status


@pytest.mark.parametrize(
    "charset",
    [
        "utf-16",
        "UTF-16LE",
        '"utf-16"',
        "utf-7",
        "utf-32",
        "ebcdic",
        "cp037",
        "x-user-defined",
        "gb18030",
        "shift_jis",
        "",
        "utf-8; charset=utf-16",
        "utf-8;CHARSET=utf-16",
        "'utf-16'",
    ],
)
def test_a_charset_other_than_ours_is_refused(charset: str) -> None:
    """Bytes that mean something else in it: 415, by form and by JSON."""
    for kind, body in ((FORM, PING), ("application/json", b'{"Action": "Ping"}')):
        assert status(body, f"{kind}; charset={charset}") == 415
        assert status(body, f"{kind} ; Charset = {charset}") == 415
    assert status("Action=Ping".encode("utf-16"), f"{FORM}; charset*=utf-16''x") == 415


@pytest.mark.parametrize("charset", ["utf-8", "UTF-8", '"utf-8"', "us-ascii", "utf8"])
def test_our_charsets_are_read(charset: str) -> None:
    """As is a body that names none; Latin-1 in a form."""
    assert read(PING, f"{FORM}; charset={charset}").message is not None
    assert read(b'{"Action": "Ping"}', f"application/json; charset={charset}").message is not None
    assert read(PING, f"{FORM}; charset=ISO-8859-1; x=y").message is not None
    assert status(b'{"Action": "Ping"}', "application/json; charset=latin-1") == 415


@pytest.mark.parametrize(
    ("kind", "body"), [(FORM, PING), ("application/json", b'{"Action":"Ping"}')]
)
def test_a_byte_order_mark_before_a_body_does_not_count(kind: str, body: bytes) -> None:
    """Whoever writes the body with .NET's StreamWriter sends one."""
    asked = read(b"\xef\xbb\xbf" + body, kind)

    assert asked.message is not None
    assert asked.message.action == "ping"


@pytest.mark.parametrize("encoding", ["gzip", "identity, gzip", "br", "x"])
def test_an_encoded_body_is_refused(encoding: str) -> None:
    """It would be read as what it is not."""
    assert status(PING, content_encoding=encoding) == 415
    assert read(PING, content_encoding="identity").message is not None


@pytest.mark.parametrize("text", ["a&", "&", "a=b&", "%26&"])
def test_very_many_fields_are_not_parsed(monkeypatch: pytest.MonkeyPatch, text: str) -> None:
    """Of a form, of a URL, or of both."""
    monkeypatch.setattr(urls, "parse_fields", None)
    many = "Action=Ping&" + text * 600

    assert status(many.encode()) == 400
    assert status(b"", target=f"/?{many}") == 400
    assert status(many[: len(many) // 2].encode(), target=f"/?{many[: len(many) // 2]}") == 400


def test_a_json_body_is_parsed_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Line ends between its tokens are none of the format's."""
    loads, parsed = json.loads, []

    def counted(text: str, **options: Any) -> Any:
        parsed.append(text)
        return loads(text, **options)

    monkeypatch.setattr(json, "loads", counted)
    asked = read(b'\r\n{"Action":\n"Ping"\n,\r\n"V": [\n1,\n2\n]\n}\n', "application/json")

    assert asked.message is not None
    assert list(asked.message.lines) == ["Action: Ping", "V: 1", "V: 2"]
    assert len(parsed) == 1


def test_json_of_very_many_values_is_not_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """By this way as little as in a stream of records."""
    monkeypatch.setattr(json, "loads", None)

    assert status(b'{"a":[' + b"{}," * 40_000 + b"{}]}", "application/json") == 400
