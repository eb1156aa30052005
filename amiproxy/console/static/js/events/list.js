// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
// The list of events: as many rows as fit on the screen, whatever there is.

import { h, say } from "../dom.js";
import { text } from "../format.js";
import { summary } from "./copy.js";
import { Kept } from "./kept.js";

/** Rows beyond those that are seen, above and below. */
const MARGIN = 4;

/**
 * @typedef {object} Line what a row shows
 * @property {"event" | "gap"} kind
 * @property {string} text of a gap
 * @property {import("./copy.js").EventMessage} [message] of an event
 */

/** A grid whose rows are made for what is seen.  It follows the newest until somebody scrolls up. */
export class EventsList {
  /**
   * @param {(line: Line | null) => void} whenChosen called with the row that was opened
   * @param {() => void} whenChanged called when it begins to follow, or ends
   */
  constructor(whenChosen, whenChanged) {
    /** @type {Kept<Line>} */
    this.kept = new Kept();
    this._whenChosen = whenChosen;
    this._whenChanged = whenChanged;
    /** Pixels: what --row says, which is more on a phone. */
    this._row = 32;
    /** Where the arrows have got to; -1: nowhere. */
    this._at = -1;
    this._drawing = 0;
    /** @type {HTMLElement[]} */
    this._rows = [];
    this._body = h("div", { class: "events-body", role: "rowgroup" });
    this._head = h("div", { role: "rowgroup", class: "events-head" },
      h("div", { role: "row", "aria-rowindex": "1" },
        ...["Time", "Server", "Event", "What it says"].map((title) => h("span", { role: "columnheader", text: title }))));
    this.element = h("div", {
      class: "events-list", role: "grid", tabindex: "0", "aria-label": "Events", "aria-rowcount": "1",
    }, this._head, this._body);
    this.element.addEventListener("scroll", () => this._scrolled());
    this.element.addEventListener("keydown", (event) => this._key(event));
    this._body.addEventListener("click", (event) => this._clicked(event));
    new ResizeObserver(() => this._resized()).observe(this.element);
  }

  /** Pixels that rows have below the head, which stays in its place. */
  get _height() {
    return this.element.clientHeight - this._head.offsetHeight;
  }

  _resized() {
    this._row = parseFloat(getComputedStyle(this.element).getPropertyValue("--row")) || 32;
    this.draw();
  }

  /** @param {Line} line */
  add(line) {
    this.kept.add(line);
    this.draw();
  }

  clear() {
    this.kept.clear();
    this._at = -1;
    this.draw();
  }

  /** Stay where it is, whatever comes. */
  hold() {
    if (this.kept.isStill) return;
    this.kept.hold();
    this._whenChanged();
  }

  /** Go on with the newest. */
  follow() {
    this.kept.follow();
    this._at = -1;
    this._whenChanged();
    this.draw();
  }

  /** Draw in the next frame: once, however many events come until then. */
  draw() {
    if (this._drawing) return;
    this._drawing = requestAnimationFrame(() => {
      this._drawing = 0;
      this._draw();
    });
  }

  _draw() {
    const { length } = this.kept;
    const height = this._height;
    this._body.style.height = `${length * this._row}px`;
    this.element.setAttribute("aria-rowcount", String(length + 1));
    if (!this.kept.isStill) this.element.scrollTop = length * this._row;
    const first = Math.max(0, Math.floor(this.element.scrollTop / this._row) - MARGIN);
    const count = Math.min(length - first, Math.ceil(height / this._row) + 2 * MARGIN, 60);
    while (this._rows.length < count) this._rows.push(this._newRow());
    this._rows.forEach((row, index) => {
      row.hidden = index >= count;
      if (!row.hidden) this._fill(row, first + index);
    });
    this._mark();
  }

  _newRow() {
    const cells = [0, 1, 2, 3].map(() => h("span", { role: "gridcell" }));
    const row = h("div", { role: "row", class: "events-row" }, ...cells);
    this._body.append(row);
    return row;
  }

  /** @param {HTMLElement} row @param {number} index */
  _fill(row, index) {
    const line = /** @type {Line} */ (this.kept.at(index));
    row.style.transform = `translateY(${index * this._row}px)`;
    row.dataset.index = String(index);
    row.id = `event-${index}`;
    row.setAttribute("aria-rowindex", String(index + 2));
    row.classList.toggle("gap", line.kind === "gap");
    const { message } = line;
    const texts = message
      ? [clock(message.time), text(message.server), text(message.event.Event), summary(message.event)]
      : ["", "", "Gap", line.text];
    texts.forEach((words, column) => say(row.children[column], words));
  }

  _mark() {
    for (const row of this._rows) {
      const chosen = !row.hidden && Number(row.dataset.index) === this._at;
      row.classList.toggle("at", chosen);
      row.setAttribute("aria-selected", String(chosen));
    }
    if (this._at >= 0) this.element.setAttribute("aria-activedescendant", `event-${this._at}`);
    else this.element.removeAttribute("aria-activedescendant");
  }

  _scrolled() {
    // By what is drawn: more may have come since, and that is nobody's scrolling.
    const left = this.element.scrollHeight - this.element.scrollTop - this.element.clientHeight;
    if (left > this._row) this.hold();
    this.draw();
  }

  /** @param {MouseEvent} event */
  _clicked(event) {
    const row = /** @type {Element} */ (event.target).closest(".events-row");
    if (row instanceof HTMLElement) this._choose(Number(row.dataset.index));
  }

  /** @param {number} index */
  _choose(index) {
    this.hold();
    this._at = index;
    this._mark();
    this._whenChosen(this.kept.at(index) || null);
  }

  /** @param {KeyboardEvent} event */
  _key(event) {
    const last = this.kept.length - 1;
    const page = Math.max(1, Math.floor(this._height / this._row) - 1);
    const from = this._at < 0 ? last + 1 : this._at;
    /** @type {Record<string, number>} */
    const moves = { ArrowUp: from - 1, ArrowDown: from + 1, PageUp: from - page, PageDown: from + page, Home: 0, End: last };
    if (event.ctrlKey || event.altKey || event.metaKey || last < 0) return;
    if (event.key === "Enter" && this._at >= 0) this._whenChosen(this.kept.at(this._at) || null);
    else if (event.key in moves) this._goTo(Math.min(last, Math.max(0, moves[event.key])));
    else return;
    event.preventDefault();
  }

  /** @param {number} index */
  _goTo(index) {
    this.hold();
    this._at = index;
    const top = index * this._row;
    const seen = this.element;
    if (top < seen.scrollTop) seen.scrollTop = top;
    else if (top + this._row > seen.scrollTop + this._height) seen.scrollTop = top + this._row - this._height;
    this.draw();
  }
}

const TIME = new Intl.DateTimeFormat(undefined, { hour: "2-digit", minute: "2-digit", second: "2-digit", fractionalSecondDigits: 3, hour12: false });

/** The reader's own time of day. @param {number} time Unix seconds */
export function clock(time) {
  return Number.isFinite(time) ? TIME.format(new Date(time * 1000)) : "";
}
