// SPDX-License-Identifier: GPL-2.0-or-later
// yana, as its README uses it.
'use strict';
const {host, port, user, secret, event, command, originate, saw} = require('./steps');

// It was written for a util that has since gone (Node.js 23).
require('util').isArray = require('util').isArray || Array.isArray;
const ami = new (require('yana'))({host, port, login: user, password: secret});
ami.on('error', (what) => saw('gone', String(what)));
ami.connect(() => {
  saw('login', ami.version);
  ami.send({action: 'Ping'}, (res) => {
    saw('ping', res.Ping);
    ami.send(command, (res) => {
      saw('command', [res.Output, res.CMD]);
      let first = true;
      ami.once('QueueStatusComplete', () => {
        saw('end of the list', true);
        ami.send({action: 'NoSuchThing'}, (res) => {
          saw('error', res.Response);
          ami.once('UserEvent', (message) => {
            saw('event', message.agent || message.Agent);
            ami.send(originate, (res) => {
              saw('originate', res.Response);
              ami.send({action: 'Logoff'}, (res) => {
                saw('logoff', res.Response);
                process.exit(0);
              });
            });
          });
          ami.send(event, () => {});
        });
      });
      ami.send({action: 'QueueStatus'}, (res) => {
        if (first) saw('list', res.Response);
        first = false;
      });
    });
  });
});
