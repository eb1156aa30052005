// SPDX-License-Identifier: GPL-2.0-or-later
const form = document.forms[0];
chrome.storage.local.get().then((saved) => {
  for (const [name, value] of Object.entries(saved)) if (form[name]) form[name].value = value;
});
form.addEventListener("submit", (event) => {
  event.preventDefault();
  chrome.storage.local.set(Object.fromEntries(new FormData(form)));
});
