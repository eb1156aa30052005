# SPDX-License-Identifier: GPL-2.0-or-later
"""The pages at / and /wall and their files, as they are sent."""

from __future__ import annotations

import gzip
import posixpath
import re

import pytest

from amiproxy.console.files import STATIC, File, files, page, without_comments
from amiproxy.httpmessages import Request, Response
from tests.threads.web.test_client import Stage, guarded, stage

__all__ = ["guarded", "stage"]  # fixtures

#: Bytes of all that a page loads, and compressed.
MOST, MOST_PACKED = 120 * 1024, 45 * 1024


def of(response: Response, name: str) -> str:
    """Return header *name* of *response*."""
    return dict(response.headers).get(name, "")


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/", "text/html; charset=utf-8"),
        ("/wall", "text/html; charset=utf-8"),
        ("/console/js/main.js", "text/javascript; charset=utf-8"),
        ("/console/css/base.css", "text/css; charset=utf-8"),
        ("/console/icon.svg", "image/svg+xml"),
    ],
)
def test_nobody_logs_in_for_the_pages(guarded: Stage, path: str, kind: str) -> None:
    """They tell nothing; what runs in them is ours, and no page of others may hold them."""
    found = guarded.get(path)

    assert (found.status, found.content_type) == (200, kind)
    assert guarded.asterisk.asked == []
    policy = of(found, "Content-Security-Policy")
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "frame-ancestors 'none';" in policy
    assert "require-trusted-types-for 'script'; trusted-types 'none'" in policy
    assert of(found, "X-Content-Type-Options") == "nosniff"
    assert of(found, "Referrer-Policy") == "no-referrer"
    assert of(found, "Cache-Control") == "no-cache"


def test_who_has_a_file_is_told_so_and_who_reads_gzip_gets_that(stage: Stage) -> None:
    """The same tag for both encodings, since it is a weak one."""
    plain = stage.get("/console/js/main.js")
    packed = stage.get("/console/js/main.js", accept_encoding="br, gzip;q=0.8")

    assert of(packed, "Content-Encoding") == "gzip"
    assert gzip.decompress(packed.body) == plain.body
    assert of(plain, "Content-Encoding") == ""
    assert stage.get("/", accept_encoding="gzip;q=0.0, br").body.startswith(b"<!DOCTYPE html>")
    tag = of(plain, "ETag")
    for known in (tag, f'"x", {tag}', tag.removeprefix("W/"), "*"):
        again = stage.get("/console/js/main.js", if_none_match=known)
        assert (again.status, again.body, of(again, "ETag")) == (304, b"", tag)
    assert stage.get("/console/js/main.js", if_none_match='"x"').status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/console/",
        "/console/nothing.js",
        "/console/../files.py",
        "/console/%2e%2e/files.py",
        "/console/..%2f__init__.py",
        "/console//etc/passwd",
        "/console/js/../../files.py",
        "/console/js%00/main.js",
        "/console/index.html",
        "/console/js",
        "/console/JS/MAIN.JS",
    ],
)
def test_what_is_no_file_of_the_console_is_not_there(stage: Stage, path: str) -> None:
    """No path leads out of the directory: none is ever made of what a client sends."""
    assert stage.get(path).status == 404


def test_only_the_wall_may_be_framed_and_only_by_known_pages() -> None:
    """Those of httpcors."""
    made = Stage(http_cors=("https://wall.example",))
    try:
        assert "frame-ancestors https://wall.example;" in of(
            made.get("/wall"), "Content-Security-Policy"
        )
        for path in ("/", "/console/js/main.js"):
            policy = of(made.get(path), "Content-Security-Policy")
            assert "frame-ancestors 'none';" in policy
    finally:
        made.stop()


def test_the_wall_has_no_slash_at_its_end(stage: Stage) -> None:
    """Its links are relative, so that a front server may put it below any path."""
    found = stage.get("/wall/?queue=support")

    assert (found.status, of(found, "Location")) == (308, "../wall")


def test_nothing_is_posted_to_a_page(stage: Stage) -> None:
    """And / with a query, or a POST, stays what it was: the way of actions."""
    for path in ("/wall", "/console/js/main.js"):
        assert stage.respond(Request("POST", path, "1.1", (("host", "x"),))).status == 405
    assert b'<form action="./"' in stage.get("/form").body
    assert stage.get("/?Action=Ping&format=json").content_type == "application/json"


def test_it_is_off_where_the_administrator_says_so() -> None:
    """Then / is the plain form, as before."""
    made = Stage(web=("metrics",))
    try:
        assert b"<form action" in made.get("/").body
        assert made.get("/wall").status == 404
    finally:
        made.stop()


def test_the_name_of_the_release_of_the_pages_follows_from_all_files() -> None:
    """Open pages compare it: hello brings it."""
    assert re.fullmatch("[0-9a-f]{12}", page())


def test_links_are_relative_and_lead_to_files_that_are_there() -> None:
    """In pages, styles and modules: a front server may put all of it below any path."""
    for name in ("index.html", "wall.html"):
        text = (STATIC / name).read_text()
        assert not re.findall(r'(?:href|src|action)="(?:/|[a-z]+:)', text)
        for link in re.findall(r'(?:href|src)="console/([^"]+)"', text):
            assert link in files(), (name, link)
    for path in STATIC.rglob("*.js"):
        for link in re.findall(r'(?:from |import\()"([^"]+)"', path.read_text()):
            assert link.startswith("."), (path, link)
            assert (path.parent / link).is_file(), (path, link)


def loaded(*names: str) -> dict[str, File]:
    """Return the files that a browser loads with *names*: what they link to and import at once."""
    found: dict[str, File] = {}
    todo = list(names)
    while todo:
        name = todo.pop()
        if name in found:
            continue
        found[name] = files()[name]
        text = found[name].body.decode()
        todo += re.findall(r'(?:href|src)="console/([^"]+)"', text)
        for link in re.findall(r'^(?:import|export)[^;]*? from "([^"]+)"', text, re.MULTILINE):
            todo.append(posixpath.normpath(posixpath.join(posixpath.dirname(name), link)))
    return found


def test_the_console_is_small() -> None:
    """120 KB, 45 KB compressed, with the view Now: it is there at once, over a slow line too."""
    first = loaded("index.html", "js/now/now.js").values()

    assert sum(len(file.body) for file in first) < MOST
    assert sum(len(file.packed) for file in first) < MOST_PACKED


def test_comments_are_not_sent_and_each_line_stays_where_it_was() -> None:
    """So that an error's line is that of the file; the licence is sent."""
    for path in STATIC.rglob("*.js"):
        source, sent = path.read_bytes(), without_comments(".js", path.read_bytes())
        assert sent.count(b"\n") == source.count(b"\n")
        assert sent.startswith(b"// SPDX-License-Identifier")
        assert b"* @param" not in sent, path
    source = b"a /** @type {x} */ b\n  /* c\n d */\n  x = '//y'; /** @type {z} */ (q) // kept\n"
    assert without_comments(".js", source) == b"a b\n\n\n  x = '//y'; (q) // kept\n"


def test_no_script_makes_markup_of_text_and_modules_are_small() -> None:
    """Texts are text nodes; at most 350 lines a file."""
    for path in sorted(STATIC.rglob("*.js")):
        text = path.read_text()
        assert not re.search(r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(", text)
        assert len(text.splitlines()) <= 350, path
