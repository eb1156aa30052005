// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * The keys of a table (the grid pattern of WAI-ARIA): Tab leads to one cell, arrows lead on,
 * Enter opens a row, or sorts by a column.
 */

export class Grid {
  /** @param {import("./table.js").Table} table */
  constructor(table) {
    this._table = table;
    /** The row of the cell that Tab leads to; "": the head. */
    this.rowId = "";
    this.column = 0;
    this._index = 0;
    /** @type {Element | null} */
    this._cell = null;
    table.element.addEventListener("keydown", (/** @type {KeyboardEvent} */ event) => this._key(event));
    table.element.addEventListener("focusin", (/** @type {FocusEvent} */ event) => this._focused(event));
  }

  /** The rows have changed: one cell stays the one that Tab leads to. */
  settle() {
    const table = this._table;
    if (this.rowId && !table.places.has(this.rowId)) {
      // It has gone: the one in its place now, and the focus goes there if it was there.
      const had = Boolean(this._cell && this._cell === document.activeElement);
      this.rowId = table.order[Math.min(this._index, table.order.length - 1)] || "";
      if (had || document.activeElement === document.body) this._lost = had;
    }
    const at = table.places.get(this.rowId);
    if (at !== undefined) this._index = at;
    this.column = Math.min(this.column, table.columns.length - 1);
    this._offer(this._find());
    if (this._lost) {
      this._lost = false;
      if (this._cell) /** @type {any} */ (this._cell).focus({ preventScroll: true });
    }
  }

  _find() {
    const table = this._table;
    if (!this.rowId) return table.head.children[this.column] || null;
    const node = table.nodes.get(this.rowId);
    return node ? node.cells[this.column] : table.head.children[this.column] || null;
  }

  /** Let Tab lead to *cell*. @param {Element | null} cell */
  _offer(cell) {
    if (cell === this._cell) return;
    if (this._cell) this._cell.setAttribute("tabindex", "-1");
    if (cell) cell.setAttribute("tabindex", "0");
    this._cell = cell;
  }

  /** @param {FocusEvent} event */
  _focused(event) {
    const cell = /** @type {Element} */ (event.target).closest("[role=gridcell], [role=columnheader]");
    const row = cell && /** @type {any} */ (cell.parentElement);
    if (!cell || !row) return;
    this.column = [...row.children].indexOf(cell);
    this.rowId = row === this._table.head ? "" : row.dataset.id;
    const at = this._table.places.get(this.rowId);
    if (at !== undefined) this._index = at;
    this._offer(cell);
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    if (event.altKey || event.metaKey || /** @type {Element} */ (event.target).closest("input")) return;
    if (event.key === "Enter" || event.key === " ") {
      if (/** @type {Element} */ (event.target).closest("button, a")) return;
      event.preventDefault();
      if (this.rowId) this._table.open(this.rowId);
      else this._table.sortBy(this._table.columns[this.column].key);
      return;
    }
    const to = this._step(event);
    if (to === null) return;
    event.preventDefault();
    this.go(to[0], to[1]);
  }

  /** Row (-1: the head) and column that a key leads to. @param {KeyboardEvent} event
   * @returns {[number, number] | null} */
  _step(event) {
    const table = this._table;
    const at = this.rowId ? this._index : -1;
    const page = Math.max(1, Math.floor(table.element.clientHeight / table.rowHeight) - 2);
    const last = table.order.length - 1;
    switch (event.key) {
      case "ArrowDown": return [at + 1, this.column];
      case "ArrowUp": return [at - 1, this.column];
      case "ArrowRight": return [at, this.column + 1];
      case "ArrowLeft": return [at, this.column - 1];
      case "PageDown": return [at + page, this.column];
      case "PageUp": return [Math.max(0, at - page), this.column];
      case "Home": return event.ctrlKey ? [0, 0] : [at, 0];
      case "End": return event.ctrlKey ? [last, table.columns.length - 1] : [at, table.columns.length - 1];
      default: return null;
    }
  }

  /** Move the focus. @param {number} row @param {number} column */
  go(row, column) {
    const table = this._table;
    this.column = Math.max(0, Math.min(column, table.columns.length - 1));
    const index = Math.max(-1, Math.min(row, table.order.length - 1));
    this.rowId = index < 0 ? "" : table.order[index];
    if (index >= 0) {
      this._index = index;
      this._reveal(index);
    }
    table.draw();
    const cell = this._find();
    this._offer(cell);
    if (cell) /** @type {any} */ (cell).focus({ preventScroll: index >= 0 });
  }

  /** @param {number} index */
  _reveal(index) {
    const { element, head, rowHeight } = this._table;
    const top = index * rowHeight;
    const room = element.clientHeight - head.offsetHeight;
    if (top < element.scrollTop) element.scrollTop = top;
    else if (top + rowHeight > element.scrollTop + room) element.scrollTop = top + rowHeight - room;
  }
}
