// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** What stands at the right end of the top: who is logged in, light or dark, help. */
import { byId, h, set, svg } from "./dom.js";
import { help } from "./help.js";

const THEMES = ["", "light", "dark"];
const NAMES = { "": "as the system", light: "light", dark: "dark" };
const SUN = "M8 1v1.6M8 13.4V15M1 8h1.6M13.4 8H15M3 3l1.1 1.1M11.9 11.9 13 13M13 3l-1.1 1.1M4.1 11.9 3 13M8 5a3 3 0 1 1 0 6a3 3 0 1 1 0-6z";
const MOON = "M13.5 9.6A6 6 0 0 1 6.4 2.5a6 6 0 1 0 7.1 7.1z";
const BOTH = "M8 1.5a6.5 6.5 0 1 0 0 13a6.5 6.5 0 1 0 0-13zM8 1.5v13M8 4.5h4.9M8 8h6.5M8 11.5h4.9";
const SIGNS = { "": BOTH, light: SUN, dark: MOON };

/** @param {any} _app */
export function startTools(_app) {
  // Filled by login.js.
  byId("tools").append(h("div", { class: "quiet", id: "user" }), themeButton(),
    h("button", { class: "bare icon", type: "button", text: "?", title: "Keys, and other pages", "aria-label": "Help", onclick: help }));
}

function stored() {
  try {
    return localStorage.getItem("theme") || "";
  } catch {
    return ""; // not allowed to keep anything
  }
}

function themeButton() {
  const path = svg("path", { d: BOTH });
  const button = h("button", { class: "bare icon", type: "button", id: "theme" },
    svg("svg", { viewBox: "0 0 16 16", width: "16", height: "16", class: "shape", "aria-hidden": "true" }, path));
  const show = (/** @type {string} */ theme) => {
    if (theme) document.documentElement.dataset.theme = theme;
    else delete document.documentElement.dataset.theme;
    const name = /** @type {any} */ (NAMES)[theme];
    set(button, "title", `Colours: ${name}`);
    set(button, "aria-label", `Colours: ${name}. Change`);
    set(path, "d", /** @type {any} */ (SIGNS)[theme]);
  };
  let theme = THEMES.includes(stored()) ? stored() : "";
  show(theme);
  button.addEventListener("click", () => {
    theme = THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length];
    try {
      localStorage.setItem("theme", theme);
    } catch {
      // It holds for this page, then.
    }
    show(theme);
  });
  return button;
}
