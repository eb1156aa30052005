// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
// The last events, and the picture of them that somebody looks at.  Nothing here grows.

/** How many are kept. */
export const KEPT = 2000;

/**
 * The last KEPT items.  Held still, what is seen stays as it is while new ones go on to be kept.
 *
 * @template Item
 */
export class Kept {
  constructor(most = KEPT) {
    this._most = most;
    /** @type {Item[]} used as a ring: _next is where the next one goes */
    this._ring = [];
    this._next = 0;
    /** @type {Item[] | null} what is seen, while it is held still */
    this._still = null;
    /** How many have come since it is held still. */
    this.unseen = 0;
  }

  /** @param {Item} item */
  add(item) {
    if (this._ring.length < this._most) this._ring.push(item);
    else this._ring[this._next] = item;
    this._next = (this._next + 1) % this._most;
    if (this._still) this.unseen += 1;
  }

  clear() {
    this._ring = [];
    this._next = 0;
    if (this._still) this._still = [];
    this.unseen = 0;
  }

  get isStill() {
    return this._still !== null;
  }

  hold() {
    if (!this._still) this._still = this._all();
  }

  follow() {
    this._still = null;
    this.unseen = 0;
  }

  get length() {
    return this._still ? this._still.length : this._ring.length;
  }

  /** Return the one at *index*, the oldest at 0. @param {number} index @returns {Item | undefined} */
  at(index) {
    if (this._still) return this._still[index];
    const start = this._ring.length < this._most ? 0 : this._next;
    return this._ring[(start + index) % this._ring.length];
  }

  _all() {
    return Array.from({ length: this._ring.length }, (_, index) => /** @type {Item} */ (this.at(index)));
  }
}
