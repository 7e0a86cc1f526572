"""Mends a copy of a model file and proves it: built, saved, loaded again, and run on the same inputs as the original.

`mend_file` runs in the worker; what it returns is plain JSON, from which `Mended` is decoded again. The original is only ever
read. Its weights are taken from a Keras that loads it, else from the file itself.
"""

from __future__ import annotations

import copy
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ..errors import SubjectError
from ..knowledge.text import Text
from .building import ENGINES, build, check_classes, compile_model, failed, in_a_line
from .lambda_code import holds_code
from .live import Engine
from .live_inputs import KINDS, made_inputs
from .live_keras import Runner, leaves, runner
from .mended import Made, Mended
from .model_file import read_model
from .progress import OF_JOB
from .proving import SAME, Proof, Ran, prove
from .repair import Draft, Repair, Target, all_repairs, layers_of
from .sandbox import hand_out
from .weights import read_weights
from .wording import names_en, names_zh


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
        check_classes(self.keras, draft)
        file = self.scratch / f"mended{self.suffix}"
        with OF_JOB.step(self.path.name, "save"):
            self._save(draft, file)
        applied = [repair for repair in repairs if repair.id in {each.repair for each in made}]
        with OF_JOB.step(self.path.name, "prove"):
            proof = self._proof(file, original, applied)
        return Mended(made, proof, file.name, tuple(self.notes))

    def _save(self, draft: Draft, file: Path) -> None:
        model = build(self.keras, draft, allow_code=self.allow_code)
        told = compile_model(self.keras, model, draft)
        self.notes += [told] if told else []
        try:
            model.save(file)
        except Exception as error:
            raise failed(
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
                told = f"{keras.name} {keras.version}: {in_a_line(error)}"
                self.notes.append(Text(f"the original does not run in {told}", f"原文件无法运行于 {told}"))
            else:
                return Ran(keras, model)
        return None

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

    def _proof(self, file: Path, original: Ran | None, repairs: list[Repair]) -> Proof:
        """Load the copy as a user would, and run it beside the original."""
        now = f"{self.keras.name} {self.keras.version}"
        try:
            again = Ran(self.keras, self.keras.load(file, compiled=False, allow_code=self.allow_code))
            return prove(
                again, original, self._plain(original, repairs), max(SAME, *(each.tolerance for each in repairs))
            )
        except Exception as error:
            raise failed(
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
        return Ran(self.keras, build(self.keras, draft, allow_code=self.allow_code))


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


def _applied(repair: Repair, draft: Draft) -> Made:
    return Made(repair.id, tuple(repair.mend(draft)) if draft.target in repair.targets else ())
