// SPDX-License-Identifier: GPL-2.0-or-later
// A click on a tel: link has the own phone ring, which then calls the number.
document.addEventListener("click", (click) => {
  const link = click.target.closest?.('a[href^="tel:"]');
  if (!link || !click.isTrusted) return;  // a page's script may not place calls
  click.preventDefault();
  const number = decodeURIComponent(link.getAttribute("href").slice(4)).replace(/[^0-9+*#]/g, "");
  chrome.runtime.sendMessage({number}, (told) => { link.title = told ?? ""; });
});
