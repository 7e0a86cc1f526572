"""The job in the sandbox: read a file as what it is, and run the probes for that. Nothing in it is run here."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from ..errors import SubjectError
from ..knowledge.lines import Line
from ..knowledge.text import Text
from .catalogue import probes_of
from .decoding import decode
from .depth import Depth
from .environment import MAX_REPORT, Environment
from .formats import identify
from .hazard import Hazard
from .model_file import Container, ModelFile, read_model
from .probe import Finding, Probe, SubjectKind
from .progress import OF_JOB

# The probe that needs no more of a file than where it lies: it looks at what cannot be read as a model as well.
GATE = "unsafe-content"
# Declined by `identify`, and yet there is something that the gate can examine.
_PACKED_MODELS = ("saved-model-zip", "saved-model-tar", "saved-model-tar-gz", "frozen-graph")
_ARCHITECTURE = Text("it holds the architecture only, without weights", "它只有模型结构，没有权重")
_NO_LAYERS = Text(
    "a SavedModel that was exported without its Keras layers", "这个 SavedModel 导出时没有带上 Keras 的层信息"
)
_NO_WEIGHTS = {
    "JSON": _ARCHITECTURE,
    "YAML": _ARCHITECTURE,
    "SavedModel": Text(
        "the weights of a SavedModel are a TensorFlow checkpoint, which is not read here; save the model as .keras",
        "SavedModel 的权重是 TensorFlow 检查点，这里不读取；请把模型另存为 .keras",
    ),
}
_NOT_RUN = {
    "JSON": _ARCHITECTURE,
    "YAML": _ARCHITECTURE,
    "SavedModel": Text(
        "it has no Keras layers (or is not the whole folder), so Keras does not load it as a model",
        "其中没有 Keras 层（或不是完整的目录），Keras 无法把它作为模型加载",
    ),
}


@dataclass(frozen=True)
class Seen:
    """What comes back from the sandbox. `idle` is why a model is not run where that was asked for; None where it may be."""

    kind: SubjectKind | None
    findings: tuple[Finding, ...]
    statement: Text
    load: Text
    line: Line | None = None
    picture: str | None = None
    hazards: tuple[Hazard, ...] = ()
    idle: Text | None = None
    environment: Environment | None = None


@dataclass(frozen=True)
class Gate:
    """What the static gate says of a file."""

    hazards: tuple[Hazard, ...]


@dataclass(frozen=True)
class Asked:
    """Which probes to run on which file: all for a kind or those that `only` names; `suspected` are topics."""

    path: Path
    suspected: frozenset[str]
    only: frozenset[str]
    depth: Depth
    beside: Path | None = None

    @property
    def readable(self) -> tuple[Path, ...]:
        """The files that are read."""
        return (self.path, self.beside) if self.beside else (self.path,)

    def as_arguments(self) -> dict[str, Any]:
        """The arguments of `look_at`, as plain JSON values."""
        return {
            "path": str(self.path),
            "suspected": sorted(self.suspected),
            "only": sorted(self.only),
            "depth": asdict(self.depth),
            "beside": str(self.beside) if self.beside else None,
        }

    def reading(self) -> AbstractContextManager[None]:
        """Tells that the file is being read."""
        return OF_JOB.step(self.path.name, "read")

    def run(self, kind: SubjectKind, subject: Any) -> tuple[Finding, ...]:  # noqa: ANN401
        """A finding of each probe for a kind of subject."""
        return OF_JOB.examine(probes_of(kind, only=self.only), subject, self.path.name, self.suspected)

    def refused(self, kind: SubjectKind, reason: Text) -> tuple[Finding, ...]:
        """The same where there is nothing to run them on."""
        return could_not_look(probes_of(kind, only=self.only), self.path.name, reason)

    def gate(self) -> tuple[Finding, ...]:
        """What the gate says of a file that is read as no model."""
        probes = [probe for probe in probes_of("model", only=self.only) if probe.id == GATE]
        return OF_JOB.examine(probes, _AtPath(self.path), self.path.name, self.suspected)


@dataclass(frozen=True)
class _AtPath:
    """As much of a model file as the gate asks for."""

    path: Path


def could_not_look(probes: list[Probe], name: str, reason: Text) -> tuple[Finding, ...]:
    """The finding of each probe where there is nothing to run it on."""
    return tuple(Finding(probe.id, name, "could_not_look", evidence=(reason,)) for probe in probes)


def in_words(error: SubjectError) -> Text:
    """What an error says, in both languages."""
    return Text(str(error), error.zh)


def look(asked: Asked, _scratch: Path) -> dict[str, Any]:
    """Read the file as what it is, and run the probes for that; the JSON form of `Seen`."""
    found = identify(asked.path)
    seen = Seen(found.subject, (), found.statement, found.load)
    reader = _READERS.get(found.subject or "")
    if reader is None:
        return asdict(_declined(seen, asked, packed=found.id in _PACKED_MODELS))
    try:
        return asdict(reader(seen, asked))
    except SubjectError as error:  # it is of this kind, but damaged or out of bounds
        gate = asked.gate() if found.subject == "model" else ()
        refused = asked.refused(found.subject or "model", in_words(error))
        return asdict(replace(seen, findings=_with(refused, gate), idle=in_words(error)))


def look_at(
    scratch: Path, path: str, suspected: list[str], only: list[str], depth: dict[str, Any], beside: str | None
) -> dict[str, Any]:
    """`look`, as the job of a worker; the arguments are those of `Asked.as_arguments`."""
    how = decode(Depth, depth, "depth")
    return look(
        Asked(Path(path), frozenset(suspected), frozenset(only), how, Path(beside) if beside else None), scratch
    )


def gate_at(_scratch: Path, path: str) -> dict[str, Any]:
    """The job that asks the static gate; the JSON form of `Gate`."""
    from .safety import unsafe  # noqa: PLC0415 - only what runs a model needs it

    with OF_JOB.step(Path(path).name, "gate"):
        return asdict(Gate(unsafe(Path(path))))


def _model(seen: Seen, asked: Asked) -> Seen:
    with asked.reading():
        model, depth = read_model(asked.path), asked.depth
    findings = asked.run("model", model)
    if model.container == "SavedModel" and model.config is None:
        looked = tuple(finding for finding in findings if finding.outcome != "could_not_look")
        findings = _with(asked.refused("model", _NO_LAYERS), looked)
    if depth.weights:
        missing = _NO_WEIGHTS.get(model.container)
        findings += asked.refused("weights", missing) if missing else _of_weights(asked)
    hazards: tuple[Hazard, ...] = ()
    if depth.live:
        from .safety import unsafe  # noqa: PLC0415 - each kind of subject imports what it needs

        with OF_JOB.step(asked.path.name, "gate"):
            hazards = unsafe(asked.path)
    picture = None
    if depth.picture:
        from .picture_of import picture_of  # noqa: PLC0415

        picture = picture_of(model, findings, depth.lang)
    return replace(
        seen, findings=findings, line=model.line, picture=picture, hazards=hazards, idle=_idle(model.container, model)
    )


def _idle(container: Container, model: ModelFile) -> Text | None:
    if container == "SavedModel" and model.config is not None and model.path.is_dir():
        return None
    return _NOT_RUN.get(container)


def _weights(seen: Seen, asked: Asked) -> Seen:
    return replace(seen, findings=asked.gate() + _of_weights(asked))


def _of_weights(asked: Asked) -> tuple[Finding, ...]:
    from .weights import read_weights  # noqa: PLC0415

    try:
        with read_weights(asked.path) as weights:
            return asked.run("weights", weights)
    except SubjectError as error:
        return asked.refused("weights", in_words(error))


def _log(seen: Seen, asked: Asked) -> Seen:
    from .training_log import read_log  # noqa: PLC0415

    with asked.reading():
        log = read_log(asked.path)
    findings = asked.run("log", log)
    picture = None
    if asked.depth.picture:
        from .plot import plot_log  # noqa: PLC0415

        picture = plot_log(log, findings, asked.depth.lang)
    return replace(seen, findings=findings, picture=picture)


def _data(seen: Seen, asked: Asked) -> Seen:
    from .data_sample import read_sample  # noqa: PLC0415

    with asked.reading():
        sample = read_sample(asked.path, _beside(asked), asked.depth.labels)
    return replace(seen, findings=asked.run("data", sample))


def _beside(asked: Asked) -> ModelFile | None:
    """The model that the data are for. Where it cannot be read, its own examination says so."""
    try:
        return read_model(asked.beside) if asked.beside else None
    except SubjectError:
        return None


def _environment(seen: Seen, asked: Asked) -> Seen:
    with asked.reading(), asked.path.open("rb") as file:
        report = file.read(MAX_REPORT + 1)
        if len(report) > MAX_REPORT:
            raise SubjectError(
                f"environment report: larger than {MAX_REPORT:,} bytes, which no report is: make it again",
                f"环境报告超过 {MAX_REPORT:,} 字节，不是正常的报告：请重新生成",
            )
        environment = Environment.from_json(json.loads(report))
    return replace(seen, findings=asked.run("environment", environment), environment=environment)


def _declined(seen: Seen, asked: Asked, *, packed: bool) -> Seen:
    name = asked.path.name
    reason = Text(f"{name} {seen.statement.en}: {seen.load.en}", f"{name} {seen.statement.zh}：{seen.load.zh}")
    return replace(seen, findings=_with(asked.refused("model", reason), asked.gate() if packed else ()))


def _with(refused: tuple[Finding, ...], gate: tuple[Finding, ...]) -> tuple[Finding, ...]:
    """What the gate saw stands in its place among the others."""
    told = {finding.probe: finding for finding in gate}
    return tuple(told.get(finding.probe, finding) for finding in refused)


_READERS: dict[str, Callable[[Seen, Asked], Seen]] = {
    "model": _model, "weights": _weights, "log": _log, "data": _data, "environment": _environment,
}  # fmt: skip
