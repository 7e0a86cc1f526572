// What the scripts say, in the page's language.
const root = document.documentElement;
export const lang = root.lang.startsWith("zh") ? "zh" : "en";
const words = JSON.parse(root.dataset.words);

/** A text by its name, with its gaps `{}` filled in their order. */
export function word(name, ...values) {
  return values.reduce((text, value) => text.replace("{}", () => value), words[name] ?? name);
}

/** Why something was not done, for a person: a TypeError is what browsers raise where there is no connection. */
export function reason(error) {
  return error instanceof TypeError ? word("NO_CONNECTION") : error.message;
}

/** Say something to those who listen to the page. */
export function announce(text) {
  const place = document.getElementById("said");
  if (place) place.textContent = text;
}
