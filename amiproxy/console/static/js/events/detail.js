// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
// One event with all its headers, and ways to copy it.

import { h } from "../dom.js";
import { text } from "../format.js";
import { asAmi, asCurl, asJson, lines } from "./copy.js";
import { clock } from "./list.js";
import { copyButton } from "../copying.js";

/** @typedef {import("./copy.js").EventMessage} EventMessage */

/**
 * Return the details of *message*.
 *
 * @param {EventMessage} message
 * @param {string | null} user who would ask for it, null: no log-in is needed
 * @param {(words: string) => void} tell says to who listens what was done
 * @param {() => void} whenClosed
 */
export function details(message, user, tell, whenClosed) {
  const name = text(message.event.Event);
  const close = h("button", { type: "button", class: "bare", text: "Close", onclick: whenClosed });
  const base = new URL(".", document.baseURI).href;
  const rows = lines(message.event).map(([header, value]) =>
    h("tr", null, h("th", { scope: "row", text: text(header) }), h("td", { text: text(value) })));
  return h("section", { class: "event-detail", "aria-label": `Event ${name}` },
    h("header", null, h("h2", { tabindex: "-1", text: name }), close),
    h("p", { class: "meta", text: `${text(message.server)}  ${clock(message.time)}  ${text(message.id)}` }),
    h("p", { class: "copies" },
      copyButton("Copy as JSON", () => asJson(message), tell),
      copyButton("Copy as curl", () => asCurl(message, base, user), tell),
      copyButton("Copy as AMI", () => asAmi(message), tell)),
    h("table", { class: "headers" }, h("caption", { text: "Headers, as Asterisk sent them" }), h("tbody", null, ...rows)));
}
