// A button on each piece of code, and pictures that are not there out of the way.
import { announce, word } from "./words.js";

export function enhanceCode(within) {
  for (const block of within.querySelectorAll("[data-code]")) {
    if (block.querySelector(".copy")) continue;
    const button = Object.assign(document.createElement("button"), { type: "button", className: "copy", textContent: word("COPY") });
    button.setAttribute("aria-label", word("COPY_CODE"));
    button.addEventListener("click", () => copy(button, block.querySelector("code").textContent));
    block.append(button);
  }
  for (const button of within.querySelectorAll("[data-copy-from]")) {
    button.hidden = false;
    button.addEventListener("click", () => copy(button, document.querySelector(button.dataset.copyFrom).value));
  }
  for (const image of within.querySelectorAll("[data-picture]"))
    image.addEventListener("error", () => image.closest("figure")?.remove());
}

async function copy(button, text) {
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    copyBySelection(text); // not a secure context, or not allowed
  }
  button.textContent = word("COPIED");
  announce(word("COPIED"));
  setTimeout(() => { button.textContent = word("COPY"); }, 2000);
}

function copyBySelection(text) {
  const area = Object.assign(document.createElement("textarea"), { value: text, className: "unseen" });
  document.body.append(area);
  area.select();
  document.execCommand("copy");
  area.remove();
}
