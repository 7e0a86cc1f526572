"""Examines one subject with every probe that fits it: what `check` and `env` show and what the doctor weighs.

A file is read and examined in the sandbox; what comes back are findings, decoded as what anyone may have written.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import asdict, dataclass
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import SubjectError
from ..knowledge.lines import Line
from ..knowledge.text import Text
from .decoding import decode
from .environment import Environment, examine_environment
from .model_file import read_model
from .probe import Finding, Probe, SubjectKind, all_probes, examine
from .sandbox import run_locked


@dataclass(frozen=True)
class Examination:
    """What was seen of one subject: a finding of each probe, and what the doctor needs to know of it beside them.

    `line` is the Keras line that wrote a model file, `environment` what an interpreter reported; None where it has none.
    """

    findings: tuple[Finding, ...]
    line: Line | None = None
    environment: Environment | None = None


@dataclass(frozen=True)
class _FileSeen:
    """What comes back from the sandbox."""

    findings: tuple[Finding, ...]
    line: Line | None


def probes_of(kind: SubjectKind, only: frozenset[str] = frozenset()) -> list[Probe]:
    """The probes for a kind of subject, all or those that `only` names."""
    return [probe for probe in all_probes() if probe.subject == kind and (not only or probe.id in only)]


def examine_model(
    path: Path, suspected: frozenset[str] = frozenset(), only: frozenset[str] = frozenset()
) -> Examination:
    """Examine a model file; one that cannot be read is told by every probe."""
    probes = probes_of("model", only)
    try:
        answer = run_locked(partial(_look_at_model, path.absolute(), probes, suspected), (path.absolute(),))
        seen = decode(_FileSeen, answer.value, path.name)
    except SubjectError as error:
        return Examination(_could_not_look(probes, path.name, error))
    return Examination(seen.findings, seen.line)


def _look_at_model(path: Path, probes: Iterable[Probe], suspected: frozenset[str], _scratch: Path) -> dict[str, Any]:
    model = read_model(path)
    return asdict(_FileSeen(tuple(examine(probe, model, path.name, suspected) for probe in probes), model.line))


def examine_python(
    python: Path, suspected: frozenset[str] = frozenset(), only: frozenset[str] = frozenset()
) -> Examination:
    """Examine the environment of an interpreter."""
    probes = probes_of("environment", only)
    try:
        environment = examine_environment(python)
    except SubjectError as error:
        return Examination(_could_not_look(probes, python.name, error))
    findings = tuple(examine(probe, environment, python.name, suspected) for probe in probes)
    return Examination(findings, environment=environment)


def _could_not_look(probes: list[Probe], name: str, error: SubjectError) -> tuple[Finding, ...]:
    reason = Text(str(error), error.zh)
    return tuple(Finding(probe.id, name, "could_not_look", evidence=(reason,)) for probe in probes)
