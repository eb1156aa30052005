// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** How boards share a screen, so that their figures are as large as can be. */

/** Pixels between boards, and what frame and padding of one take. */
const GAP = 8;
const FRAME = 24;

/**
 * Ways in which a board has its figures: in a row; two by two; the first two large, and the others
 * small beside them.  How wide and high that is in digits and lines: two digits wait, four
 * characters are the longest, two are free, three the level.
 */
const WAYS = [
  { name: "row", digits: 2 + 3.6 + 2 + 3, pads: 1.6, lines: 1 },
  { name: "square", digits: 3 + 3.6, pads: 0.8, lines: 2 },
  { name: "side", digits: 2 + 3.55, pads: 1.02, lines: 1 },
];

/** What figures are to have of the screen's height, to be read from across the room. */
const ENOUGH = 0.12;

/**
 * @typedef {object} Layout
 * @property {number} columns
 * @property {number} rows
 * @property {string} way
 * @property {boolean} members whether there is room for a line of members
 * @property {number} size of a figure, pixels
 */

/**
 * @param {number} count of boards
 * @param {number} width of the screen, pixels
 * @param {number} height
 * @param {number} digit how wide a digit is, in em
 * @param {boolean} callers whether there is a line of them, too
 * @returns {Layout}
 */
export function layout(count, width, height, digit, callers) {
  const found = [];
  for (const members of [true, false]) {
    for (let columns = 1; columns <= Math.min(count, 6); columns += 1) {
      for (const way of WAYS) found.push(tried(count, columns, way, members, width, height, digit, callers));
    }
  }
  const largest = (/** @type {Layout[]} */ among) => among.reduce((best, each) => (each.size > best.size * 1.02 ? each : best));
  // All figures large, if that is large enough; then as few things less as it takes.
  const all = largest(found.filter(({ way, members }) => way !== "side" && members));
  const some = largest(found.filter(({ members }) => members));
  return [all, some].find(({ size }) => size >= height * ENOUGH) || largest(found);
}

/** @param {number} count @param {number} columns @param {typeof WAYS[0]} way @param {boolean} members
 * @param {number} width @param {number} height @param {number} digit
 * @param {boolean} callers @returns {Layout} */
function tried(count, columns, way, members, width, height, digit, callers) {
  const rows = Math.ceil(count / columns);
  const wide = (width - 12 - GAP * (columns - 1)) / columns - FRAME - width * 0.006;
  // Without the head of the page; of each board without its name, and a line of members.
  const lines = 1 + (members ? 1 : 0) + (callers && way.name !== "side" ? 1 : 0);
  const high = (height * 0.93 - 16 - GAP * (rows - 1)) / rows - 20 - height * 0.05 * lines;
  const label = height * (way.name === "square" ? 0.036 : 0.028);
  const size = Math.min(wide / (way.digits * digit + way.pads), ((high - height * 0.006 * (way.lines - 1)) / way.lines - label) / 1.02);
  return { columns, rows, way: way.name, members, size: Math.floor(Math.max(12, size)) };
}

/** How wide a digit of the figures is, in em. @param {HTMLElement} element of their font */
export function digitOf(element) {
  const context = document.createElement("canvas").getContext("2d");
  if (!context) return 0.6;
  context.font = `700 100px ${getComputedStyle(element).fontFamily}`;
  // Less what css/wall.css takes out between letters.
  return context.measureText("0").width / 100 - 0.06;
}
