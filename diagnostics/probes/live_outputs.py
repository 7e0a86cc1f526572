"""Outputs: what comes out for made inputs of three kinds, whatever the data of the user is."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..live import Live, Output
from ..live_steps import need
from ..probe import Evidence, Probe
from ..wording import names_en, names_zh

NAN = "nan-loss"
NOT_LEARNING = "loss-not-decreasing"
MIXED = "mixed-precision-dtype"
# float32 keeps about 1e-7 of a value: a smaller spread than this is rounding.
_ROUNDING = 1e-6
_SATURATED = 1e-6


def look(live: Live) -> Iterator[Evidence]:
    """NaN, outputs that are the same whatever goes in, and their dtypes."""
    need(live, "forward", bool(live.outputs))
    names = dict.fromkeys(output.name for output in live.outputs)
    for name in names:
        mine = [output for output in live.outputs if output.name == name]
        yield from _not_finite(mine)
        yield from _constant(mine, learns=_learns(live))
        if mine[0].dtype in ("float16", "bfloat16"):
            yield Evidence(
                Text(
                    f"the output {names_en([name])} is {mine[0].dtype}: a loss on it overflows or rounds to zero; give the last "
                    "layer dtype='float32'",
                    f"输出 {names_zh([name])} 是 {mine[0].dtype}：在它上面计算损失会溢出或被舍入成 0；请给最后一层设 dtype='float32'",
                ),
                confirms=(MIXED, NAN),
            )
    first = live.outputs[0]
    yield Evidence(
        Text(
            f"outputs for made inputs: {names_en(f'{o.name} {o.shape} {o.dtype}' for o in live.outputs if o.kind == first.kind)}",
            f"对人造输入的输出：{names_zh(f'{o.name} {o.shape} {o.dtype}' for o in live.outputs if o.kind == first.kind)}",
        )
    )


def _not_finite(outputs: list[Output]) -> Iterator[Evidence]:
    bad = [output for output in outputs if output.not_finite]
    if not bad:
        return
    name, kinds = bad[0].name, ", ".join(output.kind for output in bad)
    always = len(bad) == len(outputs)
    yield Evidence(
        Text(
            f"the output {names_en([name])} has NaN or infinite values ({bad[0].not_finite} of {_size(bad[0])}) for finite inputs "
            f"({kinds})",
            f"输入都是有限值（{kinds}），输出 {names_zh([name])} 却有 NaN 或无穷大（{_size(bad[0])} 个中有 {bad[0].not_finite} 个）",
        ),
        confirms=(NAN,),
        fault=always,  # for one kind of input only, it may be outside of what the model is for (the logarithm of a negative)
    )


def _learns(live: Live) -> bool:
    """Whether a gradient reaches the first weight of the model in a training step."""
    return any(step.gradients and step.gradients[0].norm for step in live.steps)


def _constant(outputs: list[Output], *, learns: bool) -> Iterator[Evidence]:
    """The same output for all samples, for each kind of input.

    An output that sits at 0 or 1 may only be saturated; that of a MobileNet or EfficientNet with fresh weights is the same
    within rounding too, until BatchNormalization has seen data. It is a fault only where no gradient gets to the start either.
    """
    if not outputs[0].is_float or not _size(outputs[0]):
        return
    if not all(_same(output) for output in outputs) or len(outputs[0].shape) == 0 or outputs[0].shape[0] < 2:  # noqa: PLR2004
        return
    low, high = min(o.lowest for o in outputs), max(o.highest for o in outputs)
    ends = all(min(abs(value), abs(value - 1.0)) < _SATURATED for value in (low, high))
    value = f"{low:.4g}" if high - low <= _ROUNDING * max(1.0, abs(high)) else f"{low:.4g} … {high:.4g}"
    yield Evidence(
        Text(
            f"the output {names_en([outputs[0].name])} is the same for every sample of made inputs ({value}): "
            + (
                "it is saturated for such inputs"
                if ends
                else "nothing of the input reaches it"
                if not learns
                else "hardly anything of the input reaches it, as in some deep networks before they are trained"
            ),
            f"对所有人造输入样本，输出 {names_zh([outputs[0].name])} 都一样（{value}）："
            + (
                "对这类输入它已饱和"
                if ends
                else "输入的信息传不到输出"
                if not learns
                else "输入的信息几乎传不到输出，有些很深的网络在训练之前就是这样"
            ),
        ),
        confirms=(NOT_LEARNING,),
        fault=not ends and not learns,
    )


def _same(output: Output) -> bool:
    """Whether the samples of a batch differ by rounding only; large inputs drive a saturated net a little further."""
    tolerance = 1e-3 if output.kind == "0 to 255" else _ROUNDING
    return not output.not_finite and output.spread <= tolerance * max(abs(output.lowest), abs(output.highest), 1e-30)


def _size(output: Output) -> int:
    size = 1
    for n in output.shape:
        size *= n
    return size


PROBE = Probe(
    id="live-outputs",
    subject="live",
    promise=Text(
        "what comes out for made inputs: NaN, the same value for everything, which dtype",
        "用人造输入运行模型：输出有没有 NaN、是否一成不变、是什么 dtype",
    ),
    topics=(NAN, NOT_LEARNING, MIXED),
    look=look,
    remedy=Text(
        "NaN: load an earlier checkpoint (`kerasdoctor check --weights` names the layer); the same for everything: build it anew with "
        "relu, BatchNormalization and He or Glorot initialisation, and train from there",
        "出现 NaN：换用更早的检查点（`kerasdoctor check --weights` 会指出是哪一层）；输出一成不变：改用 relu、"
        "BatchNormalization 和 He 或 Glorot 初始化重新搭建，再重新训练",
    ),
    documentation="https://keras.io/guides/training_with_built_in_methods/",
)
