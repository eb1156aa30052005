// SPDX-License-Identifier: GPL-2.0-or-later
// asterisk.io, as its README uses it.
'use strict';
const {host, port, user, secret, event, command, originate, saw} = require('./steps');

const ami = require('asterisk.io').ami(host, port, user, secret);
const ask = (action) => new Promise((done) => {
  const {action: name, ...rest} = action;
  ami.action(name, rest, done);
});
ami.on('error', (error) => { saw('gone', error.message); process.exit(0); });
ami.on('ready', async () => {
  saw('login', true);
  saw('ping', (await ask({action: 'Ping'})).Ping);
  saw('command', (await ask(command)).Output);
  saw('error', (await ask({action: 'NoSuchThing'})).Response);
  const came = new Promise((done) => ami.on('eventUserEvent', done));
  ask(event);
  const message = await came;
  saw('event', message.agent || message.Agent);
  saw('originate', (await ask(originate)).Response);
  process.exit(0);
});
