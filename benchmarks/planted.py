"""Plants faults in sound subjects and counts which of them the probes find: `make recall`.

Models of six architectures are trained and saved by Keras 3 and by tf_keras in both formats, with their logs and data;
environments are this one, those of the laboratories that are built, and recorded ones with a GPU. Each mutation is planted
wherever it can be. A fault counts as found where the probe that promises it names the topic: as a fault, as a warning, or as
a fact that counts because the topic is suspected. Ends with 1 where a probe has no mutation.
"""

from __future__ import annotations

import argparse
import copy
import json
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import planted_data
import planted_environments
import planted_logs
import planted_weights
from kerasdoctor.diagnostics.environment import Environment, examine_environment
from kerasdoctor.diagnostics.examination import Depth, examine_file, probes_of
from kerasdoctor.diagnostics.probe import Finding, all_probes, examine
from kerasdoctor.diagnostics.workers import Workers
from page import cell, measured_with, write
from planted_files import Mutation, Opened, arrays
from planted_models import MUTATIONS as MODELS

ROOT = Path(__file__).parents[1]
RECORDED = ROOT / "tests" / "diagnostics" / "environments"


@dataclass(frozen=True)
class Planted:
    """A mutation in a subject, what came of it ("fault", "warning", "fact", "refused" or "missed"), and other probes' faults."""

    mutation: Mutation
    subject: str
    came: str
    said: str
    others: tuple[str, ...]


STATIC = Depth()


class Recall:
    """All measurements."""

    def __init__(self, folder: Path, subjects: Path, only: str) -> None:
        """`subjects` holds what planted_subjects.py made, by Keras."""
        self.folder, self.only = folder, only
        self.subjects = {
            kind: sorted(path for keras in ("keras", "tf_keras") for path in (subjects / keras).glob(f"*{kind}"))
            for kind in (".keras", ".h5", ".csv", ".npz")
        }
        self.models = sorted(self.subjects[".keras"] + self.subjects[".h5"])
        self.alarms: list[str] = []

    def wanted(self, mutations: tuple[Mutation, ...]) -> Iterator[Mutation]:
        """Those that were asked for."""
        return (each for each in mutations if re.search(self.only, each.probe))

    def fitting(self, mutation: Mutation) -> list[Path]:
        """The models in which it is a fault."""
        return [path for path in self.models if re.search(mutation.subjects, path.stem)]

    def copied(self, path: Path) -> Path:
        """Where the copy of a subject goes."""
        return self.folder / path.name

    def run(self) -> Iterator[Planted]:
        """Every mutation in every subject that it fits."""
        yield from self.of_models()
        yield from self.of_weights(planted_weights.MUTATIONS, Depth(weights=True))
        yield from self.of_files()
        yield from self.of_logs()
        yield from self.of_data()
        yield from self.of_environments()
        with Workers() as workers:
            yield from self.of_weights(planted_weights.LIVE_OF_WEIGHTS, Depth(live=True), workers)
            yield from self.of_models(planted_weights.LIVE_OF_MODELS, Depth(live=True), workers)

    def of_models(
        self, mutations: tuple[Mutation, ...] = MODELS, depth: Depth = STATIC, workers: Workers | None = None
    ) -> Iterator[Planted]:
        """Changed configurations."""
        for mutation in self.wanted(mutations):
            for path in self.fitting(mutation):
                opened = Opened(path)
                if mutation.plant(opened):
                    opened.write(self.copied(path))
                    yield self.looked(mutation, path, depth, workers)

    def of_weights(
        self, mutations: tuple[Mutation, ...], depth: Depth, workers: Workers | None = None
    ) -> Iterator[Planted]:
        """Changed arrays."""
        for mutation in self.wanted(mutations):
            for path in self.fitting(mutation):
                shutil.copyfile(path, self.copied(path))
                with arrays(self.copied(path)) as file:
                    planted = mutation.plant(file)
                if planted:
                    yield self.looked(mutation, path, depth, workers)

    def of_files(self) -> Iterator[Planted]:
        """What is wrong with a file as a whole: the probes say what it is instead of looking at it."""
        wrong = {
            "cut in the middle": lambda data: data[: len(data) // 2],
            "empty": lambda _: b"",
            "a web page": lambda _: b"<!DOCTYPE html><html><head><title>404</title></head></html>",
            "a Git LFS pointer": lambda _: b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n",
        }
        for name, change in wrong.items():
            mutation = Mutation("file-format", name, "model-file-corrupt", lambda _: True)
            for path in self.models if re.search(self.only, mutation.probe) else ():
                self.copied(path).write_bytes(change(path.read_bytes()))
                yield self.looked(mutation, path, Depth(), None)
        mutation = Mutation("file-format", "HDF5 named .keras", "model-file-corrupt", lambda _: True)
        for path in self.subjects[".h5"] if re.search(self.only, mutation.probe) else ():
            shutil.copyfile(path, self.copied(path.with_suffix(".keras")))
            yield self.looked(mutation, path.with_suffix(".keras"), Depth(), None)

    def of_logs(self) -> Iterator[Planted]:
        """Changed curves."""
        for mutation in self.wanted(planted_logs.MUTATIONS):
            for path in self.subjects[".csv"]:
                log = planted_logs.read(path)
                if mutation.plant(log):
                    planted_logs.write(log, self.copied(path))
                    yield self.looked(mutation, path, Depth(), None)

    def of_data(self) -> Iterator[Planted]:
        """Changed arrays of samples, held against the model."""
        for mutation in self.wanted(planted_data.MUTATIONS):
            for path in self.subjects[".npz"]:
                data = {name: value.copy() for name, value in np.load(path).items()}
                if mutation.plant(data):
                    np.savez(self.copied(path), **data)
                    yield self.looked(mutation, path, Depth(), None, path.with_suffix(".keras"))

    def looked(
        self, mutation: Mutation, path: Path, depth: Depth, workers: Workers | None, beside: Path | None = None
    ) -> Planted:
        """Examine a planted file with the topic suspected."""
        suspected = frozenset(filter(None, (mutation.topic,)))
        told = examine_file(self.copied(path), suspected, depth=depth, beside=beside, workers=workers)
        return judged(mutation, f"{path.parent.name} {path.name}", told.findings)

    def of_environments(self) -> Iterator[Planted]:
        """Edited reports, and real examinations in planted surroundings."""
        reports = {name: report for name, report in self.reports() if self.sound(name, report)}
        for mutation in self.wanted(planted_environments.EDITS):
            for name, report in reports.items():
                edited = copy.deepcopy(report)
                if mutation.plant(edited):
                    yield judged(mutation, name, environment_findings(edited, name, mutation.topic))
        for probe, name, topic, files, variables in planted_environments.REAL:
            mutation = Mutation(probe, f"{name} (real)", topic, lambda _: True)
            if re.search(self.only, probe):
                with tempfile.TemporaryDirectory() as folder:
                    with planted_environments.surroundings(Path(folder), files, variables):
                        report = examine_environment(Path(sys.executable)).as_json()
                    yield judged(mutation, "this environment", environment_findings(report, name, topic))

    def reports(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """The reports of real examinations."""
        if not any(re.search(self.only, probe.id) for probe in probes_of("environment")):
            return
        here = [("this environment", Path(sys.executable))]
        here += [(f"laboratory {p.parents[1].name}", p) for p in sorted(ROOT.glob(".labs/*-*/bin/python"))]
        for name, python in here:
            yield name, plain(examine_environment(python.absolute()).as_json())
        for path in sorted(RECORDED.glob("tensorflow-*.json")):
            yield f"recorded {path.stem}", json.loads(path.read_text(encoding="utf-8"))

    def sound(self, name: str, report: dict[str, Any]) -> bool:
        """Whether no probe finds a fault; one that is not sound is no place for planting, and is listed."""
        faults = [finding for finding in environment_findings(report, name, "") if finding.fault]
        self.alarms += [f"{name}: {finding.probe}: {finding.evidence[0].en}" for finding in faults]
        return not faults

    def check_sound(self) -> int:
        """Examine the subjects as they are; what is found on them is listed. Their number is returned."""
        files = [*self.models, *self.subjects[".csv"], *self.subjects[".npz"]]
        with Workers() as workers:
            for path in files:
                beside = path.with_suffix(".keras") if path.suffix == ".npz" else None
                told = examine_file(path, depth=Depth(weights=True, live=True), beside=beside, workers=workers)
                found = [finding for finding in told.findings if finding.fault or finding.warning]
                self.alarms += [f"{path.parent.name} {path.name}: {f.probe}: {f.evidence[0].en}" for f in found]
        return len(files)


def measured_probes() -> set[str]:
    """The probes that have a mutation."""
    of_files = MODELS + planted_weights.MUTATIONS + planted_weights.LIVE_OF_WEIGHTS + planted_weights.LIVE_OF_MODELS
    others = planted_logs.MUTATIONS + planted_data.MUTATIONS + planted_environments.EDITS
    return {mutation.probe for mutation in of_files + others}


def plain(report: Any) -> dict[str, Any]:  # noqa: ANN401 - JSON, perhaps as text
    """The report as plain JSON values."""
    read: dict[str, Any] = json.loads(report if isinstance(report, str) else json.dumps(report))
    return read


def environment_findings(report: Any, name: str, topic: str) -> tuple[Finding, ...]:  # noqa: ANN401 - JSON
    """The findings on a report."""
    environment = Environment.from_json(plain(report))
    suspected = frozenset(filter(None, (topic,)))
    return tuple(examine(probe, environment, name, suspected) for probe in probes_of("environment"))


def judged(mutation: Mutation, subject: str, findings: tuple[Finding, ...]) -> Planted:
    """What came of a mutation."""
    mine = next((finding for finding in findings if finding.probe == mutation.probe), None)
    others = tuple(finding.probe for finding in findings if finding.fault and finding is not mine)
    said = mine.evidence[0].en if mine and mine.evidence else ""
    if mine is None or mine.outcome in ("nothing", "crashed"):
        came = "missed" if mine is None or mine.outcome == "nothing" else "crashed"
    elif mine.outcome == "could_not_look":
        came = "refused" if mutation.probe in ("file-format", "live-load") else "missed"
    elif mutation.topic and mutation.topic not in mine.topics:
        came = "missed"
    else:
        came = "fault" if mine.fault else "warning" if mine.warning else "fact"
    return Planted(mutation, subject, came, said, others)


def main() -> int:
    """Plant, examine, write the section."""
    read = argparse.ArgumentParser()
    read.add_argument("--only", default="", help="a regular expression: the probes to measure; the page is not written")
    read.add_argument("--subjects", type=Path, help="a folder in which the sound subjects are kept")
    asked = read.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        subjects = asked.subjects or Path(scratch) / "subjects"
        for keras in ("keras", "tf_keras"):
            if not (subjects / keras).exists():
                make(keras, subjects / keras)
        copies = Path(scratch) / "copies"
        copies.mkdir()
        recall = Recall(copies, subjects, asked.only)
        planted = []
        for each in recall.run():
            planted.append(each)
            if each.came in ("missed", "crashed"):
                what = f"{each.mutation.probe}: {each.mutation.name} ({each.mutation.topic})"
                print(f"{each.came} {what}, {each.subject}: {each.said[:150]}")
        sound = recall.check_sound() if not asked.only else 0
    missing = [probe.id for probe in all_probes() if probe.id not in {each.mutation.probe for each in planted}]
    print(table(planted))
    if asked.only:
        return 0
    write("recall", section(planted, recall.alarms, sound))
    if missing:
        print(f"no mutation for {', '.join(missing)}")
    return 1 if missing else 0


def make(keras: str, folder: Path) -> None:
    """The sound subjects of one Keras."""
    folder.mkdir(parents=True)
    script = ROOT / "benchmarks" / "planted_subjects.py"
    subprocess.run([sys.executable, str(script), keras, str(folder)], check=True, capture_output=True)


def rows(planted: list[Planted]) -> dict[Mutation, list[Planted]]:
    """By mutation, in the order of the probes."""
    order = [probe.id for probe in all_probes()]
    kept: dict[tuple[str, str], list[Planted]] = {}
    for each in sorted(planted, key=lambda p: order.index(p.mutation.probe)):
        kept.setdefault((each.mutation.probe, each.mutation.name), []).append(each)
    return {group[0].mutation: group for group in kept.values()}


def found(group: list[Planted]) -> int:
    """How many were found."""
    return sum(each.came not in ("missed", "crashed") for each in group)


def table(planted: list[Planted]) -> str:
    """The table of all mutations."""
    lines = [
        "| probe | planted | topic | subjects | found | recall | told as | other probes' faults |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for mutation, group in rows(planted).items():
        told = sorted({each.came for each in group} - {"missed"})
        others = sorted({other for each in group for other in each.others})
        count, mine = sum(bool(each.others) for each in group), found(group)
        lines.append(
            f"| {mutation.probe} | {mutation.name} | {mutation.topic} | {len(group)} | {mine} | {mine / len(group):.0%} "
            f"| {', '.join(told)} | {f'{count}: ' + ', '.join(others) if others else ''} |"
        )
    return "\n".join(lines)


HEAD = """\
## Planted faults

`make recall`. {measured} {count} faults of {kinds} kinds, planted in sound subjects by changing one thing: models of six
architectures (a plain network, a CNN, an LSTM on text, several inputs and outputs, shortcuts with BatchNormalization, a
model in a model), trained and saved by Keras 3 and by tf_keras as .keras and .h5; their logs and data; reports of real
environments. **{found} of {count} are found ({share:.1%})** by the probe that promises it, with the topic expected; {whole} of
{probes} probes find all of theirs. {kinds_told}.
"fact" counts only where the topic is suspected, which it is here; "refused" means that no probe can look at such a file,
and it is said why. Other probes may rightly find the same fault from their side.

The figure is of faults that their authors thought of: whoever wrote the mutations could read the probes, and after a first
run some mutations were corrected that were no faults in some subjects, and some expected topics that were not those of the
entries. Faults that nobody thought of are found less often.
"""


def section(planted: list[Planted], alarms: list[str], sound: int) -> str:
    """The section of the page."""
    by_probe: dict[str, list[Planted]] = {}
    for each in planted:
        by_probe.setdefault(each.mutation.probe, []).append(each)
    told = Counter(each.came for each in planted)
    head = HEAD.format(
        kinds_told=", ".join(f"{told[came]} are told as {came}" for came in ("fault", "warning", "fact", "refused")),
        measured=measured_with("tensorflow", "keras", "tf_keras"),
        count=len(planted), kinds=len(rows(planted)), found=found(planted), share=found(planted) / len(planted),
        whole=sum(found(group) == len(group) for group in by_probe.values()), probes=len(all_probes()),
    )  # fmt: skip
    lines = [head, table(planted), "", "### Missed", ""]
    lines += [
        f"- {each.mutation.probe}: {each.mutation.name}, in {each.subject}"
        + (f" (said: {cell(each.said)[:160]})" if each.said else "")
        for each in planted if each.came in ("missed", "crashed")
    ] or ["None."]  # fmt: skip
    lines += ["", "### The sound subjects", ""]
    lines += [
        f"As they are, {sound} files with weights and run, and the environments, give {len(alarms)} faults or warnings.",
        "",
    ]
    lines += [f"- {cell(alarm)[:300]}" for alarm in alarms]
    return "\n".join(lines)


if __name__ == "__main__":
    sys.exit(main())
