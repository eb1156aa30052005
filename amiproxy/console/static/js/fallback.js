// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** The ways in which documents come where something lets no WebSocket through. */
import { parse } from "./carriers.js";

/** @typedef {import("./carriers.js").Wants} Wants */
/** @typedef {import("./carriers.js").Carrier} Carrier */

/** @param {Wants} wants @returns {URLSearchParams} */
function fields(wants) {
  const found = new URLSearchParams();
  if (wants.events.length) found.set("event", wants.events.join(","));
  for (const [name, values] of Object.entries(wants.where)) {
    for (const value of values) found.append(name, value);
  }
  return found;
}

/** @param {Wants} wants @param {(doc: any) => void} told @param {(end: any) => void} ended
 * @returns {Carrier} */
export function eventSource(wants, told, ended) {
  const query = fields(wants);
  if (wants.state.length) query.set("snapshot", wants.state.join(","));
  if (!wants.events.length) query.set("event", "-none-");
  if (wants.since) query.set("since", wants.since);
  query.set("tick", "1");
  const source = new EventSource(new URL(`events?${query}`, document.baseURI));
  let opened = false;
  let over = false;
  const take = (/** @type {MessageEvent} */ { data, lastEventId }) => parse(data, (doc) => {
    told(doc.type ? doc : { type: "event", id: lastEventId, server: doc.Server ?? "", event: doc });
  });
  source.onopen = () => { opened = true; };
  source.onmessage = take;
  for (const name of ["hello", "snapshot", "change", "gap", "server", "tick", "bye"]) {
    source.addEventListener(name, take);
  }
  // It would try again by itself, without asking whether the log-in still holds.
  source.onerror = () => {
    source.close();
    if (!over) {
      over = true;
      ended({ opened, code: 0, reason: "" });
    }
  };
  return { send: null, close: () => { over = true; source.close(); } };
}

/** Seconds between two looks at the rows, where only single requests get through. */
const PAUSE = 3;

/** @param {Wants} wants @param {(doc: any) => void} told @param {(end: any) => void} ended
 * @returns {Carrier} */
export function polling(wants, told, ended) {
  const abort = new AbortController();
  let opened = false;
  run(wants, told, abort.signal, () => { opened = true; }).catch((error) => {
    if (!abort.signal.aborted) ended({ opened, code: 0, reason: String(error.message || error) });
  });
  return { send: null, close: () => abort.abort() };
}

/** @param {Wants} wants @param {(doc: any) => void} told @param {AbortSignal} signal
 * @param {() => void} began */
async function run(wants, told, signal, began) {
  let since = wants.since;
  for (;;) {
    if (wants.state.length) {
      const query = fields({ ...wants, events: [] });
      query.set("of", wants.state.join(","));
      const found = await get(`v1/state?${query}`, signal);
      const { at: _, ...others } = found; // where events go on is said with these
      told({ type: "snapshot", part: 1, last: true, of: wants.state, ...others, rows: byKind(found) });
      began();
    }
    if (wants.events.length) {
      const query = fields({ ...wants, state: [] });
      query.set("wait", String(PAUSE));
      if (since) query.set("since", since);
      const found = await get(`v1/events?${query}`, signal);
      for (const event of found.events || []) told({ type: "event", ...event });
      since = found.at || since;
      told({ type: "tick", now: found.now, at: since });
      began();
    } else {
      await new Promise((resolve) => setTimeout(resolve, PAUSE * 1000));
      if (signal.aborted) return;
    }
  }
}

/** Rows as a snapshot has them, whether they came as a list or by id. @param {any} found */
function byKind(found) {
  const kinds = /** @type {Record<string, any>} */ ({});
  for (const [kind, rows] of Object.entries(found.rows || {})) {
    kinds[kind] = Array.isArray(rows) ? Object.fromEntries(rows.map((row) => [row.id, row])) : rows;
  }
  return kinds;
}

/** @param {string} path @param {AbortSignal} signal @returns {Promise<any>} */
async function get(path, signal) {
  const answer = await fetch(new URL(path, document.baseURI), { signal, cache: "no-store" });
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}
