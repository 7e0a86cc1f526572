// A conversation as it happens: what was recognised, each probe, then the answer.
import { enhanceCode } from "./copy.js";
import { Stream } from "./stream.js";
import { problem } from "./upload.js";
import { announce, reason, word } from "./words.js";

/** Make a conversation live; gives the function that sends a form of it. */
export function enhanceChat(root) {
  const chat = new Chat(root);
  document.addEventListener("submit", (event) => chat.submitted(event));
  // A form that unfolds at the end of an answer is not left below the box.
  document.addEventListener("toggle", (event) => { if (event.target.open && event.target.matches(".acts .more")) event.target.scrollIntoView({ block: "nearest" }); }, true);
  addEventListener("pageshow", (event) => { if (event.persisted) location.reload(); });
  return (form) => chat.send(form);
}

class Chat {
  constructor(root) {
    this.path = `/chats/${root.dataset.chat}`;
    this.messages = root.querySelector("[data-messages]");
    this.progresses = root.querySelector("[data-progresses]");
    this.shape = root.querySelector("[data-progress-shape]");
    this.side = root.querySelector("[data-side]");
    this.turn = Promise.resolve();
    this.stream = new Stream(`/api/v1${this.path}/events`, Number(root.dataset.lastEvent), this);
    for (const section of this.progresses.children) this.stream.expect(section.dataset.job);
    if (this.stream.jobs.size) this.stream.open();
    // What was said in another tab meanwhile.
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.stream.open(); });
  }

  /** Send a form; what it causes comes by the stream. */
  async send(form, button = null) {
    const response = await fetch(form.action, {
      method: "POST", body: new FormData(form, button), redirect: "manual", headers: { Accept: "application/json" },
    });
    if (response.type !== "opaqueredirect" && !response.ok) throw await problem(response);
    this.stream.open();
  }

  submitted(event) {
    const form = event.target;
    const path = new URL(form.action).pathname;
    if (event.defaultPrevented || form.matches("[data-composer]") || form.method !== "post") return;
    const beside = path === `${this.path}/share` || path.startsWith("/uploads/");
    if (!beside && ![`${this.path}/messages`, `${this.path}/repair`, `${this.path}/cancel`].includes(path)) return;
    event.preventDefault();
    const buttons = form.querySelectorAll("button");
    form.querySelector(".form-error")?.remove();
    const sent = this.send(form, event.submitter);
    for (const button of buttons) button.disabled = true;
    sent.then(() => beside && this.refreshSide())
      .catch((error) => {
        complain(form, word("NOT_SENT", reason(error)));
        for (const button of buttons) button.disabled = false;
      });
  }

  // What the stream tells.

  async message({ message, job }) {
    this.begun(job, "QUEUED");
    await this.show(message);
  }

  queued({ job }) { this.begun(job, "QUEUED"); }
  started({ job }) { this.begun(job, "UNDER_WAY"); }
  interrupted({ job }) { this.begun(job, "AGAIN"); this.progress(job).querySelector("[data-steps]").replaceChildren(); }

  recognised({ job, title }) {
    const place = this.progress(job).querySelector("[data-recognised]");
    place.textContent = word(title ? "RECOGNISED" : "NOT_RECOGNISED");
    if (title) place.append(document.documentElement.lang.startsWith("zh") ? "：" : ": ", Object.assign(document.createElement("strong"), { textContent: title }));
    place.hidden = false;
    announce(place.textContent);
  }

  probes({ job, steps }) {
    const list = this.progress(job).querySelector("[data-steps]");
    for (const step of steps) {
      const key = `${step.subject}\n${step.probe}`;
      let item = [...list.children].find((each) => each.dataset.key === key || (!each.dataset.key && each.dataset.probe === step.probe));
      if (!item) list.append((item = document.createElement("li")));
      item.dataset.key = key;
      item.textContent = step.probe;
      item.className = step.state === "ended" ? step.outcome ?? "ended" : "started";
      item.title = `${step.subject}: ${step.text}`;
    }
  }

  async reply({ message }) {
    await this.show(message.id, true);
    this.refreshSide();
  }

  ended(job) { this.progress(job)?.remove(); }
  lost() { for (const state of this.progresses.querySelectorAll("[data-state]")) state.textContent = word("OFFLINE"); announce(word("OFFLINE")); }
  found() { for (const state of this.progresses.querySelectorAll("[data-state]")) state.textContent = word("UNDER_WAY"); announce(word("ONLINE")); }

  // The page.

  progress(job) {
    let section = this.progresses.querySelector(`[data-job="${CSS.escape(job)}"]`);
    if (!section && this.stream.jobs.has(job)) {
      section = this.shape.content.firstElementChild.cloneNode(true);
      section.dataset.job = job;
      this.progresses.append(section);
      section.scrollIntoView({ block: "nearest" });
    }
    return section ?? this.shape.content.firstElementChild;
  }

  begun(job, state) {
    this.progress(job).querySelector("[data-state]").textContent = word(state);
  }

  async show(id, isAnswer = false) {
    if (this.messages.querySelector(`[data-message="${CSS.escape(id)}"]`)) return;
    const response = await fetch(`${this.path}/messages/${id}`, { headers: { Accept: "text/html" } });
    if (!response.ok) return;
    const shape = document.createElement("template");
    shape.innerHTML = await response.text(); // of our own server, which escapes what others wrote
    const item = shape.content.firstElementChild;
    if (isAnswer) for (const old of this.messages.querySelectorAll(".acts, .options")) old.remove();
    this.messages.append(item);
    enhanceCode(item);
    item.scrollIntoView({ block: "start" });
    if (isAnswer) announce(`${word("ANSWER_HERE")} ${item.querySelector("h2")?.textContent ?? ""}`);
  }

  async refreshSide() {
    const response = await fetch(`${this.path}/side`, { headers: { Accept: "text/html" } });
    if (!response.ok) return;
    this.side.innerHTML = await response.text();
    enhanceCode(this.side);
  }
}

function complain(form, text) {
  const place = Object.assign(document.createElement("p"), { className: "form-error", textContent: text });
  place.setAttribute("role", "alert");
  form.append(place);
}
