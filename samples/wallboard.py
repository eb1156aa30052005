#!/usr/bin/env python3
# SPDX-License-Identifier: GPL-2.0-or-later
"""A wall board: the calls that there are, and how many callers came to the queues and gave up.

Usage: wallboard.py [--lines] [host:port], of a listener for manager clients

Kill it, cut its connection: it asks which calls there are now, and is sent the events that it
has missed.  What may be wrong meanwhile is grey.  --lines: JSON, one line for each picture.
"""

import json
import os
import pathlib
import socket
import sys
import time

COUNTED = {"QueueCallerJoin": "came", "Join": "came", "QueueCallerAbandon": "gave up"}
COLUMNS = ["Server", "FromNumber", "FromName", "ToNumber", "ToName", "State", "Since", "Queue"]
KEPT = pathlib.Path(os.environ.get("WALLBOARD", "wallboard.json"))


def read(stream):
    """Return the next message as a dict."""
    message = {}
    while (line := stream.readline()) != "\r\n":
        if not line:
            raise ConnectionError("closed by the proxy")
        name, _, message[name] = line.rstrip("\r\n").partition(": ")
    return message


def log_in(sock, since):
    """Log in, have events sent with their ids, and those that came behind the id *since*."""
    user, _, secret = os.environ.get("PROXY_USER", "").partition(":")
    events = "off" if since else "on"
    login = f"Action: Login\r\nUsername: {user}\r\nSecret: {secret}\r\nEvents: {events}\r\n\r\n"
    ids = f"Resume\r\nSince: {since}" if since else "SetEventIDs\r\nEventIDs: on"
    sock.sendall(f"{login if user else ''}ProxyAction: {ids}\r\n\r\n".encode())


def count(board, event):
    """Put an *event* on the *board*."""
    if event["Event"] in COUNTED:
        what = f"{event['Server']} {event['Queue']} {COUNTED[event['Event']]}"
        board["counts"][what] = board["counts"].get(what, 0) + 1
    if event["Event"] == "ProxyGap":
        board["missing"] = True


def follow(board, sock):
    """Show what there is, twice a second."""
    stream = sock.makefile(encoding="utf-8", errors="replace", newline="\r\n")
    stream.readline()  # the greeting
    log_in(sock, board["since"])
    while True:
        sock.sendall(b"ProxyAction: Snapshot\r\nOf: calls\r\nWait: 0\r\n\r\n")
        rows = []
        while (message := read(stream)).get("Event") != "ProxySnapshotComplete":
            if "Error" in (message.get("Response"), message.get("ProxyResponse")):
                if message["Message"].startswith("Since"):
                    board.update(since="", missing=True)  # the proxy cannot go on there
                raise ConnectionError(message["Message"])
            if message.get("Event") in ("ProxyServer", "ProxyCall"):
                rows.append(message)
            elif "Event" in message:
                count(board, message)
            board["since"] = message.get("ProxyEventID", board["since"])
        board.update(rows=rows, at=time.time())
        new = KEPT.with_suffix(".new")  # counts and id, both or neither: it may be killed here
        new.write_text(json.dumps(board))
        new.replace(KEPT)
        show(board)
        time.sleep(0.5)


def show(board, problem=""):
    """Show the *board*, in grey what is of before: all of it if there is a *problem*."""
    if "--lines" in sys.argv:
        print(json.dumps({**board, "problem": problem}), flush=True)
        return
    live = [row["Server"] for row in board["rows"] if row["State"] == "live"]
    lines = [f"As of {time.ctime(board['at'])}  {problem}"]
    for row in board["rows"]:
        if row["State"] not in ("live", "ended"):
            since = time.strftime("%X", time.localtime(float(row.get("Since", 0))))
            line = " ".join(f"{ {**row, 'Since': since}.get(name, ''):16.16}" for name in COLUMNS)
            line = "".join(each if each.isprintable() else "?" for each in line)
            lines.append(line if row["Server"] in live and not problem else f"\033[2m{line}\033[m")
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
    main(
        next(
            (each for each in sys.argv[1:] if ":" in each),
            os.environ.get("PROXY", "127.0.0.1:1234"),
        )
    )
