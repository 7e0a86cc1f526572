"""Examines one subject with every probe that fits it: what `check` and `env` show and what the doctor weighs.

A file is read and examined in the sandbox; what comes back are findings, decoded as what anyone may have written. How deep to
look is asked for: a model's structure always, its weights and what it does when it is run where `Depth` says so. Where there
are workers, they read the files too and this process is never forked; without them its own forks do, which start at once.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from ..errors import Cancelled, IndexMissingError, SandboxError, SubjectError
from ..knowledge.lines import Line
from ..knowledge.text import Text
from .catalogue import listed_probes, probe_of, probes_of
from .decoding import decode
from .depth import STRUCTURE, Depth
from .environment import Environment, examine_environment
from .hazard import Hazard
from .live import Engine, Failure, Live
from .lockdown import Lock
from .looking import Asked, Gate, Seen, could_not_look, gate_at, in_words, look
from .probe import Finding, SubjectKind
from .progress import Watch
from .sandbox import STATIC, Answer, run_locked
from .worker_process import Kind
from .workers import Workers

ENGINES: dict[Kind, Engine] = {"keras-3": "keras", "tf-keras": "tf_keras"}
# How much more likely a topic about loading is than another one, where loading failed; and from where on it is named.
ABOUT_LOADING = 3.0
SURE = 0.5
_TEXTS = frozenset({".csv", ".tsv", ".txt", ".log"})


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


def examine_file(
    path: Path,
    suspected: frozenset[str] = frozenset(),
    only: frozenset[str] = frozenset(),
    depth: Depth = STRUCTURE,
    beside: Path | None = None,
    workers: Workers | None = None,
    watch: Watch | None = None,
) -> Examination:
    """Examine a model file, weights, a training log, a data sample or a report of an environment, told apart by their bytes.

    Args:
        path: the file, or a folder of one of these kinds.
        suspected: the topics that the pasted text was matched to; they also call for the probes of weights.
        only: the ids of the probes to run; empty for all.
        depth: how deep to look.
        beside: the model that a data sample is for.
        workers: where everything runs; by default files are read in forks of this process, and a worker is started to run a model.
        watch: is told the steps; where it is cancelled, what runs is ended.

    Raises:
        Cancelled: the watch was.
    """
    watch = watch or Watch()
    path = path.absolute()
    beside = beside.absolute() if beside else None
    on_weights = {topic for probe in listed_probes() if probe.subject == "weights" for topic in probe.topics}
    weights = depth.weights or bool(suspected & on_weights)
    asked = Asked(path, suspected, only, replace(depth, weights=weights), beside)
    try:
        answer = _looked(asked, workers, watch)
        seen: Seen = decode(Seen, answer.value, path.name)
    except Cancelled:
        raise
    except SubjectError as error:  # what is in it broke the reader
        refused = could_not_look(probes_of("model", only=only), path.name, in_words(error))
        return Examination(path.name, None, refused)
    examined = Examination(
        path.name,
        seen.kind,
        seen.findings,
        seen.statement,
        seen.load,
        seen.line,
        seen.picture,
        environment=seen.environment,
    )
    if depth.live and seen.kind == "model":
        return _with_live(examined, seen, asked, workers, watch)
    return examined


def examine_files(
    paths: tuple[Path, ...],
    suspected: frozenset[str] = frozenset(),
    only: frozenset[str] = frozenset(),
    depth: Depth = STRUCTURE,
    workers: Workers | None = None,
    watch: Watch | None = None,
) -> list[Examination]:
    """Examine files as `examine_file` does; data samples among them are held against the model where there is exactly one."""
    paths = tuple(dict.fromkeys(paths))
    examined = [examine_file(path, suspected, only, depth, workers=workers, watch=watch) for path in paths]
    models = [path for path, each in zip(paths, examined, strict=True) if each.kind == "model"]
    if len(models) != 1:
        return examined
    return [
        examine_file(path, suspected, only, depth, models[0], workers, watch) if each.kind == "data" else each
        for path, each in zip(paths, examined, strict=True)
    ]


def _looked(asked: Asked, workers: Workers | None, watch: Watch) -> Answer:
    if workers is not None:
        return workers.run("reader", "look", asked.as_arguments(), asked.readable, STATIC, watch=watch)
    _warm(asked.path)
    return run_locked(partial(look, asked), asked.readable, watch=watch)


def _warm(path: Path) -> None:
    """Import here, once, what files of models and weights need and each fork would import anew."""
    if path.suffix.lower() in _TEXTS:
        return
    probes_of("model")
    with suppress(ImportError):  # an optional extra; without it what needs it says so
        import h5py  # noqa: F401, PLC0415


def hazards_of(path: Path, workers: Workers | None = None, watch: Watch | None = None) -> tuple[Hazard, ...]:
    """What the static gate says of a model file, examined in the sandbox.

    Raises:
        SubjectError: it cannot be examined.
        Cancelled: the watch was.
    """
    path = path.absolute()
    if workers is not None:
        answer = workers.run("reader", "gate", {"path": str(path)}, (path,), STATIC, watch=watch)
    else:
        answer = run_locked(partial(gate_at, path=str(path)), (path,), watch=watch)
    return decode(Gate, answer.value, path.name).hazards  # type: ignore[no-any-return]


def examine_python(
    python: Path,
    suspected: frozenset[str] = frozenset(),
    only: frozenset[str] = frozenset(),
    watch: Watch | None = None,
) -> Examination:
    """Examine the environment of an interpreter.

    Raises:
        Cancelled: the watch was.
    """
    watch = watch or Watch()
    watch.check()
    probes = probes_of("environment", only=only)
    try:
        with watch.step(python.name, "read"):
            environment = examine_environment(python)
    except SubjectError as error:
        return Examination(python.name, "environment", could_not_look(probes, python.name, in_words(error)))
    findings = watch.examine(probes, environment, python.name, suspected)
    return Examination(python.name, "environment", findings, environment=environment)


def _with_live(examined: Examination, seen: Seen, asked: Asked, workers: Workers | None, watch: Watch) -> Examination:
    """Run the model in the sandbox, unless there is nothing to run or the gate says that its file carries code."""
    probes, name = probes_of("live", only=asked.only), examined.name
    if not probes:
        return examined
    if reason := seen.idle or _refusal(seen.hazards, allow_code=asked.depth.allow_code):
        return replace(examined, findings=examined.findings + could_not_look(probes, name, reason))
    try:
        live, lock = _run(asked.path, seen.line, asked.depth, workers, watch)
    except Cancelled:
        raise
    except SubjectError as error:
        return replace(examined, findings=examined.findings + could_not_look(probes, name, in_words(error)))
    findings = watch.examine(probes, live, name, asked.suspected)
    return replace(examined, findings=examined.findings + findings, applied=lock.applied, missing=lock.missing)


def _refusal(hazards: tuple[Hazard, ...], *, allow_code: bool) -> Text | None:
    """Why the gate keeps the model from being run. Whoever allows code allows that of lambdas, not what no model needs."""
    refused = sorted((hazard for hazard in hazards if not (hazard.code and allow_code)), key=lambda hazard: hazard.code)
    if not refused:
        return None
    en, zh = refused[0].text.en, refused[0].text.zh
    if refused[0].code:
        en += "; --allow-code runs it all the same, inside the sandbox"
        zh += "；加 --allow-code 可在沙箱内照样运行"
    return Text(f"the model is not run: {en}", f"不运行这个模型：{zh}")


def _run(path: Path, line: Line | None, depth: Depth, workers: Workers | None, watch: Watch) -> tuple[Live, Lock]:
    if workers is None:
        with Workers() as own:
            return _run(path, line, depth, own, watch)
    try:
        live, lock = _ask(path, line, depth, workers, watch, train=True)
    except Cancelled:
        raise
    except SandboxError as error:
        # TensorFlow itself crashes in the gradients of some convolutions, and training is what takes most time and memory.
        live, lock = _ask(path, line, depth, workers, watch, train=False)
        ended = Failure("SandboxError", str(error), str(error))
        live = replace(live, failures={"train": ended, **live.failures})
    failed = live.failures.get("load") or live.failures.get("compile")
    return (replace(live, matched=_topics(failed.traceback)) if failed else live), lock


def _ask(
    path: Path, line: Line | None, depth: Depth, workers: Workers, watch: Watch, *, train: bool
) -> tuple[Live, Lock]:
    kind: Kind = "keras-3" if line in ("keras-3", None) else "tf-keras"
    arguments = {"path": str(path), "engine": ENGINES[kind], "allow_code": depth.allow_code, "train": train}
    answer = workers.run(kind, "live", arguments, (path,), insist=depth.insist, watch=watch)
    live: Live = decode(Live, answer.value, path.name)
    return replace(live, name=path.name), answer.locks


def _topics(traceback: str) -> tuple[str, ...]:
    """What the matcher makes of an exception of loading: the topic, or nothing where it is not known.

    The classes and arguments that stand in such a message point to other topics as well; those about loading count for more.
    """
    from ..knowledge.matcher import Matcher  # noqa: PLC0415
    from ..knowledge.parser import parse  # noqa: PLC0415

    try:
        matcher = Matcher.load()
    except IndexMissingError:  # never built: the exception is shown all the same, without a topic
        return ()
    ranking = matcher.match(parse(traceback))
    about_loading = set(probe_of("live-load").topics)
    weighed = {m.topic: m.confidence * (ABOUT_LOADING if m.topic in about_loading else 1) for m in ranking.matches}
    best = max(weighed, key=lambda topic: weighed[topic], default=None)
    if best is None or weighed[best] < SURE or not matcher.calibration.knows(ranking.unknown, alone=False):
        return ()
    return (best,)
