#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A wall board: the calls that there are, and how many callers came to the queues and gave up.

Usage: wallboard.py [host:port], of a listener for manager clients

Kill it, cut its connection: it asks which calls there are now, and is sent the events that it
has missed.  What may be wrong meanwhile is grey.  Into a pipe: JSON, one line for each picture.
"""

import json
import os
import pathlib
import signal
import socket
import sys
import time

COUNTED = {"QueueCallerJoin": "came", "Join": "came", "QueueCallerAbandon": "gave up"}
COLUMNS = ("Server", "State", "FromNumber", "FromName", "ToNumber", "ToName", "Queue", "Reason")
KEPT = pathlib.Path(os.environ.get("WALLBOARD", "wallboard.json"))


def log_in(sock, since):
    """Log in; have events sent with ids, and before them those behind the id *since*."""
    user, _, secret = os.environ.get("PROXY_USER", "").partition(":")
    events = "off" if since else "on"
    login = f"Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\nEvents: {events}\r\n\r\n"
    ids = f"Resume\r\nSince: {since}" if since else "SetEventIDs\r\nEventIDs: on"
    sock.sendall(f"{login if user else ''}ProxyAction: {ids}\r\n\r\n".encode())


def read(stream):
    """Return the next message as a dict."""
    message = {}
    while (line := stream.readline()) != "\r\n":
        if not line:
            raise ConnectionError("closed by the proxy")
        name, _, message[name] = line.rstrip("\r\n").partition(": ")
    return message


def take(board, rows, message):
    """Put a *message* on the *board*, or to the *rows* of its next picture."""
    event = message.get("Event")
    if "Error" in (message.get("Response"), message.get("ProxyResponse")):
        if message["Message"].startswith("Since"):
            board.update(since="", missing=True)  # the proxy cannot go on there
        raise ConnectionError(message["Message"])
    if event in ("ProxyServer", "ProxyCall"):
        rows.append(message)
    elif event in COUNTED:
        what = f"{message.get('Server', '')} {message['Queue']} {COUNTED[event]}"
        board["counts"][what] = board["counts"].get(what, 0) + 1
    elif event == "ProxyGap":
        board["missing"] = True
    board["since"] = message.get("ProxyEventID", board["since"])


def follow(board, sock):
    """Show what there is, twice a second."""
    stream = sock.makefile(encoding="utf-8", errors="replace", newline="\r\n")
    stream.readline()  # the greeting
    log_in(sock, board["since"])
    while True:
        rows, asked = [], time.time()
        sock.sendall(b"ProxyAction: Snapshot\r\nOf: calls\r\nWait: 0\r\n\r\n")
        while (message := read(stream)).get("Event") != "ProxySnapshotComplete":
            take(board, rows, message)
        board.update(rows=rows, at=asked)
        new = KEPT.with_suffix(".new")  # counts and id, both or neither: it may be killed here
        new.write_text(json.dumps(board))
        new.replace(KEPT)
        show(board)
        time.sleep(0.5)


def show(board, problem=""):
    """Show the *board*, in grey what is of before: all of it if there is a *problem*."""
    if not sys.stdout.isatty():
        print(json.dumps({**board, "problem": problem}), flush=True)
        return
    live = [row["Server"] for row in board["rows"] if row["State"] == "live" and not problem]
    lines = [f"As of {time.ctime(board['at'])}  {problem}"]
    for row in board["rows"]:
        if row["State"] not in ("live", "ended"):
            since = time.strftime("%X", time.localtime(float(row.get("Since", 0))))
            cells = [since, *(row.get(name, "") for name in COLUMNS)]
            line = " ".join(f"{cell:14.14}" for cell in cells)
            line = "".join(each if each.isprintable() else "?" for each in line)
            lines.append(line if row["Server"] in live else f"\033[2m{line}\033[m")
    lines += [f"{what}: {number}" for what, number in sorted(board["counts"].items())]
    lines += ["(not all: events are missing)"] * board["missing"]
    print("\033[H\033[J" + "\n".join(lines), flush=True)


def main(address):
    """Follow the proxy, again and again."""
    board = {"rows": [], "at": 0, "since": "", "counts": {}, "missing": False}
    if KEPT.exists():
        board.update(json.loads(KEPT.read_text()))
    host, _, port = address.rpartition(":")
    while True:
        try:
            with socket.create_connection((host, int(port)), 5) as sock:
                follow(board, sock)
        except OSError as error:
            show(board, f"Cut off: {error}")
            time.sleep(1)


if __name__ == "__main__":
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # Ctrl-C ends it, without a traceback
    main(sys.argv[1] if sys.argv[1:] else os.environ.get("PROXY", "127.0.0.1:1234"))
