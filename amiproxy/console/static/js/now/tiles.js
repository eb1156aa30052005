// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** A list of small things, each kept as long as it is there: at most MOST are in the document. */
import { h, say } from "../dom.js";
import { number } from "../format.js";

const MOST = 60;

export class Tiles {
  /**
   * @param {{class: string, label: string, make: () => {element: any, show: (id: string, row: any) => void},
   *   onopen?: (id: string, row: any) => void}} options
   */
  constructor(options) {
    this._options = options;
    /** @type {Map<string, any>} */
    this._tiles = new Map();
    this._list = h("ul", { class: options.class, "aria-label": options.label });
    this._more = h("p", { class: "quiet more", hidden: true });
    this.element = h("div", null, this._list, this._more);
    /** @type {[string, any][]} */
    this._shown = [];
  }

  /** Show *entries*, in their order; it stays as it is while the pointer or focus is here.
   * @param {[string, any][]} entries */
  show(entries) {
    const held = this._list.matches(":hover") || this._list.contains(document.activeElement);
    const shown = held ? this._kept(entries) : entries.slice(0, MOST);
    this._shown = shown;
    const there = new Set(shown.map(([id]) => id));
    for (const [id, tile] of this._tiles) {
      if (there.has(id)) continue;
      tile.element.remove();
      this._tiles.delete(id);
    }
    shown.forEach(([id, row], index) => {
      let tile = this._tiles.get(id);
      if (!tile) this._tiles.set(id, (tile = this._options.make()));
      tile.show(id, row);
      if (this._list.children[index] !== tile.element) this._list.insertBefore(tile.element, this._list.children[index] || null);
    });
    this._more.hidden = entries.length <= shown.length;
    say(this._more, `and ${number(entries.length - shown.length)} more`);
  }

  /** The order as it is, with what is new at the end. @param {[string, any][]} entries
   * @returns {[string, any][]} */
  _kept(entries) {
    const now = new Map(entries);
    const old = this._shown.filter(([id]) => now.has(id)).map(([id]) => /** @type {[string, any]} */ ([id, now.get(id)]));
    const known = new Set(old.map(([id]) => id));
    return [...old, ...entries.filter(([id]) => !known.has(id))].slice(0, MOST);
  }

  second() {
    for (const [id, row] of this._shown) {
      const tile = this._tiles.get(id);
      if (tile && !row.stale) tile.show(id, row);
    }
  }
}
