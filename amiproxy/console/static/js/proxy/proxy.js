// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * The Proxy tab: the proxy itself, for who operates it.  It asks every few seconds while it is
 * open, and not at all else.
 */

import { h, say } from "../dom.js";
import { bytes, count, duration, number, text } from "../format.js";
import { ask } from "../requests.js";
import { Chart, Samples } from "./charts.js";
import { clientsPanel } from "./clients.js";
import { clusterPanel } from "./cluster.js";
import { configPanel } from "./config.js";
import { connectPanel } from "./connect.js";
import { serversPanel, usersPanel } from "./panels.js";

/** Seconds between two looks, and how many are kept: ten minutes. */
const EVERY = 3;
const MOST = 200;
/** Who may call these is shown the status. */
const STATUS = ["ShowServers", "ShowClients", "ShowMemory", "ShowStats"];

/** @type {ProxyTab | null} */
let tab = null;

/** @param {HTMLElement} section @param {any} app */
export function open(section, app) {
  tab = new ProxyTab(section, app);
}

export function close() {
  if (tab) tab.end();
  tab = null;
}

/** What is drawn of each status document. @type {{title: string, lines: string[], format: (value: number) => string, of: (status: any) => (number | null)[]}[]} */
const CHARTS = [
  { title: "Events a second", lines: ["received", "sent"], format: number, of: ({ totals }) => [totals.events_received_per_second, totals.events_sent_per_second] },
  { title: "Clients", lines: ["connected"], format: number, of: ({ totals }) => [totals.clients] },
  { title: "Unread by clients", lines: ["backlog"], format: bytes, of: ({ memory }) => [memory.backlogs] },
  { title: "Processor", lines: ["of one core"], format: (value) => `${(value * 100).toFixed(value < 0.1 ? 1 : 0)}\u202f%`, of: ({ memory }) => [memory.cpu_share] },
];

class ProxyTab {
  /** @param {HTMLElement} section @param {any} app */
  constructor(section, app) {
    this._app = app;
    this._abort = new AbortController();
    this._timer = 0;
    this._facts = h("dl", { class: "inshort" });
    this._warnings = h("ul", { class: "warnings", "aria-label": "Warnings" });
    this._problem = h("p", { class: "problem", role: "status" });
    this._charts = CHARTS.map(({ title, lines, format }) => new Chart(title, lines, format, new Samples(lines, MOST)));
    const may = (/** @type {string} */ name) => app.rights.mayProxyAction(name);
    this._clients = may("ShowClients") ? clientsPanel(app, () => this._look()) : null;
    this._users = may("ShowUsers") ? usersPanel() : null;
    this._servers = STATUS.every(may) ? serversPanel() : null;
    this._cluster = clusterPanel();
    section.append(h("h1", { class: "unseen", text: "Proxy" }), h("div", { class: "proxy" }, this._problem, ...this._parts(may)));
    this._look();
    if (this._users) this._ask("v1/users", (doc) => this._users?.show(doc.users || []));
  }

  /** What this user may see: the others are not there. @param {(name: string) => boolean} may */
  _parts(may) {
    const figures = this._servers ? [this._warnings,
      h("section", { class: "panel wide", "aria-label": "In short" }, this._facts),
      h("section", { class: "charts", "aria-label": "The last ten minutes" }, ...this._charts.map((chart) => chart.element)),
      this._servers.element, this._cluster.element] : [];
    return [...figures, ...[this._clients, this._users].flatMap((panel) => (panel ? [panel.element] : [])),
      ...(may("ShowConfig") ? [configPanel()] : []), connectPanel(this._app)];
  }

  end() {
    this._abort.abort();
    window.clearTimeout(this._timer);
  }

  /** @param {string} path @param {(doc: any) => void} take */
  async _ask(path, take) {
    const { status, doc } = await ask(path, { signal: this._abort.signal });
    if (this._abort.signal.aborted) return;
    if (status === 200) take(doc);
    else if (status === 403) say(this._problem, (doc && doc.detail) || "You may not see this.");
  }

  async _look() {
    window.clearTimeout(this._timer);
    if (!document.hidden && this._app.live.isLive) {
      await Promise.all([
        this._servers && this._ask("v1/status", (doc) => this._status(doc)),
        this._clients && this._ask(this._clients.path(), (doc) => this._clients?.show(doc.clients || [])),
      ]);
    }
    if (!this._abort.signal.aborted) this._timer = window.setTimeout(() => this._look(), EVERY * 1000);
  }

  /** @param {any} status */
  _status(status) {
    this._charts.forEach((chart, index) => {
      chart.samples.add(CHARTS[index].of(status).map((value) => (typeof value === "number" ? value : null)));
      chart.draw();
    });
    this._servers?.show(status.servers || []);
    this._cluster.show(status.cluster);
    this._clients?.offerCluster(Boolean(status.cluster));
    const warnings = (status.warnings || []).map((/** @type {any} */ each) =>
      h("li", { class: each.severity === "error" ? "is-alarm" : "is-warn", text: `${each.severity}: ${text(each.text)}` }));
    this._warnings.replaceChildren(...warnings);
    this._warnings.hidden = warnings.length === 0;
    this._facts.replaceChildren(...facts(status).flatMap(([name, value]) => h("div", null, h("dt", { text: name }), h("dd", { text: value }))));
  }
}

/** @param {any} status @returns {[string, string][]} */
function facts({ version, uptime, totals, memory }) {
  const limit = typeof totals.most_clients === "number" ? ` of ${number(totals.most_clients)}` : "";
  return [
    ["Version", text(version)],
    ["Up for", duration(uptime)],
    ["Clients", `${number(totals.clients)}${limit}`],
    ["Not logged in", number(totals.not_logged_in)],
    ["Log-ins", `${number(totals.logins)}, failed ${number(totals.failed_logins)}`],
    ["Refused", number(totals.refused)],
    ["Dropped", totals.dropped ? `${number(totals.dropped)}, last ${duration(totals.dropped_ago)} ago` : "0"],
    ["Actions", `${number(totals.actions)}, refused ${number(totals.refused_actions)}`],
    ["Under way", count(totals.actions_under_way, "action")],
    ["Memory", bytes(memory.resident)],
    ["Descriptors", `${number(memory.descriptors)}${memory.most_descriptors ? ` of ${number(memory.most_descriptors)}` : ""}`],
    ["Threads", number(memory.threads)],
  ];
}
