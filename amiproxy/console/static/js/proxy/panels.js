// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** Servers and users, as the proxy's operator sees them. */

import { bytes, duration, number, text } from "../format.js";
import { FactTable } from "./facttable.js";

/** @param {number | null | undefined} seconds */
const milliseconds = (seconds) => (typeof seconds === "number" ? `${(seconds * 1000).toFixed(1)}\u202fms` : "–");

/** @param {any} row */
const lost = (row) => (row.losses ? `${number(row.losses)}, last ${duration(row.lost)} ago: ${text(row.lost_because)}` : "0");

/** @param {any} row */
function stateOf(row) {
  const again = typeof row.again_in === "number" ? `, next try in ${duration(row.again_in)}` : "";
  return `${text(row.state)} for ${duration(row.since)}${row.problem ? `: ${text(row.problem)}` : ""}${again}`;
}

export function serversPanel() {
  return new FactTable("Servers", [
    { label: "Server", text: (row) => text(row.name) },
    { label: "State", text: stateOf },
    { label: "Version", text: (row) => text(row.version) },
    { label: "Address", text: (row) => `${text(row.host)}:${row.port}${row.tls ? ", TLS" : ""}` },
    { label: "Account", text: (row) => text(row.user) },
    { label: "Heard", text: (row) => (typeof row.heard === "number" ? `${duration(row.heard)} ago` : "–") },
    { label: "Ping", isNumber: true, text: (row) => milliseconds(row.round_trip) },
    { label: "Events", isNumber: true, text: (row) => number(row.events) },
    { label: "Events/s", isNumber: true, text: (row) => number(row.events_per_second) },
    { label: "Actions open", isNumber: true, text: (row) => number(row.actions_under_way + row.actions_waiting) },
    { label: "Timed out", isNumber: true, text: (row) => number(row.actions_timed_out) },
    { label: "Backlog", isNumber: true, text: (row) => bytes(row.backlog) },
    { label: "Losses", text: lost },
    { label: "Model", text: (row) => (row.model ? `${text(row.model)}, ${number(row.model_rows)} rows, ${number(row.model_corrections)} corrected` : "–") },
    { label: "Kept events", text: (row) => (row.ring_age === null || row.ring_age === undefined ? "–" : `${bytes(row.ring_bytes)}, ${duration(row.ring_age)}`) },
  ], (row) => row.name, "No server is configured: add a host line to astmanproxy.conf.");
}

export function usersPanel() {
  return new FactTable("Users", [
    { label: "User", text: (row) => text(row.name) },
    { label: "Clients", isNumber: true, text: (row) => number(row.clients) },
    { label: "Events", isNumber: true, text: (row) => number(row.events) },
    { label: "Events/s", isNumber: true, text: (row) => number(row.events_per_second) },
    { label: "Actions", isNumber: true, text: (row) => number(row.actions) },
    { label: "Open", isNumber: true, text: (row) => number(row.actions_under_way) },
    { label: "Rights", text: (row) => (row.rights ? text(row.rights) : "") },
  ], (row) => row.name, "There are no users.");
}
