// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The clients, those first that cost most, and the way to let one go. */

import { h, mark, say } from "../dom.js";
import { bytes, duration, number, text } from "../format.js";
import { ask } from "../requests.js";
import { FactTable } from "./facttable.js";

const ORDERS = /** @type {Record<string, (row: any) => number>} */ ({
  backlog: (row) => row.backlog || 0,
  events: (row) => row.events_per_second || 0,
  actions: (row) => row.actions || 0,
});

/**
 * @param {any} app
 * @param {() => void} look asks the proxy anew
 */
export function clientsPanel(app, look) {
  let by = "backlog";
  let last = /** @type {any[]} */ ([]);
  const columns = /** @type {import("./facttable.js").Column[]} */ ([
    { label: "Client", text: (row) => (row.error ? `${text(row.proxy)} ${text(row.error)}` : `${row.number}  ${text(row.address)}${row.proxy ? ` at ${text(row.proxy)}` : ""}`) },
    { label: "User", text: (row) => (row.user ? text(row.user) : text(row.state)) },
    { label: "Came in at", text: (row) => `${text(row.listener)}${row.tls ? `, ${text(row.tls)}` : ""}` },
    { label: "Format", text: (row) => `${text(row.input)}, ${text(row.output)}` },
    { label: "For", isNumber: true, text: (row) => duration(row.age) },
    { label: "Idle", isNumber: true, text: (row) => duration(row.idle) },
    { label: "Backlog", isNumber: true, text: (row) => bytes(row.backlog) },
    { label: "Events", isNumber: true, text: (row) => number(row.events) },
    { label: "Events/s", isNumber: true, text: (row) => number(row.events_per_second) },
    { label: "Actions", isNumber: true, text: (row) => number(row.actions) },
    { label: "Filter", text: (row) => (row.filter ? text(row.filter) : "") },
  ]);
  if (app.rights.mayProxyAction("Kick")) {
    columns.push({ label: "Disconnect", text: () => "", made: (row) => (row.error ? h("span") : kick(app, row, look)) });
  }
  const table = new FactTable("Clients", columns, (row) => String(row.number || row.proxy), "No clients.");
  const choices = Object.keys(ORDERS).map((name) => h("button", {
    type: "button", "aria-pressed": String(name === by), text: name,
    onclick: () => { by = name; press(choices, name); show(last); },
  }));
  table.head.append(h("span", { class: "quiet", text: "most first by" }), h("span", { class: "choices", role: "group", "aria-label": "Most first" }, ...choices));
  let everywhere = false;
  const all = h("input", { type: "checkbox", id: "clients-everywhere", onchange: () => { everywhere = all.checked; look(); } });
  const choice = h("span", { hidden: true }, h("label", { for: "clients-everywhere", class: "check" }, all, "of all proxies"));
  table.head.append(choice);
  /** @param {any[]} rows */
  function show(rows) {
    last = rows;
    table.show([...rows].sort((one, other) => ORDERS[by](other) - ORDERS[by](one) || one.number - other.number));
  }
  return {
    element: table.element,
    show,
    /** Where the rows are asked for. */
    path: () => (everywhere ? "v1/clients?proxy=cluster" : "v1/clients"),
    /** Offer those of the whole cluster, if there is one. @param {boolean} isThere */
    offerCluster(isThere) {
      choice.hidden = !isThere;
      everywhere = everywhere && isThere;
    },
  };
}

/** @param {HTMLElement[]} choices @param {string} name */
function press(choices, name) {
  for (const each of choices) each.setAttribute("aria-pressed", String(each.textContent === name));
}

/** A button that asks once. @param {any} app @param {any} row @param {() => void} look */
function kick(app, row, look) {
  const name = `${row.user || ""} ${row.address}`.trim();
  const button = h("button", { type: "button", class: "bare", "aria-label": `Disconnect: ${text(name)}`, text: "Disconnect" });
  let isSure = false;
  const rest = () => {
    isSure = false;
    button.className = "bare";
    say(button, "Disconnect");
    mark(button, "aria-label", `Disconnect: ${text(name)}`);
  };
  button.addEventListener("blur", rest);
  button.addEventListener("click", async () => {
    if (!isSure) {
      isSure = true;
      button.className = "grave";
      say(button, "Really?");
      mark(button, "aria-label", `Really? Disconnect: ${text(name)}`);
      app.announce(`Press again to let ${text(name)} go.`);
      return;
    }
    rest();
    button.disabled = true;
    const { status, doc } = await ask(`v1/clients/${row.number}`, { method: "DELETE" });
    button.disabled = false;
    app.announce(status < 300 && status ? `${text(name)} is disconnected.` : (doc && doc.detail) || "It is not disconnected.");
    look();
  });
  return button;
}
