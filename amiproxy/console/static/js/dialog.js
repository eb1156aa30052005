// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** Questions and explanations over the page.  Esc closes them and the focus goes back. */
import { byId, h } from "./dom.js";
import { text } from "./format.js";
import { dressUp } from "./tabs.js";

/**
 * Show *content* under *title* until it is closed.
 * @param {string} title @param {...(Node | string)} content @returns {any} the dialog
 */
export function dialog(title, ...content) {
  const close = h("button", { type: "button", class: "bare icon", "aria-label": "Close", text: "\u00d7" });
  const made = h("dialog", { class: "dialog", "aria-label": title },
    h("header", null, h("h2", { text: title }), close), h("div", { class: "content" }, ...content));
  close.addEventListener("click", () => made.close());
  made.addEventListener("click", (/** @type {any} */ event) => { if (event.target === made) made.close(); });
  made.addEventListener("close", () => made.remove());
  dressUp("call");
  byId("overlay").append(made);
  made.showModal();
  return made;
}

/**
 * Ask once, before something is done; `{name: value}` of the fields, null for no.
 * @param {{title: string, words: string, yes: string, grave?: boolean, fields?: any[]}} question
 * @returns {Promise<Record<string, string> | null>}
 */
export function askOnce({ title, words, yes, grave = false, fields = [] }) {
  return new Promise((resolve) => {
    let answer = /** @type {any} */ (null);
    const inputs = fields.map((field) => (field.options
      ? h("select", { name: field.name }, ...field.options.map((/** @type {string} */ each) => h("option", { value: each, text: text(each) })))
      : h("input", { name: field.name, value: field.value, autocomplete: "off", spellcheck: "false" })));
    const form = h("form", { method: "dialog" }, h("p", { text: words }),
      ...fields.map((field, index) => h("label", null, h("span", { text: field.label }), inputs[index])),
      h("div", { class: "buttons" },
        h("button", { type: "button", text: "Cancel", onclick: () => made.close() }),
        h("button", { type: "submit", class: grave ? "grave" : "main", text: yes })));
    form.addEventListener("submit", () => {
      answer = Object.fromEntries(inputs.map((each) => [each.name, each.value.trim()]));
    });
    const made = dialog(title, form);
    made.addEventListener("close", () => resolve(answer));
    (inputs[0] || form.querySelector("button[type=submit]")).focus();
  });
}
