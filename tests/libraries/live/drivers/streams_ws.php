<?php
// SPDX-License-Identifier: GPL-2.0-or-later
// PHP without a library: a WebSocket by hand, as many scripts have it.

require __DIR__ . '/steps.php';

class Lost extends Exception
{
}

class WebSocket
{
    private $stream;

    public function __construct(string $protocol = '')
    {
        global $host, $port, $token;
        $this->stream = stream_socket_client("tcp://$host:$port", $code, $error, 10);
        stream_set_timeout($this->stream, 15);
        $key = base64_encode(random_bytes(16));
        $more = $protocol ? "Sec-WebSocket-Protocol: $protocol\r\n" : '';
        fwrite($this->stream, "GET /ws HTTP/1.1\r\nHost: $host:$port\r\nAuthorization: Bearer $token\r\n"
            . "Connection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"
            . "Sec-WebSocket-Key: $key\r\n$more\r\n");
        $head = '';
        while (($line = fgets($this->stream)) !== false && trim($line) !== '') {
            $head .= $line;
        }
        $accept = base64_encode(sha1($key . '258EAFA5-E914-47DA-95CA-C5AB0DC85B11', true));
        if (stripos($head, "Sec-WebSocket-Accept: $accept") === false) {
            throw new Exception($head);
        }
    }

    public function send(string $text, int $opcode = 1): void
    {
        $mask = random_bytes(4);
        $size = strlen($text);
        $head = chr(0x80 | $opcode) . ($size < 126 ? chr(0x80 | $size) : chr(0x80 | 126) . pack('n', $size));
        fwrite($this->stream, $head . $mask . ($text ^ str_repeat($mask, intdiv($size, 4) + 1)));
    }

    private function take(int $size): string
    {
        $data = '';
        while (strlen($data) < $size) {
            $more = @fread($this->stream, $size - strlen($data));
            if ($more === false || $more === '') {
                throw new Lost();
            }
            $data .= $more;
        }
        return $data;
    }

    public function recv(): string
    {
        for (;;) {
            [$first, $second] = array_values(unpack('C2', $this->take(2)));
            $size = $second & 127;
            if ($size === 126) {
                $size = unpack('n', $this->take(2))[1];
            } elseif ($size === 127) {
                $size = unpack('J', $this->take(8))[1];
            }
            $text = $this->take($size);
            if (($first & 15) === 9) {
                $this->send($text, 10);
            } elseif (($first & 15) === 8) {
                throw new Lost();
            } elseif (($first & 15) === 1) {
                return $text;
            }
        }
    }

    public function close(): void
    {
        $this->send(pack('n', 1000), 8);
        fclose($this->stream);
    }
}

function say(array $members): void
{
    global $socket;
    $socket->send(json_encode($members));
}

function hear(): array
{
    global $socket, $last;
    $told = json_decode($socket->recv(), true);
    if ($told['type'] === 'event') {
        $last = $told['id'];
        keep($told);
    }
    return $told;
}

function until(string $kind, string $member = ''): array
{
    do {
        $told = hear();
    } while ($told['type'] !== $kind || ($member && empty($told[$member])));
    return $told;
}

function until_seen(int $count): void
{
    global $seen;
    while (count($seen) < $count) {
        hear();
    }
}

function lose(string $path): void
{
    global $socket, $last;
    order($path);
    try {
        for (;;) {
            hear();
        }
    } catch (Lost $lost) {
        $socket = new WebSocket();
    }
    say(['type' => 'subscribe', 'events' => ['UserEvent'], 'since' => $last]);
}

function bare(string $form, string $ping, callable $look): void
{
    $socket = new WebSocket("astmanproxy.$form");
    $socket->send($ping);
    $answer = $look($socket->recv());
    order('say?n=1');
    saw($form, [$answer, $look($socket->recv())]);
    $socket->close();
}

$socket = new WebSocket();
saw('hello', until('hello')['user']);
say(['type' => 'action', 'id' => 1, 'action' => ['Action' => 'Ping']]);
saw('answer', until('answer')['response']['Ping']);
say(['type' => 'action', 'id' => 2, 'action' => ['Action' => 'CoreShowChannels']]);
saw('list', until('answer')['complete']['EventList']);
say(['type' => 'subscribe', 'events' => ['UserEvent'], 'state' => ['channels']]);
saw('snapshot', array_keys(until('snapshot')['rows']));
order('say?n=3');
until_seen(3);
saw('events', $seen);
order('call');
until('change', 'set');
until('change', 'del');
saw('change', ['set', 'del']);
lose('lose?n=5');
until_seen(8);
order('say?n=2');
until_seen(10);
saw('resumed', $seen);
lose('lose?flood=1');
saw('gap', until('gap')['reason']);
order('say?n=1');
until_seen(11);
saw('after the gap', $seen[10]);
$socket->close();
bare('ami', "Action: Ping\r\nActionID: 5", fn ($text) => explode("\r\n", $text)[0]);
$ping = '<AsteriskManagerInput><Action Value="Ping"/></AsteriskManagerInput>';
bare('xml', $ping, fn ($text) => substr($text, 0, 23));
