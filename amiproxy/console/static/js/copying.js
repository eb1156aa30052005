// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** Text for the clipboard, also where a browser has none for pages without encryption. */

import { h, say } from "./dom.js";

/**
 * Return a button that copies what *text* gives.
 *
 * @param {string} label
 * @param {() => string} text
 * @param {(words: string) => void} tell says to who listens what became of it
 */
export function copyButton(label, text, tell) {
  const button = h("button", { type: "button", class: "bare", text: label });
  button.addEventListener("click", async () => {
    const done = await copy(text());
    const words = done ? "Copied" : "The browser does not let this page copy";
    tell(words);
    say(button, words);
    setTimeout(() => say(button, label), 2000);
  });
  return button;
}

/** @param {string} text */
export async function copy(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return copyBySelection(text);
  }
}

/** @param {string} text */
function copyBySelection(text) {
  const before = document.activeElement;
  const area = h("textarea", { class: "unseen", "aria-hidden": "true" });
  area.value = text;
  document.body.append(area);
  area.select();
  const done = document.execCommand("copy");
  area.remove();
  if (before instanceof HTMLElement) before.focus();
  return done;
}
