#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Print who hung up, and miss nothing: Server-Sent Events, standard library only.

Usage: events.py [http://host:port]     PROXY_TOKEN: a token of astmanproxy --new-token
"""

import contextlib
import json
import os
import sys
import time
import urllib.error
import urllib.request


def events(url, token=""):
    """Yield each event for ever; after a lost connection go on behind the last one."""
    last = ""
    while True:
        request = urllib.request.Request(url, headers={"Last-Event-ID": last} if last else {})
        if token:
            request.add_header("Authorization", f"Bearer {token}")
        try:
            with urllib.request.urlopen(request, timeout=30) as stream:
                kind, data = "", []
                for line in stream:
                    name, _, value = line.decode().rstrip("\n").partition(": ")
                    if name == "id":
                        last = value
                    elif name == "event":
                        kind = value
                    elif name == "data":
                        data.append(value)
                    elif not name and data:  # a blank line ends a message
                        yield kind, json.loads("\n".join(data))
                        kind, data = "", []
        except urllib.error.HTTPError as error:
            sys.exit(f"{error.code}: {error.read().decode()}")
        except OSError as error:
            print(f"{error}; again in 1 s", file=sys.stderr)
        time.sleep(1)


if __name__ == "__main__":
    proxy = sys.argv[1] if len(sys.argv) > 1 else os.environ.get("PROXY", "http://localhost:8088")
    url = proxy + "/events?event=Hangup"
    with contextlib.suppress(KeyboardInterrupt):
        for kind, document in events(url, os.environ.get("PROXY_TOKEN", "")):
            if kind == "gap":
                print("some events are lost:", document, flush=True)
            elif not kind:
                event = document["event"]
                print(document["server"], event["Channel"], event["Cause-txt"], flush=True)
