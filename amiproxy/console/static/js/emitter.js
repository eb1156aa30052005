// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check

/** Tells listeners by name: what EventTarget does, without an object for each of 500 a second. */
export class Emitter {
  constructor() {
    /** @type {Map<string, Set<Function>>} */
    this._listeners = new Map();
  }

  /**
   * Call *listener* whenever *type* is told.
   * @param {string} type
   * @param {Function} listener
   * @returns {() => void} ends that.
   */
  on(type, listener) {
    if (!this._listeners.has(type)) this._listeners.set(type, new Set());
    const all = /** @type {Set<Function>} */ (this._listeners.get(type));
    all.add(listener);
    return () => { all.delete(listener); };
  }

  /**
   * Tell all that listen for *type*; one that fails keeps it from no other.
   * @param {string} type
   * @param {any} [detail]
   */
  tell(type, detail) {
    for (const listener of this._listeners.get(type) || []) {
      try {
        listener(detail);
      } catch (error) {
        console.error(error);
      }
    }
  }
}
