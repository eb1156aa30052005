// SPDX-License-Identifier: GPL-2.0-or-later
// asterisk-ami-client, with promises.
'use strict';
const {host, port, user, secret, event, command, originate, saw} = require('./steps');
const {randomUUID} = require('crypto');

// It keys its promises by the action's ActionID, and makes one of the time in ms.
const withId = (action) => {
  const named = {ActionID: randomUUID()};
  for (const [name, value] of Object.entries(action)) {
    named[name[0].toUpperCase() + name.slice(1)] = value;
  }
  return named;
};
const client = new (require('asterisk-ami-client'))();
const ask = (action) => client.action(withId(action), true);
(async () => {
  await client.connect(user, secret, {host, port});
  saw('login', client.isConnected);
  saw('ping', (await ask({action: 'Ping'})).Ping);
  const answer = await ask(command);
  saw('command', answer.Output || answer.$content);
  const ends = new Promise((done) => client.once('QueueStatusComplete', done));
  client.on('event', (message) => client.emit(message.Event, message));
  saw('list', (await ask({action: 'QueueStatus'})).Response);
  saw('end of the list', Boolean(await ends));
  saw('error', (await ask({action: 'NoSuchThing'})).Response);
  const sent = new Promise((done) => client.once('UserEvent', done));
  ask(event);
  saw('event', (await sent).agent || (await sent).Agent);
  saw('originate', (await ask(originate)).Response);
  client.disconnect();
  saw('logoff', 'closed');
  process.exit(0);
})();
