#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-or-later
# What there is, with curl and jq.  Usage: state.sh [http://host:port]
# PROXY_TOKEN: a token of astmanproxy --new-token
set -eu

proxy=${1:-${PROXY:-http://localhost:8088}}

ask() {
    curl --silent --show-error --fail-with-body ${PROXY_TOKEN:+--header "Authorization: Bearer $PROXY_TOKEN"} "$@"
}

echo "== Servers"
ask "$proxy/v1/servers" | jq -r '.servers[] | "\(.name) \(.state)"'

echo "== Queues where somebody waits, the longest first"
ask "$proxy/v1/state/queues?sort=longest_since" |
    jq -r '.rows[] | select(.waiting > 0) | "\(.queue) \(.waiting) wait, \(.members_free) free"'

echo "== Calls that ring"
ask "$proxy/v1/state/calls?state=ringing" | jq -r '.rows[] | "\(.from_number) -> \(.to_number)"'

echo "== Events for a second"
timeout 1 curl --silent --no-buffer ${PROXY_TOKEN:+--header "Authorization: Bearer $PROXY_TOKEN"} \
    "$proxy/events?event=Newstate,Hangup" || test $? = 124
