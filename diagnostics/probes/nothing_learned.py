"""Whether training changed anything: the optimizer's memory of gradients, and biases that begin at zero."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..graph import Layer
from ..probe import CouldNotLook, Evidence, Probe
from ..weights import Variable, Weights
from ..weights_layers import initializer, is_trained
from ..wording import names_en, names_zh

NOT_LEARNING = "loss-not-decreasing"
STEPS = 10
# These keep a moving average of every gradient; SGD does with a momentum only, Adagrad's sums don't begin at zero.
_REMEMBER = frozenset({"Adam", "AdamW", "Nadam", "Adamax", "RMSprop", "Adadelta", "Lion", "Ftrl"})
_ZEROS = frozenset({"", "Zeros", "zeros", "zero"})


def look(weights: Weights) -> Iterator[Evidence]:
    """What slots and biases say after the steps that the optimizer counted."""
    steps = weights.iterations
    if steps is None:
        raise CouldNotLook(
            Text("the file holds no optimizer state, so no count of steps", "文件里没有优化器状态，因此没有步数记录")
        )
    if steps < STEPS:
        yield Evidence(Text(f"only {steps} steps were taken", f"只训练了 {steps} 步"))
        return
    slots = [v for v in weights.optimizer if v.is_float and v.size > 1] if _remembers(weights) else []
    empty = bool(slots) and all(slot.statistics.zeros == slot.size for slot in slots)
    still, moved = _biases(weights)
    if empty:
        yield _empty(steps, len(slots), [v for v in still if not moved])
    elif still and not moved and not slots:
        yield _no_bias(steps, still)
    elif still:
        yield _some(steps, still)
    if not empty and slots:
        yield Evidence(
            Text(
                f"{len(slots)} slots of the optimizer remember gradients of {steps:,} steps",
                f"优化器的 {len(slots)} 个状态数组保存着 {steps:,} 步的梯度",
            )
        )


def _remembers(weights: Weights) -> bool:
    """Whether the optimizer's slots can't stay zero while gradients arrive."""
    compiled = weights.model.compiled if weights.model else None
    written = (compiled or {}).get("optimizer") or (compiled or {}).get("optimizer_config")
    if isinstance(written, str):  # as it was given to compile, with the default settings
        return written.lower() in {name.lower() for name in _REMEMBER}
    config = written.get("config") if isinstance(written, dict) else None
    if isinstance(config, dict) and isinstance(config.get("inner_optimizer"), dict):
        written, config = config["inner_optimizer"], config["inner_optimizer"].get("config")
    name = str(written.get("class_name")).rpartition(">")[2] if isinstance(written, dict) else ""
    momentum = config.get("momentum") if isinstance(config, dict) else None
    return name in _REMEMBER or (name == "SGD" and isinstance(momentum, float) and momentum > 0)


def _biases(weights: Weights) -> tuple[list[Variable], list[Variable]]:
    """Biases of trained layers that began at zero: those that are zero still, and those that moved."""
    places = weights.flow.places if weights.flow else {}
    still: list[Variable] = []
    moved: list[Variable] = []
    for variable in weights.variables:
        place = places.get(variable.layer) if variable.mapped else None
        if place and not variable.part and variable.size and _began_at_zero(variable, place.layer):
            (still if variable.statistics.zeros == variable.size else moved).append(variable)
    return still, moved


def _began_at_zero(variable: Variable, layer: Layer) -> bool:
    named = variable.name in ("bias", "beta") and variable.is_float
    return named and is_trained(layer) and initializer(layer, variable.name) in _ZEROS


def _empty(steps: int, slots: int, still: list[Variable]) -> Evidence:
    also_en = f", and every bias is still 0 ({names_en(v.path for v in still)})" if still else ""
    also_zh = f"，而且所有偏置仍为 0（{names_zh(v.path for v in still)}）" if still else ""
    return Evidence(
        Text(
            f"after {steps:,} steps all {slots} slots of the optimizer are exactly 0{also_en}: no gradient ever arrived",
            f"训练 {steps:,} 步之后，优化器的 {slots} 个状态数组全为 0{also_zh}：从来没有梯度传到",
        ),
        confirms=(NOT_LEARNING,),
        fault=True,
        layers=tuple(dict.fromkeys(v.layer for v in still)),
    )


def _no_bias(steps: int, still: list[Variable]) -> Evidence:
    return Evidence(
        Text(
            f"after {steps:,} steps every trainable bias is still exactly 0: {names_en(v.path for v in still)}; no "
            "gradient arrived, or the learning rate is 0",
            f"训练 {steps:,} 步之后，所有可训练的偏置仍正好是 0：{names_zh(v.path for v in still)}；没有梯度传到，或学习率为 0",
        ),
        confirms=(NOT_LEARNING,),
        fault=True,
        layers=tuple(dict.fromkeys(v.layer for v in still)),
    )


def _some(steps: int, still: list[Variable]) -> Evidence:
    return Evidence(
        Text(
            f"still exactly 0 after {steps:,} steps: {names_en(v.path for v in still)}; no gradient reached these layers",
            f"训练 {steps:,} 步之后仍正好是 0：{names_zh(v.path for v in still)}；没有梯度传到这些层",
        ),
        confirms=(NOT_LEARNING,),
        layers=tuple(dict.fromkeys(v.layer for v in still)),
    )


PROBE = Probe(
    id="nothing-learned",
    subject="weights",
    promise=Text(
        "whether the steps that the optimizer counted changed anything", "检查优化器记录的训练步数是否真的改变了权重"
    ),
    topics=(NOT_LEARNING,),
    look=look,
    remedy=Text(
        "look at the last activation and the loss: a constant output or a dead layer lets no gradient through",
        "检查最后的激活函数与损失：输出恒定或某层已死时，梯度传不过去",
    ),
    documentation="https://keras.io/api/optimizers/",
)
