"""Mends a copy of a model file and proves it: built, saved, loaded again, and run on the same inputs as the original.

`mend_file` runs in the worker; what it returns is plain JSON, from which `Mended` is decoded again. The original is only ever
read. Its weights are taken from a Keras that loads it, else from the file itself.
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Literal

from ..errors import SubjectError
from ..knowledge.text import Text
from .live import Engine, difference
from .live_inputs import KINDS, made_inputs
from .live_keras import Runner, leaves, runner
from .model_file import read_model
from .repair import Change, Draft, Repair, Target, all_repairs
from .sandbox import hand_out
from .weights import read_weights

BATCH = 4
# float32 sums in another order; Keras 2 and 3 differ by this much in deep nets.
SAME = 1e-4
ENGINES: dict[Target, Engine] = {"keras3": "keras", "keras2": "tf_keras"}


@dataclass(frozen=True)
class Made:
    """A repair that applied, and what it changed."""

    repair: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Proof:
    """How the copy was checked.

    `same`: it gives the outputs of the original. `other`: it was meant to give others, and does. `runs`: it loads and runs, but the
    original does not run in any Keras here, so that nothing could be compared. `differs`: the outputs differ though they should
    not. `before` and `after` name the Keras and release in which each ran; `difference` is relative to the largest output.
    """

    outcome: Literal["same", "other", "runs", "differs"]
    before: str
    after: str
    difference: float | None
    text: Text


@dataclass(frozen=True)
class Mended:
    """What was done. `file` is the name of the copy in the scratch folder, None on a dry run or where nothing applied."""

    made: tuple[Made, ...]
    proof: Proof | None
    file: str | None
    notes: tuple[Text, ...]


def mend_file(
    scratch: Path,
    path: str,
    target: Target,
    suffix: str,
    only: list[str],
    *,
    dry: bool = False,
    allow_code: bool = False,
) -> dict[str, Any]:
    """Mend a copy of a model file, as the JSON form of `Mended`.

    Args:
        scratch: where the copy is made, before it is handed out.
        path: the model file.
        target: the Keras that the copy is for.
        suffix: the ending of the copy, ".keras" or ".h5".
        only: the ids of the repairs to make; empty for all that apply.
        dry: tell what would be changed, and write nothing.
        allow_code: run lambdas whose bytecode is in the file, to compare with the original.

    Raises:
        SubjectError: the file holds no architecture, or the mended model cannot be built; the message says why.
    """
    return asdict(_Mending(Path(path), target, suffix, scratch, allow_code).run(only, dry))


class _Mending:
    def __init__(self, path: Path, target: Target, suffix: str, scratch: Path, allow_code: bool) -> None:
        self.path, self.target, self.suffix, self.scratch, self.allow_code = path, target, suffix, scratch, allow_code
        self.model_file = read_model(path)
        self.notes: list[Text] = []
        self.keras: Runner = runner(ENGINES[target])

    def run(self, only: list[str], dry: bool) -> Mended:
        draft = self._draft()
        made = tuple(_applied(repair, draft) for repair in all_repairs() if not only or repair.id in only)
        made = tuple(each for each in made if each.changes)
        if dry or not made:
            return Mended(made, None, None, tuple(self.notes))
        original = self._original()
        model = self._built(draft)
        self._weights(model, draft, original)
        self._compile(model, draft)
        file = self.scratch / f"mended{self.suffix}"
        model.save(file)
        keeps = all(repair.keeps_outputs for repair in all_repairs() if repair.id in {each.repair for each in made})
        proof = self._proof(file, original, keeps=keeps)
        hand_out(file)
        return Mended(made, proof, file.name, tuple(self.notes))

    def _draft(self) -> Draft:
        file = self.model_file
        if file.config is None:
            raise SubjectError(
                f"{file.name} holds no architecture to mend: give the whole model",
                f"{file.name} 里没有模型结构，无从修复：请提供完整模型",
            )
        draft = Draft(
            copy.deepcopy(file.config),
            copy.deepcopy(file.compiled),
            self.target,
            file.line,
            self.path.suffix,
            file.container,
        )
        with read_weights(self.path) as weights:
            for variable in weights.variables:
                draft.weights.setdefault(variable.layer, []).append(variable.values())
        return draft

    def _original(self) -> tuple[Runner, Any] | None:
        """The original in whichever Keras loads it, the one that wrote it first."""
        first: list[Engine] = (
            ["keras", "tf_keras"] if self.model_file.line in ("keras-3", None) else ["tf_keras", "keras"]
        )
        for i, engine in enumerate(first):
            keras = runner(engine)
            named = self.scratch / f"original{i}{keras.suffix(self.path)}"
            named.symlink_to(self.path)
            try:
                model = keras.load(named, compiled=False, allow_code=self.allow_code)
                keras.call(model, made_inputs(model, KINDS[0], 1))
            except Exception as error:  # noqa: BLE001 - a file that does not load is why it is here
                told = f"{keras.name} {keras.version}: {type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}"
                self.notes.append(Text(f"the original does not run in {told}", f"原文件无法运行于 {told}"))
            else:
                return keras, model
        return None

    def _built(self, draft: Draft) -> Any:  # noqa: ANN401 - a Keras model
        try:
            return self.keras.build(draft.config)
        except Exception as error:
            told = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:300]}"
            raise SubjectError(
                f"{self.keras.name} {self.keras.version} does not build the mended model: {told}",
                f"{self.keras.name} {self.keras.version} 无法搭建修复后的模型：{told}",
            ) from error

    def _weights(self, model: Any, draft: Draft, original: tuple[Runner, Any] | None) -> None:  # noqa: ANN401
        """Each layer's arrays from the loaded original, or from the file where a repair changed them or nothing loads it."""
        loaded = dict(leaves(original[1])) if original else {}
        for path, layer in leaves(model):
            stored = draft.weights.get(path, [])
            if path in loaded and path not in draft.changed:
                stored = loaded[path].get_weights()
            if len(stored) != len(layer.weights):
                raise SubjectError(
                    f"layer '{path}' takes {len(layer.weights)} arrays, the file has {len(stored)} for it",
                    f"层 '{path}' 需要 {len(layer.weights)} 个权重数组，文件里有 {len(stored)} 个",
                )
            try:
                layer.set_weights(stored)
            except ValueError as error:
                raise SubjectError(
                    f"layer '{path}' does not take its weights: {error}", f"层 '{path}' 的权重放不进去：{error}"
                ) from error

    def _compile(self, model: Any, draft: Draft) -> None:  # noqa: ANN401
        if not draft.compiled:
            return
        try:
            self.keras.compile(model, draft.compiled)
            self.notes.append(
                Text(
                    "the state of the optimizer (its moments and step count) is not carried over: training goes on from the weights",
                    "优化器的状态（动量、步数）不会带过去：训练将从现有权重继续",
                )
            )
        except Exception as error:  # noqa: BLE001 - a custom loss, an optimizer of another Keras
            told = f"{type(error).__name__}: {str(error).strip().partition(chr(10))[0][:200]}"
            self.notes.append(
                Text(
                    f"the copy is not compiled ({told}): call compile() before training",
                    f"副本没有编译（{told}）：训练前请先 compile()",
                )
            )

    def _proof(self, file: Path, original: tuple[Runner, Any] | None, *, keeps: bool) -> Proof:
        """Load the copy as a user would, and run it beside the original on the same inputs, of all three kinds."""
        again = self.keras.load(file, compiled=False, allow_code=False)
        inputs = [made_inputs(again, kind, BATCH) for kind in KINDS]
        after = [part for each in inputs for part in self.keras.arrays(self.keras.call(again, each))]
        now = f"{self.keras.name} {self.keras.version}"
        if original is None:
            text = Text(
                f"the copy loads and runs in {now}; the original runs in no Keras here, so nothing could be compared",
                f"副本能在 {now} 中加载并运行；原文件在这里的任何 Keras 中都无法运行，因此无从比较",
            )
            return Proof("runs", "", now, None, text)
        keras, model = original
        before = [part for each in inputs for part in keras.arrays(keras.call(model, each))]
        then = f"{keras.name} {keras.version}"
        most = max((difference(a, b) for a, b in zip(before, after, strict=False)), default=0.0)
        if len(before) != len(after):
            most = 1e9
        return _judged(most, then, now, keeps=keeps)


def _judged(most: float, then: str, now: str, *, keeps: bool) -> Proof:
    how = f"{most:.1e}" if most < 1 else f"{most:.3g}"
    if keeps and most <= SAME:
        text = Text(
            f"the original in {then} and the copy in {now} give the same outputs (largest relative difference {how})",
            f"原文件（{then}）与副本（{now}）输出一致（最大相对差 {how}）",
        )
        return Proof("same", then, now, most, text)
    if not keeps:
        text = Text(
            f"the original ({then}) and the copy ({now}) were both run; their outputs differ by {how}, as this repair means them to",
            f"原文件（{then}）与副本（{now}）都已运行；输出相差 {how}，这正是此项修复的目的",
        )
        return Proof("other", then, now, most, text)
    text = Text(
        f"NOT verified: the outputs of the copy ({now}) differ from the original's ({then}) by {how}",
        f"未通过验证：副本（{now}）与原文件（{then}）的输出相差 {how}",
    )
    return Proof("differs", then, now, most, text)


def _applied(repair: Repair, draft: Draft) -> Made:
    return Made(repair.id, tuple(repair.mend(draft)) if draft.target in repair.targets else ())
