#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""Place a call and wait for its outcome.

Usage: call.py CHANNEL EXTENSION [http://host:port]
"""

import base64
import json
import os
import sys
import urllib.error
import urllib.request


def ask(proxy, action, seconds=30.0):
    """Send *action*, a dict of headers, and return the list of messages that answer it."""
    request = urllib.request.Request(
        proxy + "/?format=json",
        data=json.dumps(action).encode(),
        headers={"Content-Type": "application/json", "X-Maxtime": str(int(seconds * 1000))},
    )
    if "PROXY_USER" in os.environ:
        token = base64.b64encode(os.environ["PROXY_USER"].encode()).decode()
        request.add_header("Authorization", "Basic " + token)
    with urllib.request.urlopen(request, timeout=seconds + 5) as response:
        # One message, or an array of them.
        answer = json.load(response)
        return answer if isinstance(answer, list) else [answer]


def main(channel, extension, proxy=None):
    proxy = proxy or os.environ.get("PROXY", "http://localhost:1234")
    action = {
        "Action": "Originate",
        "Channel": channel,
        "Exten": extension,
        "Context": "default",
        "Priority": 1,
        "Timeout": 20000,
        "Variable": ["source=sample", "note=a & b"],
    }
    try:
        answer = ask(proxy, action)[0]
    except urllib.error.HTTPError as error:
        # The body of an error contains the reason.
        sys.exit(f"{error.code}: {error.read().decode()}")
    print(answer["Response"], "-", answer.get("Message", ""))
    return 0 if answer["Response"] == "Success" else 1


if __name__ == "__main__":
    if len(sys.argv) < 3:
        sys.exit(__doc__)
    sys.exit(main(*sys.argv[1:4]))
