"""Gradients: does one training step reach every layer, and with what strength."""

from __future__ import annotations

import math
from collections.abc import Iterator

from ...knowledge.text import Text
from ..live import Live, Step
from ..live_steps import need
from ..probe import CouldNotLook, Evidence, Probe
from ..wording import names_en, names_zh

NAN = "nan-loss"
NOT_LEARNING = "loss-not-decreasing"
NONE = "no-gradients"
CLIP = "gradient-clipping"
# float32 gradients below this move no weight of an ordinary size; the ratio is between layers of one model.
_TINY = 1e-12
_VANISHING = 1e-5
_EXPLODING = 1e4


def look(live: Live) -> Iterator[Evidence]:
    """No gradient, a zero one, one that is not finite, and how it changes from layer to layer."""
    if live.outputs and not any(output.is_float for output in live.outputs):
        raise CouldNotLook(
            Text("no output is a floating-point number: no loss has a gradient", "没有浮点数输出：任何损失都没有梯度")
        )
    need(live, "train", bool(live.steps))
    if not live.steps[0].gradients:
        raise CouldNotLook(
            Text("the model has no trainable weight, so there is no gradient", "模型没有可训练的权重，因此没有梯度")
        )
    bad = [step for step in live.steps if not math.isfinite(step.value) or any(g.not_finite for g in step.gradients)]
    yield from _loss(live.steps, bad)
    yield from _unreached(live.steps)
    if not bad:
        yield from _zero(live.steps)
        yield from _strength(live.steps[0])


def _loss(steps: tuple[Step, ...], bad: list[Step]) -> Iterator[Evidence]:
    if not bad:
        yield Evidence(
            Text(
                f"one training step on made data: the loss ({steps[0].loss}) is {steps[0].value:.4g} and every gradient is finite",
                f"用人造数据训练一步：损失（{_loss_zh(steps[0])}）为 {steps[0].value:.4g}，梯度全部有限",
            )
        )
        return
    layers = tuple(dict.fromkeys(g.layer for step in bad for g in step.gradients if g.not_finite))
    where_en, where_zh = (f" in {names_en(layers)}", f"，在 {names_zh(layers)}") if layers else ("", "")
    kinds = ", ".join(step.kind for step in bad)
    yield Evidence(
        Text(
            f"one training step on made data ({kinds}) gives a loss of {bad[0].value:.4g} and gradients that are not "
            f"finite{where_en}",
            f"用人造数据（{kinds}）训练一步，损失为 {bad[0].value:.4g}，梯度出现 NaN 或无穷大{where_zh}",
        ),
        confirms=(NAN,),
        fault=len(bad) == len(steps),
        layers=layers,
    )


def _loss_zh(step: Step) -> str:
    return "编译时指定的" if step.loss == "compiled" else "输出的均方"


def _unreached(steps: tuple[Step, ...]) -> Iterator[Evidence]:
    """Weights without any gradient: the loss does not depend on them. A loss on some outputs only leaves the others alone."""
    missing = [g for g in steps[0].gradients if g.norm is None]
    layers = tuple(dict.fromkeys(g.layer for g in missing))
    if layers:
        yield Evidence(
            Text(
                f"no gradient reaches {len(missing)} of {len(steps[0].gradients)} trainable weights, in {names_en(layers)}: the "
                "loss does not depend on them, or something that cannot be differentiated stands between",
                f"{len(steps[0].gradients)} 个可训练权重中有 {len(missing)} 个得不到梯度，在 {names_zh(layers)}：损失与它们无关，"
                "或者中间有不可微的运算",
            ),
            confirms=(NONE,),
            fault=len(missing) == len(steps[0].gradients),
            layers=layers,
        )


def _zero(steps: tuple[Step, ...]) -> Iterator[Evidence]:
    """Layers all of whose gradients are zero for every kind of input.

    Without a compiled loss it may be the square of a saturated output, which no training would use: then it is no fault.
    """
    dead = [layer for layer in _layers(steps[0]) if all(_strongest(step, layer) < _TINY for step in steps)]
    if dead:
        total = len(_layers(steps[0]))
        yield Evidence(
            Text(
                f"the gradient of {len(dead)} of {total} layers is zero for all made inputs: {names_en(dead)}; they do not learn",
                f"对所有人造输入，{total} 层中有 {len(dead)} 层的梯度为零：{names_zh(dead)}；它们学不到东西",
            ),
            confirms=(NOT_LEARNING,),
            fault=len(dead) == total and steps[0].loss == "compiled",
            layers=tuple(dead),
        )


def _strength(step: Step) -> Iterator[Evidence]:
    """How strong the gradient is in the first layers, compared with the strongest."""
    norms = {layer: norm for layer in _layers(step) if (norm := _strongest(step, layer)) > 0}
    strongest = max(norms.values(), default=0.0)
    weak = [layer for layer, norm in norms.items() if norm < _VANISHING * strongest]
    first = next(iter(norms), None)
    if first is not None and first in weak:
        yield Evidence(
            Text(
                f"the gradient vanishes on its way back: {names_en(weak)} get less than {_VANISHING:g} of the strongest "
                f"({names_en([first])}: {norms[first]:.2g} against {strongest:.2g})",
                f"梯度在反向传播中消失：{names_zh(weak)} 得到的不到最强的 {_VANISHING:g}"
                f"（{names_zh([first])}：{norms[first]:.2g}，最强 {strongest:.2g}）",
            ),
            confirms=(NOT_LEARNING,),
            layers=tuple(weak),
        )
    if strongest > _EXPLODING:
        layer = max(norms, key=lambda name: norms[name])
        yield Evidence(
            Text(
                f"the gradient is very large for standard normal inputs: {names_en([layer])} gets {strongest:.2g}",
                f"输入为标准正态分布时梯度就已很大：{names_zh([layer])} 达到 {strongest:.2g}",
            ),
            confirms=(NAN, CLIP),
            layers=(layer,),
        )


def _layers(step: Step) -> tuple[str, ...]:
    return tuple(dict.fromkeys(g.layer for g in step.gradients if g.norm is not None))


def _strongest(step: Step, layer: str) -> float:
    return max((g.norm for g in step.gradients if g.layer == layer and g.norm is not None), default=0.0)


PROBE = Probe(
    id="live-gradients",
    subject="live",
    promise=Text(
        "one training step on made data: is the loss finite, and which layers does the gradient reach",
        "用人造数据训练一步：损失是否有限，梯度能到达哪些层",
    ),
    topics=(NAN, NOT_LEARNING, NONE, CLIP),
    look=look,
    remedy=Text(
        "where it is not finite: an earlier checkpoint and a smaller learning rate; where it stays away: trainable weights and "
        "Keras' own operations between them and the loss; where it vanishes: relu, BatchNormalization or skip connections",
        "不是有限值时：换用更早的检查点并调小学习率；没有梯度时：让权重可训练，权重与损失之间"
        "只用 Keras 自己的运算；梯度消失时：用 relu、BatchNormalization 或跳跃连接",
    ),
    documentation="https://keras.io/guides/writing_a_custom_training_loop_in_tensorflow/",
)
