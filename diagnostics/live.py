"""What a model does when it is run: it is loaded, fed, trained for one step, saved and loaded again, in the sandbox.

`examine_live` runs in the worker, the one place where Keras is imported; what it returns is plain JSON, from which `Live` is
decoded again on this side. Inputs and labels are made from a fixed seed, so the same file gives the same report.
"""

from __future__ import annotations

import os
import shutil
import time
import traceback
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Literal

from .live_inputs import KINDS, has_fixed_batch, made_inputs, made_labels
from .live_keras import Runner, runner
from .progress import OF_JOB

MAX_TRACEBACK = 20_000
MAX_MESSAGE = 4000
BATCH = 8
# Large models are given fewer samples, which tell the same and take a quarter of the time.
LARGE, FEW = 5_000_000, 2
Engine = Literal["keras", "tf_keras"]


@dataclass(frozen=True)
class Failure:
    """An exception of one step: its class, its message, and the traceback as Python prints it (cut in the middle)."""

    type: str
    message: str
    traceback: str


@dataclass(frozen=True)
class Output:
    """What came out of one output for one kind of made input.

    `spread` is the largest difference between the outputs of two samples of the batch. Texts have no numbers: all are zero.
    """

    name: str
    kind: str
    shape: tuple[int, ...]
    dtype: str
    not_finite: int
    lowest: float
    highest: float
    spread: float

    @property
    def is_float(self) -> bool:
        """Whether it can have a gradient, and varies with its inputs: a class, a rank or a text may well stay the same."""
        return self.dtype.startswith(("float", "bfloat"))


@dataclass(frozen=True)
class Gradient:
    """The gradient of one trainable weight in one training step; `norm` is None where no gradient came at all."""

    layer: str
    weight: str
    norm: float | None
    not_finite: int = 0


@dataclass(frozen=True)
class Step:
    """One training step: the loss that was used ("compiled", or "mean square of the outputs"), its value, gradients."""

    kind: str
    loss: str
    value: float
    gradients: tuple[Gradient, ...]


@dataclass(frozen=True)
class Live:
    """What running the model showed. A step that failed has its exception in `failures`, and its values are missing.

    `compiled` tells whether it loaded with what it was compiled with. `reloaded`, `alone` and `training` are the largest
    differences of the outputs, relative to their largest value: after saving and loading again, of each sample given alone,
    and in training mode. `seconds` and `memory` (bytes, the most that was resident) are what the examination took. `matched` are
    the topics that the exception of loading was matched to, filled in by whoever asked for the examination.
    """

    name: str
    engine: str
    version: str
    compiled: bool = False
    parameters: int = 0
    failures: dict[str, Failure] = field(default_factory=dict)
    outputs: tuple[Output, ...] = ()
    steps: tuple[Step, ...] = ()
    reloaded: float | None = None
    alone: float | None = None
    training: float | None = None
    seconds: dict[str, float] = field(default_factory=dict)
    memory: int = 0
    matched: tuple[str, ...] = ()


def examine_live(
    scratch: Path, path: str, engine: Engine, *, allow_code: bool = False, train: bool = True
) -> dict[str, Any]:
    """Run a model file and report, as the JSON form of `Live`.

    Args:
        scratch: a folder to write in.
        path: the file.
        engine: the Keras to load it with.
        train: take training steps too.
        allow_code: load lambdas whose bytecode is in the file as well.
    """
    return asdict(_Examination(Path(path), runner(engine), scratch, allow_code).run(train=train))


class _Examination:
    """One examination; each step is tried, timed, and a failure ends only that step."""

    def __init__(self, path: Path, keras: Runner, scratch: Path, allow_code: bool) -> None:
        self.path, self.keras, self.scratch, self.allow_code = path, keras, scratch, allow_code
        self.failures: dict[str, Failure] = {}
        self.seconds: dict[str, float] = {}
        self.found: dict[str, Any] = {}
        self.model: Any = None

    def run(self, *, train: bool) -> Live:
        """All steps, the later ones only where the earlier ones gave what they need; training steps only if `train`."""
        import resource  # noqa: PLC0415 - not on Windows, where no live examination runs

        self._try("load", self._load)
        if self.model is not None:
            self._try("forward", self._forward)
        if "outputs" in self.found:
            steps = {"train": self._train, "modes": self._modes, "reload": self._reload}
            for name in steps if train else ("modes", "reload"):
                self._try(name, steps[name])
        return Live(
            self.path.name,
            self.keras.name,
            self.keras.version,
            failures=self.failures,
            seconds=self.seconds,
            memory=resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
            **self.found,
        )

    def _try(self, name: str, step: Any) -> None:  # noqa: ANN401 - a method of this class
        started = time.perf_counter()
        try:
            with OF_JOB.step(self.path.name, name):
                step()
        except Exception as error:  # noqa: BLE001 - whatever a model raises is what we came to see
            self.failures[name] = self._failure(error)
        self.seconds[name] = round(time.perf_counter() - started, 3)

    def _failure(self, error: Exception) -> Failure:
        """The exception, with the file's own name where Keras tells that of the link in the scratch folder."""
        named = str(self.scratch / f"model{self.keras.suffix(self.path)}")
        printed = "".join(traceback.format_exception(error)).replace(named, self.path.name)
        if len(printed) > MAX_TRACEBACK:
            printed = printed[: MAX_TRACEBACK // 2] + "\n...\n" + printed[-MAX_TRACEBACK // 2 :]
        return Failure(type(error).__name__, _shortened(str(error).replace(named, self.path.name)), printed)

    def _load(self) -> None:
        """With what it was compiled with, else without: a custom loss keeps nobody from looking at the layers."""
        named = self.scratch / f"model{self.keras.suffix(self.path)}"
        named.symlink_to(self.path)
        try:
            self.model = self.keras.load(named, compiled=True, allow_code=self.allow_code)
        except Exception as error:  # noqa: BLE001 - see _try
            first = error
            self.model = self.keras.load(named, compiled=False, allow_code=self.allow_code)
            self.failures["compile"] = self._failure(first)
        self.found["parameters"] = int(self.model.count_params()) if self.model.built else 0
        self.found["compiled"] = self.keras.is_compiled(self.model)

    def _forward(self) -> None:
        outputs: list[Output] = []
        batch = FEW if self.found["parameters"] > LARGE else BATCH
        self.inputs = {kind: made_inputs(self.model, kind, batch) for kind in KINDS}
        for kind, inputs in self.inputs.items():
            for name, value in self.keras.named_outputs(self.model, self.keras.call(self.model, inputs)):
                outputs.append(_output(name, kind, value))
        self.found["outputs"] = tuple(outputs)

    def _train(self) -> None:
        """One step for each kind of input, where something is trainable and some output can have a gradient."""
        if not any(output.is_float for output in self.found["outputs"]):
            return
        steps = []
        for kind, inputs in self.inputs.items():
            labels = made_labels(self.model, self.keras.call(self.model, inputs)) if self.found["compiled"] else None
            loss, value, gradients = self.keras.gradients(self.model, inputs, labels)
            told = tuple(Gradient(*each) for each in gradients)
            steps.append(Step(kind, loss, value, told))
        self.found["steps"] = tuple(steps)

    def _modes(self) -> None:
        inputs = self.inputs[KINDS[0]]
        together = self.keras.arrays(self.keras.call(self.model, inputs))
        training = self.keras.arrays(self.keras.call(self.model, inputs, training=True))
        self.found["training"] = max(difference(a, b) for a, b in zip(together, training, strict=True))
        if not has_fixed_batch(self.model):
            self.found["alone"] = max(self._alone(inputs, together, i) for i in range(2))

    def _alone(self, inputs: Any, together: list[Any], i: int) -> float:  # noqa: ANN401 - arrays in a structure
        alone = self.keras.arrays(self.keras.call(self.model, _sample(inputs, i)))
        return max(difference(a[i : i + 1], b) for a, b in zip(together, alone, strict=True))

    def _reload(self) -> None:
        free = shutil.disk_usage(self.scratch).free
        if free < 3 * os.stat(self.path).st_size:  # noqa: PTH116 - Path.stat follows no link here either
            raise OSError(f"{free:,} bytes are free in the scratch folder")
        inputs = self.inputs[KINDS[0]]
        before = self.keras.arrays(self.keras.call(self.model, inputs))
        saved = self.scratch / "again.keras"
        self.model.save(saved)
        again = self.keras.load(saved, compiled=False, allow_code=self.allow_code)
        after = self.keras.arrays(self.keras.call(again, inputs))
        self.found["reloaded"] = max(difference(a, b) for a, b in zip(before, after, strict=True))


def _shortened(message: str) -> str:
    """Keras puts a configuration of any length into the middle of a message, and the cause at its end."""
    return (
        message if len(message) <= MAX_MESSAGE else f"{message[: MAX_MESSAGE // 2]} ... {message[-MAX_MESSAGE // 2 :]}"
    )


def _sample(inputs: Any, i: int) -> Any:  # noqa: ANN401 - arrays, or lists and dicts of them
    if isinstance(inputs, dict):
        return {name: value[i : i + 1] for name, value in inputs.items()}
    if isinstance(inputs, list):
        return [value[i : i + 1] for value in inputs]
    return inputs[i : i + 1]


def _output(name: str, kind: str, value: Any) -> Output:  # noqa: ANN401 - a NumPy array
    import numpy as np  # noqa: PLC0415 - in the worker only

    numbers = value.astype("float64") if value.dtype.kind in "fiub" else np.zeros(value.shape)
    finite = numbers[np.isfinite(numbers)]
    whole = numbers.ndim and numbers.size and finite.size == numbers.size
    spread = float(np.max(np.ptp(numbers, axis=0), initial=0.0)) if whole else 0.0
    lowest, highest = (float(finite.min()), float(finite.max())) if finite.size else (0.0, 0.0)
    bad = int(numbers.size - finite.size)
    return Output(name, kind, tuple(map(int, value.shape)), str(value.dtype), bad, lowest, highest, spread)


def difference(one: Any, other: Any) -> float:  # noqa: ANN401 - NumPy arrays
    """The largest difference of two arrays relative to the largest value in them; 1e9 where the shapes differ or NaN is new."""
    import numpy as np  # noqa: PLC0415

    if one.shape != other.shape:
        return 1e9
    if one.dtype.kind not in "fiub" or one.size == 0:
        return 0.0
    a, b = one.astype("float64"), other.astype("float64")
    if not np.array_equal(np.isnan(a), np.isnan(b)):
        return 1e9
    scale = float(np.nanmax(np.abs(a), initial=1e-9))
    return float(min(1e9, np.nanmax(np.abs(a - b), initial=0.0) / scale))
