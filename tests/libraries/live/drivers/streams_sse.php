<?php
// SPDX-License-Identifier: GPL-2.0-or-later
// PHP without a library: a stream of http://, line by line.

require __DIR__ . '/steps.php';

function blocks(): Generator
{
    global $host, $port, $token, $last;
    yield ['', []]; // where next() begins
    for (;; usleep(100000)) {
        $header = "Authorization: Bearer $token" . ($last ? "\r\nLast-Event-ID: $last" : '');
        $options = stream_context_create(['http' => ['header' => $header, 'timeout' => 15]]);
        $url = "http://$host:$port/events?event=UserEvent&snapshot=channels";
        $stream = @fopen($url, 'r', false, $options);
        [$kind, $data] = ['message', ''];
        while ($stream && ($line = @fgets($stream)) !== false) {
            [$field, $value] = explode(':', rtrim($line, "\r\n"), 2) + [1 => ''];
            $value = preg_replace('/^ /', '', $value);
            if (rtrim($line, "\r\n") === '') {
                if ($data !== '') {
                    yield [$kind, json_decode($data, true)];
                }
                [$kind, $data] = ['message', ''];
            } elseif ($field === 'event') {
                $kind = $value;
            } elseif ($field === 'data') {
                $data .= $value;
            } elseif ($field === 'id') {
                $last = $value;
            }
        }
    }
}

$blocks = blocks();

function until(string $kind, string $member = ''): array
{
    global $blocks;
    for (;;) {
        $blocks->next();
        [$found, $told] = $blocks->current();
        if ($found === 'message') {
            keep($told);
        }
        if ($found === $kind && (!$member || !empty($told[$member]))) {
            return $told;
        }
    }
}

function until_seen(int $count): void
{
    global $seen;
    while (count($seen) < $count) {
        until('message');
    }
}

saw('hello', until('hello')['user']);
$options = ['method' => 'POST', 'content' => '{}',
    'header' => "Authorization: Bearer $token\r\nContent-Type: application/json"];
$context = stream_context_create(['http' => $options]);
$answer = json_decode(file_get_contents("http://$host:$port/v1/actions/Ping", false, $context), true);
saw('answer', $answer['response']['Ping']);
saw('snapshot', array_keys(until('snapshot')['rows']));
order('say?n=3');
until_seen(3);
saw('events', $seen);
order('call');
until('change', 'set');
until('change', 'del');
saw('change', ['set', 'del']);
order('lose?n=5');
until_seen(8);
order('say?n=2');
until_seen(10);
saw('resumed', $seen);
order('lose?flood=1');
saw('gap', until('gap')['reason']);
order('say?n=1');
until_seen(11);
saw('after the gap', $seen[10]);
