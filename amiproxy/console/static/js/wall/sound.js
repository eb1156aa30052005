// SPDX-License-Identifier: GPL-2.0-or-later
// @ts-check
/** Two notes when an alarm begins, with `sound=1`.  Browsers want one click on the page before. */

import { h } from "../dom.js";

export class Sound {
  /** @param {boolean} wanted @param {HTMLElement} place where the page says that it waits for the click */
  constructor(wanted, place) {
    /** @type {AudioContext | null} */
    this._context = null;
    if (!wanted || typeof AudioContext === "undefined") return;
    this._context = new AudioContext();
    if (this._context.state === "running") return;
    const button = h("button", { type: "button", class: "bare", text: "Sound: click once" });
    place.before(button);
    const start = () => {
      button.remove();
      this._context?.resume();
      document.removeEventListener("pointerdown", start);
      document.removeEventListener("keydown", start);
    };
    document.addEventListener("pointerdown", start);
    document.addEventListener("keydown", start);
  }

  alarm() {
    const context = this._context;
    if (!context || context.state !== "running") return;
    [660, 880].forEach((pitch, index) => {
      const tone = context.createOscillator();
      const volume = context.createGain();
      const start = context.currentTime + index * 0.25;
      tone.frequency.value = pitch;
      volume.gain.setValueAtTime(0.0001, start);
      volume.gain.exponentialRampToValueAtTime(0.3, start + 0.02);
      volume.gain.exponentialRampToValueAtTime(0.0001, start + 0.24);
      tone.connect(volume).connect(context.destination);
      tone.start(start);
      tone.stop(start + 0.25);
    });
  }
}
