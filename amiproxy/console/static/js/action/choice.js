// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** A field for an action's name, with those that fit what is typed (pattern: combobox). */

import { h, mark } from "../dom.js";
import { text } from "../format.js";
import { lacking } from "./rules.js";

/** @typedef {import("./rules.js").Known} Known */

/** How many are offered at once: nobody reads more. */
const MOST = 60;

export class ActionChoice {
  /**
   * @param {() => string[]} write classes of the user
   * @param {(action: Known | null) => void} whenChosen called for each change; null: not known
   */
  constructor(write, whenChosen) {
    this._write = write;
    this._whenChosen = whenChosen;
    /** @type {Known[]} */
    this._all = [];
    /** @type {Known[]} */
    this._offered = [];
    this._at = -1;
    this.field = h("input", {
      id: "action-name", type: "text", role: "combobox", autocomplete: "off", spellcheck: "false",
      autocapitalize: "none", "aria-expanded": "false", "aria-controls": "action-names",
      "aria-autocomplete": "list", placeholder: "QueueStatus",
    });
    this._list = h("ul", { id: "action-names", role: "listbox", "aria-label": "Actions", class: "action-names" });
    this._list.hidden = true;
    this.element = h("div", { class: "action-choice" },
      h("label", { for: "action-name", text: "Action" }), this.field, this._list);
    this.field.addEventListener("input", () => this._typed());
    this.field.addEventListener("focus", () => this._offer());
    this.field.addEventListener("click", () => this._offer());
    this.field.addEventListener("blur", () => this._close());
    this.field.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this._key(event));
    // Before the field loses the focus, which would take the list away.
    this._list.addEventListener("pointerdown", (/** @type {Event} */ event) => this._pressed(event));
  }

  /** @param {Known[]} all */
  set actions(all) {
    this._all = all;
    this._whenChosen(this.chosen);
    if (!this._list.hidden) this._offer();
  }

  /** What the field names. @returns {Known | null} */
  get chosen() {
    const typed = this.name.toLowerCase();
    return this._all.find((action) => action.name.toLowerCase() === typed) || null;
  }

  get name() {
    return this.field.value.trim();
  }

  set name(name) {
    this.field.value = name;
    this._close();
    this._whenChosen(this.chosen);
  }

  _typed() {
    this._offer();
    this._whenChosen(this.chosen);
  }

  _offer() {
    const typed = this.name.toLowerCase();
    const part = this._all.filter((action) => action.name.toLowerCase().includes(typed));
    const begins = (/** @type {Known} */ action) => action.name.toLowerCase().startsWith(typed);
    this._offered = [...part.filter(begins), ...part.filter((action) => !begins(action))].slice(0, MOST);
    this._at = -1;
    const write = this._write();
    this._list.replaceChildren(...this._offered.map((action, index) => option(action, index, write)));
    this._list.hidden = this._offered.length === 0;
    this._mark();
  }

  _close() {
    this._list.hidden = true;
    this._at = -1;
    this._mark();
  }

  _mark() {
    mark(this.field, "aria-expanded", String(!this._list.hidden));
    mark(this.field, "aria-activedescendant", this._at < 0 ? null : `action-name-${this._at}`);
    [...this._list.children].forEach((each, index) => {
      mark(each, "aria-selected", String(index === this._at));
      if (index === this._at) each.scrollIntoView({ block: "nearest" });
    });
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    const { length } = this._offered;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      if (this._list.hidden) this._offer();
      const step = event.key === "ArrowDown" ? 1 : -1;
      this._at = this._at < 0 && step < 0 ? length - 1 : (this._at + step + length) % Math.max(1, length);
      this._mark();
    } else if (event.key === "Enter" && this._at >= 0) {
      this.name = this._offered[this._at].name;
    } else if (event.key === "Escape" && !this._list.hidden) {
      this._close();
    } else {
      return;
    }
    event.preventDefault();
    event.stopPropagation();
  }

  /** @param {Event} event */
  _pressed(event) {
    event.preventDefault();
    const pressed = /** @type {Element} */ (event.target).closest("[role=option]");
    if (pressed) this.name = this._offered[[...this._list.children].indexOf(pressed)].name;
  }
}

/** @param {Known} action @param {number} index @param {string[]} write */
function option(action, index, write) {
  const needs = lacking(action, write);
  const about = needs.length ? `needs ${needs.join(" or ")}` : action.about;
  return h("li", {
    id: `action-name-${index}`, role: "option", "aria-selected": "false",
    class: needs.length ? "refused" : null,
  }, h("span", { class: "name", text: text(action.name) }), h("span", { class: "about", text: about ? text(about) : "" }));
}
