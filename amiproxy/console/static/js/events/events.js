// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
import { h } from "../dom.js";

/** @param {HTMLElement} section @param {any} _app */
export function open(section, _app) {
  section.append(h("p", { class: "empty", text: "Nothing is here yet." }));
}

export function close() {}
