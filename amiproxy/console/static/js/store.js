// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/**
 * The rows that we were sent, by kind and id.  Rows are whole: the latest one counts.
 *
 * Listeners of a kind are told at most once a frame, with the ids that changed: `{set, del, all}`;
 * *all* means that everything may be different.
 */
import { Emitter } from "./emitter.js";

/** @typedef {Record<string, any>} Row */

/** So many rows that have gone are told one by one; more are told as *all*. */
const MOST_GONE = 2000;

/** States of a server whose rows hold. */
const TRUE = ["live", "building"];

class Changes {
  constructor() {
    /** @type {Set<string>} */ this.set = new Set();
    /** @type {Map<string, any>} */ this.del = new Map();
    this.all = false;
  }
}

export class Store extends Emitter {
  constructor() {
    super();
    /** @type {Map<string, Map<string, Row>>} */
    this._kinds = new Map();
    /** Snapshots of which not all has come, by server. @type {Map<string, Map<string, Map<string, Row>>>} */
    this._coming = new Map();
    /** @type {Map<string, Changes>} */
    this._changes = new Map();
    this._frame = 0;
    /** Kinds of which a whole snapshot has come. @type {Set<string>} */
    this.known = new Set();
    document.addEventListener("visibilitychange", () => this._plan());
  }

  /** The rows of *kind* by id. @param {string} kind @returns {Map<string, Row>} */
  rows(kind) {
    let found = this._kinds.get(kind);
    if (!found) this._kinds.set(kind, (found = new Map()));
    return found;
  }

  /** @param {string} kind @param {string} id @returns {Row | undefined} */
  get(kind, id) {
    return this.rows(kind).get(id);
  }

  /** Take one document: snapshot, change or server. @param {any} told */
  take(told) {
    if (told.type === "snapshot") this._snapshot(told);
    else if (told.type === "change") this._change(told);
    else if (told.type === "server") this._server(told);
  }

  /** Forget *kinds*: nobody looks at them any more. @param {Iterable<string>} kinds */
  forget(kinds) {
    for (const kind of kinds) {
      this._kinds.delete(kind);
      this.known.delete(kind);
      this._changed(kind).all = true;
    }
    this._plan();
  }

  /**
   * A snapshot is of one server (without `server`: of the kind `servers`), in parts.
   * @param {any} told
   */
  _snapshot(told) {
    const server = told.server || "";
    let coming = this._coming.get(server);
    if (!coming || !told.part || told.part === 1) this._coming.set(server, (coming = new Map()));
    for (const kind of told.of || []) if (!coming.has(kind)) coming.set(kind, new Map());
    for (const [kind, rows] of Object.entries(told.rows || {})) {
      const into = coming.get(kind) || new Map();
      coming.set(kind, into);
      for (const [id, row] of Object.entries(rows)) into.set(id, row);
    }
    if (told.last === false) return;
    this._coming.delete(server);
    // In one step: no half of an old picture beside half of a new one.
    for (const [kind, rows] of coming) {
      const all = this.rows(kind);
      for (const [id, row] of all) if (!server || row.server === server) all.delete(id);
      for (const [id, row] of rows) all.set(id, row);
      this.known.add(kind);
      this._changed(kind).all = true;
    }
    this._plan();
  }

  /** @param {any} told */
  _change(told) {
    for (const [kind, rows] of Object.entries(told.set || {})) {
      const into = this.rows(kind);
      const changes = this._changed(kind);
      for (const [id, row] of Object.entries(rows)) {
        into.set(id, row);
        changes.set.add(id);
        changes.del.delete(id);
        if (kind === "servers") this._doubt(row);
      }
    }
    for (const [kind, gone] of Object.entries(told.del || {})) {
      const from = this.rows(kind);
      const changes = this._changed(kind);
      const ids = Array.isArray(gone) ? gone.map((id) => [id, null]) : Object.entries(gone);
      for (const [id, why] of ids) {
        from.delete(id);
        changes.set.delete(id);
        changes.del.set(id, why);
        if (kind === "servers") this._drop(id);
      }
      // Nobody may have looked for days.
      if (changes.del.size > MOST_GONE) this._changes.set(kind, Object.assign(new Changes(), { all: true }));
    }
    this._plan();
  }

  /** A server is not there any more: nor is what was there. @param {string} server */
  _drop(server) {
    for (const [kind, rows] of this._kinds) {
      for (const [id, row] of rows) if (row.server === server) rows.delete(id);
      this._changed(kind).all = true;
    }
  }

  /**
   * A server is lost: what was there is old from now on, until a snapshot tells it anew.
   * @param {any} server its row
   */
  _doubt(server) {
    if (TRUE.includes(server.state)) return;
    for (const [kind, rows] of this._kinds) {
      if (kind === "servers") continue;
      for (const [id, row] of rows) {
        if (row.server !== server.name || row.stale) continue;
        rows.set(id, { ...row, stale: true });
        this._changed(kind).all = true;
      }
    }
  }

  /** @param {any} told */
  _server(told) {
    const { type: _, at: __, server, now: ___, ...facts } = told;
    const row = this.rows("servers").get(server);
    if (!row) return;
    this.rows("servers").set(server, { ...row, ...facts });
    this._doubt({ ...facts, name: server });
    this._changed("servers").set.add(server);
    this._plan();
  }

  /** @param {string} kind @returns {Changes} */
  _changed(kind) {
    let found = this._changes.get(kind);
    if (!found) this._changes.set(kind, (found = new Changes()));
    return found;
  }

  _plan() {
    // Where nobody looks no frame comes: it is drawn when somebody does.
    if (this._frame || !this._changes.size || document.hidden) return;
    this._frame = requestAnimationFrame(() => {
      this._frame = 0;
      const changes = this._changes;
      this._changes = new Map();
      for (const [kind, found] of changes) this.tell(kind, found);
      this.tell("drawn");
    });
  }
}
