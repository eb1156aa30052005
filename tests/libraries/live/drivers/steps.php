<?php
// SPDX-License-Identifier: GPL-2.0-or-later
// What the drivers in PHP share: where to connect, and how they say what they saw.

[, $host, $port, $token, $orders] = $argv;
$seen = [];
$last = '';

function saw(string $step, $what): void
{
    echo json_encode(['step' => $step, 'saw' => $what], JSON_UNESCAPED_SLASHES), "\n";
}

function order(string $path): void
{
    global $host, $orders;
    file_get_contents("http://$host:$orders/$path");
}

// Keep the number of an event.
function keep(array $told): void
{
    global $seen;
    if ($told['event']['UserEvent'] === 'Wall') {
        $seen[] = (int) $told['event']['N'];
    }
}
