// SPDX-License-Identifier: GPL-2.0-or-later
// ws, as its README uses it.
'use strict';
const {at, token, saw, order, Queue} = require('./steps');
const WebSocket = require('ws');

let socket, told, last;
const seen = [];
const open = (protocol) => new Promise((done, failed) => {
  const messages = new Queue();
  const made = new WebSocket(`ws://${at}/ws`, protocol ? [protocol] : [], {headers: {Authorization: `Bearer ${token}`}});
  made.on('open', () => done());
  made.on('error', failed);
  made.on('message', (data) => messages.put(data.toString()));
  made.on('close', () => messages.put(null));
  [socket, told] = [made, messages];
});
const say = (members) => socket.send(JSON.stringify(members));
const hear = async () => {
  const text = await told.get();
  if (text === null) return null;
  const found = JSON.parse(text);
  if (found.type === 'event') {
    last = found.id;
    if (found.event.UserEvent === 'Wall') seen.push(Number(found.event.N));
  }
  return found;
};
const until = async (accept) => {
  for (;;) {
    const found = await hear();
    if (found === null || accept(found)) return found;
  }
};
const kind = (type) => until((found) => found.type === type);
const untilSeen = async (count) => { while (seen.length < count) await hear(); };
const lose = async (path) => {
  await order(path);
  while (await hear() !== null);
  await open();
  say({type: 'subscribe', events: ['UserEvent'], since: last});
};
const bare = async (form, ping, look) => {
  await open(`astmanproxy.${form}`);
  socket.send(ping);
  const answer = look(await told.get());
  await order('say?n=1');
  saw(form, [answer, look(await told.get())]);
  socket.close();
};

(async () => {
  await open();
  saw('hello', (await kind('hello')).user);
  say({type: 'action', id: 1, action: {Action: 'Ping'}});
  saw('answer', (await kind('answer')).response.Ping);
  say({type: 'action', id: 2, action: {Action: 'CoreShowChannels'}});
  saw('list', (await kind('answer')).complete.EventList);
  say({type: 'subscribe', events: ['UserEvent'], state: ['channels']});
  saw('snapshot', Object.keys((await kind('snapshot')).rows));
  await order('say?n=3');
  await untilSeen(3);
  saw('events', seen);
  await order('call');
  await until((found) => found.type === 'change' && found.set?.channels);
  await until((found) => found.type === 'change' && found.del?.channels);
  saw('change', ['set', 'del']);
  await lose('lose?n=5');
  await untilSeen(8);
  await order('say?n=2');
  await untilSeen(10);
  saw('resumed', seen);
  await lose('lose?flood=1');
  saw('gap', (await kind('gap')).reason);
  await order('say?n=1');
  await untilSeen(11);
  saw('after the gap', seen[10]);
  socket.close();
  await bare('ami', 'Action: Ping\r\nActionID: 5', (text) => text.split('\r\n')[0]);
  const ping = '<AsteriskManagerInput><Action Value="Ping"/></AsteriskManagerInput>';
  await bare('xml', ping, (text) => text.slice(0, 23));
})();
