# SPDX-License-Identifier: GPL-2.0-or-later
# Telephony::Asterisk::AMI, as its documentation uses it.
use strict;
use warnings;
use JSON::PP;
use Telephony::Asterisk::AMI ();

my ($host, $port, $user, $secret) = @ARGV;
my $json = JSON::PP->new->canonical;
$| = 1;
sub saw { print $json->encode({step => $_[0], saw => $_[1]}), "\n" }

my @seen;
my $ami = Telephony::Asterisk::AMI->new(
    Host => $host, Port => $port, Username => $user, Secret => $secret,
    Event_Callback => sub { push @seen, $_[0] if ($_[0]{Event} // '') eq 'UserEvent' },
);
$ami->connect or do { saw('login', $ami->error); exit 0 };
saw('login', 'accepted');
saw('ping', $ami->action(Action => 'Ping')->{Ping});
saw('command', $ami->action(Action => 'Command', Command => 'core show version')->{Output});
saw('list', $ami->action(Action => 'QueueStatus')->{Response});
saw('error', $ami->action(Action => 'NoSuchThing')->{Response});
$ami->action(Action => 'UserEvent', UserEvent => 'Wallboard', Agent => '1001');
$ami->action(Action => 'Ping') while !@seen;
saw('event', $seen[0]{Agent});
saw('originate', $ami->action(
    Action => 'Originate', Channel => 'SIP/101', Context => 'default', Exten => '200',
    Priority => 1, Async => 'true')->{Response});
saw('logoff', $ami->disconnect ? 'Goodbye' : $ami->error);
