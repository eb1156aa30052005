# SPDX-License-Identifier: GPL-2.0-or-later
# Asterisk::Manager of asterisk-perl: pairs answers by position.
use strict;
use warnings;
use JSON::PP;
use Asterisk::Manager;

my ($host, $port, $user, $secret) = @ARGV;
my $json = JSON::PP->new->canonical;
$| = 1;
sub saw { print $json->encode({step => $_[0], saw => $_[1]}), "\n" }

my $manager = Asterisk::Manager->new;
$manager->user($user);
$manager->secret($secret);
$manager->host($host);
$manager->port($port);
$manager->connect or do { saw('login', $manager->error); exit 0 };
saw('login', $manager->connected ? 'accepted' : 'refused');
# It takes the next message for the answer: no events then, and FullyBooted first.
$manager->read_response;
$manager->sendcommand(Action => 'Events', EventMask => 'off');
my %answer = $manager->sendcommand(Action => 'Ping');
saw('ping', $answer{Ping});
# It gives the whole message.
saw('command', [grep { !/^(Server|ActionID): / } split /\r\n/, $manager->command('core show version')]);
%answer = $manager->sendcommand(Action => 'NoSuchThing');
saw('error', $answer{Response});
$manager->disconnect;
saw('logoff', 'closed');
