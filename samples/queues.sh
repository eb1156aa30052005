#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# Queues with curl. Usage: queues.sh [http://host:port]
set -eu

proxy=${1:-${PROXY:-http://localhost:1234}}

# --fail: exit with an error at status 400 and above. --insecure: the certificate may be
# self-signed.
ask() {
    curl --silent --show-error --fail --insecure ${PROXY_USER:+--user "$PROXY_USER"} "$@"
}

echo "== Is Asterisk connected?"
ask "$proxy/?Action=Ping"

echo "== Members of all queues (the whole list, as CSV)"
ask "$proxy/?Action=QueueStatus&format=csv"

echo "== Pause a member: a change, so it needs POST"
ask --data Action=QueuePause --data-urlencode 'Interface=Local/100@default' \
    --data Paused=true "$proxy/"

echo "== The same as JSON"
ask --header 'Content-Type: application/json' --header 'Accept: application/json' \
    --data '{"Action": "QueuePause", "Interface": "Local/100@default", "Paused": "false"}' \
    "$proxy/"
