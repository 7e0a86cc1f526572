// The events of a chat (server-sent events), taken up again after a break where they stopped.
import { lang } from "./words.js";

const KINDS = ["message", "queued", "started", "interrupted", "recognised", "probes", "reply", "done", "failed", "cancelled"];
const ENDS = ["done", "failed", "cancelled"];
const AGAIN = 1500;
const MOST = 20;
const LINGER = 3000; // after the last end: another tab's answer may end before our own begins

export class Stream {
  /** `hears` has a method for each kind of event, and `ended`, `lost` and `found`. */
  constructor(address, last, hears) {
    Object.assign(this, { address, last, hears, jobs: new Set(), source: null, leaving: 0, broken: 0, turn: Promise.resolve() });
    addEventListener("online", () => { if (this.jobs.size) this.reopen(); });
  }

  expect(job) { if (job) this.jobs.add(job); }

  open() {
    this.linger();
    if (this.source) return;
    this.source = new EventSource(`${this.address}?after=${this.last}&lang=${lang}`);
    this.source.onopen = () => { if (this.broken) this.hears.found(); this.broken = 0; };
    this.source.onerror = () => this.failed();
    for (const kind of KINDS) this.source.addEventListener(kind, (event) => this.heard(kind, event));
  }

  linger() {
    clearTimeout(this.leaving);
    this.leaving = setTimeout(() => { if (!this.jobs.size) this.close(); }, LINGER);
  }

  close() {
    clearTimeout(this.leaving);
    this.source?.close();
    this.source = null;
  }

  reopen() {
    this.close();
    this.open();
  }

  heard(kind, event) {
    if (event.data === undefined) return;
    this.last = Math.max(this.last, Number(event.lastEventId));
    const told = JSON.parse(event.data);
    if (!ENDS.includes(kind)) this.expect(told.job);
    else this.jobs.delete(told.job);
    this.linger();
    // One after the other: an answer is there before its progress goes.
    this.turn = this.turn.then(() => (ENDS.includes(kind) ? this.hears.ended(told.job) : this.hears[kind](told))).catch(console.warn);
  }

  failed() {
    if (this.source?.readyState === EventSource.CLOSED) this.close();
    if (!this.jobs.size) { this.close(); return; }
    if (!this.broken++) this.hears.lost();
    if (this.broken > MOST) location.reload();
    else if (!this.source) setTimeout(() => this.open(), AGAIN);
  }
}
