// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** What can be done about a call.  What the user may not do is not there; each asks once. */
import { askOnce } from "../dialog.js";
import { h } from "../dom.js";
import { text } from "../format.js";

/** @typedef {{title: string, words: string, yes: string, grave?: boolean, fields?: any[], action: (found: any) => any}} Deed */

/** @type {Deed[]} */
const DEEDS = [
  {
    title: "Hang up", words: "The channel is hung up, and with it the call, if nobody else is left.", yes: "Hang up", grave: true,
    action: ({ Channel }) => ({ Action: "Hangup", Channel }),
  },
  {
    title: "Park", words: "The channel is put into the parking lot; Asterisk tells it the space.", yes: "Park",
    action: ({ Channel }) => ({ Action: "Park", Channel }),
  },
  {
    title: "Redirect", words: "The channel goes on at another extension; the other end is left alone.", yes: "Redirect",
    fields: [{ name: "Exten", label: "Extension", value: "" }, { name: "Context", label: "Context", value: "" }],
    action: ({ Channel, Exten, Context }) => ({ Action: "Redirect", Channel, Exten, Context, Priority: "1" }),
  },
];

/**
 * Buttons for the call *row* with its *channels*; *told* is called with what came of it.
 * @param {any} app @param {any} row @param {any[]} channels @param {(words: string) => void} told
 * @returns {any[]}
 */
export function actionsFor(app, row, channels, told) {
  const names = channels.map((each) => each.name).filter((name) => name && !name.startsWith("Local/"));
  if (!app.rights.mayWrite("call") || row.state === "ended" || row.stale || !names.length) return [];
  return DEEDS.map((deed) => h("button", { type: "button", text: `${deed.title}\u2026`, onclick: () => run(app, row, channels, names, deed, told) }));
}

/** @param {any} app @param {any} row @param {any[]} channels @param {string[]} names @param {Deed} deed
 * @param {(words: string) => void} told */
async function run(app, row, channels, names, deed, told) {
  const context = (channels.find((each) => each.context) || {}).context || "default";
  const fields = (deed.fields || []).map((each) => (each.name === "Context" ? { ...each, value: context } : each));
  const found = await askOnce({ ...deed, title: `${deed.title} at ${text(row.server)}`, fields: [{ name: "Channel", label: "Channel", options: names }, ...fields] });
  if (!found) return;
  told("Sent\u2026");
  const answer = await app.live.act(row.server, deed.action(found));
  const words = resultOf(answer);
  told(words);
  app.announce(words);
}

/** @param {any} answer */
function resultOf(answer) {
  if (answer.type === "error") return text(answer.problem.detail || answer.problem.title);
  const response = answer.response || {};
  return `${text(response.Response)}: ${text(response.Message ?? "")}`;
}
