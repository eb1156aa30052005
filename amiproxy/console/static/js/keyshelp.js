// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The dialog that lists the keys, and leads to the other pages. */

import { h } from "./dom.js";
import { KEPT, singleKeys } from "./help.js";

/** What is listed: keys and what they do. */
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

/** The other pages. @type {[string, string][]} */
const PAGES = [["wall", "For a screen on the wall"], ["v1/docs", "For programs: REST"]];

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
        h("p", null, ...PAGES.flatMap(([href, text]) => [h("a", { href, text }), " "])),
        h("label", { for: "help-single", class: "check" }, box, "Single characters are keys"), shut));
    document.body.append(this.element);
  }

  show() {
    if (this.element.open) return;
    this.element.showModal();
    this.element.querySelector("button").focus();
  }
}

/** @type {Help | null} */
let dialog = null;

export function show() {
  dialog = dialog || new Help();
  dialog.show();
}

/** @param {boolean} on */
function keep(on) {
  try {
    localStorage.setItem(KEPT, on ? "on" : "off");
  } catch {
    // It holds for this page only, then: not even that, as it is read each time.
  }
}
