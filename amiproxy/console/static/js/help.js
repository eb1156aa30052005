// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * Keys for the whole page, and the dialog that lists them.
 *
 * Single letters can be turned off (WCAG 2.1.4): who speaks to the computer, or hits keys by
 * chance, must not change the view.
 */

import { byId, h } from "./dom.js";

const KEPT = "single-keys";

/** What is listed: keys, what they do, and whether they are single characters. */
const KEYS = /** @type {[string[], string][]} */ ([
  [["1", "2", "3", "4"], "go to Now, Events, Action, Proxy"],
  [["/"], "go to the search of this view"],
  [["p"], "hold the events still, or follow them again"],
  [["?"], "show these keys"],
  [["Esc"], "close what is open, clear the search"],
  [["Tab"], "go on to the next table, field or button"],
  [["↑", "↓", "←", "→"], "move inside a table"],
  [["Enter"], "open the row"],
]);

/** @param {any} app @param {import("./tabs.js").Tabs} tabs */
export function startKeys(app, tabs) {
  const dialog = new Help();
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.altKey || event.metaKey || document.querySelector("dialog[open]")) return;
    const target = event.target instanceof HTMLElement ? event.target : document.body;
    if (event.key === "Escape" && isText(target)) return clear(/** @type {HTMLInputElement} */ (target));
    if (isText(target) || !singleKeys()) return;
    if (act(event.key, app, tabs, dialog)) event.preventDefault();
  });
  return dialog;
}

/** @param {string} key @param {any} app @param {import("./tabs.js").Tabs} tabs @param {Help} dialog */
function act(key, app, tabs, dialog) {
  if (key === "?") {
    dialog.show();
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

/** The list of keys.  A dialog returns the focus by itself. */
class Help {
  constructor() {
    const rows = KEYS.map(([keys, does]) =>
      h("tr", null, h("th", { scope: "row" }, ...keys.flatMap((key) => [h("kbd", { text: key }), " "])), h("td", { text: does })));
    const box = h("input", { type: "checkbox", id: "help-single" });
    box.checked = singleKeys();
    box.addEventListener("change", () => keep(box.checked));
    const shut = h("button", { type: "submit", class: "main", text: "Close" });
    this.element = h("dialog", { class: "help", "aria-labelledby": "help-title" },
      h("form", { method: "dialog" },
        h("h2", { id: "help-title", text: "Keys" }),
        h("table", null, h("tbody", null, ...rows)),
        h("label", { for: "help-single", class: "check" }, box, "Single characters are keys"), shut));
    document.body.append(this.element);
  }

  show() {
    if (this.element.open) return;
    this.element.showModal();
    this.element.querySelector("button").focus();
  }
}

/** @param {boolean} on */
function keep(on) {
  try {
    localStorage.setItem(KEPT, on ? "on" : "off");
  } catch {
    // It holds for this page only, then: not even that, as it is read each time.
  }
}
