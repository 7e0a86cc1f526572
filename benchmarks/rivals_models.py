"""Times and memory of examinations beside loading the file with Keras and scanning it with ModelScan: `make examination-bench`.

Every row is the median of runs that alternate in one process tree, all processes warm unless said otherwise; a noisy
machine hurts all of them, so compare within a row. ModelScan runs in an environment of its own (.labs/scan).
"""

from __future__ import annotations

import argparse
import json
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import planted_hostile
from examination import Zoo
from kerasdoctor.diagnostics.depth import STRUCTURE, Depth
from kerasdoctor.diagnostics.examination import examine_file
from kerasdoctor.diagnostics.looking import Asked, look
from kerasdoctor.diagnostics.sandbox import LIVE, run_locked
from kerasdoctor.diagnostics.worker import Worker
from kerasdoctor.diagnostics.workers import Workers
from page import cell, measured_with, write

ROOT = Path(__file__).parents[1]
SCANNER = ROOT / ".labs" / "scan" / "bin" / "python"
MODELS = {"ResNet50": "applications/ResNet50", "1 GB (ResNet50 and a wide Dense)": "sizes/wide"}
SMALL = "layers/Conv2D"
MILLION = 1_000_000


class Scanner:
    """ModelScan in a process that stays warm."""

    def __init__(self, python: Path) -> None:
        """Start it and wait until it is ready."""
        self._process = subprocess.Popen(
            [str(python), str(ROOT / "benchmarks" / "scan_model.py")],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._read()

    def scan(self, path: Path) -> dict[str, Any]:
        """What it says of a file, and the seconds."""
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        self._process.stdin.write(f"{path}\n")
        self._process.stdin.flush()
        return self._read()

    def _read(self) -> dict[str, Any]:
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        told: dict[str, Any] = json.loads(self._process.stdout.readline())
        return told

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def seconds(action: Callable[[], object]) -> float:
    """The time that one run takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def alternated(runs: int, **ways: Callable[[], float]) -> dict[str, float]:
    """The median seconds of each way, run one after the other, again and again; the first round only warms up."""
    rounds = [{name: way() for name, way in ways.items()} for _ in range(runs + 1)][1:]
    return {name: statistics.median(each[name] for each in rounds) for name in ways}


def unlocked(path: Path) -> None:
    """The same examination in this process, without the sandbox."""
    with tempfile.TemporaryDirectory() as scratch:
        look(Asked(path, frozenset(), frozenset(), STRUCTURE), Path(scratch))


def static(path: Path, zoo: Zoo, scanner: Scanner, runs: int) -> dict[str, float]:
    """The static examination beside the others."""
    return alternated(
        runs,
        examined=lambda: seconds(lambda: examine_file(path)),
        unlocked=lambda: seconds(lambda: unlocked(path)),
        weights=lambda: seconds(lambda: examine_file(path, depth=Depth(weights=True))),
        loaded=lambda: float(zoo.ask(load=str(path))["seconds"]),
        scanned=lambda: float(scanner.scan(path)["seconds"]),
    )


def peak_of_static(path: Path) -> int:
    """Bytes: the most that was resident in the job of a static examination, what it shares with its parent included."""
    return int(run_locked(partial(_peak, path), (path,)).value)


def _peak(path: Path, scratch: Path) -> int:
    look(Asked(path, frozenset(), frozenset(), STRUCTURE), scratch)
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def resident(process: int) -> int:
    """Bytes of a process that are resident."""
    lines = Path(f"/proc/{process}/status").read_text(encoding="utf-8").splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmRSS:"))


def live(path: Path, runs: int, zoo: Zoo) -> dict[str, float]:
    """The live examination in a warm worker beside loading; what the job takes in memory."""
    with Workers() as workers:
        examine_file(path, depth=Depth(live=True), workers=workers)
        told = alternated(
            runs,
            examined=lambda: seconds(lambda: examine_file(path, depth=Depth(live=True), workers=workers)),
            loaded=lambda: float(zoo.ask(load=str(path))["seconds"]),
        )
    with Worker("keras-3") as worker:
        answer = worker.run("live", {"path": str(path), "engine": "keras", "allow_code": False}, (path,), LIVE)
        told |= {"job": float(answer.value["memory"]), "worker": float(resident(worker.pid))}
        told |= {f"of {name}": value for name, value in answer.value["seconds"].items()}
    return told


def cold(keras: Any) -> float:  # noqa: ANN401 - "keras-3" or "tf-keras"
    """Starting a worker."""
    started = time.perf_counter()
    with Worker(keras):
        return time.perf_counter() - started


def processes(path: Path, scanner: Path, runs: int) -> dict[str, float]:
    """Whole processes, as one types them."""

    def run(*command: object) -> Callable[[], float]:
        return lambda: seconds(lambda: subprocess.run([str(c) for c in command], capture_output=True, check=False))

    load = f"import keras; keras.models.load_model({str(path)!r})"
    return alternated(
        runs,
        examined=run(Path(sys.executable).with_name("kerasdoctor"), "check", path),
        loaded=run(sys.executable, "-c", load),
        scanned=run(scanner.with_name("modelscan"), "-p", path),
    )


def refusals(sound: dict[str, Path], folder: Path, scanner: Scanner) -> list[tuple[str, str, str]]:
    """What is said of hostile files: by `unsafe-content`, and by ModelScan."""
    rows = []
    for name, path in planted_hostile.made(sound, folder):
        told = examine_file(path, only=frozenset({"unsafe-content"})).findings
        found = [finding for finding in told if finding.fault or finding.warning or finding.outcome == "could_not_look"]
        scanned = scanner.scan(path)
        rows.append((name, found[0].evidence[0].en if found else "", "; ".join(scanned["issues"] or scanned["errors"])))
    return rows


def main() -> int:
    """Measure everything and write the section."""
    read = argparse.ArgumentParser()
    read.add_argument("--scanner", type=Path, default=SCANNER, help="the Python of an environment with ModelScan")
    read.add_argument("--runs", type=int, default=7)
    asked = read.parse_args()
    zoo, scanner = Zoo("keras"), Scanner(asked.scanner)
    with tempfile.TemporaryDirectory() as made:
        folder = Path(made)
        paths = {name: [folder / f"{i}.keras", folder / f"{i}.h5"] for i, name in enumerate([SMALL, *MODELS])}
        for name, files in paths.items():
            zoo.ask(name=MODELS.get(name, name), paths=[str(path) for path in files])
        table, sizes = {}, {path: path.stat().st_size / MILLION for files in paths.values() for path in files}
        for name, files in paths.items():
            for path in files:
                table[name, path] = static(path, zoo, scanner, asked.runs)
                print(name, path.suffix, table[name, path], flush=True)
        small, resnet = paths[SMALL][0], paths["ResNet50"][0]
        alive = {"small (one Conv2D)": live(small, asked.runs, zoo), "ResNet50, 224 pixels": live(resnet, 3, zoo)}
        print(alive, flush=True)
        starts = {keras: statistics.median(cold(keras) for _ in range(3)) for keras in ("keras-3", "tf-keras")}
        whole = processes(resnet, asked.scanner, 3)
        peaks = {name: peak_of_static(files[0]) for name, files in paths.items()}
        print(starts, whole, peaks, flush=True)
        rows = refusals(sound(zoo, folder), folder, scanner)
    zoo.close()
    scanner.close()
    release = subprocess.run(
        [str(asked.scanner.with_name("modelscan")), "--version"], capture_output=True, text=True, check=False
    ).stdout.strip()
    write("times", section(table, sizes, alive, starts, whole, peaks, rows, release))
    return 0


def sound(zoo: Zoo, folder: Path) -> dict[str, Path]:
    """A plain Sequential model in both formats, of which the hostile ones are made."""
    paths = {suffix: folder / f"sound{suffix}" for suffix in (".keras", ".h5")}
    zoo.ask(name="activations/relu", paths=[str(path) for path in paths.values()])
    return paths


def ms(value: float) -> str:
    """Seconds as milliseconds."""
    return f"{value * 1000:,.0f} ms" if value >= 0.01 else f"{value * 1000:,.1f} ms"  # noqa: PLR2004 - ten milliseconds


HEAD = """\
## Times and memory

`make examination-bench`. {measured} ModelScan: {release}. Medians of runs that alternate in one process tree, on a machine
that others use too: compare within a row. The static examination runs all probes of a model's structure in the sandbox, in
a process that is warm; "unlocked" is the same in the process itself, so the difference is the price of the sandbox (a fork,
the locks, the answer). Loading is `keras.models.load_model` and ModelScan its scan, each in a warm process of its own.

| file | size | examined | unlocked | with weights | loaded by Keras | ModelScan |
|---|---|---|---|---|---|---|"""
HOSTILE = """\
What `unsafe-content` and ModelScan say of files made to run code, read others or fill a disk; whether the installed Keras
would let each of them was not tried."""
LIVE_HEAD = """
Run in the sandbox (loaded, fed three kinds of inputs, a training step for each, saved and loaded again), worker warm:

| model | examined | loading alone, by Keras | load, forward, train, modes, reload | most memory of the job | of the worker |
|---|---|---|---|---|---|"""


def section(
    table: dict[tuple[str, Path], dict[str, float]],
    sizes: dict[Path, float],
    alive: dict[str, dict[str, float]],
    starts: dict[str, float],
    whole: dict[str, float],
    peaks: dict[str, int],
    rows: list[tuple[str, str, str]],
    release: str,
) -> str:
    """The section of the page."""
    lines = [HEAD.format(measured=measured_with("tensorflow", "keras"), release=release)]
    for (name, path), row in table.items():
        cells = [ms(row[key]) for key in ("examined", "unlocked", "weights", "loaded", "scanned")]
        lines.append(f"| {name} {path.suffix} | {sizes[path]:,.1f} MB | " + " | ".join(cells) + " |")
    lines.append(LIVE_HEAD)
    for name, row in alive.items():
        steps = ", ".join(ms(row.get(f"of {step}", 0.0)) for step in ("load", "forward", "train", "modes", "reload"))
        lines.append(
            f"| {name} | {ms(row['examined'])} | {ms(row['loaded'])} | {steps} | {row['job'] / MILLION:,.0f} MB | "
            f"{row['worker'] / MILLION:,.0f} MB |"
        )
    told = ", ".join(f"{name} {value:.1f} s" for name, value in starts.items())
    lines += ["", f"Starting a worker (importing TensorFlow and Keras): {told}."]
    lines.append(
        f"Whole processes on ResNet50.keras: `kerasdoctor check` {ms(whole['examined'])}, Python loading it with Keras "
        f"{ms(whole['loaded'])}, `modelscan -p` {ms(whole['scanned'])}."
    )
    memory = ", ".join(f"{name} {job / MILLION:,.0f} MB" for name, job in peaks.items())
    lines += [f"Most memory of the static job: {memory}.", ""]
    lines += [
        "### Hostile files",
        "",
        HOSTILE,
        "",
    ]
    lines += ["| file | kerasdoctor | ModelScan |", "|---|---|---|"]
    lines += [
        f"| {name} | {cell(ours)[:170] or '**nothing**'} | {cell(theirs)[:120] or '**nothing**'} |"
        for name, ours, theirs in rows
    ]
    refused = sum(bool(ours) for _, ours, _ in rows), sum(bool(theirs) for *_, theirs in rows)
    lines += ["", f"kerasdoctor tells {refused[0]} of {len(rows)}, ModelScan {refused[1]}."]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
