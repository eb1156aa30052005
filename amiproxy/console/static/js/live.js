// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * The one connection of the page.  It is kept for as long as the page is open, and what cannot be
 * vouched for is said at once.
 *
 * Tells: `status` ({state, since, way}), `hello`, `event`, `gap`, `bye`, `login` (a log-in is
 * required: show the form, then call `retry`), and `rows` for what the store takes.
 *
 * State: `connecting` (nothing has come yet), `live`, `reconnecting` (2 s without connection),
 * `lost` (12 s without a word), `asking` (we were away: is it still so?), `login`.
 */
import { webSocket } from "./carriers.js";
import { Emitter } from "./emitter.js";
import { fetchMe, perform, ticket } from "./requests.js";

const AMBER = 2;
const LOST = 12;
/** Seconds after which silence is unusual: the proxy says something every five. */
const QUIET = 6;
const LONGEST = 30;
const WAYS = ["ws", "ticket", "sse", "poll"];

export class Live extends Emitter {
  /** @param {import("./clock.js").Clock} clock */
  constructor(clock) {
    super();
    this.clock = clock;
    this.state = "connecting";
    /** The last hello. @type {any} */
    this.hello = null;
    /** What /v1/me said last. @type {any} */
    this.me = {};
    /** How documents come: an index of WAYS. */
    this._way = 0;
    /** @type {import("./carriers.js").Carrier | null} */
    this._carrier = null;
    /** @type {Map<any, {events: string[], state: string[]}>} */
    this._wants = new Map();
    /** @type {Record<string, string[]>} */
    this.where = {};
    this._told = ""; // what was subscribed, as text
    this._at = "";
    this._tries = 0;
    this._timer = 0;
    this._turn = 0;
    this._heard = -Infinity;
    /** When the carrier began: it has as long to say something as a silent one. */
    this._opened = 0;
    /** Ways that have brought something, while this page is open. @type {Set<number>} */
    this._worked = new Set();
    this._ticked = Date.now();
    this._asking = false;
    /** Milliseconds to wait, if the proxy has said goodbye. */
    this._pause = 0;
    /** @type {Map<string, (answer: any) => void>} */
    this._asked = new Map();
    this._number = 0;
    setInterval(() => this._watch(), 1000);
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this._back(); });
    window.addEventListener("online", () => this._back(true));
    window.addEventListener("pageshow", (event) => { if (event.persisted) this._back(true); });
  }

  // -- what is wanted ------------------------------------------------------------------------

  /**
   * Want *events* (names, `Dial*`) and rows of the kinds *state*, for *owner* until `unwant`.
   * @param {any} owner @param {{events?: string[], state?: string[]}} wants
   */
  want(owner, { events = [], state = [] }) {
    this._wants.set(owner, { events, state });
    queueMicrotask(() => this._subscribe());
  }

  /** @param {any} owner */
  unwant(owner) {
    this._wants.delete(owner);
    queueMicrotask(() => this._subscribe());
  }

  /** @returns {import("./carriers.js").Wants} */
  get wants() {
    const all = [...this._wants.values()];
    const merged = (/** @type {"events" | "state"} */ name) =>
      [...new Set(all.flatMap((each) => each[name]))].sort();
    return { events: merged("events"), state: merged("state"), where: this.where, since: this._at };
  }

  _subscribe(force = false) {
    const { since, ...wants } = this.wants;
    const told = JSON.stringify(wants);
    if (!this._carrier || (told === this._told && !force)) return;
    if (this._carrier.send && this.hello) {
      this._told = told;
      const resume = force && wants.events.length && since ? { since } : {};
      this._carrier.send({ type: "subscribe", id: this._id(), ...wants, ...resume });
    } else if (!this._carrier.send) {
      this._open(); // this way has no other to say it
    }
  }

  // -- actions -------------------------------------------------------------------------------

  /**
   * Send *action* (headers by name) to *server*; its answer document, or one of type `error`.
   * @param {string} server @param {Record<string, any>} action @returns {Promise<any>}
   */
  act(server, action) {
    if (!this._carrier || !this._carrier.send || this.state !== "live") return perform(server, action);
    const id = this._id();
    this._carrier.send({ type: "action", id, server, action });
    return new Promise((resolve) => { this._asked.set(id, resolve); });
  }

  _id() { return `c${++this._number}`; }

  // -- connecting ----------------------------------------------------------------------------

  start() { this._connect(); }

  /** Try now: somebody has logged in, or is tired of waiting. */
  retry() {
    this._tries = 0;
    if (this.state === "login") this._become("connecting");
    this._connect();
  }

  /** Close, and stay so until `retry`: after a log-out. */
  stop() {
    this._end();
    this._become("login");
  }

  async _connect() {
    window.clearTimeout(this._timer);
    this._end();
    const turn = this._turn;
    const { status, me } = await fetchMe();
    if (turn !== this._turn) return;
    if (status === 401) return this._login();
    if (!status) return this._later();
    this.me = me || this.me;
    const pass = WAYS[this._way] === "ticket" ? await ticket() : "";
    if (turn === this._turn) this._open(pass);
  }

  async _open(pass = "") {
    this._end();
    this._opened = performance.now() / 1000;
    const turn = this._turn;
    const told = (/** @type {any} */ doc) => { if (turn === this._turn) this._take(doc); };
    const ended = (/** @type {any} */ end) => { if (turn === this._turn) this._ended(end); };
    const wants = this.wants;
    const way = WAYS[this._way];
    const { since: _, ...rest } = wants;
    this._told = way === "sse" || way === "poll" ? JSON.stringify(rest) : "";
    if (way === "ws" || way === "ticket") {
      this._carrier = webSocket(wants, told, ended, pass);
      return;
    }
    const { eventSource, polling } = await import("./fallback.js");
    if (turn === this._turn) this._carrier = (way === "sse" ? eventSource : polling)(wants, told, ended);
  }

  _end() {
    this._turn += 1;
    this._asking = false;
    if (this._carrier) this._carrier.close();
    this._carrier = null;
    for (const [id, resolve] of this._asked) resolve({ type: "error", id, problem: LOST_ANSWER });
    this._asked.clear();
  }

  /** @param {{opened: boolean, code: number, reason: string}} end */
  _ended(end) {
    this._end();
    if (end.opened) {
      this._way = 0; // the best way first: it may work again
    } else if (!this._worked.has(this._way) || this._tries > 3) {
      // Something lets requests through, and this not: perhaps it does another way.
      this._way = (this._way + 1) % WAYS.length;
      if (this._way) return this._connect();
    }
    this._later(this._pause);
    this._pause = 0;
  }

  _login() {
    this._become("login");
    this.tell("login");
  }

  _later(first = 0) {
    window.clearTimeout(this._timer);
    const pause = first || Math.min(LONGEST, 2 ** this._tries) * 1000;
    this._tries += 1;
    // Not all pages at the same moment.
    this._timer = window.setTimeout(() => this._connect(), pause * (0.75 + Math.random() / 2));
  }

  // -- what comes ----------------------------------------------------------------------------

  /** @param {any} doc */
  _take(doc) {
    this._heard = performance.now() / 1000;
    this._asking = false;
    if (typeof doc.now === "number") this.clock.hear(doc.now);
    // That of hello is where the servers are: what was missed comes behind it.
    if (doc.type !== "hello" || !this._at) this._at = doc.at || (doc.type === "event" && doc.id) || this._at;
    if (this.state !== "live") this._become("live");
    const type = doc.type;
    if (type === "snapshot" || type === "change" || type === "server") this.tell("rows", doc);
    else if (type === "hello") this._greeted(doc);
    else if (type === "answer" || type === "error") this._answered(doc);
    else if (type === "bye") this._pause = doc.retry_ms || 0;
    if (type === "event" || type === "gap" || type === "bye" || type === "server") this.tell(type, doc);
  }

  /** @param {any} doc */
  _greeted(doc) {
    this._tries = 0;
    this._worked.add(this._way);
    this.hello = doc;
    this._told = this._carrier && this._carrier.send ? "" : this._told;
    this.tell("hello", doc);
    if (this._carrier && this._carrier.send) this._subscribe(true);
  }

  /** @param {any} doc */
  _answered(doc) {
    const resolve = this._asked.get(doc.id);
    this._asked.delete(doc.id);
    if (resolve) resolve(doc);
    else if (doc.type === "error") this.tell("error", doc);
  }

  // -- how it stands -------------------------------------------------------------------------

  /** @returns {number} seconds since the last word */
  get silence() { return performance.now() / 1000 - this._heard; }

  /** Whether documents come as they should. */
  get isLive() { return this.state === "live"; }

  get way() { return WAYS[this._way]; }

  _watch() {
    // A timer that is late by far: the machine has slept.
    const slept = Date.now() - this._ticked > 5000 && !document.hidden;
    this._ticked = Date.now();
    if (this.state === "login") return;
    if (slept) return this._back();
    const silence = this.silence;
    const unanswered = Math.min(silence, performance.now() / 1000 - this._opened);
    if (this._carrier && unanswered > LOST) this._drop();
    if (this._asking) return;
    if (silence > LOST && this.state !== "connecting") this._become("lost");
    else if (!this._carrier && silence > AMBER && this.state === "live") this._become("reconnecting");
    else if (this.state === "connecting" && performance.now() > LOST * 1000) this._become("lost");
  }

  _drop() {
    this._end();
    this._later();
  }

  /** Somebody looks again: what is shown may be of yesterday. @param {boolean} [at_once] */
  _back(at_once = false) {
    if (this.state === "login" || this.hello === null) return;
    if (!this._carrier) return this.retry();
    if (this.silence < QUIET && !at_once) return;
    this._become("asking");
    this._asking = true;
    if (this._carrier.send) this._carrier.send({ type: "ping", id: this._id() });
    const turn = this._turn;
    window.setTimeout(() => { if (this._asking && turn === this._turn) this.retry(); }, 3000);
  }

  /** @param {string} state */
  _become(state) {
    if (state === "lost" || state === "asking" || state === "login") this.clock.stop();
    if (this.state === state) return;
    this.state = state;
    this.tell("status", { state, way: this.way });
  }
}

const LOST_ANSWER = {
  title: "The connection was lost",
  detail: "Whether it was carried out is not known: look before you send it again.",
};
