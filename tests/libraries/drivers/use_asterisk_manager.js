// SPDX-License-Identifier: GPL-2.0-or-later
// asterisk-manager, as its README uses it.
'use strict';
const {host, port, user, secret, event, command, originate, saw} = require('./steps');

const ami = new (require('asterisk-manager'))(port, host, user, secret, true);
let ends = () => {};
ami.on('queuestatuscomplete', () => ends());
ami.on('userevent', (message) => {
  saw('event', message.agent);
  ami.action(originate, (err, res) => {
    saw('originate', (res || err).response);
    ami.action({action: 'Logoff'}, (err, res) => saw('logoff', (res || err).response));
  });
});
ami.on('close', () => process.exit(0));
ami.action({action: 'Ping'}, (err, res) => {
  saw('ping', res.ping || res.response);
  ami.action(command, (err, res) => {
    // What it makes of raw text begins with the message's headers, an ActionID among them.
    const text = (res.content || '').split('\n').filter((line) => !/^\w+: /.test(line));
    saw('command', [res.output, text]);
    ends = () => {
      saw('end of the list', true);
      ami.action({action: 'NoSuchThing'}, (err) => {
        saw('error', err && err.response);
        ami.action(event, () => {});
      });
    };
    ami.action({action: 'QueueStatus'}, (err, res) => saw('list', res.response));
  });
});
