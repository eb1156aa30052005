// SPDX-License-Identifier: GPL-2.0-or-later
// nami, as its README uses it.
'use strict';
const {host, port, user, secret, event, command, originate, saw} = require('./steps');

const lib = require('nami');
const quiet = () => {};
const logger = {error: quiet, warn: quiet, info: quiet, debug: quiet};
const nami = new lib.Nami({host, port, username: user, secret, logger});
const custom = (action) => {
  const made = new lib.Actions.Ping();
  for (const [name, value] of Object.entries(action)) {
    made.set(name === 'action' ? 'Action' : name, value);
  }
  return made;
};
const ask = (action) => new Promise((done) => nami.send(action, done));
nami.on('namiInvalidPeer', (line) => saw('not taken for Asterisk', String(line)));
nami.on('namiConnected', async () => {
  saw('login', true);
  saw('ping', (await ask(new lib.Actions.Ping())).ping);
  saw('list', (await ask(new lib.Actions.QueueStatus())).events.map((each) => each.event));
  saw('error', (await ask(custom({action: 'NoSuchThing'}))).response);
  const came = new Promise((done) => nami.once('namiEventUserEvent', done));
  ask(custom(event));
  saw('event', (await came).agent);
  saw('originate', (await ask(custom(originate))).response);
  // From Asterisk 14 on it waits for a list behind "Command output follows".
  const late = new Promise((done) => setTimeout(() => done({lines: ['never answered']}), 2000));
  const answer = await Promise.race([ask(custom(command)), late]);
  saw('command', answer.lines[answer.lines.length - 1]);
  saw('logoff', (await ask(new lib.Actions.Logoff())).response);
  process.exit(0);
});
nami.open();
