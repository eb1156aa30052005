// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** Single requests to the proxy.  All links are relative: it may stand below any path. */

/** @param {string} path */
export const at = (path) => new URL(path, document.baseURI);

/**
 * Ask for *path* and return `{status, doc}`; status 0: nobody answers.
 * @param {string} path @param {RequestInit} [options] @returns {Promise<{status: number, doc: any}>}
 */
export async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(at(path), { cache: "no-store", credentials: "same-origin", ...options });
  } catch {
    return { status: 0, doc: null };
  }
  let doc = null;
  try {
    doc = await answer.json();
  } catch {
    // No JSON: a front server's own page.
  }
  return { status: answer.status, doc };
}

/**
 * Send *body* as JSON.
 * @param {string} path @param {any} body @param {string} [method]
 */
export function send(path, body, method = "POST") {
  const headers = { "Content-Type": "application/json" };
  return ask(path, { method, headers, body: JSON.stringify(body) });
}

/** Who waits for a connection waits no longer than that for one of its steps, in milliseconds. */
const STEP = 10000;

/** Who am I, and what may I do?  Status 502 to 504: the front server is there, the proxy not. */
export async function fetchMe() {
  const { status, doc } = await ask("v1/me", { signal: AbortSignal.timeout(STEP) });
  if (status >= 502 && status <= 504) return { status: 0, me: null };
  return { status, me: status === 200 ? doc : null };
}

/** A pass for one WebSocket, "" if there is none to be had. */
export async function ticket() {
  const { status, doc } = await send("v1/tickets", {});
  return status === 201 && doc ? doc.ticket : "";
}

/**
 * Send *action* to *server*, without a WebSocket; the answer as the WebSocket would bring it.
 * @param {string} server @param {Record<string, any>} action @returns {Promise<any>}
 */
export async function perform(server, action) {
  const { Action, ...headers } = action;
  const query = server ? `?server=${encodeURIComponent(server)}` : "";
  const { status, doc } = await send(`v1/actions/${encodeURIComponent(Action)}${query}`, headers);
  if (status === 200) return { type: "answer", ...doc };
  const problem = doc || { title: status ? `Status ${status}` : "Nobody answers", detail: "" };
  return { type: "error", problem };
}
