// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * The proxy's clock, as far as it can be known here: ages count by it, never by the browser's.
 *
 * Each document says `now`.  One that was long under way makes the clock late, never early: so
 * the latest one counts, until it is plainly wrong (the proxy's clock was set, we slept).
 */
import { Emitter } from "./emitter.js";

/** Seconds by which a document may be late before the clock follows it back. */
const LATE = 2;

export class Clock extends Emitter {
  constructor() {
    super();
    /** @type {number | null} Proxy's time minus ours, in seconds; null: not known yet. */
    this._offset = null;
    /** @type {number | null} Where ages stop: when the last document came. */
    this._stopped = null;
    setInterval(() => this._tick(), 1000);
  }

  /** @param {number} now what a document says */
  hear(now) {
    if (typeof now !== "number" || !isFinite(now)) return;
    const offset = now - performance.now() / 1000;
    const known = this._offset;
    if (known === null || offset > known || known - offset > LATE) this._offset = offset;
    if (this._stopped !== null) {
      this._stopped = null;
      this.tell("second");
    }
  }

  /** Let ages stop: nobody can say what time it is there. */
  stop() {
    if (this._stopped === null) this._stopped = this.now();
  }

  get isStopped() { return this._stopped !== null; }

  /** @returns {number} the proxy's time, Unix seconds */
  now() {
    if (this._stopped !== null) return this._stopped;
    return performance.now() / 1000 + (this._offset ?? (Date.now() - performance.now()) / 1000);
  }

  /**
   * @param {number | null | undefined} since
   * @returns {number | null} how long ago that is, in seconds; null: nobody knows
   */
  age(since) {
    return typeof since === "number" ? Math.max(0, this.now() - since) : null;
  }

  _tick() {
    // One timer for all ages of the page; it rests where nobody looks.
    if (this._stopped === null && !document.hidden) this.tell("second");
  }
}
