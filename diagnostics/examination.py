"""Examines one subject with every probe that fits it: what `check` shows and what the doctor weighs."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from ..errors import SubjectError
from ..knowledge.text import Text
from .environment import Environment, examine_environment
from .model_file import ModelFile, read_model
from .probe import Finding, Probe, SubjectKind, all_probes, examine

Subject = TypeVar("Subject")


@dataclass(frozen=True)
class Examination(Generic[Subject]):
    """A subject as it was read, None where it could not be, and a finding of each probe."""

    subject: Subject | None
    findings: tuple[Finding, ...]


def probes_of(kind: SubjectKind, only: frozenset[str] = frozenset()) -> list[Probe]:
    """The probes for a kind of subject, all or those that `only` names."""
    return [probe for probe in all_probes() if probe.subject == kind and (not only or probe.id in only)]


def examine_model(
    path: Path, suspected: frozenset[str] = frozenset(), only: frozenset[str] = frozenset()
) -> Examination[ModelFile]:
    """Examine a model file; one that cannot be read is told by every probe."""
    probes = probes_of("model", only)
    try:
        model = read_model(path)
    except SubjectError as error:
        return Examination(None, _could_not_look(probes, path.name, error))
    return Examination(model, tuple(examine(probe, model, path.name, suspected) for probe in probes))


def examine_python(
    python: Path, suspected: frozenset[str] = frozenset(), only: frozenset[str] = frozenset()
) -> Examination[Environment]:
    """Examine the environment of an interpreter."""
    probes = probes_of("environment", only)
    try:
        environment = examine_environment(python)
    except SubjectError as error:
        return Examination(None, _could_not_look(probes, python.name, error))
    return Examination(environment, tuple(examine(probe, environment, python.name, suspected) for probe in probes))


def _could_not_look(probes: list[Probe], name: str, error: SubjectError) -> tuple[Finding, ...]:
    reason = Text(str(error), str(error))
    return tuple(Finding(probe.id, name, "could_not_look", (), (), (reason,)) for probe in probes)
