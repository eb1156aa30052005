<?php
// SPDX-License-Identifier: GPL-2.0-or-later
// Pause a member of all its queues.  Usage: php pause.php INTERFACE REASON [http://host:port]

$proxy = $argv[3] ?? (getenv('PROXY') ?: 'http://localhost:8088');
$token = getenv('PROXY_TOKEN');
$body = ['Interface' => $argv[1], 'Paused' => 'true', 'Reason' => $argv[2]];
$context = stream_context_create(['http' => [
    'method' => 'POST',
    'header' => "Content-Type: application/json\r\n" . ($token ? "Authorization: Bearer $token\r\n" : ''),
    'content' => json_encode($body),
    'ignore_errors' => true,  // the body of an error says what is wrong
]]);
$answer = json_decode(file_get_contents("$proxy/v1/actions/QueuePause", false, $context), true);
echo $answer['response']['Message'] ?? $answer['detail'], "\n";
exit(isset($answer['detail']) ? 1 : 0);
