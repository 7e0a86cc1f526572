// Uploads in pieces that go on after a break (tus 1.0.0, https://tus.io/protocols/resumable-upload).
import { word } from "./words.js";

const PLACE = "/api/v1/uploads/resumable";
const PIECE = 8 << 20;
const VERSION = { "Tus-Resumable": "1.0.0" };
const PATIENCE = [300, 1000, 2000, 4000, 8000, 15000, 30000];

/** Upload a file; gives the upload's id. `told` hears the share that is done and whether it waits; `signal` ends it. */
export async function upload(file, told, signal) {
  let offset = 0;
  const waits = () => told(offset / file.size, true);
  const place = await patiently(() => begin(file, signal), waits, signal);
  while (offset < file.size) {
    let broken = false;
    offset = await patiently(async () => {
      if (broken) offset = await received(place, signal);
      broken = true;
      return offset < file.size ? sendPiece(place, file, offset, told, signal) : offset;
    }, waits, signal);
  }
  told(1, false);
  return new URL(place, location.href).pathname.split("/").pop();
}

// Try something until it is done, it is refused for good, or patience ends.
async function patiently(attempt, waits, signal) {
  for (let failures = 0; ; failures++) {
    try {
      return await attempt();
    } catch (error) {
      if (signal.aborted || error.final || failures >= PATIENCE.length) throw error;
      waits();
      await wait(PATIENCE[failures], signal);
    }
  }
}

// One begins after the other: with the first thing that it writes a browser gets its cookie, and all files shall be of one owner.
let beginning = Promise.resolve();

function begin(file, signal) {
  const begun = beginning.then(() => beginNow(file, signal));
  beginning = begun.catch(() => {});
  return begun;
}

async function beginNow(file, signal) {
  const name = btoa(String.fromCharCode(...new TextEncoder().encode(file.name.slice(-200))));
  const headers = { ...VERSION, "Upload-Length": file.size, "Upload-Metadata": `filename ${name}` };
  const response = await fetch(PLACE, { method: "POST", headers, signal });
  if (response.status !== 201) throw await problem(response);
  return response.headers.get("Location");
}

async function received(place, signal) {
  const response = await fetch(place, { method: "HEAD", headers: VERSION, signal });
  if (!response.ok) throw Object.assign(new Error(String(response.status)), { final: response.status < 500 && response.status !== 429 });
  return Number(response.headers.get("Upload-Offset"));
}

// XMLHttpRequest, because fetch does not tell how far it is with sending.
function sendPiece(place, file, offset, told, signal) {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open("PATCH", place);
    const headers = { ...VERSION, "Upload-Offset": offset, "Content-Type": "application/offset+octet-stream" };
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => told((offset + event.loaded) / file.size, false);
    request.onload = () => {
      signal.removeEventListener("abort", stop);
      if (request.status === 204) resolve(Number(request.getResponseHeader("Upload-Offset")));
      else reject(failed(request.status, request.responseText));
    };
    request.onerror = request.onabort = () => reject(new TypeError("connection"));
    signal.addEventListener("abort", stop, { once: true });
    request.send(file.slice(offset, offset + PIECE));
  });
}

/** What went wrong, from a problem (RFC 9457). */
export async function problem(response) {
  return failed(response.status, await response.text().catch(() => ""));
}

function failed(status, body) {
  let detail = `${status}`;
  if (status === 401) detail = word("SIGNED_OUT");
  else try { detail = JSON.parse(body).detail || detail; } catch { /* no problem document */ }
  return Object.assign(new Error(detail), { final: status >= 400 && status < 500 && ![408, 409, 423, 429].includes(status) });
}

function wait(milliseconds, signal) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => { clearTimeout(timer); reject(new Error("aborted")); }, { once: true });
  });
}
