// SPDX-License-Identifier: GPL-2.0-or-later
// Count calls by state over a WebSocket.  Usage: node live.mjs [ws://host:port]
// Node 22 has WebSocket itself; before that: npm install ws.  PROXY_TOKEN as in events.py.

const WebSocket = globalThis.WebSocket ?? (await import("ws")).WebSocket;
const proxy = (process.argv[2] ?? process.env.PROXY ?? "ws://localhost:8088").replace(/^http/, "ws");

async function ticket() {
  const token = process.env.PROXY_TOKEN;
  if (!token) return "";
  const reply = await fetch(proxy.replace(/^ws/, "http") + "/v1/tickets", {
    method: "POST",
    headers: {Authorization: `Bearer ${token}`},
  });
  if (!reply.ok) throw new Error(`${reply.status}: ${await reply.text()}`);
  return `&ticket=${(await reply.json()).ticket}`;
}

const calls = new Map();
const socket = new WebSocket(`${proxy}/ws?state=calls${await ticket()}`);
socket.onmessage = ({data}) => {
  const {server, part, rows, set, del} = JSON.parse(data);
  // A snapshot of a server begins with its part 1: what was known of that server is over.
  if (part === 1) for (const [id, call] of calls) if (call.server === server) calls.delete(id);
  for (const [id, call] of Object.entries((rows ?? set)?.calls ?? {})) calls.set(id, call);
  for (const id of Object.keys(del?.calls ?? {})) calls.delete(id);
  const counts = {};
  for (const {state} of calls.values()) counts[state] = (counts[state] ?? 0) + 1;
  console.log(JSON.stringify(counts));
};
socket.onclose = ({code, reason}) => console.error("closed:", code, reason);
