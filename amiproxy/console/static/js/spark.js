// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** A small line of the last minute: one value a second, drawn anew each second, never moved. */
import { mark, svg } from "./dom.js";

const SECONDS = 60;
const WIDTH = 64;
const HEIGHT = 18;

export class Spark {
  constructor() {
    /** @type {number[]} */
    this._values = [];
    this._path = svg("path", { d: "" });
    this.element = svg("svg", { viewBox: `0 0 ${WIDTH} ${HEIGHT}`, width: String(WIDTH), height: String(HEIGHT), class: "spark", "aria-hidden": "true" }, this._path);
  }

  /** @param {number | null | undefined} value of the second that is over; null: not known */
  add(value) {
    this._values.push(typeof value === "number" ? value : NaN);
    if (this._values.length > SECONDS) this._values.shift();
    mark(this._path, "d", line(this._values));
  }
}

/** @param {number[]} values @returns {string} */
function line(values) {
  const top = Math.max(1, ...values.filter((each) => !Number.isNaN(each)));
  let path = "";
  let pen = "M";
  values.forEach((value, index) => {
    if (Number.isNaN(value)) {
      pen = "M"; // a hole is a hole
      return;
    }
    const x = WIDTH - (values.length - 1 - index) * (WIDTH / (SECONDS - 1));
    path += `${pen}${x.toFixed(1)} ${(HEIGHT - 2 - (value / top) * (HEIGHT - 4)).toFixed(1)}`;
    pen = "L";
  });
  return path;
}
