// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** Who is logged in: the form over the page, the name in its head, log-out. */

import { h, say } from "./dom.js";
import { text } from "./format.js";
import { ask, send } from "./requests.js";

const OPEN = "Not encrypted: what you type here can be read on its way. Use https, if the proxy has it.";

/**
 * Trade a name and its secret, or a token, for a cookie; `{status, doc}`.
 *
 * @param {{username: string, secret: string} | {token: string}} proof
 */
export function logIn(proof) {
  return send("v1/session", proof);
}

/** Whether what goes from here to the proxy could be read on its way. */
export function isReadable() {
  const local = /^(localhost|127(\.\d+){3}|\[::1\])$/.test(location.hostname);
  return !local && location.protocol !== "https:";
}

/** Why nobody got in. @param {number} status @param {any} doc @returns {string} */
export function refusal(status, doc) {
  if (status === 0 || status >= 502) return "The proxy does not answer. Try again in a moment.";
  if (status === 401) return "This user and secret do not fit.";
  return (doc && (doc.detail || doc.title)) || `The proxy answered ${status}.`;
}

/**
 * The form.  While it is open the page behind it is greyed and takes no input; what was typed
 * there, and where it was scrolled to, stays.
 */
class LoginForm {
  /** @param {() => void} whenIn called when somebody has logged in */
  constructor(whenIn) {
    this._whenIn = whenIn;
    this._why = h("p", { id: "login-why" });
    this._error = h("p", { class: "problem", role: "alert" });
    this._name = field("username", "text", "username");
    this._secret = field("secret", "password", "current-password");
    this._button = h("button", { type: "submit", class: "main", text: "Log in" });
    const form = h("form", { method: "dialog" },
      h("h2", { id: "login-title", text: "Log in" }), this._why,
      h("label", null, "User", this._name), h("label", null, "Secret", this._secret),
      this._error, this._button, isReadable() && h("p", { class: "open", text: OPEN }));
    this.element = h("dialog", { class: "login", "aria-labelledby": "login-title", "aria-describedby": "login-why" }, form);
    form.addEventListener("submit", (/** @type {Event} */ event) => {
      event.preventDefault();
      this._try();
    });
    // There is nothing to go back to.
    this.element.addEventListener("cancel", (/** @type {Event} */ event) => event.preventDefault());
    document.body.append(this.element);
  }

  get isOpen() {
    return this.element.open;
  }

  /** @param {string} why what the person is told */
  show(why) {
    say(this._why, why);
    if (this.isOpen) return;
    document.documentElement.classList.add("frozen");
    say(this._error, "");
    this.element.showModal();
    (this._name.value ? this._secret : this._name).focus();
  }

  hide() {
    document.documentElement.classList.remove("frozen");
    this._secret.value = "";
    if (this.isOpen) this.element.close();
  }

  async _try() {
    if (this._button.disabled) return;
    say(this._error, "");
    this._button.disabled = true;
    const { status, doc } = await logIn({ username: this._name.value, secret: this._secret.value });
    this._button.disabled = false;
    if (status === 200) {
      this.hide();
      this._whenIn();
    } else {
      say(this._error, refusal(status, doc));
      this._secret.select();
      this._secret.focus();
    }
  }
}

/** @param {string} name @param {string} type @param {string} complete */
function field(name, type, complete) {
  const made = h("input", { name, type, autocomplete: complete, autocapitalize: "none", spellcheck: "false" });
  made.required = true;
  return made;
}

/**
 * Let *app* be logged in: the form comes when the proxy asks for it, and the page goes on where it
 * was.  Fills *box*, in the head of the page, with who is logged in.
 *
 * @param {any} app
 * @param {HTMLElement} box
 */
export function watchLogin(app, box) {
  const { live } = app;
  let before = /** @type {string | null} */ (null);
  const form = new LoginForm(() => live.retry());
  live.on("login", () => {
    form.show(before === null ? "This proxy asks who you are." : "The log-in is over. After a new one the page goes on where it was.");
  });
  live.on("hello", () => {
    form.hide();
    const user = (live.hello && live.hello.user) || (live.me && live.me.user) || null;
    before = user ?? "";
    box.replaceChildren(...userParts(user, live));
  });
}

/** @param {string | null} user @param {any} live */
function userParts(user, live) {
  const parts = [];
  if (isReadable()) parts.push(h("span", { class: "open", text: "not encrypted" }));
  if (user === null) return parts;
  const out = h("button", { type: "button", class: "bare", text: "Log out" });
  out.addEventListener("click", async () => {
    out.disabled = true;
    await ask("v1/session", { method: "DELETE" });
    // What is on the screen must not stay for the next person: begin anew.
    live.stop();
    location.reload();
  });
  parts.push(h("span", { class: "user-name", text: text(user) }), out);
  return parts;
}
