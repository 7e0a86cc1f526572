"""Examines models in which nothing is wrong, and lists what is found all the same: `make healthy`.

All of keras.applications that builds here (random weights), and a small model for every layer, activation, optimizer and
loss of Keras 3 and of tf_keras, saved by that Keras in both formats. Each is examined with its weights; the small ones and
the applications of fewer than 30 million parameters (at 96 pixels) are also run. A folder of other models can be added.

What was examined is kept in .cache/healthy.jsonl and not examined again; remove it to start anew.
"""

from __future__ import annotations

import argparse
import json
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from kerasdoctor.diagnostics.examination import Depth, examine_file
from kerasdoctor.diagnostics.workers import Workers
from page import cell, measured_with, write

ROOT = Path(__file__).parents[1]
KEPT = ROOT / ".cache" / "healthy.jsonl"
MOST_PARAMETERS = 30_000_000
FORMATS = (".keras", ".h5")
Row = dict[str, Any]
# What was looked into, and is no mistake of a probe: the probe, the models, and why.
ARGUED: tuple[tuple[str, str, str], ...] = (
    ("objective", "^tf_keras applications/RegNet", ("true: tf_keras 2.21 never applies classifier_activation to a RegNet "
     "(applications/regnet.py, Head), so the default top gives logits and the loss compiled here does not fit it")),
    ("live-load", "SpectralNormalization", "true: tf_keras 2.21 saves it and cannot load it again"),
    ("live-load", "keras layers/Attention.h5", "true: Keras 3.15 saves it as HDF5 and cannot load it again"),
)  # fmt: skip


class Zoo:
    """The child process that builds models with one Keras."""

    def __init__(self, keras: str) -> None:
        """Start it."""
        self._process = subprocess.Popen(
            [sys.executable, str(ROOT / "benchmarks" / "zoo.py"), keras],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )

    def ask(self, **request: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON
        """The answer to a request; see zoo.py."""
        assert self._process.stdin is not None  # noqa: S101 - they are pipes
        assert self._process.stdout is not None  # noqa: S101
        self._process.stdin.write(json.dumps(request) + "\n")
        self._process.stdin.flush()
        answer: dict[str, Any] = json.loads(self._process.stdout.readline())
        return answer

    def close(self) -> None:
        """End it."""
        self._process.kill()
        self._process.communicate()


def main() -> int:
    """Examine what is not examined yet, and write the section."""
    read = argparse.ArgumentParser()
    read.add_argument("--only", default="", help='a regular expression, such as "^tf_keras applications"')
    read.add_argument("--models", type=Path, help="a folder of other healthy models")
    read.add_argument(
        "--faulty", default="", help="a regular expression: files of that folder that are known to be faulty"
    )
    asked = read.parse_args()
    KEPT.parent.mkdir(exist_ok=True)
    done = {(row["model"], row["keras"], row["format"]) for row in rows()}
    with Workers() as workers:
        for row in measured(asked, done, workers):
            with KEPT.open("a", encoding="utf-8") as kept:
                kept.write(json.dumps(row) + "\n")
            told = [f"{f['probe']} {f['evidence'][0]['en']}" for f in row["found"] if f["outcome"] == "finding"]
            print(
                f"{row['seconds']:6.1f} s  {row['keras']:8} {row['model']}{row['format']}  {told or row['error']}",
                flush=True,
            )
    write("healthy", section(rows(), asked.faulty))
    return 0


def rows() -> list[Row]:
    """What was examined so far."""
    return [json.loads(line) for line in KEPT.read_text(encoding="utf-8").splitlines()] if KEPT.exists() else []


def measured(asked: argparse.Namespace, done: set[tuple[str, str, str]], workers: Workers) -> Iterator[Row]:
    """A row for each file that is not in `done`."""
    if asked.models:
        for path in sorted(path for path in asked.models.iterdir() if path.suffix in (".keras", ".h5", ".hdf5", ".pb")):
            if (path.name, "", "") not in done and re.search(asked.only, path.name):
                yield examined(path, path.name, "", "", workers, live=True)
    for keras in ("keras", "tf_keras"):
        yield from of_zoo(keras, asked.only, done, workers)


def of_zoo(keras: str, only: str, done: set[tuple[str, str, str]], workers: Workers) -> Iterator[Row]:
    """Each model of the zoo of one Keras, in both formats."""
    zoo = Zoo(keras)
    try:
        for name in zoo.ask(list=True)["names"]:
            wanted = [form for form in FORMATS if (name, keras, form) not in done]
            if wanted and re.search(only, f"{keras} {name}"):
                with tempfile.TemporaryDirectory() as folder:
                    yield from of_model(zoo, name, keras, wanted, Path(folder), workers)
    finally:
        zoo.close()


def of_model(zoo: Zoo, name: str, keras: str, formats: list[str], folder: Path, workers: Workers) -> Iterator[Row]:
    """One model of the zoo."""
    paths = {form: folder / (re.sub(r"\W+", "_", name) + form) for form in formats}
    built = zoo.ask(name=name, paths=[str(path) for path in paths.values()])
    application = name.startswith("applications/")
    for form, path in paths.items():
        if not path.exists():
            refused = built.get("error") or built["refused"].get(str(path))
            yield {"model": name, "keras": keras, "format": form, "found": [], "seconds": 0.0, "error": refused}
            continue
        small = built["parameters"] < MOST_PARAMETERS and name.endswith(" at 96")
        live = not application or (small and form == (".keras" if keras == "keras" else ".h5"))
        yield examined(path, name, keras, form, workers, live=live) | {"parameters": built["parameters"]}


def examined(path: Path, name: str, keras: str, form: str, workers: Workers, *, live: bool) -> Row:
    """Examine a file as deep as asked."""
    started = time.perf_counter()
    told = examine_file(path, depth=Depth(weights=True, live=live), workers=workers)
    seconds = round(time.perf_counter() - started, 2)
    found = [asdict(finding) for finding in told.findings if finding.outcome != "nothing"]
    return {
        "model": name,
        "keras": keras,
        "format": form,
        "live": live,
        "found": found,
        "seconds": seconds,
        "error": None,
    }


def section(every: list[Row], faulty: str) -> str:
    """What came of it."""
    refused = [row for row in every if row["error"]]
    rows_of = [row for row in every if not row["error"]]
    real = [row for row in rows_of if not row["keras"]]
    known = [row for row in real if faulty and re.search(faulty, row["model"])]
    healthy = [row for row in rows_of if row not in known]
    groups: dict[str, list[Row]] = {}
    for row in sorted(healthy, key=group_of):
        groups.setdefault(group_of(row), []).append(row)
    lines = [HEAD.format(measured=measured_with("tensorflow", "keras", "tf_keras"))]
    for name, group in {**groups, "all": healthy}.items():
        lines.append(
            f"| {name} | {len({(r['model'], r['keras']) for r in group})} | {len(group)} | {sum(bool(r.get('live')) for r in group)} "
            f"| {sum(has(r, 'fault') for r in group)} | {sum(has(r, 'warning') for r in group)} "
            f"| {sum(any(f['outcome'] == 'could_not_look' for f in r['found']) for r in group)} "
            f"| {sum(any(f['outcome'] == 'crashed' for f in r['found']) for r in group)} |"
        )
    lines += listed("Found on healthy models", healthy, "finding")
    lines += listed("Where a probe could not look", healthy, "could_not_look")
    lines += listed("Where a probe crashed", healthy, "crashed")
    if known:
        lines += listed("Known to be faulty, and told", known, "finding")
    if refused:
        lines += ["", "### Not saved or not built by Keras itself", ""]
        lines += [f"- {row['keras']} {row['model']}{row['format']}: {cell(row['error'])[:160]}" for row in refused]
    return "\n".join(lines)


HEAD = """\
## Healthy models

`make healthy`. {measured}
Nothing is wrong with these models, so a fault or warning is a false one unless it is argued: all architectures of
keras.applications with random weights, as they are by default and at 96 pixels; a small model with each layer,
activation, optimizer and loss; both Kerases, both formats. "Run" is how many were also run in the sandbox. The files are
those examined so far: there are 40 architectures in keras and 71 in tf_keras, two files of each. What an earlier run
examined is kept and may have met earlier probes; remove .cache/healthy.jsonl to start anew.

| group | models | files | run | with a fault | with a warning | could not look | crashed |
|---|---|---|---|---|---|---|---|"""


def group_of(row: Row) -> str:
    """The row of the table that a file belongs to."""
    if not row["keras"]:
        return "real files"
    if not row["model"].startswith("applications/"):
        return f"{row['keras']}: layers, activations, optimizers, losses"
    return f"{row['keras']}.applications" + (" at 96 pixels" if row["model"].endswith(" at 96") else "")


def has(row: Row, what: str) -> bool:
    """Whether anything of a kind was found."""
    return any(finding[what] for finding in row["found"])


def listed(heading: str, group: list[Row], outcome: str) -> list[str]:
    """The findings of an outcome, those that say the same together."""
    told: dict[tuple[str, str], list[str]] = {}
    for row in group:
        for finding in row["found"]:
            if finding["outcome"] == outcome:
                kind = "fault" if finding["fault"] else "warning" if finding["warning"] else ""
                evidence = "; ".join(each["en"] for each in finding["evidence"])
                name = f"{row['keras']} {row['model']}{row['format']}".strip()
                told.setdefault((f"{finding['probe']} {kind}".strip(), general(evidence)), []).append(
                    f"{name}: {evidence}"
                )
    if not told:
        return ["", f"### {heading}", "", "None."]
    return ["", f"### {heading}", "", "| probe | files | the first | argued |", "|---|---|---|---|"] + [
        f"| {probe} | {len(names)} | {cell(names[0])[:400]} | {argued(probe, names[0])} |"
        for (probe, _), names in sorted(told.items())
    ]


def argued(probe: str, name: str) -> str:
    """Why a finding is right; nothing where that was not looked into."""
    return next((why for which, models, why in ARGUED if probe.startswith(which) and re.search(models, name)), "")


def general(evidence: str) -> str:
    """An evidence without its numbers and names, by which it is put together with others."""
    return re.sub(r"[\d.,]+|'[^']*'|\"[^\"]*\"|\S+\.(?:keras|h5)\b", "#", evidence)[:60]


if __name__ == "__main__":
    sys.exit(main())
