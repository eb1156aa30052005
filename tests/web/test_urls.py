# SPDX-License-Identifier: GPL-2.0-or-later
"""What an HTTP request asks for."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, Callable
from urllib.parse import unquote_to_bytes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from amiproxy.formats import Limits, load_formats
from amiproxy.httpmessages import BadRequest, Request
from amiproxy.web import paths, urls
from tests.support import ROOT

if TYPE_CHECKING:
    from amiproxy.web.urls import Asked

    Header = tuple[str, str]

FORMATS = load_formats(ROOT / "handlers")
FORM = ("content-type", "application/x-www-form-urlencoded")
JSON = ("content-type", "application/json; charset=utf-8")


def read(request: Request, formats: Any = FORMATS) -> Asked:
    return urls.read(request, urls.parse_target(request), Limits(), formats)


def get(target: str, *headers: Header, method: str = "GET") -> Asked:
    return read(Request(method, target, "1.1", headers))


def post(body: bytes, *headers: Header, target: str = "/", formats: Any = FORMATS) -> Asked:
    headers = (*headers, ("content-length", str(len(body))))
    return read(Request("POST", target, "1.1", headers, body), formats)


def lines_of(asked: Asked) -> list[str]:
    assert asked.message is not None
    return list(asked.message.lines)


def refused(call: Callable[..., Asked], *args: Any, **options: Any) -> int:
    with pytest.raises(BadRequest) as error:
        call(*args, **options)
    return error.value.status


@pytest.mark.parametrize(
    ("query", "lines"),
    [
        ("Action=Ping&ActionID=Foo", ["Action: Ping", "ActionID: Foo"]),
        ("Action=A&V=1&V=2&W=3", ["Action: A", "V: 1", "V: 2", "W: 3"]),
        ("Action=A&V=a+b%20c%2Bd%3Ae", ["Action: A", "V: a b c+d:e"]),
        ("Action=A&V=x%26y%3Dz", ["Action: A", "V: x&y=z"]),
        ("Action=A&V=a=b", ["Action: A", "V: a=b"]),
        ("Action=A&V=100%zz4%", ["Action: A", "V: 100%zz4%"]),
        ("Action=A&&Empty=&Bare&", ["Action: A", "Empty: ", "Bare: "]),
        ("Action=A&U=%C3%A9", ["Action: A", "U: \xc3\xa9"]),
        ("Action=Monitor&Format=wav", ["Action: Monitor", "Format: wav"]),
        ("ProxyAction=ListServers", ["ProxyAction: ListServers"]),
    ],
)
def test_fields_become_the_block(query: str, lines: list[str]) -> None:
    """Order, repetition and decoded values are kept, in a URL and in a form alike."""
    assert lines_of(get(f"/?{query}")) == lines
    assert lines_of(post(query.encode(), FORM)) == lines


def test_a_form_may_add_to_the_url() -> None:
    """Fields of the URL come first."""
    asked = post(b"ActionID=1", FORM, target="/?Action=Ping")

    assert lines_of(asked) == ["Action: Ping", "ActionID: 1"]


def test_json_becomes_the_block() -> None:
    """An object over several lines is read as the json handler reads one line."""
    asked = post(
        b'{\r\n "Action": "Originate",\n "Variable": ["a=1", "b=2"],\n "Priority": 1\n}', JSON
    )

    assert lines_of(asked) == [
        "Action: Originate",
        "Variable: a=1",
        "Variable: b=2",
        "Priority: 1",
    ]


def test_a_byte_order_mark_before_json_does_not_count() -> None:
    """Programs of .NET write one; nothing else is looked up for it (UTF-16 is not JSON)."""
    text = '{"Action": "Ping"}'

    assert lines_of(post(text.encode("utf-8-sig"), JSON)) == ["Action: Ping"]
    assert refused(post, text.encode("utf-16"), JSON) == 400


def test_json_may_hold_what_is_for_the_proxy() -> None:
    """It speaks to the proxy as the fields of a form do; those of the URL count more."""
    body = b'{"Action":"Ping","format":"xml","X-Maxtime":500,"x-until-event":"Foo","Format":"wav"}'
    asked = post(body, JSON, ("x-maxtime", "700"))

    assert lines_of(asked) == ["Action: Ping", "Format: wav"]
    assert (asked.format, asked.until_event, asked.wait) == ("xml", "Foo", 0.5)
    assert post(body, JSON, target="/?format=csv").format == "csv"


@pytest.mark.parametrize(
    "query",
    [
        "Action=Ping%0d%0a%0d%0aAction:%20Originate",
        "Action=Ping&A=b%0aC:%20d",
        "Action=Ping&A=b%0d",
        "Action=Ping&A=%00",
        "Action=Ping&A%0d%0aB=c",
        "Action=Ping&A:%20x=c",
        "Action=Ping&=c",
        "Action=Ping&%20=c",
        "Foo=Bar",
        "Action=",
        "ProxyAction=%20",
        "Action=Ping&X-Maxtime=soon",
        "Action=Ping&X-Maxtime=0",
        "Action=Ping&X-Maxtime=-5",
        "Action=Ping&X-Maxtime=%C2%B2",
        "Action=Ping&A=" + "x" * 1022,
        "Action=Ping" + "&A=b" * 128,
    ],
)
def test_what_makes_no_block_is_a_bad_request(query: str) -> None:
    """Line ends in names and values, no action, too much: 400, nothing goes to Asterisk."""
    assert refused(get, f"/?{query}") == 400
    assert refused(post, query.encode(), FORM) == 400


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{",
        b"[]",
        b'[{"Action":"Ping"}]',
        b'"Action"',
        b"{}",
        b'{"Action":"Ping"}{"Action":"Ping"}',
        b'{"Action":"Ping\\r\\nAction: Logoff"}',
        b'{"Action":"Ping\n"}',
        b'{"Action":"Ping\\u0000"}',
        b'{"Action":{"a":"b"}}',
        b'{"Foo":"Bar"}',
        b"\xff\xfe",
        b"[" * 100000,
    ],
    ids=lambda body: body[:20],
)
def test_json_that_makes_no_block_is_a_bad_request(body: bytes) -> None:
    """Whatever is not a single object of headers is 400."""
    assert refused(post, body, JSON) == 400


def test_other_bodies_are_not_taken() -> None:
    """A media type we cannot read is 415; so is JSON where no handler reads it."""
    assert refused(post, b"Action=Ping", ("content-type", "text/plain")) == 415
    assert refused(post, b"{}", JSON, formats={}) == 415


@pytest.mark.parametrize(
    ("target", "style"),
    [
        ("/?action=ping", ""),
        ("http://pbx:1234/?action=ping", ""),
        ("http://pbx:1234?action=ping", ""),
        ("/rawman?action=ping", "rawman"),
        ("/asterisk/rawman?action=ping", "rawman"),
        ("/mxml?action=ping", "mxml"),
        ("/asterisk/mxml?action=ping", "mxml"),
        ("/manager?action=ping", "manager"),
        ("/asterisk/rawman/?action=ping", "rawman"),
        ("/Asterisk/MXML?action=ping", "mxml"),
    ],
)
def test_the_path_decides_the_style(target: str, style: str) -> None:
    """Our own path is the root; Asterisk's are known with and without prefix."""
    asked = get(target)

    assert asked.style == style
    assert lines_of(asked) == ["action: ping"]


@pytest.mark.parametrize(
    "target",
    [
        "/favicon.ico",
        "/abc?Action=Ping",
        "//",
        "x",
        "*",
        "/rawman//",
        "/asterisk/",
        "/asterisk//rawman",
    ],
)
def test_other_paths_are_not_there(target: str) -> None:
    """An unknown path is 404, whatever its query."""
    assert refused(get, target) == 404


def test_nothing_asked_gives_the_page() -> None:
    """Without query there is a page at the root; a POST must name an action."""
    assert get("/").message is None
    assert get("/?").message is None
    assert get("/manager").message is None
    assert refused(post, b"", FORM) == 400
    assert refused(read, Request("POST", "/", "1.1", (FORM,)), FORMATS) == 411


@pytest.mark.parametrize(
    ("method", "status"), [("PUT", 405), ("DELETE", 405), ("get", 501), ("BREW", 501)]
)
def test_other_methods_are_refused(method: str, status: int) -> None:
    """405 for methods that exist, 501 for others, both with Allow."""
    assert method not in urls.ALLOWED
    error = urls.wrong_method(method)

    assert error.status == status
    assert error.headers == (("Allow", "GET, HEAD, POST, OPTIONS"),)


def test_wishes_come_as_headers_or_fields() -> None:
    """X-Until-Event and X-Maxtime work as both, and never reach Asterisk; a field counts first."""
    by_header = get("/?Action=A", ("x-until-event", "Done"), ("x-maxtime", "1500"))
    by_field = get("/?Action=A&X-Until-Event=Done&x-maxtime=1500", ("x-maxtime", "9"))

    for asked in (by_header, by_field):
        assert asked.until_event == "Done"
        assert asked.wait == 1.5
        assert lines_of(asked) == ["Action: A"]
    assert get("/?Action=A").wait is None
    assert get("/?Action=A&X-Maxtime=99999999999").wait == 600


def test_the_proxy_key_may_be_a_header() -> None:
    """A ProxyKey header joins the block, where the session looks for it."""
    asked = get("/?Action=A", ("proxykey", "k"))

    assert lines_of(asked) == ["Action: A", "ProxyKey: k"]


def test_format_is_a_field_of_ours_at_our_path_only() -> None:
    """``format`` names the format at our path; for Asterisk's paths it is a header."""
    assert get("/?Action=A&format=XML").format == "xml"
    assert lines_of(get("/?Action=A&format=XML")) == ["Action: A"]
    assert lines_of(get("/rawman?Action=A&format=wav")) == ["Action: A", "format: wav"]


@pytest.mark.parametrize(
    ("header", "found"),
    [
        (b"joe:secret", ("joe", "secret")),
        (b"joe:se:cret", ("joe", "se:cret")),
        (b"j\xc3\xb6e:x", ("j\xc3\xb6e", "x")),
        (b"joe", None),
        (b"joe:x\r\nAction: y", None),
    ],
)
def test_basic_credentials(header: bytes, found: tuple[str, str] | None) -> None:
    """User and secret are split at the first colon; line ends make them none."""
    text = "Basic " + base64.b64encode(header).decode()

    assert urls.credentials(Request("GET", "/", "1.1", (("authorization", text),))) == found


@pytest.mark.parametrize("text", ["", "Basic", "Basic ?", "Bearer abc", "Digest a=b", "Basic \xe9"])
def test_other_credentials_are_none(text: str) -> None:
    """What is not Basic authentication counts as not given."""
    assert urls.credentials(Request("GET", "/", "1.1", (("authorization", text),))) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ('mansession_id="abc"', "abc"),
        ("a=b; mansession_id=abc; c=d", "abc"),
        ('$Version="1"; mansession_id="abc"', "abc"),
        ("xmansession_id=abc", ""),
        ("", ""),
    ],
)
def test_the_cookie_is_found(text: str, value: str) -> None:
    """Quoted or not, among others or alone."""
    assert urls.cookie(Request("GET", "/", "1.1", (("cookie", text),)), "mansession_id") == value


BYTES = st.text(st.characters(max_codepoint=255), max_size=60)
FIELDS = st.lists(
    st.one_of(
        BYTES,
        st.sampled_from(["&", "=", "+", ";", "%", "%2", "%26", "%3D", "%c3%a9", "a=b", "\xe9"]),
    )
).map("".join)


@given(FIELDS)
def test_fields_are_decoded_byte_by_byte(text: str) -> None:
    """Each part between ampersands is one field; one byte, escaped or not, is one character."""

    def decoded(part: str) -> str:
        return unquote_to_bytes(part.replace("+", " ").encode("latin-1")).decode("latin-1")

    parts = [part.partition("=") for part in text.split("&") if part]

    assert paths.parse_fields(text) == [(decoded(name), decoded(value)) for name, _, value in parts]


@given(
    method=st.sampled_from(["GET", "POST"]),
    target=st.one_of(BYTES, BYTES.map(lambda text: "/?Action=" + text)),
    headers=st.lists(
        st.tuples(
            st.sampled_from(["content-type", "x-maxtime", "proxykey", "authorization", "cookie"]),
            st.one_of(BYTES, st.sampled_from(["application/json", "Basic YTpi"])),
        )
    ),
    body=st.one_of(st.binary(max_size=100), st.sampled_from([b'{"Action":"Ping"}'])),
)
def test_any_request_is_read_or_refused(
    method: str, target: str, headers: list[Header], body: bytes
) -> None:
    """Noise gives a block of whole lines or BadRequest, and no other exception."""
    request = Request(method, target, "1.1", tuple(headers), body)
    urls.credentials(request)
    urls.cookie(request, "mansession_id")
    try:
        asked = read(request)
    except BadRequest:
        return
    if asked.message is not None:
        text = asked.message.raw[:-4]
        assert b"\r\n\r\n" not in text
        assert b"\0" not in text
        assert text.count(b"\n") == text.count(b"\r\n") == len(asked.message.lines) - 1
