// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** Ready lines for programs, with the address of this proxy in them. */

import { h } from "../dom.js";
import { quoted } from "../events/copy.js";
import { copyButton } from "../copying.js";

/** @param {any} app */
export function connectPanel(app) {
  const base = new URL(".", document.baseURI).href.replace(/[?#].*$/, "");
  const required = Boolean(app.live.me && app.live.me.login_required);
  const user = app.rights.user || "USER";
  const cards = samples(base, required, user).map(([title, code]) => h("section", { class: "sample", "aria-label": title },
    h("header", null, h("h3", { text: title }), copyButton("Copy", () => code, app.announce)),
    h("pre", { tabindex: "0", role: "group", "aria-label": `${title}, code`, text: code })));
  const more = required
    ? h("p", { class: "quiet" }, "A token is made by ", h("code", { text: `astmanproxy --new-token ${user}` }),
      "; its hashed line goes into the user's section. It stands for ", h("code", { text: "TOKEN" }), " below.")
    : h("p", { class: "quiet", text: "Nobody has to log in here." });
  return h("section", { class: "panel wide connect", "aria-label": "Connect" }, h("header", null, h("h2", { text: "Connect" })), more, h("div", { class: "samples" }, ...cards));
}

/**
 * @param {string} base
 * @param {boolean} required whether one must log in
 * @param {string} user
 * @returns {[string, string][]}
 */
export function samples(base, required, user) {
  const socket = `${base.replace(/^http/, "ws")}ws`;
  const login = required ? ` -u ${quoted(user)}` : "";
  const ticket = required
    ? `const pass = await fetch("${base}v1/tickets", {method: "POST",\n  headers: {Authorization: "Bearer TOKEN", "Content-Type": "application/json"}, body: "{}"});\nconst {ticket} = await pass.json();\n`
    : "";
  return [
    ["curl: events as they come", `curl -N${login} ${quoted(`${base}events?event=Hangup,Dial*`)}`],
    ["curl: an action", `curl${login} --json '{"Queue": "support"}' ${quoted(`${base}v1/actions/QueueStatus`)}`],
    ["JavaScript", `${ticket}const events = new EventSource("${base}events${required ? "?ticket=\" + ticket" : "\""});\nevents.onmessage = ({data}) => console.log(JSON.parse(data));`],
    ["JavaScript: WebSocket", `${ticket}const socket = new WebSocket("${socket}${required ? "?ticket=\" + ticket" : "\""});\nsocket.onopen = () => socket.send(JSON.stringify(\n  {type: "subscribe", id: "1", state: ["calls", "queues"], events: ["Hangup"]}));\nsocket.onmessage = ({data}) => console.log(JSON.parse(data));`],
    ["Python", `import asyncio, json, websockets  # pip install websockets\n\nasync def main():\n    async with websockets.connect("${socket}"${required ? ',\n            additional_headers={"Authorization": "Bearer TOKEN"}' : ""}) as socket:\n        await socket.send(json.dumps({"type": "subscribe", "id": "1", "state": ["queues"]}))\n        async for message in socket:\n            print(json.loads(message))\n\nasyncio.run(main())`],
    ["Python: an action", `import json, urllib.request\n\nrequest = urllib.request.Request("${base}v1/actions/Ping", b"{}",\n    {"Content-Type": "application/json"${required ? ', "Authorization": "Bearer TOKEN"' : ""}})\nprint(json.load(urllib.request.urlopen(request)))`],
  ];
}
