// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** An answer, as a table or as the lines that Asterisk sent. */

import { h } from "../dom.js";
import { text, timeOfDay, count } from "../format.js";
import { lines } from "../events/copy.js";
import { copyButton } from "../copying.js";

/** Rows of a table: more is in the text, and in what is copied. */
const MOST = 200;

/** @typedef {Record<string, string | string[]>} Lines */

/**
 * @typedef {object} Answered
 * @property {number} time Unix seconds
 * @property {string} server
 * @property {string} action
 * @property {[string, string][]} headers
 * @property {any} [answer] the document
 * @property {any} [problem] why there is none
 */

/**
 * Return *answered* as an element.
 *
 * @param {Answered} answered
 * @param {boolean} asText
 * @param {(words: string) => void} tell
 */
export function answerView(answered, asText, tell) {
  const { answer, problem } = answered;
  const title = h("h2", { text: `${text(answered.action)} ${answered.server ? `at ${text(answered.server)}` : ""}` });
  const head = h("header", {}, title, h("span", { class: "meta", text: timeOfDay(answered.time) }),
    copyButton("Copy as JSON", () => JSON.stringify(answer || problem, null, 2), tell),
    copyButton("Copy as text", () => asLines(answer || {}), tell));
  const parts = [head];
  if (problem) parts.push(...problemParts(problem));
  const told = answer || (problem && problem.response ? { response: problem.response } : null);
  if (told) parts.push(...(asText ? [h("pre", { tabindex: "0", "aria-label": "Answer", text: seen(asLines(told)) })] : tables(told)));
  return h("section", { class: "answer", "aria-label": "Answer" }, ...parts);
}

/** @param {any} problem */
function problemParts(problem) {
  const needs = problem.needs && problem.needs.length ? `It needs ${problem.needs.join(" or ")}.` : "";
  return [h("p", { class: "problem", text: text(problem.detail || problem.title) }), needs && h("p", { text: needs })].filter(Boolean);
}

/** @param {any} answer @returns {string} */
function asLines(answer) {
  return [answer.response, ...(answer.items || []), answer.complete].filter(Boolean)
    .map((/** @type {Lines} */ each) => lines(each).map(([name, value]) => `${name}: ${value}\r\n`).join(""))
    .join("\r\n");
}

/** @param {string} lines_ */
function seen(lines_) {
  return lines_.split("\r\n").map((line) => line === "" ? "" : text(line)).join("\n");
}

/** @param {any} answer */
function tables(answer) {
  const items = answer.items || [];
  const made = [headerTable(answer.response || {})];
  if (items.length) made.push(itemTable(items));
  return made;
}

/** @param {Lines} response */
function headerTable(response) {
  return h("table", { class: "headers" }, h("caption", { text: "Answer" }), h("tbody", {},
    ...lines(response).slice(0, MOST).map(([name, value]) => h("tr", {},
      h("th", { scope: "row", text: text(name) }), h("td", { text: text(value) })))));
}

/** @param {Lines[]} items */
function itemTable(items) {
  const shown = items.slice(0, MOST);
  const columns = [...new Set(shown.flatMap((item) => Object.keys(item)))].filter((name) => !/^ActionID$/i.test(name));
  const caption = items.length > MOST ? `First ${MOST} of ${count(items.length, "item")}` : count(items.length, "item");
  const cell = (/** @type {string | string[] | undefined} */ value) =>
    h("td", { text: value === undefined || value === "" ? "" : [value].flat().map(text).join(", ") });
  const table = h("table", { class: "items" }, h("caption", { text: caption }),
    h("thead", {}, h("tr", {}, ...columns.map((name) => h("th", { scope: "col", text: text(name) })))),
    h("tbody", {}, ...shown.map((item) => h("tr", {}, ...columns.map((name) => cell(item[name]))))));
  return h("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Items" }, table);
}
