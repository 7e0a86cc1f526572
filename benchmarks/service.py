"""How fast the service answers, and what it takes: `make service-bench`.

Starts `kerasdoctor serve` on an empty SQLite database, then asks as the web page does: a message is posted, its events are
streamed.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

ROOT = Path(__file__).parents[1]
COMMAND = Path(sys.executable).with_name("kerasdoctor")
ROUNDS = 100
ERROR = (ROOT / "examples" / "error.txt").read_text(encoding="utf-8")
NO_LIMITS = {"KERASDOCTOR_MESSAGES_PER_MINUTE": "1000000", "KERASDOCTOR_REQUESTS_PER_MINUTE": "1000000"}


@contextmanager
def serving() -> Iterator[tuple[httpx.Client, int]]:
    """A service, and a client on it; the seconds until it listened are printed."""
    with tempfile.TemporaryDirectory() as data:
        began = time.perf_counter()
        process = subprocess.Popen(
            [COMMAND, "serve", "--port", "0", "--data", data, "--log-level", "error"],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, **NO_LIMITS},
        )
        address = next(iter(process.stdout or ())).split()[-1]
        with httpx.Client(base_url=address, timeout=60) as client:
            while client.get("/api/v1/health/ready").status_code != httpx.codes.OK:
                time.sleep(0.05)
            print(f"{'start to ready':44} {time.perf_counter() - began:8.2f} s")
            yield client, process.pid
        process.terminate()
        process.wait()


def one_message(client: httpx.Client, text: str, uploads: list[str]) -> dict[str, float]:
    """Post a message to a new chat; the milliseconds from the click to what was recognised and to the answer."""
    chat = client.post("/api/v1/chats").json()["id"]
    clicked = time.perf_counter()
    posted = client.post(f"/api/v1/chats/{chat}/messages", json={"text": text, "uploads": uploads}).json()
    seen: dict[str, float] = {}
    with client.stream("GET", posted["events"]) as events:
        for line in events.iter_lines():
            if line.startswith("event: "):
                seen.setdefault(line[7:], 1000 * (time.perf_counter() - clicked))
                seen.setdefault("first", seen[line[7:]])
    return seen


def one_diagnosis(client: httpx.Client) -> dict[str, float]:
    """The milliseconds of a diagnosis in one request."""
    began = time.perf_counter()
    client.post("/api/v1/diagnoses", json={"text": ERROR}).raise_for_status()
    return {"answer": 1000 * (time.perf_counter() - began)}


def measured(name: str, once: Callable[[], dict[str, float]]) -> None:
    """Print the median and the 99th percentile of each time, warm."""
    for _ in range(5):
        once()
    times: dict[str, list[float]] = {}
    for _ in range(ROUNDS):
        for key, value in once().items():
            times.setdefault(key, []).append(value)
    for key in ("first", "recognised", "reply", "answer"):
        if key in times:
            told = sorted(times[key])
            last = told[min(len(told) - 1, int(0.99 * len(told)))]
            print(f"{f'{name}: {key}':44} {statistics.median(told):8.1f} ms {last:8.1f} ms (99th percentile)")


def memory(pid: int) -> None:
    """Print what the processes of the service take: proportional set size, shared pages counted once."""
    for each in [pid, *_children(pid)]:
        name = Path(f"/proc/{each}/cmdline").read_bytes().replace(b"\0", b" ").decode()[-60:]
        kib = {
            line.split(":")[0]: line.split()[1]
            for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines()[1:]
        }
        print(f"{'memory':10} {int(kib['Pss']) / 1024:8.0f} MiB (resident {int(kib['Rss']) / 1024:.0f})  {name}")


def _children(pid: int) -> list[int]:
    started = [
        child for task in Path(f"/proc/{pid}/task").iterdir() for child in (task / "children").read_text().split()
    ]
    return [each for child in map(int, started) for each in (child, *_children(child))]


def main() -> None:
    """Measure, and print."""
    with serving() as (client, pid):
        time.sleep(2)
        memory(pid)
        model = ROOT / "examples" / "digits.keras"
        upload = client.post("/api/v1/uploads", files={"file": (model.name, model.read_bytes())}).json()["id"]
        measured("diagnosis, one request", lambda: one_diagnosis(client))
        measured("chat, text", lambda: one_message(client, ERROR, []))
        measured("chat, text and model (15 probes)", lambda: one_message(client, ERROR, [upload]))
        memory(pid)
        print(json.dumps({"rounds": ROUNDS, "cores": os.cpu_count()}))


if __name__ == "__main__":
    main()
