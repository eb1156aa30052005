// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** What is said where nothing is shown: why, and what to do about it. */
import { h } from "./dom.js";
import { text } from "./format.js";
import { isUp } from "./status.js";

/** @param {string} before @param {string} line @param {string} [after] */
const withLine = (before, line, after = "") => h("span", null, before, h("code", { text: line }), after);

/**
 * The sentence for an empty table of *kind*, called *words* ("calls").
 * @param {any} app @param {string} kind @param {string} words @param {number} hidden rows that the
 *   search hides @returns {string | Node}
 */
export function emptyWords(app, kind, words, hidden) {
  const { store, live, rights } = app;
  if (live.me.state === false) {
    return withLine("There is no state. Write ", "state = yes", " into astmanproxy.conf, then reload.");
  }
  if (!store.known.has("servers")) return live.state === "login" ? "Log in to see it." : "Connecting\u2026";
  const servers = [...store.rows("servers").values()];
  if (!servers.length) {
    if (Array.isArray(rights.all.servers)) return "You may see no server that is there.";
    return withLine("No server is configured. Add a line to astmanproxy.conf: ", "host = 192.0.2.10, 5038, user, secret, on, off, name=pbx1");
  }
  if (hidden) return `No ${words} match: ${hidden} hidden by the search or filter.`;
  const building = servers.filter((each) => each.state === "building");
  if (building.length) return `Reading ${building.map(progress).join(", ")}.`;
  const mute = refusals(servers, kind, words);
  if (mute) return mute;
  if (!servers.some(isUp)) return `No server is connected, so no ${words} are known.`;
  if (!store.known.has(kind)) return "Reading\u2026";
  return `No ${words}.`;
}

/** @param {any} row */
function progress(row) {
  return row.building ? `${text(row.name)}: ${row.building[0]} of ${row.building[1]} lists` : text(row.name);
}

/** Who does not tell *kind*, and why; "" if all do. @param {any[]} servers @param {string} kind
 * @param {string} words */
function refusals(servers, kind, words) {
  return servers
    .filter((row) => row.unknown && row.unknown[kind])
    .map((row) => `${text(row.name)} does not tell ${words}: ${text(row.unknown[kind])}.`)
    .join(" ");
}
