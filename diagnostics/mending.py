"""Mends a copy of a model file and proves it: built, saved, loaded again, and run on the same inputs as the original.

`mend_file` runs in the worker; what it returns is plain JSON, from which `Mended` is decoded again. The original is only ever
read. Its weights are taken from a Keras that loads it, else from the file itself.
"""

from __future__ import annotations

import copy
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from ..errors import SubjectError
from ..knowledge.text import Lang, Text
from .lambda_expression import holds_code
from .live import Engine
from .live_inputs import KINDS, made_inputs
from .live_keras import Runner, leaves, runner
from .model_file import read_model
from .progress import OF_JOB
from .proving import SAME, Proof, Ran, prove
from .repair import Change, Draft, Repair, Target, all_repairs, layers_of
from .sandbox import hand_out
from .weights import read_weights
from .wording import names_en, names_zh

ENGINES: dict[Target, Engine] = {"keras3": "keras", "keras2": "tf_keras"}


@dataclass(frozen=True)
class Made:
    """A repair that applied, and what it changed."""

    repair: str
    changes: tuple[Change, ...]


@dataclass(frozen=True)
class Mended:
    """What was done. `file` is the name of the copy in the scratch folder, None on a dry run or where nothing applied."""

    made: tuple[Made, ...]
    proof: Proof | None
    file: str | None
    notes: tuple[Text, ...]

    def as_json(self, lang: Lang) -> dict[str, Any]:
        """Plain values for JSON, worded for a reader of `lang`."""
        proof = self.proof
        return {
            "made": [
                {
                    "repair": made.repair,
                    "changes": [
                        {"text": c.text.say(lang), "where": c.where, "before": c.before, "after": c.after}
                        for c in made.changes
                    ],
                }
                for made in self.made
            ],
            "proof": proof
            and {
                "outcome": proof.outcome,
                "before": proof.before,
                "after": proof.after,
                "difference": proof.difference,
                "text": proof.text.say(lang),
            },
            "notes": [note.say(lang) for note in self.notes],
            "written": self.file,
        }


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


def mend_copy(scratch: Path, **arguments: Any) -> dict[str, Any]:  # noqa: ANN401 - those of `mend_file`
    """The worker's job: `mend_file`, and the copy is handed out of the sandbox."""
    mended = mend_file(scratch, **arguments)
    if mended["file"]:
        hand_out(scratch / mended["file"])
    return mended


class _Mending:
    def __init__(self, path: Path, target: Target, suffix: str, scratch: Path, allow_code: bool) -> None:
        self.path, self.target, self.suffix, self.scratch, self.allow_code = path, target, suffix, scratch, allow_code
        self.model_file = read_model(path)
        self.notes: list[Text] = []
        self.keras: Runner = runner(ENGINES[target])

    def run(self, only: list[str], dry: bool) -> Mended:
        repairs = [repair for repair in all_repairs() if not only or repair.id in only]
        with OF_JOB.step(self.path.name, "load"):
            original = None if dry else self._original()
        with OF_JOB.step(self.path.name, "mend"):
            draft = self._draft(original)
            made = tuple(each for each in (_applied(repair, draft) for repair in repairs) if each.changes)
        if dry or not made:
            return Mended(made, None, None, tuple(self.notes))
        self._check_code(draft)
        self._check_classes(draft)
        file = self.scratch / f"mended{self.suffix}"
        with OF_JOB.step(self.path.name, "save"):
            self._save(draft, file)
        applied = [repair for repair in repairs if repair.id in {each.repair for each in made}]
        with OF_JOB.step(self.path.name, "prove"):
            proof = self._proof(file, original, applied)
        return Mended(made, proof, file.name, tuple(self.notes))

    def _save(self, draft: Draft, file: Path) -> None:
        model = self._with_weights(draft)
        self._compile(model, draft)
        try:
            model.save(file)
        except Exception as error:
            raise _failed(
                "the mended model cannot be saved: save it in the other format (.keras or .h5)",
                "修复后的模型无法保存：请换另一种格式（.keras 或 .h5）",
                error,
            ) from error

    def _draft(self, original: Ran | None) -> Draft:
        """The file taken apart; the weights are those of the loaded original where there is one."""
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
            self.suffix,
        )
        with read_weights(self.path) as weights:
            draft.backend = weights.backend
            for variable in sorted(weights.variables, key=lambda each: _rank(each.part)):
                if "seed_generator" not in variable.part:
                    draft.weights.setdefault(variable.layer, []).append(variable.values())
        if original:
            draft.weights.update((path, layer.get_weights()) for path, layer in leaves(original.model))
        return draft

    def _original(self) -> Ran | None:
        """The original in whichever Keras loads it, the one that wrote it first."""
        first: list[Engine] = (
            ["keras", "tf_keras"] if self.model_file.line in ("keras-3", None) else ["tf_keras", "keras"]
        )
        for i, engine in enumerate(first):
            keras = runner(engine)
            named = self.scratch / f"original{i}{keras.suffix(self.path)}"
            named.symlink_to(self.path.absolute())
            try:
                model = keras.load(named, compiled=False, allow_code=self.allow_code)
                keras.call(model, made_inputs(model, KINDS[0], 1))
            except Exception as error:  # noqa: BLE001 - a file that does not load is why it is here
                told = f"{keras.name} {keras.version}: {_told(error)}"
                self.notes.append(Text(f"the original does not run in {told}", f"原文件无法运行于 {told}"))
            else:
                return Ran(keras, model)
        return None

    def _with_weights(self, draft: Draft) -> Any:  # noqa: ANN401 - a Keras model
        model = self._built(draft)
        self._weights(model, draft)
        return model

    def _built(self, draft: Draft) -> Any:  # noqa: ANN401 - a Keras model
        which = f"{self.keras.name} {self.keras.version}"
        try:
            return self.keras.build(draft.config, allow_code=self.allow_code)
        except Exception as error:
            raise _failed(
                f"{which} does not build the mended model: rewrite the layer that it names by hand, or mend for the other Keras",
                f"{which} 无法搭建修复后的模型：请手工改写它指出的层，或改为修复给另一个 Keras",
                error,
            ) from error

    def _check_code(self, draft: Draft) -> None:
        """Bytecode that no repair took out stays only where it is allowed, and is told."""
        coded = [path for path, layer in layers_of(draft.config) if holds_code(layer)]
        if coded and not self.allow_code:
            raise SubjectError(
                f"the Lambda layers {names_en(coded)} hold Python bytecode that no repair reads: write them as layers of Keras, or "
                "allow code where you trust the file",
                f"Lambda 层 {names_zh(coded)} 含有无法解读的 Python 字节码：请改写成 Keras 的层，或在信任该文件时允许执行代码",
            )
        if coded:
            self.notes.append(
                Text(
                    f"the copy still holds the bytecode of {names_en(coded)}: it loads with safe_mode=False only",
                    f"副本里仍有 {names_zh(coded)} 的字节码：只能用 safe_mode=False 加载",
                )
            )

    def _check_classes(self, draft: Draft) -> None:
        """Layers of the author's own, and those that only the other Keras has."""
        which = f"{self.keras.name} {self.keras.version}"
        lacking = [layer for _, layer in layers_of(draft.config) if not self.keras.has_class(layer)]
        own = {layer["class_name"]: 1 for layer in lacking if not runner(_other(self.target)).has_class(layer)}
        if own:
            raise SubjectError(
                f"{names_en(own)}: no class of Keras. Mending needs the model's own code, which a file does not hold: load it with "
                "custom_objects where that code is, and save it there",
                f"{names_zh(own)} 不是 Keras 的类。修复需要模型自己的代码，文件里没有："
                "请在有代码的环境里用 custom_objects 加载并重新保存",
            )
        if lacking:
            names = {layer["class_name"]: 1 for layer in lacking}
            raise SubjectError(
                f"{names_en(names)}: {which} has no such layer, and no repair has another for it: rewrite these layers by hand",
                f"{which} 没有 {names_zh(names)}，也没有可替代的修复：请手工改写这些层",
            )

    def _weights(self, model: Any, draft: Draft) -> None:  # noqa: ANN401
        """Each layer's arrays, as the draft has them."""
        if not model.built:
            raise SubjectError(
                "the mended model has no input shape, so its weights have no place: give its first layer one",
                "修复后的模型没有输入形状，权重无处可放：请给第一层加上输入形状",
            )
        for path, layer in leaves(model):
            stored = draft.weights.get(path, [])
            if len(stored) != len(layer.weights):
                raise SubjectError(
                    f"layer '{path}' takes {len(layer.weights)} arrays, the file has {len(stored)} for it: the file is of another "
                    "model, or of a form that is not known here",
                    f"层 '{path}' 需要 {len(layer.weights)} 个权重数组，文件里有 {len(stored)} 个：文件属于另一个模型，或格式未知",
                )
            try:
                layer.set_weights(stored)
            except ValueError as error:
                raise _failed(
                    f"layer '{path}' does not take its weights: the configuration and the weights are of different models",
                    f"层 '{path}' 的权重放不进去：配置和权重不属于同一个模型",
                    error,
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
            told = _told(error)
            self.notes.append(
                Text(
                    f"the copy is not compiled ({told}): call compile() before training",
                    f"副本没有编译（{told}）：训练前请先 compile()",
                )
            )

    def _proof(self, file: Path, original: Ran | None, repairs: list[Repair]) -> Proof:
        """Load the copy as a user would, and run it beside the original."""
        now = f"{self.keras.name} {self.keras.version}"
        try:
            again = Ran(self.keras, self.keras.load(file, compiled=False, allow_code=self.allow_code))
            return prove(
                again, original, self._plain(original, repairs), max(SAME, *(each.tolerance for each in repairs))
            )
        except Exception as error:
            raise _failed(
                f"the mended copy does not load and run in {now}, so it is not handed out",
                f"修复后的副本无法在 {now} 中加载并运行，因此不提供",
                error,
            ) from error

    def _plain(self, original: Ran | None, repairs: list[Repair]) -> Ran | None:
        """The copy without the repairs that mean to change outputs, so that the others are proved all the same."""
        keeping = [repair for repair in repairs if repair.keeps_outputs]
        if original is None or len(keeping) == len(repairs):
            return None
        draft = self._draft(original)
        for repair in keeping:
            _applied(repair, draft)
        return Ran(self.keras, self._with_weights(draft))


def _other(target: Target) -> Engine:
    return ENGINES["keras2" if target == "keras3" else "keras3"]


# Where Keras 3 files name the parts of a layer, they stand in the alphabet's order; this is that of `get_weights()`.
_ORDER = {
    "key_dense": 1,
    "backward_layer": 2,
    "value_dense": 2,
    "pointwise": 2,
    "output_dense": 3,
    "attention_output_dense": 3,
}


def _rank(part: str) -> int:
    return _ORDER.get(part.strip("_").partition("/")[0], 0)


def _told(error: Exception) -> str:
    """The exception in a line: where Keras wraps another, the innermost, which says what was wrong."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()] or [""]
    inner = [line for line in lines if line.startswith("Exception encountered:")]
    text = inner[-1].partition(":")[2].strip() if inner else lines[0]
    return f"{type(error).__name__}: {text[:300]}"


def _failed(en: str, zh: str, error: Exception) -> SubjectError:
    return SubjectError(f"{en} ({_told(error)})", f"{zh}（{_told(error)}）")


def _applied(repair: Repair, draft: Draft) -> Made:
    return Made(repair.id, tuple(repair.mend(draft)) if draft.target in repair.targets else ())
