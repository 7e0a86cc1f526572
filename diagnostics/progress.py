"""What a job tells while it runs, and how whoever waits for it has it ended.

A job tells its steps to a `Watch`; where it runs in the sandbox they come as lines over the pipe of its answer, from a process
that may be hostile: `step_of` takes only what names a known step.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from threading import Event
from typing import Any, Literal, get_args

from ..errors import Cancelled
from ..knowledge.text import Text
from .catalogue import listed_probes
from .probe import Finding, Outcome, Probe, examine

# The steps of a job that are no probes, with what a reader is told while they run.
STEPS = {
    "read": Text("reading the file", "读取文件"),
    "gate": Text("looking for code in the file", "检查文件里有没有代码"),
    "load": Text("loading the model", "加载模型"),
    "forward": Text("running the model on made inputs", "用生成的输入运行模型"),
    "train": Text("taking a training step", "训练一步"),
    "modes": Text("comparing inference and training mode", "对比推理模式和训练模式"),
    "reload": Text("saving and loading the model again", "保存后重新加载模型"),
    "mend": Text("mending the copy", "修复副本"),
    "save": Text("saving the copy", "保存副本"),
    "prove": Text("running the copy beside the original", "把副本和原文件对照运行"),
}
LINE = b'{"step": '  # how the line of a step begins, which no other line of a job does
MAX_LINE = 300  # bytes
MAX_STEPS = 1000  # of one job
State = Literal["started", "ended"]


@dataclass(frozen=True)
class Step:
    """What a job tells while it runs.

    `subject` is the name of the file, `probe` the id of a listed probe or a name of `STEPS`; `outcome` is that of the finding,
    when a probe ended.
    """

    subject: str
    probe: str
    state: State
    outcome: str | None = None


class Watch:
    """Follows one job or several in turn, and ends what runs when it is told to."""

    def __init__(self, told: Callable[[Step], None] = lambda _step: None) -> None:
        """`told` is called with each step, in the thread that waits for the job; what it raises ends the job."""
        self._told = told
        self._cancelled = Event()

    def cancel(self) -> None:
        """End the job that runs, and begin none; whoever waits for it gets `Cancelled`. From any thread."""
        self._cancelled.set()

    @property
    def cancelled(self) -> bool:
        """Whether it was cancelled."""
        return self._cancelled.is_set()

    def check(self) -> None:
        """Go on only where it was not.

        Raises:
            Cancelled: it was.
        """
        if self.cancelled:
            raise Cancelled

    def tell(self, step: Step) -> None:
        """Pass a step on; none is told any more once it is cancelled, though a job may have been ahead."""
        if not self.cancelled:
            self._told(step)

    @contextmanager
    def step(self, subject: str, name: str) -> Iterator[None]:
        """Tell that a step of `STEPS` starts and, however it does, ends."""
        self.tell(Step(subject, name, "started"))
        try:
            yield
        finally:
            self.tell(Step(subject, name, "ended"))

    def examine(
        self,
        probes: Iterable[Probe],
        subject: Any,  # noqa: ANN401 - as for `probe.examine`
        name: str,
        suspected: frozenset[str],
    ) -> tuple[Finding, ...]:
        """Run probes on a subject, each with its start and its end.

        Raises:
            Cancelled: it was cancelled between two of them.
        """
        return tuple(self._examined(probe, subject, name, suspected) for probe in probes)

    def _examined(self, probe: Probe, subject: Any, name: str, suspected: frozenset[str]) -> Finding:  # noqa: ANN401
        self.check()
        self.tell(Step(name, probe.id, "started"))
        finding = examine(probe, subject, name, suspected)
        self.tell(Step(name, probe.id, "ended", finding.outcome))
        return finding


class _OfJob(Watch):
    """The watch of the job that this process is: it tells nothing until the process is a locked child."""

    def tell_by(self, told: Callable[[Step], None]) -> None:
        """From now on, tell the steps to this."""
        self._told = told


OF_JOB = _OfJob()


def line_of(step: Step) -> bytes:
    """A step as a line of a job. Whoever reads it knows the subject better."""
    return json.dumps({"step": [step.probe, step.state, step.outcome]}).encode() + b"\n"


def step_of(line: bytes, subject: str) -> Step | None:
    """The step in a line that begins as `LINE`; None where it is not one that is known."""
    try:
        if len(line) > MAX_LINE:
            return None
        probe, state, outcome = json.loads(line)["step"]
        known = probe in _known() and state in get_args(State) and outcome in (None, *get_args(Outcome))
    except (ValueError, TypeError, RecursionError):
        return None
    return Step(subject, probe, state, outcome) if known else None


@cache
def _known() -> frozenset[str]:
    return frozenset(STEPS) | {probe.id for probe in listed_probes()}
