// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The Action tab: any action, written with help, sent to one server. */

import { h, say } from "../dom.js";
import { text, timeOfDay } from "../format.js";
import { copyButton } from "../copying.js";
import { connectPanel } from "../proxy/connect.js";
import { serverNames } from "../events/events.js";
import { quoted } from "../events/copy.js";
import { answerView } from "./answer.js";
import { ActionChoice } from "./choice.js";
import { HeaderRows } from "./headers.js";
import { HINTS } from "./hints.js";
import { amiText, asObject, complaint, fromHints, isDangerous, lacking, listed } from "./rules.js";

/** @typedef {import("./rules.js").Known} Known */
/** @typedef {import("./answer.js").Answered} Answered */

/** The page's own last answers, the newest first; lost with the page. @type {Answered[]} */
const history = [];
const MOST = 20;

/** What was being written, when another tab was looked at. */
let draft = /** @type {{server: string, name: string, headers: [string, string][]}} */ ({ server: "", name: "", headers: [] });

/** What each server's ListCommands said. @type {Map<string, Known[]>} */
const told = new Map();

/** @type {ActionTab | null} */
let tab = null;

/** @param {HTMLElement} section @param {any} app */
export function open(section, app) {
  tab = new ActionTab(section, app);
}

export function close() {
  if (tab) tab.end();
  tab = null;
}

/** @param {any} place */
export function route(place) {
  if (tab) tab.route(place);
}

class ActionTab {
  /** @param {HTMLElement} section @param {any} app */
  constructor(section, app) {
    this._app = app;
    this._sending = false;
    this._asText = false;
    /** @type {Answered | null} */
    this._shown = history[0] || null;
    this._server = h("select", { id: "action-server", onchange: () => this._asked() });
    this._choice = new ActionChoice(() => this._write, (action) => this._chosen(action));
    this._rows = new HeaderRows(() => this._check());
    this._preview = h("pre", { class: "preview", tabindex: "0", "aria-label": "As it is sent to Asterisk" });
    this._confirm = h("input", { type: "text", id: "action-confirm", autocomplete: "off", spellcheck: "false", autocapitalize: "none", oninput: () => this._check() });
    this._confirming = h("p", { class: "confirm" }, h("label", { for: "action-confirm" }), this._confirm);
    this._why = h("p", { class: "problem", id: "action-why" });
    this._button = h("button", { type: "submit", class: "main", "aria-describedby": "action-why", text: "Send" });
    this._answer = h("div", { class: "action-answer" });
    section.append(h("h1", { class: "unseen", text: "Action" }), h("div", { class: "action" }, this._form(), this._answer),
      h("details", { class: "panel action-connect" }, h("summary", null, h("h2", { text: "Send it, and hear of events, from a program" })), connectPanel(app)));
    this._ends = [app.live.on("hello", () => this._servers())];
    this._servers();
    this._restore();
    this._draw();
  }

  end() {
    draft = { server: this._server.value, name: this._choice.name, headers: this._rows.value };
    this._ends.forEach((end) => end());
  }

  route(/** @type {any} */ place) {
    if (place.path[0]) this._choice.name = place.path[0];
  }

  get _write() {
    const { rights } = this._app.live.me || {};
    return (rights && rights.write) || ["all"];
  }

  _form() {
    const copy = copyButton("Copy as curl", () => this._curl(), (words) => this._app.announce(words));
    const form = h("form", { class: "action-form" },
      h("div", { class: "pair" }, h("label", { for: "action-server", text: "Server" }), this._server),
      this._choice.element, this._rows.element, this._preview, this._confirming, this._why,
      h("p", { class: "buttons" }, this._button, copy));
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this._send();
    });
    return form;
  }

  _servers() {
    const chosen = this._server.value || draft.server || this._app.router.get("server");
    const names = serverNames(this._app);
    this._server.replaceChildren(...names.map((name) => h("option", { value: name, text: text(name) })));
    if (names.includes(chosen)) this._server.value = chosen;
    this._asked();
  }

  _restore() {
    const { place } = this._app.router;
    const headers = draft.headers;
    this._choice.name = place.tab === "action" && place.path[0] ? place.path[0] : draft.name;
    if (this._choice.name === draft.name) this._rows.value = headers;
  }

  /** Ask the chosen server for its actions, once a page. */
  async _asked() {
    const server = this._server.value;
    this._choice.actions = told.get(server) || fromHints();
    this._check();
    if (!server || told.has(server)) return;
    const answer = await this._app.live.act(server, { Action: "ListCommands" });
    const found = answer.type === "answer" ? listed(answer.response || {}) : [];
    if (!found.length) return;
    told.set(server, found);
    if (this._server.value === server && this._server.isConnected) this._choice.actions = found;
  }

  /** @param {Known | null} action */
  _chosen(action) {
    const name = (action ? action.name : this._choice.name).toLowerCase();
    if (name !== this._name) {
      this._name = name;
      const hint = HINTS.get(name);
      this._rows.hints = hint ? hint.headers : [];
      this._confirm.value = "";
    }
    this._check();
  }

  /** @returns {[string, string][]} the rows that say anything */
  get _headers() {
    return this._rows.value.filter(([name, value]) => name && value);
  }

  /** Why it cannot be sent, "" if it can. */
  _reason() {
    const { name, chosen } = this._choice;
    if (!name) return "Choose an action.";
    if (!this._server.value) return "No server is there.";
    if (!/^\w+$/.test(name)) return "This is no name of an action.";
    const needs = chosen ? lacking(chosen, this._write) : [];
    if (needs.length) return `You may not send ${name}: write lacks ${needs.join(" or ")}.`;
    for (const [header, value] of this._headers) {
      const wrong = complaint(header, value);
      if (wrong) return `${wrong}.`;
    }
    if (this._wantsConfirming && this._confirm.value.trim() !== this._server.value) return "Confirm it first.";
    return "";
  }

  get _wantsConfirming() {
    const { chosen } = this._choice;
    return Boolean(chosen && isDangerous(chosen) && lacking(chosen, this._write).length === 0);
  }

  _check() {
    if (!this._button) return;
    const { name, chosen } = this._choice;
    say(this._preview, name ? amiText(chosen ? chosen.name : name, this._headers).replaceAll("\r\n", "\n").trimEnd() : "");
    this._preview.hidden = !name;
    this._confirming.hidden = !this._wantsConfirming;
    say(this._confirming.firstElementChild, `${name} reaches all of the PBX. Type ${this._server.value} to confirm.`);
    const reason = this._reason();
    say(this._why, reason);
    this._why.hidden = !reason || !name;
    this._button.disabled = Boolean(reason) || this._sending;
  }

  async _send() {
    if (this._reason() || this._sending) return;
    const server = this._server.value;
    const action = this._choice.chosen ? this._choice.chosen.name : this._choice.name;
    const headers = this._headers;
    this._sending = true;
    this._check();
    say(this._button, "Sending…");
    const answer = await this._app.live.act(server, { Action: action, ...asObject(headers) });
    this._sending = false;
    this._confirm.value = "";
    /** @type {Answered} */
    const answered = { time: this._app.clock.now(), server, action, headers };
    if (answer.type === "answer") answered.answer = answer;
    else answered.problem = answer.problem || {};
    history.unshift(answered);
    history.length = Math.min(history.length, MOST);
    this._shown = answered;
    this._app.announce(`${action}: ${outcome(answered)}`);
    say(this._button, "Send");
    this._check();
    this._draw();
  }

  _draw() {
    const parts = [];
    if (this._shown) {
      const as = (/** @type {boolean} */ asText, /** @type {string} */ label) => h("button", {
        type: "button", "aria-pressed": String(this._asText === asText), text: label,
        onclick: () => { this._asText = asText; this._draw(); },
      });
      parts.push(h("p", { class: "switch", role: "group", "aria-label": "Answer as" }, as(false, "Table"), as(true, "Text")));
      parts.push(answerView(this._shown, this._asText, (words) => this._app.announce(words)));
    } else {
      parts.push(h("p", { class: "empty", text: "Answers come here." }));
    }
    if (history.length) parts.push(this._past());
    this._answer.replaceChildren(...parts);
  }

  _past() {
    const rows = history.map((each) => h("li", null, h("button", {
      type: "button", class: "bare", "aria-pressed": String(each === this._shown),
      text: `${timeOfDay(each.time)}  ${text(each.action)} at ${text(each.server)}: ${outcome(each)}`,
      onclick: () => { this._shown = each; this._draw(); this._again(each); },
    })));
    return h("section", { class: "past", "aria-label": "Last answers of this page" }, h("h2", { text: "Last answers" }), h("ul", null, ...rows));
  }

  /** Fill the form as it was for *each*. @param {Answered} each */
  _again(each) {
    if (serverNames(this._app).includes(each.server)) this._server.value = each.server;
    this._choice.name = each.action;
    this._rows.value = each.headers;
    this._check();
  }

  _curl() {
    const { login_required: required, user } = this._app.live.me || {};
    const server = this._server.value ? `?server=${encodeURIComponent(this._server.value)}` : "";
    const url = new URL(`v1/actions/${encodeURIComponent(this._choice.name || "Ping")}${server}`, document.baseURI).href;
    const login = required ? ` -u ${quoted(user || "USER")}` : "";
    return `curl${login} --json ${quoted(JSON.stringify(asObject(this._headers)))} ${quoted(url)}`;
  }
}

/** @param {Answered} answered @returns {string} */
function outcome({ answer, problem }) {
  if (problem) return text(problem.title || problem.detail || "refused");
  const { Message: message, Response: response } = answer.response || {};
  return text([message || response || "answered"].flat()[0]);
}
