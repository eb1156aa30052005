// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The order of rows, and the words that a search finds them by; both are kept with each row. */
import { folded } from "./format.js";

/** Text in an order that puts 9 before 10. @type {Map<string, string>} */
const natural = new Map();

/** @param {string} text */
function key(text) {
  let found = natural.get(text);
  if (found === undefined) {
    if (natural.size > 50000) natural.clear();
    found = folded(text.slice(0, 200)).replace(/\d+/g, (digits) => digits.padStart(12, "0"));
    natural.set(text, found);
  }
  return found;
}

/**
 * The ids of *rows* that *filter* lets pass, sorted by what *by* makes of each; what has no value
 * comes last, equal ones by their ids.
 * @param {Map<string, any>} rows @param {(row: any, id: string) => boolean} filter
 * @param {((row: any) => any) | undefined} by @param {boolean} down @returns {string[]}
 */
export function orderOf(rows, filter, by, down) {
  /** @type {{id: string, value: any}[]} */
  const found = [];
  for (const [id, row] of rows) {
    if (!filter(row, id)) continue;
    const value = by ? by(row) : null;
    found.push({ id, value: typeof value === "string" ? key(value) : value ?? null });
  }
  const way = down ? -1 : 1;
  found.sort((a, b) => {
    if (a.value !== b.value) {
      if (a.value === null) return 1;
      if (b.value === null) return -1;
      return a.value < b.value ? -way : way;
    }
    return a.id < b.id ? -1 : a.id > b.id ? 1 : 0;
  });
  return found.map((each) => each.id);
}

/** @type {WeakMap<any, string>} */
const haystacks = new WeakMap();

/**
 * Whether *row* has all words of *search* in what *texts* returns of it.
 * @param {any} row @param {string[]} words folded @param {(row: any) => any[]} texts
 */
export function matches(row, words, texts) {
  if (!words.length) return true;
  let found = haystacks.get(row);
  if (found === undefined) {
    found = folded(texts(row).filter((each) => each !== null && each !== undefined).join("\n"));
    haystacks.set(row, found);
  }
  return words.every((word) => /** @type {string} */ (found).includes(word));
}

/** The words of a search. @param {string} search */
export const wordsOf = (search) => folded(search).split(/\s+/).filter(Boolean);
