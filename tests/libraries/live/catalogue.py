# SPDX-License-Identifier: GPL-2.0-or-later
"""Which clients there are, where they come from, and what each of them is to see."""

from __future__ import annotations

from pathlib import Path

from tests.libraries.catalogue import Library

CLIENTS = (
    Library("websockets, sync", "Python", "pip", "websockets==15.0.1", "websockets_sync_ws.py"),
    Library(
        "websockets, asyncio", "Python", "pip", "websockets==15.0.1", "websockets_asyncio_ws.py"
    ),
    Library(
        "websocket-client", "Python", "pip", "websocket-client==1.9.2", "websocket_client_ws.py"
    ),
    Library("aiohttp, WebSocket", "Python", "pip", "aiohttp==3.14.5", "aiohttp_ws.py"),
    Library("aiohttp, events", "Python", "pip", "aiohttp==3.14.5", "aiohttp_sse.py"),
    Library("ws", "Node.js", "npm", "ws@8.18.3", "npm_ws.js"),
    Library("eventsource", "Node.js", "npm", "eventsource@4.0.0", "eventsource_sse.mjs"),
    Library(
        "gorilla/websocket", "Go", "apt", "golang-github-gorilla-websocket-dev", "gorilla_ws.go"
    ),
    Library("nhooyr.io/websocket", "Go", "apt", "golang-nhooyr-websocket-dev", "nhooyr_ws.go"),
    Library("net/http", "Go", "apt", "golang-go", "nethttp_sse.go"),
    Library("streams, WebSocket", "PHP", "apt", "php-cli", "streams_ws.php"),
    Library("streams, events", "PHP", "apt", "php-cli", "streams_sse.php"),
    Library("curl", "curl", "apt", "curl", "curl_sse.py"),
    Library("schemathesis", "Python", "pip", "schemathesis==4.32.5", "schemathesis_rest.py"),
)

#: What all see: nothing is lost and nothing comes twice, up to the gap.
EVENTS: dict[str, object] = {
    "hello": "wallboard",
    "answer": "Pong",
    "events": [0, 1, 2],
    "snapshot": ["channels"],
    "change": ["set", "del"],
    "resumed": list(range(10)),
    "gap": "ring",
    "after the gap": 10,
}
WEBSOCKET = {
    **EVENTS,
    "list": "Complete",
    "ami": ["Response: Success", "Event: UserEvent"],
    "xml": ["<AsteriskManagerOutput>", "<AsteriskManagerOutput>"],
}


def expected(library: Library) -> dict[str, object]:
    """Return what the driver of *library* is to see, by step."""
    return WEBSOCKET if Path(library.driver).stem.endswith("_ws") else EVENTS
