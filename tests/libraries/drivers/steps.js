// SPDX-License-Identifier: GPL-2.0-or-later
// What the drivers for Node.js share: where to connect, and how they say what they saw.
'use strict';

const [host, port, user, secret] = process.argv.slice(2);
exports.host = host;
exports.port = Number(port);
exports.user = user;
exports.secret = secret;
// In the spelling that the libraries' own examples have.
exports.event = {action: 'UserEvent', userevent: 'Wallboard', agent: '1001'};
exports.command = {action: 'Command', command: 'core show version'};
exports.originate = {
  action: 'Originate', channel: 'SIP/101', context: 'default', exten: '200', priority: '1',
  async: 'true',
};
exports.saw = (step, what) => {
  process.stdout.write(JSON.stringify({step, saw: what === undefined ? null : what}) + '\n');
};
