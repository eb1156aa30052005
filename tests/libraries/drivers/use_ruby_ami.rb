# SPDX-License-Identifier: GPL-2.0-or-later
# ruby_ami: a stream of its own for events and one for actions.
require 'json'
require 'ruby_ami'

host, port, user, secret = ARGV
$stdout.sync = true
def saw(step, what)
  puts JSON.generate(step: step, saw: what)
end

Celluloid.logger = nil
Celluloid::Logger.singleton_class.send(:define_method, :trace) { |*| } if defined? Celluloid::Logger
seen = Queue.new
quiet = Object.new
def quiet.method_missing(*); end
stream = RubyAMI::Stream.new host, port.to_i, user, secret, ->(event) { seen << event }, quiet, 8
stream.async.run
event = seen.pop until event.respond_to?(:name) && event.name == 'FullyBooted'
saw 'login', stream.version
saw 'ping', stream.send_action('Ping').headers['Ping']
answer = stream.send_action('Command', 'Command' => 'core show version')
saw 'command', answer.text_body || answer.headers['Output']
saw 'list', stream.send_action('QueueStatus').events.map(&:name)
failed = nil
stream.send_action('NoSuchThing', {}, ->(error) { failed = error.message })
saw 'error', failed[0, 20]
stream.send_action('UserEvent', 'UserEvent' => 'Wallboard', 'Agent' => '1001')
event = seen.pop until event.respond_to?(:name) && event.name == 'UserEvent'
saw 'event', event.headers['Agent']
saw 'originate', stream.send_action(
  'Originate', 'Channel' => 'SIP/101', 'Context' => 'default', 'Exten' => '200', 'Priority' => '1',
  'Async' => 'true'
).headers['Message']
exit!(0)
