// SPDX-License-Identifier: GPL-2.0-or-later
// asterisk-ami: everything comes as data.
'use strict';
const {host, port, user, secret, event, command, originate, saw} = require('./steps');

const ami = new (require('asterisk-ami'))({host, port, username: user, password: secret});
const steps = [
  ['ping', {action: 'Ping'}, 'ping'],
  ['command', command, 'output'],
  ['list', {action: 'QueueStatus'}, 'response'],
  ['error', {action: 'NoSuchThing'}, 'response'],
  ['event', event, 'response'],
  ['originate', originate, 'response'],
  ['logoff', {action: 'Logoff'}, 'response'],
];
let asked = 0;
const next = () => {
  if (steps.length === 0) process.exit(0);
  ami.send(Object.assign({ActionID: String(++asked)}, steps[0][1]));
};
ami.on('ami_login', (yes) => { saw('login', yes); next(); });
ami.on('ami_data', (data) => {
  if (data.event === 'UserEvent') saw('user event', data.agent);
  if (!data.response || data.actionid !== String(asked)) return;
  const [name, , header] = steps.shift();
  saw(name, data[header]);
  next();
});
ami.connect();
