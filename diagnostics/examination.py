"""Examines one subject with every probe that fits it: what `check` and `env` show and what the doctor weighs.

A file is read and examined in the sandbox; what comes back are findings, decoded as what anyone may have written. How deep to
look is asked for: a model's structure always, its weights and what it does when it is run where `Depth` says so.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from ..errors import SubjectError
from ..knowledge.lines import Line
from ..knowledge.text import Text
from .decoding import decode
from .depth import STRUCTURE, Depth
from .environment import Environment, examine_environment
from .formats import identify
from .hazard import Hazard
from .live import Engine, Live
from .lockdown import Lock
from .probe import Finding, Probe, SubjectKind, all_probes, examine
from .sandbox import run_locked
from .worker import Keras
from .workers import Workers

ENGINES: dict[Keras, Engine] = {"keras-3": "keras", "tf-keras": "tf_keras"}


@dataclass(frozen=True)
class Examination:
    """What was seen of one subject: a finding of each probe, and what the doctor needs to know of it beside them.

    `kind` is None for a file that no probe is for; `statement` says what the file is and `load` how to load it. `line` is the
    Keras line that wrote a model file, `environment` what an interpreter reported, `picture` an SVG; None where it has none.
    `applied` and `missing` are the locks of the sandbox in which a model was run.
    """

    name: str
    kind: SubjectKind | None
    findings: tuple[Finding, ...]
    statement: Text | None = None
    load: Text | None = None
    line: Line | None = None
    picture: str | None = None
    applied: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    environment: Environment | None = None

    @property
    def open_doors(self) -> tuple[str, ...]:
        """The essential locks that did not hold while the model was run."""
        return Lock(self.applied, self.missing).open_doors


@dataclass(frozen=True)
class _Seen:
    """What comes back from the sandbox."""

    kind: SubjectKind | None
    findings: tuple[Finding, ...]
    statement: Text
    load: Text
    line: Line | None = None
    picture: str | None = None
    hazards: tuple[Hazard, ...] = ()


def probes_of(*kinds: SubjectKind, only: frozenset[str] = frozenset()) -> list[Probe]:
    """The probes for some kinds of subject, all or those that `only` names."""
    return [probe for probe in all_probes() if probe.subject in kinds and (not only or probe.id in only)]


def examine_file(
    path: Path,
    suspected: frozenset[str] = frozenset(),
    only: frozenset[str] = frozenset(),
    depth: Depth = STRUCTURE,
    beside: Path | None = None,
    workers: Workers | None = None,
) -> Examination:
    """Examine a model file, a file of weights, a training log or a data sample, told apart by their bytes.

    Args:
        path: the file, or a folder of one of these kinds.
        suspected: the topics that the pasted text was matched to; they also call for the probes of weights.
        only: the ids of the probes to run; empty for all.
        depth: how deep to look.
        beside: the model that a data sample is for.
        workers: where live examinations run; by default a worker is started for this one.
    """
    path = path.absolute()
    beside = beside.absolute() if beside else None
    weights = depth.weights or any(suspected.intersection(probe.topics) for probe in probes_of("weights"))
    job = partial(_look, path, beside, suspected, only, replace(depth, weights=weights))
    try:
        answer = run_locked(job, tuple(each for each in (path, beside) if each))
        seen = decode(_Seen, answer.value, path.name)
    except SubjectError as error:
        return Examination(path.name, "model", _could_not_look(probes_of("model", only=only), path.name, error))
    examined = Examination(path.name, seen.kind, seen.findings, seen.statement, seen.load, seen.line, seen.picture)
    if depth.live and seen.kind == "model":
        return _with_live(examined, path, seen.hazards, suspected, only, depth, workers)
    return examined


def hazards_of(path: Path) -> tuple[Hazard, ...]:
    """What the static gate says of a model file, examined in the sandbox.

    Raises:
        SubjectError: it cannot be examined.
    """
    answer = run_locked(partial(_gate, path), (path,))
    return decode(_Gate, answer.value, path.name).hazards  # type: ignore[no-any-return]


@dataclass(frozen=True)
class _Gate:
    hazards: tuple[Hazard, ...]


def _gate(path: Path, _scratch: Path) -> dict[str, Any]:
    from .safety import unsafe  # noqa: PLC0415 - see _model

    return asdict(_Gate(unsafe(path)))


def examine_python(
    python: Path, suspected: frozenset[str] = frozenset(), only: frozenset[str] = frozenset()
) -> Examination:
    """Examine the environment of an interpreter."""
    probes = probes_of("environment", only=only)
    try:
        environment = examine_environment(python)
    except SubjectError as error:
        return Examination(python.name, "environment", _could_not_look(probes, python.name, error))
    findings = tuple(examine(probe, environment, python.name, suspected) for probe in probes)
    return Examination(python.name, "environment", findings, environment=environment)


def _look(
    path: Path, beside: Path | None, suspected: frozenset[str], only: frozenset[str], depth: Depth, _scratch: Path
) -> dict[str, Any]:
    """The job in the sandbox: read the file as what it is, and run the probes for that."""
    found = identify(path)
    look = {"model": _model, "weights": _weights, "log": _log, "data": _data}.get(found.subject or "", _declined)
    seen = _Seen(found.subject, (), found.statement, found.load)
    return asdict(look(path, beside, seen, _Asked(path.name, suspected, only), depth))


@dataclass(frozen=True)
class _Asked:
    """Which probes to run, and how."""

    name: str
    suspected: frozenset[str]
    only: frozenset[str]

    def run(self, kind: SubjectKind, subject: Any) -> tuple[Finding, ...]:  # noqa: ANN401
        """A finding of each probe for a kind of subject."""
        return tuple(examine(p, subject, self.name, self.suspected) for p in probes_of(kind, only=self.only))

    def refused(self, kind: SubjectKind, reason: Text) -> tuple[Finding, ...]:
        """The same where there is nothing to run them on."""
        probes = probes_of(kind, only=self.only)
        return tuple(Finding(p.id, self.name, "could_not_look", evidence=(reason,)) for p in probes)


def _model(path: Path, _: Path | None, seen: _Seen, asked: _Asked, depth: Depth) -> _Seen:
    from .model_file import read_model  # noqa: PLC0415 - each kind of subject imports what it needs

    model = read_model(path)
    findings = asked.run("model", model)
    if depth.weights:
        findings += _of_weights(path, asked)
    hazards: tuple[Hazard, ...] = ()
    if depth.live:
        from .safety import unsafe  # noqa: PLC0415

        hazards = unsafe(path)
    picture = None
    if depth.picture:
        from .picture_of import picture_of  # noqa: PLC0415

        picture = picture_of(model, findings, depth.lang)
    return replace(seen, findings=findings, line=model.line, picture=picture, hazards=hazards)


def _weights(path: Path, _: Path | None, seen: _Seen, asked: _Asked, _depth: Depth) -> _Seen:
    return replace(seen, findings=_of_weights(path, asked))


def _of_weights(path: Path, asked: _Asked) -> tuple[Finding, ...]:
    from .weights import read_weights  # noqa: PLC0415

    try:
        with read_weights(path) as weights:
            return asked.run("weights", weights)
    except SubjectError as error:
        return asked.refused("weights", Text(str(error), error.zh))


def _log(path: Path, _: Path | None, seen: _Seen, asked: _Asked, depth: Depth) -> _Seen:
    from .training_log import read_log  # noqa: PLC0415

    log = read_log(path)
    findings = asked.run("log", log)
    picture = None
    if depth.picture:
        from .plot import plot_log  # noqa: PLC0415

        picture = plot_log(log, findings, depth.lang)
    return replace(seen, findings=findings, picture=picture)


def _data(path: Path, beside: Path | None, seen: _Seen, asked: _Asked, depth: Depth) -> _Seen:
    from .data_sample import read_sample  # noqa: PLC0415
    from .model_file import read_model  # noqa: PLC0415

    model = read_model(beside) if beside else None
    return replace(seen, findings=asked.run("data", read_sample(path, model, depth.labels)))


def _declined(_path: Path, _: Path | None, seen: _Seen, asked: _Asked, _depth: Depth) -> _Seen:
    reason = Text(
        f"{asked.name} {seen.statement.en}: {seen.load.en}", f"{asked.name} {seen.statement.zh}：{seen.load.zh}"
    )
    return replace(seen, findings=asked.refused("model", reason))


def _with_live(
    examined: Examination,
    path: Path,
    hazards: tuple[Hazard, ...],
    suspected: frozenset[str],
    only: frozenset[str],
    depth: Depth,
    workers: Workers | None,
) -> Examination:
    """Run the model in the sandbox, unless the gate says that its file carries code."""
    probes = probes_of("live", only=only)
    if not probes:
        return examined
    if hazards and not depth.allow_code:
        told = hazards[0].text
        error = SubjectError(
            f"the model is not run: {told.en}; --allow-code runs it all the same, inside the sandbox",
            f"不运行这个模型：{told.zh}；加 --allow-code 可在沙箱内照样运行",
        )
        return replace(examined, findings=examined.findings + _could_not_look(probes, path.name, error))
    try:
        live, lock = _run(path, examined.line, depth, workers)
    except SubjectError as error:
        return replace(examined, findings=examined.findings + _could_not_look(probes, path.name, error))
    findings = tuple(examine(probe, live, path.name, suspected) for probe in probes)
    return replace(examined, findings=examined.findings + findings, applied=lock.applied, missing=lock.missing)


def _run(path: Path, line: Line | None, depth: Depth, workers: Workers | None) -> tuple[Live, Lock]:
    keras: Keras = "keras-3" if line in ("keras-3", None) else "tf-keras"
    arguments = {"path": str(path), "engine": ENGINES[keras], "allow_code": depth.allow_code}
    if workers is None:
        with Workers() as own:
            answer = own.run(keras, "live", arguments, (path,), insist=depth.insist)
    else:
        answer = workers.run(keras, "live", arguments, (path,), insist=depth.insist)
    live: Live = replace(decode(Live, answer.value, path.name), name=path.name)
    failed = live.failures.get("load") or live.failures.get("compile")
    return (replace(live, matched=_topics(failed.traceback)) if failed else live), answer.locks


def _topics(traceback: str) -> tuple[str, ...]:
    """What the matcher makes of an exception: the topic, or nothing where it is not known."""
    from ..knowledge.matcher import Matcher  # noqa: PLC0415
    from ..knowledge.parser import parse  # noqa: PLC0415

    matcher = Matcher.load()
    ranking = matcher.match(parse(traceback))
    if ranking.matches and matcher.calibration.knows(ranking.unknown, alone=False):
        return (ranking.matches[0].topic,)
    return ()


def _could_not_look(probes: list[Probe], name: str, error: SubjectError) -> tuple[Finding, ...]:
    reason = Text(str(error), error.zh)
    return tuple(Finding(probe.id, name, "could_not_look", evidence=(reason,)) for probe in probes)
