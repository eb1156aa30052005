// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** Small charts of the last minutes: lines over time, drawn anew with each sample. */

import { h, say, svg } from "../dom.js";

const WIDTH = 300;
const HEIGHT = 60;

/** The last samples of several lines; what is older is overwritten. */
export class Samples {
  /** @param {string[]} names @param {number} most */
  constructor(names, most) {
    this.names = names;
    this.most = most;
    this.count = 0;
    this._values = names.map(() => new Float64Array(most));
  }

  /** @param {(number | null)[]} values of each line; null: not known */
  add(values) {
    const at = this.count % this.most;
    values.forEach((value, line) => { this._values[line][at] = value === null ? NaN : value; });
    this.count += 1;
  }

  /** The values of a line, the oldest first. @param {number} line @returns {number[]} */
  line(line) {
    const values = this._values[line];
    const length = Math.min(this.count, this.most);
    return Array.from({ length }, (_, index) => values[(this.count - length + index) % this.most]);
  }
}

/** A chart with a title, what is now, and a line for each of its names. */
export class Chart {
  /**
   * @param {string} title
   * @param {string[]} names of its lines
   * @param {(value: number) => string} format
   * @param {Samples} samples
   */
  constructor(title, names, format, samples) {
    this._format = format;
    this.samples = samples;
    this._names = names;
    this._lines = names.map((_, index) => svg("polyline", { class: `line line-${index}`, points: "" }));
    this._now = names.map((name, index) => h("span", { class: `key key-${index}` }, h("span", { text: name }), h("b")));
    this._top = h("span", { class: "top" });
    this._picture = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, preserveAspectRatio: "none", "aria-hidden": "true" }, ...this._lines);
    this.element = h("figure", { class: "chart panel" },
      h("figcaption", null, h("h2", { text: title }), ...this._now), h("div", { class: "plot" }, this._picture, this._top));
  }

  draw() {
    const all = this._names.map((_, index) => this.samples.line(index));
    const top = nice(Math.max(0, ...all.flat().filter(Number.isFinite)));
    say(this._top, this._format(top));
    all.forEach((values, index) => {
      this._lines[index].setAttribute("points", points(values, top, this.samples.most));
      const last = values[values.length - 1];
      say(this._now[index].lastChild, Number.isFinite(last) ? this._format(last) : "–");
    });
  }
}

/** @param {number[]} values @param {number} top @param {number} most */
function points(values, top, most) {
  const step = WIDTH / (most - 1);
  const start = most - values.length;
  return values.map((value, index) => Number.isFinite(value)
    ? `${((start + index) * step).toFixed(1)},${(HEIGHT - 2 - (value / top) * (HEIGHT - 6)).toFixed(1)}` : "").filter(Boolean).join(" ");
}

/** A round number that is no less than *value*. @param {number} value */
function nice(value) {
  if (!(value > 0)) return 1;
  const unit = 10 ** Math.floor(Math.log10(value));
  const found = [1, 2, 5, 10].find((each) => each * unit >= value * 0.999) || 10;
  return found * unit;
}
