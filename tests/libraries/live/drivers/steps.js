// SPDX-License-Identifier: GPL-2.0-or-later
// What the drivers for Node.js share: where to connect, and how they say what they saw.
'use strict';

const [host, port, token, orders] = process.argv.slice(2);
exports.at = `${host}:${port}`;
exports.token = token;
exports.saw = (step, what) => process.stdout.write(JSON.stringify({step, saw: what ?? null}) + '\n');
exports.order = async (path) => { await (await fetch(`http://${host}:${orders}/${path}`)).text(); };
exports.ping = async () => {
  const headers = {Authorization: `Bearer ${token}`, 'Content-Type': 'application/json'};
  const answer = await fetch(`http://${host}:${port}/v1/actions/Ping`, {method: 'POST', headers, body: '{}'});
  return (await answer.json()).response.Ping;
};
// A queue: what is put into it is given, in its order, to who waits.
exports.Queue = class {
  items = [];
  waiting = null;
  put(item) {
    this.items.push(item);
    this.waiting?.();
  }
  async get() {
    while (!this.items.length) await new Promise((done) => { this.waiting = done; });
    return this.items.shift();
  }
};
