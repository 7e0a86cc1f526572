// The box that is written into: files come with it as chips, Ctrl or Cmd with Enter sends.
import { upload } from "./upload.js";
import { announce, reason, word } from "./words.js";

const LARGE = 20_000; // characters

/** `send(form)` sends it and resolves once it was taken; without it the browser does. */
export function enhanceComposer(form, send) {
  const composer = new Composer(form, send);
  form.addEventListener("submit", (event) => composer.submit(event));
  form.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) {
      event.preventDefault();
      form.requestSubmit(form.querySelector("[data-send]"));
    }
  });
  const input = form.querySelector("[type=file]");
  input.addEventListener("change", () => { composer.add(input.files); input.value = ""; });
  form.querySelector("textarea").addEventListener("paste", (event) => composer.pasted(event));
  takeDrops(composer);
  if (navigator.platform?.startsWith("Mac")) {
    const hint = form.querySelector("[data-keys]");
    hint.textContent = hint.textContent.replace("Ctrl + Enter", "⌘ Enter");
  }
}

class Composer {
  constructor(form, send) {
    this.form = form;
    this.sendBy = send;
    this.text = form.querySelector("textarea");
    this.chips = form.querySelector("[data-chips]");
    this.button = form.querySelector("[data-send]");
    this.pending = new Map();
    this.left = false;
    addEventListener("pageshow", () => { this.left = false; });
  }

  add(files) {
    for (const file of files) this.take(file);
    this.text.focus();
  }

  // Browsers take many seconds for a large paste, line by line, and a moment to set a value.
  pasted(event) {
    const { files } = event.clipboardData;
    const text = event.clipboardData.getData("text/plain");
    if (files.length) this.add(files);
    else if (text.length > LARGE) this.text.setRangeText(text, this.text.selectionStart, this.text.selectionEnd, "end");
    else return;
    event.preventDefault();
  }

  take(file) {
    const most = Number(this.form.dataset.files);
    if (file.size > most) { this.tell(word("FILE_TOO_LARGE", file.name, String(Math.round(most / 1048576)))); return; }
    const chip = document.createElement("li");
    chip.className = "chip";
    const bar = Object.assign(document.createElement("progress"), { max: 1, value: 0 });
    bar.setAttribute("aria-label", word("UPLOADING", file.name));
    const remove = Object.assign(document.createElement("button"), { type: "button", textContent: "✕" });
    remove.setAttribute("aria-label", word("REMOVE_FILE", file.name));
    const name = Object.assign(document.createElement("span"), { className: "name", textContent: file.name, title: file.name });
    chip.append(name, " ", bar, remove);
    this.chips.append(chip);
    this.chips.hidden = false;
    const stop = new AbortController();
    remove.addEventListener("click", () => { stop.abort(); this.drop(chip); });
    announce(word("UPLOADING", file.name));
    const done = upload(file, (share, waits) => { bar.value = share; this.waits(chip, waits); }, stop.signal)
      .then((id) => this.uploaded(chip, bar, file, id))
      .catch((error) => { if (!stop.signal.aborted) this.failed(chip, bar, file, error); })
      .finally(() => { this.pending.delete(chip); this.waits(chip, false); });
    this.pending.set(chip, done);
  }

  // Say so while some upload waits for the connection.
  waits(chip, does) {
    chip.classList.toggle("waits", does);
    const some = this.chips.querySelector(".waits");
    this.note(some ? "UPLOAD_WAITS" : this.button.disabled && this.pending.size ? "WAITS_FOR_FILES" : "");
  }

  uploaded(chip, bar, file, id) {
    bar.remove();
    chip.append(Object.assign(document.createElement("input"), { type: "hidden", name: "uploads", value: id }));
    announce(word("UPLOADED", file.name));
  }

  failed(chip, bar, file, error) {
    bar.remove();
    chip.classList.add("failed");
    this.tell((chip.dataset.told = word("UPLOAD_FAILED", file.name, reason(error))));
  }

  drop(chip) {
    this.pending.delete(chip);
    chip.remove();
    this.chips.hidden = !this.chips.children.length;
    this.text.focus();
  }

  async submit(event) {
    this.tell("");
    if (!this.fits()) { event.preventDefault(); return; }
    if (!this.sendBy && !this.pending.size && !this.broken()) { this.leave(event); return; }
    event.preventDefault();
    if (this.button.disabled) return;
    this.button.disabled = true;
    try {
      if (this.pending.size && !this.chips.querySelector(".waits")) this.note("WAITS_FOR_FILES");
      await Promise.allSettled([...this.pending.values()]);
      if (this.broken()) { this.tell(this.broken().dataset.told); return; }
      if (this.empty()) { this.text.focus(); return; }
      if (!this.sendBy) { this.form.submit(); return; }
      await this.sendBy(this.form);
      this.clear();
    } catch (error) {
      this.tell(word("NOT_SENT", reason(error)));
    } finally {
      this.button.disabled = false;
      this.note("");
    }
  }

  // A file that did not arrive: what was said is not sent without it unseen.
  broken() { return this.chips.querySelector(".failed"); }

  // The browser sends the form, once.
  leave(event) {
    if (this.empty()) this.text.focus();
    else if (!this.left) { this.left = true; return; }
    event.preventDefault();
  }

  clear() {
    this.text.value = "";
    this.chips.replaceChildren();
    this.chips.hidden = true;
    this.form.elements.keras.value = "";
    if (this.form.elements.live) this.form.elements.live.checked = false;
  }

  empty() {
    const keras = this.sendBy && this.form.elements.keras.value.trim();
    return !this.text.value.trim() && !this.form.querySelector("[name=uploads]") && !keras && !(this.sendBy && this.form.elements.live?.checked);
  }

  fits() {
    const limit = Number(this.form.dataset.limit);
    if (this.text.value.length * 3 <= limit || new Blob([this.text.value]).size <= limit) return true;
    this.tell(word("TOO_LONG", String(Math.round(limit / 1048576))));
    return false;
  }

  note(name) {
    const place = this.form.querySelector("[data-note]");
    const text = name && word(name);
    if (place.textContent !== text) place.textContent = text;
  }

  tell(text) {
    const place = this.form.querySelector("[data-error]");
    place.textContent = text;
    place.hidden = !text;
  }
}

// Files may be dropped anywhere on the page.
function takeDrops(composer) {
  const page = document.documentElement;
  page.dataset.drop = word("DROP");
  let inside = 0;
  const carriesFiles = (event) => event.dataTransfer?.types.includes("Files");
  const show = (shown) => page.classList.toggle("dropping", shown);
  page.addEventListener("dragenter", (event) => { if (carriesFiles(event)) { inside++; show(true); } });
  page.addEventListener("dragleave", (event) => { if (carriesFiles(event) && --inside <= 0) { inside = 0; show(false); } });
  page.addEventListener("dragover", (event) => { if (carriesFiles(event)) event.preventDefault(); });
  page.addEventListener("drop", (event) => {
    inside = 0;
    show(false);
    if (carriesFiles(event)) { event.preventDefault(); composer.add(event.dataTransfer.files); }
  });
}
