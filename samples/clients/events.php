<?php
// SPDX-License-Identifier: GPL-2.0-or-later
// Print callers as they join queues: Server-Sent Events with PHP's own streams.
// Usage: php events.php [http://host:port]     PROXY_TOKEN as in events.py

$proxy = $argv[1] ?? (getenv('PROXY') ?: 'http://localhost:8088');
$token = getenv('PROXY_TOKEN');
$last = '';
while (true) {
    $headers = ($token ? "Authorization: Bearer $token\r\n" : '')
        . ($last !== '' ? "Last-Event-ID: $last\r\n" : '');
    $context = stream_context_create(['http' => ['header' => $headers, 'timeout' => 30]]);
    $stream = @fopen("$proxy/events?event=QueueCallerJoin", 'r', false, $context);
    while ($stream && ($line = fgets($stream)) !== false) {
        [$name, $value] = explode(': ', rtrim($line, "\n"), 2) + ['', ''];
        if ($name === 'event') {
            $kind = $value;
        } elseif ($name === 'id') {
            $last = $value;
        } elseif ($name === 'data' && ($kind ?? '') === '') {
            $event = json_decode($value, true)['event'];
            echo "$event[Queue]: $event[CallerIDNum] waits at place $event[Position]\n";
        } elseif ($name === '') {
            $kind = '';
        }
    }
    sleep(1);
}
