// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * Keys for the whole page; keyshelp.js lists them.
 *
 * Single letters can be turned off (WCAG 2.1.4): who speaks to the computer, or hits keys by
 * chance, must not change the view.
 */

import { byId } from "./dom.js";

export const KEPT = "single-keys";

/** @param {any} app @param {import("./tabs.js").Tabs} tabs */
export function startKeys(app, tabs) {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    if (event.key === "Escape" && isText(target)) return clear(/** @type {HTMLInputElement} */ (target));
    if (isText(target) || !singleKeys()) return;
    if (act(event.key, app, tabs)) event.preventDefault();
  });
}

/** @param {string} key @param {any} app @param {import("./tabs.js").Tabs} tabs */
function act(key, app, tabs) {
  if (key === "?") {
    help();
    return true;
  }
  if (key === "/") return search();
  const tab = /^[1-9]$/.test(key) ? document.querySelectorAll("#tabs a")[Number(key) - 1] : null;
  if (tab instanceof HTMLAnchorElement) {
    app.router.go(tab.hash);
    byId("view").focus();
    return true;
  }
  // A view may know further keys: its module's `keys`.
  const { keys } = tabs.module || {};
  if (!keys || !Object.hasOwn(keys, key)) return false;
  keys[key]();
  return true;
}

function search() {
  const named = [...document.querySelectorAll("input[data-search]")];
  const field = [...named, ...document.querySelectorAll("input[type=search]")]
    .find((each) => each instanceof HTMLInputElement && each.checkVisibility());
  if (!(field instanceof HTMLInputElement)) return false;
  field.focus();
  field.select();
  return true;
}

/** Esc in a search: first it is emptied, then it is left. @param {HTMLInputElement} field */
function clear(field) {
  if (field.type !== "search") return;
  if (!field.value) return field.blur();
  field.value = "";
  field.dispatchEvent(new Event("input", { bubbles: true }));
}

/** @param {HTMLElement} target */
function isText(target) {
  if (target.isContentEditable || target.closest("textarea, select")) return true;
  return target instanceof HTMLInputElement && !/^(checkbox|radio|button|submit|range)$/.test(target.type);
}

/** Whether single characters are keys. */
export function singleKeys() {
  try {
    return localStorage.getItem(KEPT) !== "off";
  } catch {
    return true; // nothing may be kept
  }
}

/** Show the list of keys, and where the other pages are; loaded when it is first asked for. */
export async function help() {
  const { show } = await import("./keyshelp.js");
  show();
}
