// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The head of a table: its columns, what they are sorted by, and which there is room for. */
import { h, mark, say, set } from "./dom.js";

/** @param {any} column */
export const classOf = (column) => `cell c-${column.key}${column.number ? " number" : ""}`;

/** Make the head anew. @param {import("./table.js").Table} table */
export function showHeads(table) {
  const heads = table.columns.map((column) => {
    const cell = h("div", { role: "columnheader", class: classOf(column), tabindex: "-1", title: column.hint },
      h("span", { text: column.title }));
    if (column.by) {
      cell.append(h("span", { class: "sortsign", "aria-hidden": "true" }));
      cell.addEventListener("click", () => table.sortBy(column.key));
    }
    return cell;
  });
  table.head.replaceChildren(...heads);
  set(table.element, "aria-colcount", String(table.columns.length));
  showSort(table);
}

/** Show by what it is sorted. @param {import("./table.js").Table} table */
export function showSort(table) {
  table.columns.forEach((column, index) => {
    const cell = table.head.children[index];
    const sorted = column.key === table.sort.key;
    mark(cell, "aria-sort", sorted ? (table.sort.down ? "descending" : "ascending") : null);
    if (column.by) say(cell.lastChild, sorted ? (table.sort.down ? "\u25be" : "\u25b4") : "");
  });
}

/** The columns that fit into *width*. @param {any[]} columns @param {number} width */
export function fitted(columns, width) {
  let left = columns;
  const need = () => left.reduce((sum, each) => sum + (each.least || 80) + 10, 14);
  while (need() > width) {
    const rank = Math.max(...left.map((each) => each.rank || 0));
    if (!rank) break;
    left = left.filter((each) => (each.rank || 0) !== rank);
  }
  return left;
}
