#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""The calls that there are, kept up to date, over a WebSocket.

Usage: live.py [ws://host:port]     pip install websockets; PROXY_TOKEN as in events.py
"""

import json
import os
import sys

from websockets.sync.client import connect


def main(proxy, token):
    calls = {}
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    with connect(proxy + "/ws?state=calls", additional_headers=headers, max_size=None) as socket:
        socket.send(json.dumps({"type": "action", "id": "1", "action": {"Action": "Ping"}}))
        for text in socket:
            document = json.loads(text)
            if document["type"] == "answer":
                print("pong from", document["server"], flush=True)
            if document.get("part") == 1:  # a snapshot of a server: what was known of it is over
                server = document["server"]
                calls = {key: row for key, row in calls.items() if row["server"] != server}
            for row in ("rows", "set"):
                calls.update(document.get(row, {}).get("calls", {}))
            for key in document.get("del", {}).get("calls", {}):
                calls.pop(key, None)
            print(len(calls), "calls", flush=True)


if __name__ == "__main__":
    proxy = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PROXY", "ws://localhost:8088")
    main(proxy.replace("http", "ws", 1), os.environ.get("PROXY_TOKEN", ""))
