// SPDX-License-Identifier: GPL-2.0-or-later
// ami-io, as its README uses it.
'use strict';
const {host, port, user, secret, event, command, originate, saw} = require('./steps');

const AmiIo = require('ami-io');
const logger = new AmiIo.SilentLogger();
const client = AmiIo.createClient({host, port, login: user, password: secret, logger});
const custom = (action) => {
  const made = new AmiIo.Action.Ping();
  for (const [name, value] of Object.entries(action)) {
    made.set(name === 'action' ? 'Action' : name, value);
  }
  return made;
};
const ask = (action) => new Promise((done) => client.send(action, (err, res) => done(err || res)));
for (const name of ['incorrectServer', 'incorrectLogin', 'connectionRefused']) {
  client.on(name, () => saw(name, true));
}
client.on('connected', async () => {
  saw('login', true);
  saw('ping', (await ask(new AmiIo.Action.Ping())).ping);
  const list = await ask(new AmiIo.Action.QueueStatus());
  saw('list', list.events.map((each) => each.event));
  saw('error', (await ask(custom({action: 'NoSuchThing'}))).response);
  const came = new Promise((done) => client.on('event', (message) => {
    if (message.event === 'UserEvent') done(message);
  }));
  ask(custom(event));
  saw('event', (await came).agent);
  saw('originate', (await ask(custom(originate))).response);
  // From Asterisk 14 on it waits for a list behind "Command output follows".
  const late = new Promise((done) => setTimeout(() => done({}), 2000));
  const answer = await Promise.race([ask(custom(command)), late]);
  saw('command', answer.incomingData ? answer.incomingData.slice(-1) : 'never answered');
  client.disconnect();
  saw('logoff', 'closed');
  process.exit(0);
});
client.connect();
