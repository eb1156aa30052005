// SPDX-License-Identifier: GPL-2.0-or-later
// eventsource, as its README uses it: it comes back by itself.
import {createRequire} from 'node:module';
const {at, token, saw, order, ping, Queue} = createRequire(import.meta.url)('./steps.js');
const {EventSource} = createRequire(import.meta.url)('eventsource');

const told = new Queue(), seen = [];
const source = new EventSource(`http://${at}/events?event=UserEvent&snapshot=channels`, {
  fetch: (input, init) => fetch(input, {...init, headers: {...init.headers, Authorization: `Bearer ${token}`}}),
});
for (const type of ['message', 'hello', 'snapshot', 'change', 'gap']) {
  source.addEventListener(type, (message) => told.put([type, JSON.parse(message.data)]));
}
const until = async (type, accept = () => true) => {
  for (;;) {
    const [found, data] = await told.get();
    if (found === 'message' && data.event.UserEvent === 'Wall') seen.push(Number(data.event.N));
    if (found === type && accept(data)) return data;
  }
};
const untilSeen = async (count) => { while (seen.length < count) await until('message'); };

saw('hello', (await until('hello')).user);
saw('answer', await ping());
saw('snapshot', Object.keys((await until('snapshot')).rows));
await order('say?n=3');
await untilSeen(3);
saw('events', seen);
await order('call');
await until('change', (data) => data.set?.channels);
await until('change', (data) => data.del?.channels);
saw('change', ['set', 'del']);
await order('lose?n=5');
await untilSeen(8);
await order('say?n=2');
await untilSeen(10);
saw('resumed', seen);
await order('lose?flood=1');
saw('gap', (await until('gap')).reason);
await order('say?n=1');
await untilSeen(11);
saw('after the gap', seen[10]);
source.close();
