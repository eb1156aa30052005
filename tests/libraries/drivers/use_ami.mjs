// SPDX-License-Identifier: GPL-2.0-or-later
// ami, a module of ES 2015, as its README uses it.
import {createRequire} from 'module';

const require = createRequire(import.meta.url);
const {host, port, user, secret, event, command, originate, saw} = require('./steps');
const {default: AMISocket} = await import(process.env.NODE_PATH + '/ami/lib/index.js');

const ami = new AMISocket({connect: {host, port}, credentials: {username: user, secret}});
await ami.connect();
saw('login', ami.authenticated);
saw('ping', (await ami.send({action: 'Ping'})).ping);
saw('list', (await ami.getList({action: 'QueueStatus'})).map((each) => each.event));
saw('error', await ami.send({action: 'NoSuchThing'}).then((res) => res.response, () => 'Error'));
const came = new Promise((done) => ami.on('asterisk-userevent', done));
saw('event', (await ami.send(event)).response);
saw('originate', (await ami.send(originate)).response);
// Last: raw text, of Asterisk 13 and before, is more than it can read.
saw('command', (await ami.send(command)).output);
ami.disconnect();
saw('logoff', 'closed');
process.exit(0);
