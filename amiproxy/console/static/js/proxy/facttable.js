// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** A table of rows that are shown again and again: a row keeps its element as long as it is there. */

import { h, mark, say } from "../dom.js";
import { count } from "../format.js";

/** More rows than that nobody reads; those left out are counted. */
const MOST = 200;

/**
 * @typedef {object} Column
 * @property {string} label
 * @property {(row: any) => string} text
 * @property {boolean} [isNumber]
 * @property {(row: any) => Node} [made] once for each row, instead of a text
 */

export class FactTable {
  /**
   * @param {string} title
   * @param {Column[]} columns
   * @param {(row: any) => string} keyOf
   * @param {string} nothing what is said where there are no rows
   */
  constructor(title, columns, keyOf, nothing) {
    this._columns = columns;
    this._keyOf = keyOf;
    /** @type {Map<string, HTMLTableRowElement>} */
    this._rows = new Map();
    this._body = h("tbody");
    this._count = h("span", { class: "quiet" });
    this._empty = h("p", { class: "empty", text: nothing });
    this.head = h("header", null, h("h2", { text: title }), this._count);
    const heads = columns.map((each) => h("th", { scope: "col", class: each.isNumber ? "number" : null, text: each.label }));
    this._wide = h("div", { class: "wide", tabindex: "0", role: "group", "aria-label": `${title}, table` },
      h("table", { class: "facts-table" }, h("thead", null, h("tr", null, ...heads)), this._body));
    this.element = h("section", { class: "panel", "aria-label": title }, this.head, this._empty, this._wide);
    this.show([]);
  }

  /** @param {any[]} rows in their order */
  show(rows) {
    const shown = rows.slice(0, MOST);
    say(this._count, rows.length > MOST ? `first ${MOST} of ${rows.length}` : count(rows.length, "row"));
    this._empty.hidden = rows.length > 0;
    this._wide.hidden = rows.length === 0;
    const keys = new Set(shown.map(this._keyOf));
    for (const [key, element] of this._rows) {
      if (keys.has(key)) continue;
      element.remove();
      this._rows.delete(key);
    }
    shown.forEach((row) => this._fill(row));
    // Nothing moves under the pointer or away from the focus.
    if (!this._body.matches(":hover, :focus-within")) this._order(shown);
  }

  /** @param {any} row */
  _fill(row) {
    const key = this._keyOf(row);
    let element = this._rows.get(key);
    if (!element) {
      element = /** @type {HTMLTableRowElement} */ (h("tr", null, ...this._columns.map((column) =>
        h("td", { class: column.isNumber ? "number" : null }, column.made ? column.made(row) : null))));
      this._rows.set(key, element);
      this._body.append(element);
    }
    const cells = element.cells;
    this._columns.forEach((column, index) => {
      if (column.made) return;
      const words = column.text(row);
      say(cells[index], words);
      mark(cells[index], "title", words.length > 30 ? words : null);
    });
  }

  /** @param {any[]} rows */
  _order(rows) {
    rows.forEach((row, index) => {
      const element = /** @type {HTMLElement} */ (this._rows.get(this._keyOf(row)));
      const there = this._body.children[index];
      if (there !== element) this._body.insertBefore(element, there);
    });
  }
}
