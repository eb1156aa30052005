// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The cluster: the proxies that share a bus with this one, and who holds which server. */

import { h, say } from "../dom.js";
import { bytes, count, number, text, timeOfDay } from "../format.js";
import { FactTable } from "./facttable.js";

/** @param {number | null | undefined} seconds */
const late = (seconds) => (typeof seconds === "number" ? `${(seconds * 1000).toFixed(seconds < 0.01 ? 1 : 0)}\u202fms` : "–");

/** What is shown of the part `cluster` of a status document; nothing where there is none. */
export function clusterPanel() {
  let me = "";
  const told = h("p", { class: "quiet" });
  const members = new FactTable("Proxies of the cluster", [
    { label: "Proxy", text: (row) => `${text(row.name)}${row.slot === me ? " (this one)" : ""}` },
    { label: "State", text: (row) => (row.stopping ? "stopping" : text(row.state)) },
    { label: "Clients", isNumber: true, text: (row) => number(row.clients) },
    { label: "Holds", text: (row) => ((row.holds || []).length ? row.holds.map(text).join(", ") : "–") },
    { label: "Version", text: (row) => text(row.version) },
    { label: "Started", text: (row) => timeOfDay(row.started) },
    { label: "Slot", text: (row) => text(row.slot) },
  ], (row) => row.slot, "No proxy is seen on the bus.");
  const servers = new FactTable("Servers of the cluster", [
    { label: "Server", text: (row) => text(row.server) },
    { label: "Held by", text: (row) => (row.holder ? text(row.holder) : "nobody") },
    { label: "Epoch", isNumber: true, text: (row) => (row.epoch ? String(row.epoch) : "–") },
    { label: "Late by", text: (row) => (row.readers || []).map((/** @type {any} */ each) => `${text(each.proxy)} ${late(each.lag)}`).join(", ") || "–" },
  ], (row) => row.server, "No server is known in the cluster.");
  const element = h("div", { class: "cluster", hidden: true }, told, members.element, servers.element);
  /** @param {any} cluster */
  function show(cluster) {
    element.hidden = !cluster;
    if (!cluster) return;
    me = cluster.slot;
    say(told, inShort(cluster));
    members.show(cluster.members || []);
    servers.show(cluster.servers || []);
  }
  return { element, show };
}

/** @param {any} cluster */
function inShort({ name, proxy, state, problem, clients, queued, dropped, overruns }) {
  const parts = [
    `Cluster ${text(name)}: ${text(state)}${problem ? ` (${text(problem)})` : ""} as ${text(proxy)}`,
    count(clients, "client"),
    `${bytes(queued)} wait for the bus`,
  ];
  if (dropped) parts.push(`${count(dropped, "entry", "entries")} could not be read`);
  if (overruns) parts.push(count(overruns, "overrun"));
  return parts.join(" \u00b7 ");
}
