// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The headers of the action that is being written: a row each, as often as somebody likes. */

import { h } from "../dom.js";

/** @typedef {import("./hints.js").Header} Header */

export class HeaderRows {
  /** @param {() => void} whenChanged */
  constructor(whenChanged) {
    this._whenChanged = whenChanged;
    /** @type {Header[]} */
    this._hints = [];
    this._rows = h("div", { class: "header-rows" });
    this._more = h("p", { class: "header-more", role: "group", "aria-label": "Headers to add" });
    this.element = h("fieldset", { class: "headers" }, h("legend", { text: "Headers" }), this._rows, this._more);
    this._rows.addEventListener("input", () => this._changed());
  }

  /** Offer *hints*; what was typed stays, where the name still means something. @param {Header[]} hints */
  set hints(hints) {
    const typed = this.value.filter(([name, value]) => name && value);
    this._hints = hints;
    const names = new Set(typed.map(([name]) => name.toLowerCase()));
    const missing = hints.filter((hint) => hint.needed && !names.has(hint.name.toLowerCase()));
    this.value = [...missing.map((hint) => /** @type {[string, string]} */ ([hint.name, ""])), ...typed];
  }

  /** Name and value of each row. @returns {[string, string][]} */
  get value() {
    return [...this._rows.children].map((row) => {
      const [name, value] = row.querySelectorAll("input");
      return [name.value.trim(), value.value];
    });
  }

  /** @param {[string, string][]} rows */
  set value(rows) {
    this._rows.replaceChildren(...rows.map(([name, value]) => this._row(name, value)));
    this._changed();
  }

  /** @param {string} name @param {string} value */
  _row(name, value) {
    const remove = h("button", { type: "button", class: "bare", "aria-label": `Remove ${name || "this header"}`, text: "×" });
    const row = h("div", { class: "header-row" },
      h("input", { type: "text", class: "header-name", "aria-label": "Header", autocomplete: "off", spellcheck: "false", autocapitalize: "none", value: name }),
      h("input", { type: "text", "aria-label": name ? `Value of ${name}` : "Value", autocomplete: "off", spellcheck: "false", autocapitalize: "none", value }),
      remove);
    const needed = this._hints.some((hint) => hint.needed && hint.name === name);
    row.classList.toggle("needed", needed);
    remove.addEventListener("click", () => {
      const next = /** @type {Element | null} */ (row.nextElementSibling || row.previousElementSibling);
      row.remove();
      this._changed();
      const focus = next ? next.querySelector("button") : this._more.querySelector("button");
      if (focus) focus.focus();
    });
    return row;
  }

  /** @param {string} name */
  _add(name) {
    const row = this._row(name, "");
    this._rows.append(row);
    this._changed();
    row.querySelectorAll("input")[name ? 1 : 0].focus();
  }

  _changed() {
    const names = new Set(this.value.map(([name]) => name.toLowerCase()));
    const left = this._hints.filter((hint) => hint.repeats || !names.has(hint.name.toLowerCase()));
    const labels = [...left.map((hint) => hint.name), ""];
    const shown = [...this._more.children].map((each) => /** @type {HTMLElement} */ (each).dataset.name);
    if (labels.join("\n") !== shown.join("\n")) this._more.replaceChildren(...labels.map((name) => this._chip(name)));
    this._whenChanged();
  }

  /** @param {string} name */
  _chip(name) {
    return h("button", {
      type: "button", class: "chip", "data-name": name, text: name ? `+ ${name}` : "+ another header",
      onclick: () => this._add(name),
    });
  }
}
