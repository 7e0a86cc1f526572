"""Reports of environments that come as files: from the script that people download, from other releases, and from no one good."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from kerasdoctor.diagnostics.catalogue import probes_of
from kerasdoctor.diagnostics.doctor import Doctor, Subjects
from kerasdoctor.diagnostics.environment import MAX_REPORT, SCRIPT, Environment
from kerasdoctor.diagnostics.environment_download import NAME, environment_script
from kerasdoctor.diagnostics.examination import Examination, examine_file
from kerasdoctor.diagnostics.probe import Finding, examine
from kerasdoctor.knowledge.matcher import Matcher

REPORTS = sorted(Path(__file__).with_name("environments").glob("*.json"))
PROBES = probes_of("environment")


def read(path: Path) -> dict[str, Any]:
    report: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return report


def examined(folder: Path, report: object, encoding: str = "utf-8") -> Examination:
    """A report that was uploaded under a name that says nothing."""
    (folder / "upload").write_bytes(json.dumps(report, indent=1).encode(encoding))
    return examine_file(folder / "upload")


def said(findings: tuple[Finding, ...]) -> set[str]:
    return {text.en for finding in findings for text in finding.evidence}


@pytest.mark.parametrize("path", REPORTS, ids=lambda path: path.stem)
def test_a_report_is_examined_as_the_environment_itself(path: Path) -> None:
    """The same findings of the same probes; the environment comes with them."""
    environment = Environment.from_json(read(path))
    told = examine_file(path)
    assert told.kind == "environment"
    assert told.environment == environment
    assert told.findings == tuple(examine(probe, environment, path.name, frozenset()) for probe in PROBES)


@pytest.mark.parametrize("encoding", ["utf-16", "utf-8-sig"])
def test_what_power_shell_redirects_is_read(tmp_path: Path, encoding: str) -> None:
    """Its `>` writes UTF-16 with a mark at the start, newer ones UTF-8 with one."""
    assert examined(tmp_path, read(REPORTS[0]), encoding).environment == Environment.from_json(read(REPORTS[0]))


def test_the_doctor_takes_the_versions_from_a_report(matcher: Matcher) -> None:
    """They are those of the reader's Keras; what else could still be examined is no environment."""
    report = next(path for path in REPORTS if path.stem == "no-gpu")
    keras = Environment.from_json(read(report)).version_of("keras")
    diagnosis = Doctor(matcher).diagnose("How do I train one model on several GPUs at once?", Subjects((report,)))
    assert diagnosis.told.keras == keras
    assert diagnosis.told.line == "keras-3"
    assert {finding.probe for finding in diagnosis.findings} == {probe.id for probe in PROBES}
    assert diagnosis.question is None or diagnosis.question.subject != "environment"


HOSTILE: list[tuple[dict[str, Any], str]] = [
    ({"format": 1}, "format '1', expected 2"),
    ({"format": 10**300}, "expected 2"),
    ({"python": None}, "NoneType, expected Interpreter"),
    ({"python": {"version": 3}}, "python.version: int, expected str"),
    ({"gpus": [], "nodes": {"a": 1}}, "nodes: dict"),
    ({"cpu": {"cores": "many"}}, "cpu.cores: str, expected int"),
    ({"missing": {"a": []}}, "missing.a: list, expected str"),
    ({"user_site": "x" * MAX_REPORT}, "larger than 4,000,000 bytes"),
]


@pytest.mark.parametrize(("change", "words"), HOSTILE, ids=[words for _, words in HOSTILE])
def test_a_report_that_is_none_could_not_be_looked_at(tmp_path: Path, change: dict[str, Any], words: str) -> None:
    """The field is named, by each probe that would have looked."""
    told = examined(tmp_path, read(REPORTS[0]) | {"missing": {}} | change)
    assert told.kind == "environment"
    assert told.environment is None
    assert {finding.outcome for finding in told.findings} == {"could_not_look"}
    assert {finding.probe for finding in told.findings} == {probe.id for probe in PROBES}
    assert all(words in text for text in said(told.findings))


def test_odd_values_crash_nothing(tmp_path: Path, matcher: Matcher) -> None:
    """Half a character, numbers beyond all sense, texts without end: an examination, and a diagnosis that can be sent."""
    report = read(next(path for path in REPORTS if path.stem == "no-gpu"))
    report["distributions"] |= {"keras": "3." * 100_000, "tensorflow": "\ud800<script>", "\udfff": "1"}
    report["keras"] |= {"version": None}
    report |= {
        "memory": {"total": -(10**30), "available": 10**30},
        "seconds": 1e308,
        "cpu": {"name": "\udc00", "cores": 0},
    }
    told = examined(tmp_path, report)
    assert told.environment is not None
    assert json.dumps(told.environment.as_json(), ensure_ascii=False).encode()
    diagnosis = Doctor(matcher).diagnose("", Subjects((tmp_path / "upload",))).as_json()
    assert json.dumps(diagnosis, ensure_ascii=False).encode()
    assert len(diagnosis["told"]["keras"] or "") < 100


def test_the_script_is_one_file_with_everything_in_it() -> None:
    """The sources of all three, as they are; short enough to read, and Python 3.7."""
    source = environment_script()
    compile(source, NAME, "exec")
    for name in ("environment_machine", "environment_packages"):
        assert SCRIPT.with_name(f"{name}.py").read_text(encoding="utf-8") in source
    assert SCRIPT.read_text(encoding="utf-8").partition("def main()")[2] in source


@pytest.mark.usefixtures("place")
def test_the_downloaded_script_prints_a_report(empty_python: Path, tmp_path: Path) -> None:
    """`python environment.py > environment.json`, in a folder with a file that hides the standard library."""
    folder = tmp_path / "downloads"
    folder.mkdir()
    (folder / NAME).write_text(environment_script(), encoding="utf-8")
    (folder / "random.py").write_text("raise SystemExit('hidden')")
    with (folder / "environment.json").open("wb") as report:
        ended = subprocess.run([empty_python, NAME], cwd=folder, stdout=report, stderr=subprocess.PIPE, check=False)
    assert (ended.returncode, ended.stderr) == (0, b"")
    assert {path.name for path in folder.iterdir()} == {NAME, "random.py", "environment.json"}
    told = examine_file(folder / "environment.json")
    assert told.environment is not None
    assert told.environment.python.version == ".".join(map(str, sys.version_info[:3]))
    assert told.environment.missing == {}
    assert str(tmp_path / "home") not in (folder / "environment.json").read_text() or os.name == "nt"
    assert [shadow.name for shadow in told.environment.shadows] == ["random.py"]
    assert {finding.probe: finding.outcome for finding in told.findings}["imports"] == "finding"
