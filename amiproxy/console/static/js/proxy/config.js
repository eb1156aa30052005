// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The configuration in force, and where each value is from.  Loaded when it is opened. */

import { h, say } from "../dom.js";
import { text } from "../format.js";
import { ask } from "../requests.js";

export function configPanel() {
  const body = h("div", { class: "config" });
  const told = h("p", { class: "empty", text: "Reading." });
  const search = h("input", { type: "search", "aria-label": "Search the configuration", placeholder: "key or value" });
  const given = h("input", { type: "checkbox", id: "config-given" });
  const panel = h("details", { class: "panel wide" }, h("summary", null, h("h2", { text: "Configuration in force" })),
    h("p", { class: "filters" }, search, h("label", { for: "config-given", class: "check" }, given, "Only what a file says")), told, body);
  /** @type {any[]} */
  let rows = [];
  const draw = () => {
    const part = search.value.trim().toLowerCase();
    const shown = rows.filter((row) => (!given.checked || row.place) && `${row.key} ${row.value}`.toLowerCase().includes(part));
    body.replaceChildren(table(shown));
    say(told, shown.length ? "" : "Nothing like that.");
    told.hidden = shown.length > 0;
  };
  search.addEventListener("input", draw);
  given.addEventListener("change", draw);
  panel.addEventListener("toggle", async () => {
    if (!panel.open) return;
    const { status, doc } = await ask("v1/config");
    if (status !== 200) {
      say(told, (doc && doc.detail) || "It could not be read.");
      return;
    }
    rows = (doc.config || []).map(placed);
    draw();
  });
  return panel;
}

/** @param {any} row */
function placed({ key, value, place }) {
  return { key, value, place: place === "default" ? "" : place };
}

/** @param {any[]} rows */
function table(rows) {
  return h("div", { class: "wide", tabindex: "0", role: "group", "aria-label": "Configuration" },
    h("table", { class: "facts-table" },
      h("thead", null, h("tr", null, ...["Key", "Value", "From"].map((title) => h("th", { scope: "col", text: title })))),
      h("tbody", null, ...rows.map(({ key, value, place }) => h("tr", { class: place ? "given" : null },
        h("th", { scope: "row" }, h("code", { text: key })), h("td", null, h("code", { text: value === "" ? "" : text(value) })),
        h("td", { class: "quiet", text: place ? text(place) : "default" }))))));
}
