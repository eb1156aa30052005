// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * A table of any number of rows, of which those in sight are in the document: at most MOST.
 *
 * A column is `{key, title, width, fill(cell, row, id)}` and, if it likes: `make(cell)` once for
 * each new cell; `by(row)`: what it is sorted by, numbers or text; `down`: it is sorted so at
 * first; `age`: fill it each second; `number`; `hint`: what the title means; `rank`: where there
 * is no room, columns of the highest rank go first (0: never).
 *
 * No row moves under the pointer or the focus: meanwhile what has gone stays, marked, and what is
 * new stands at the end; the order is made anew when they leave, or have rested for HOLD.
 */
import { dress, h, mark, say, set } from "./dom.js";
import { orderOf } from "./order.js";
import { classOf, fitted, showHeads, showSort } from "./tablehead.js";
import { Grid } from "./tablekeys.js";

const MOST = 60;
const HOLD = 3000;
/** Milliseconds between two sorts; cells in sight change at once. */
const PACE = 250;
const FRESH = 2000;

export class Table {
  /**
   * @param {{name: string, label: string, columns: any[], sort: {key: string, down: boolean},
   *   empty?: () => string | Node, onopen?: (id: string, row: any) => void,
   *   onsort?: (sort: {key: string, down: boolean}) => void,
   *   dress?: (row: any, id: string) => string, cards?: number}} options
   */
  constructor(options) {
    this.options = options;
    this.sort = options.sort;
    /** @type {Map<string, any>} */ this.rows = new Map();
    /** @type {(row: any, id: string) => boolean} */ this.filter = () => true;
    /** The ids that are shown, in order. @type {string[]} */ this.order = [];
    /** @type {Map<string, number>} */ this.places = new Map();
    /** Rows that have gone while the order was held. @type {Map<string, any>} */ this.gone = new Map();
    /** @type {Map<string, any>} */ this.nodes = new Map();
    /** @type {any[]} */ this.pool = [];
    /** @type {Map<string, number>} */ this.fresh = new Map();
    this.chosen = "";
    this.total = 0;
    this.columns = options.columns;
    this._acted = -Infinity;
    this._inside = false;
    this._sorted = -Infinity;
    this._timer = 0;
    /** Whether what is new is marked: not where everything is. */
    this._marks = false;
    this.rowHeight = 32;
    this._build();
    this.grid = new Grid(this);
  }

  // -- building ------------------------------------------------------------------------------

  _build() {
    const { label, name } = this.options;
    this.head = h("div", { role: "row", class: "row head", "aria-rowindex": "1" });
    this.body = h("div", { class: "rows", role: "rowgroup" });
    this.none = h("div", { class: "empty" });
    this.element = h("div", { class: `table t-${name}`, role: "grid", "aria-label": label, "aria-readonly": "true" },
      h("div", { role: "rowgroup", class: "headgroup" }, this.head), this.body);
    this.frame = h("div", { class: "tableframe" }, this.element, this.none);
    showHeads(this);
    this.element.addEventListener("scroll", () => this.draw(), { passive: true });
    this._sizes = new ResizeObserver(() => this.fit());
    this._sizes.observe(this.element);
    const acted = () => { this._acted = performance.now(); this._inside = true; };
    for (const type of ["pointermove", "pointerdown", "focusin", "keydown"]) {
      this.body.addEventListener(type, acted, { passive: true });
    }
    this.body.addEventListener("pointerleave", () => this._left());
    this.body.addEventListener("focusout", () => this._left());
    this.body.addEventListener("click", (/** @type {any} */ event) => this._clicked(event));
  }

  /** Let go of everything that outlives the elements. */
  close() {
    this._sizes.disconnect();
    window.clearTimeout(this._timer);
  }

  /** Choose the columns there is room for, and the height of rows. */
  fit() {
    const width = this.element.clientWidth;
    if (!width) return;
    const cards = width < (this.options.cards || 0);
    const fitting = cards ? this.options.columns : fitted(this.options.columns, width);
    this.element.classList.toggle("cards", cards);
    // Its height is the style sheet's to say.
    const height = parseFloat(getComputedStyle(this.element).getPropertyValue("--rowheight")) || 32;
    if (height !== this.rowHeight) {
      this.rowHeight = height;
      for (const node of this.nodes.values()) node.at = -1;
      this._size();
    }
    if (fitting.length !== this.columns.length) {
      this.columns = fitting;
      showHeads(this);
      for (const node of this.nodes.values()) node.row.remove();
      this.nodes.clear();
      this.pool.length = 0;
    }
    this.element.style.setProperty("--columns", this.columns.map((each) => each.width).join(" "));
    this.draw();
  }

  // -- rows ------------------------------------------------------------------------------------

  /**
   * Show *rows*; *changes* are what the store tells of them (none: everything may be different).
   * @param {Map<string, any>} rows @param {any} [changes]
   */
  update(rows, changes) {
    const before = this.rows;
    this.rows = rows;
    if (!changes || changes.all) this._marks = false;
    if (changes && !changes.all) {
      for (const id of changes.set) if (this.nodes.has(id)) this._fill(this.nodes.get(id), id);
    } else if (before !== rows || !changes || changes.all) {
      for (const [id, node] of this.nodes) if (rows.has(id)) this._fill(node, id);
    }
    this._plan();
  }

  /** @param {(row: any, id: string) => boolean} filter */
  narrow(filter) {
    this.filter = filter;
    this.gone.clear();
    this._marks = false;
    this.arrange();
  }

  /** @param {string} key @param {boolean} [down] */
  sortBy(key, down) {
    const column = this.options.columns.find((each) => each.key === key);
    if (!column || !column.by) return;
    const same = this.sort.key === key;
    this.sort = { key, down: down ?? (same ? !this.sort.down : Boolean(column.down)) };
    showSort(this);
    this.arrange();
    this.element.scrollTop = 0;
    if (down === undefined && this.options.onsort) this.options.onsort(this.sort);
  }

  /** Mark the row *id* as the one that is open. @param {string} id */
  choose(id) {
    this.chosen = id;
    for (const [each, node] of this.nodes) this._dress(node, each);
  }

  _plan() {
    if (this._timer) return;
    const wait = Math.max(0, this._sorted + PACE - performance.now());
    this._timer = window.setTimeout(() => {
      this._timer = 0;
      this.arrange(this.isHeld);
    }, wait);
  }

  /** Whether rows must stay where they are. */
  get isHeld() {
    return this._inside && performance.now() - this._acted < HOLD;
  }

  _left() {
    const active = document.activeElement;
    if (this.body.matches(":hover") || (active && this.body.contains(active))) return;
    this._inside = false;
    this._plan();
  }

  /** Make the order anew, or, where it is *held*, as far as no row moves. @param {boolean} [held] */
  arrange(held = false) {
    this._sorted = performance.now();
    const anchor = held ? "" : this._anchor();
    const was = anchor ? this.places.get(anchor) : undefined;
    const column = this.options.columns.find((each) => each.key === this.sort.key);
    const found = orderOf(this.rows, this.filter, column && column.by, this.sort.down);
    this.total = found.length;
    if (held) this._hold(found);
    else this.gone.clear();
    this._freshen(found);
    if (!held) this.order = found;
    this.places = new Map(this.order.map((id, index) => [id, index]));
    const is = anchor ? this.places.get(anchor) : undefined;
    this._size();
    if (was !== undefined && is !== undefined && was !== is) {
      this.element.scrollTop += (is - was) * this.rowHeight;
    }
    this.draw();
    if (held) this._plan();
  }

  /** Keep the order, with what is new at the end. @param {string[]} found */
  _hold(found) {
    for (const id of this.order) {
      if (!this.rows.has(id)) this.gone.set(id, this.gone.get(id) || this._known(id));
      else this.gone.delete(id);
    }
    const there = new Set(this.order);
    this.order = this.order.concat(found.filter((id) => !there.has(id)));
  }

  /** @param {string} id */
  _known(id) {
    const node = this.nodes.get(id);
    return node ? node.known : {};
  }

  /** @param {string[]} found */
  _freshen(found) {
    const now = performance.now();
    for (const [id, until] of this.fresh) if (until < now) this.fresh.delete(id);
    if (this._marks) {
      for (const id of found) if (!this.places.has(id)) this.fresh.set(id, now + FRESH);
    }
    this._marks = true;
  }

  /** The row that should stay where it is on the screen, if any. */
  _anchor() {
    const active = /** @type {any} */ (document.activeElement);
    const row = active && this.body.contains(active) ? active.closest("[role=row]") : null;
    const under = row || this.body.querySelector(".row:hover");
    return under ? under.dataset.id || "" : "";
  }

  // -- drawing ---------------------------------------------------------------------------------

  _size() {
    const count = this.order.length;
    this.body.style.height = `${count * this.rowHeight}px`;
    set(this.element, "aria-rowcount", String(count + 1));
    const isEmpty = count === 0;
    if (isEmpty) {
      const told = this.options.empty ? this.options.empty() : "Nothing.";
      if (typeof told === "string") say(this.none, told);
      else this.none.replaceChildren(told);
    }
    this.none.hidden = !isEmpty;
    this.element.classList.toggle("isempty", isEmpty);
  }

  /** Put the rows in sight where they belong. */
  draw() {
    const height = this.rowHeight;
    const room = Math.ceil(this.element.clientHeight / height) + 1;
    const shown = Math.min(MOST - 1, room + 6);
    const top = Math.floor(this.element.scrollTop / height);
    const first = Math.max(0, Math.min(top - 3, this.order.length - shown));
    const last = Math.min(this.order.length, first + shown);
    const wanted = new Set(this.order.slice(first, last));
    const held = this.grid.rowId;
    if (held && this.places.has(held) && this.nodes.has(held)) wanted.add(held);
    for (const [id, node] of this.nodes) {
      if (wanted.has(id)) continue;
      this.nodes.delete(id);
      this.pool.push(node);
    }
    for (const id of wanted) {
      let node = this.nodes.get(id);
      if (!node) {
        node = this.pool.pop() || this._node();
        this.nodes.set(id, node);
        this._fill(node, id);
      }
      this._place(node, id);
    }
    for (const node of this.pool.splice(0)) node.row.remove();
    this.grid.settle();
  }

  _node() {
    const cells = this.columns.map((column) => {
      const cell = h("div", { role: "gridcell", tabindex: "-1", class: classOf(column) });
      if (column.make) column.make(cell);
      return cell;
    });
    return { row: h("div", { role: "row", class: "row" }, ...cells), cells, known: {}, at: -1 };
  }

  /** @param {any} node @param {string} id */
  _place(node, id) {
    const at = /** @type {number} */ (this.places.get(id));
    if (node.at !== at) {
      node.at = at;
      node.row.style.transform = `translateY(${at * this.rowHeight}px)`;
      set(node.row, "aria-rowindex", String(at + 2));
    }
    if (!node.row.isConnected) this.body.append(node.row);
    this._dress(node, id);
  }

  /** @param {any} node @param {string} id */
  _fill(node, id) {
    const row = this.rows.get(id) || this.gone.get(id);
    if (!row) return;
    node.known = row;
    node.row.dataset.id = id;
    this.columns.forEach((column, index) => column.fill(node.cells[index], row, id));
    this._dress(node, id);
  }

  /** @param {any} node @param {string} id */
  _dress(node, id) {
    const row = node.known;
    let look = this.options.dress ? this.options.dress(row, id) : "";
    if (row.stale) look += " stale";
    if (this.gone.has(id)) look += " gone";
    if (this.fresh.has(id)) look += " fresh";
    dress(node.row, look ? `row ${look}` : "row");
    mark(node.row, "aria-selected", id === this.chosen && id ? "true" : null);
  }

  /** A second has passed: ages, and marks of what was new. */
  second() {
    this.columns.forEach((column, index) => {
      if (!column.age) return;
      for (const [id, node] of this.nodes) if (!node.known.stale) column.fill(node.cells[index], node.known, id);
    });
    const now = performance.now();
    for (const [id, until] of this.fresh) {
      if (until > now) continue;
      this.fresh.delete(id);
      if (this.nodes.has(id)) this._dress(this.nodes.get(id), id);
    }
  }

  /** @param {any} event */
  _clicked(event) {
    const row = event.target.closest("[role=row]");
    const selection = window.getSelection();
    if (!row || event.target.closest("button, a") || (selection && selection.toString())) return;
    this.open(row.dataset.id);
  }

  /** @param {string} id */
  open(id) {
    const row = this.rows.get(id);
    if (row && this.options.onopen) this.options.onopen(id, row);
  }
}
