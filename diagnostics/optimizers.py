"""What a model was compiled to be trained with: the optimizer of the file, its learning rate and its other arguments."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, TypeGuard

from ..knowledge.text import Text
from .model_file import Json
from .probe import Evidence
from .wording import names_en, names_zh

NOT_LEARNING = "loss-not-decreasing"
NAN = "nan-loss"
ARGUMENTS = "optimizer-arguments"
CLIPPING = "gradient-clipping"

# The highest rate with which each is used. The defaults are 0.001 to 0.01 (https://keras.io/api/optimizers/); Adam moves each
# weight by about the rate in each step, so 0.1 is far above any use. Adadelta, Adagrad and Ftrl have no such limit.
_HIGHEST = {"Adam": 0.1, "AdamW": 0.1, "Adamax": 0.1, "Nadam": 0.1, "RMSprop": 0.1, "Lion": 0.1, "SGD": 10.0}
_LOWEST = 1e-9
_FLOAT32 = 1.0001  # 0.1 is stored as 0.10000000149
_OLD = ("lr", "decay", "schedule_decay")
_CLIPS = ("clipnorm", "clipvalue", "global_clipnorm")
# Averages that forget nothing never change, or are divided by 1 - 1 (keras/src/optimizers/adam.py).
_MEMORIES = ("beta_1", "beta_2", "rho")


@dataclass(frozen=True)
class Optimizer:
    """An optimizer as the file has it: its class, its arguments, and whether its loss is scaled for float16."""

    name: str
    config: Json
    scales_loss: bool = False


def optimizer_of(compiled: Json) -> Optimizer | None:
    """The optimizer that was written out: `optimizer` in .keras files, `optimizer_config` in HDF5; None for a mere name.

    A LossScaleOptimizer holds the real one. Own and registered classes are written `package>Name`.
    """
    written: Any = compiled.get("optimizer") or compiled.get("optimizer_config")
    for depth in range(4):
        if not isinstance(written, dict) or not isinstance(written.get("config"), dict):
            return None
        config: Json = written["config"]
        inner = config.get("inner_optimizer") or config.get("optimizer")
        if not isinstance(inner, dict):
            factor = config.get("loss_scale_factor")
            scales = depth > 0 or (_is_number(factor) and factor > 0)
            return Optimizer(str(written.get("class_name")).rpartition(">")[2], config, scales)
        written = inner
    return None


def _is_number(value: object) -> TypeGuard[int | float]:
    return isinstance(value, int | float) and not isinstance(value, bool)


def optimizer_evidence(optimizer: Optimizer, *, keras_3: bool) -> Iterator[Evidence]:
    """What the optimizer's arguments show.

    Args:
        optimizer: as the file has it.
        keras_3: whether Keras 3 wrote the file, which refuses some arguments that Keras 2 takes.
    """
    rate = optimizer.config.get("learning_rate", optimizer.config.get("lr"))
    if _is_number(rate):
        yield from _rate(optimizer.name, float(rate) if abs(rate) < 1e300 else math.inf)  # noqa: PLR2004 - an int may have any size
    yield from _old_arguments(optimizer)
    yield from _clips(optimizer, keras_3=keras_3)
    yield from _no_epsilon(optimizer, keras_3=keras_3)
    yield from _memories(optimizer)


def _old_arguments(optimizer: Optimizer) -> Iterator[Evidence]:
    config = optimizer.config
    old = [key for key in _OLD if _is_number(config.get(key))]
    if old:
        told = ", ".join(f"{key}={config[key]:g}" if abs(config[key]) < 1e300 else key for key in old)  # noqa: PLR2004
        who_en, who_zh = names_en([optimizer.name]), names_zh([optimizer.name])
        yield Evidence(
            Text(
                f"the optimizer {who_en} was saved with arguments of old releases: {told}; newer ones take learning_rate, and a "
                "schedule in place of decay",
                f"优化器 {who_zh} 保存时用的是旧版参数：{told}；新版用 learning_rate，decay 则换成学习率调度",
            ),
            confirms=(ARGUMENTS,),
        )


def _clips(optimizer: Optimizer, *, keras_3: bool) -> Iterator[Evidence]:
    """Keras 2 clips twice; Keras 3 takes one of the three (keras/src/optimizers/base_optimizer.py)."""
    given = [key for key in _CLIPS if _is_number(optimizer.config.get(key))]
    if len(given) > 1:
        told = ", ".join(given)
        yield Evidence(
            Text(
                f"the optimizer {names_en([optimizer.name])} has {told}: Keras 3 takes only one of them and refuses to build it",
                f"优化器 {names_zh([optimizer.name])} 同时设了 {told}：Keras 3 只接受其中一个，否则拒绝创建",
            ),
            confirms=(ARGUMENTS, CLIPPING),
            fault=keras_3,
        )


def _no_epsilon(optimizer: Optimizer, *, keras_3: bool) -> Iterator[Evidence]:
    if "epsilon" in optimizer.config and optimizer.config["epsilon"] is None:
        yield Evidence(
            Text(
                f"the optimizer {names_en([optimizer.name])} has epsilon=None, which releases since 2.11 cannot add to a number: "
                "training stops with 'None values not supported'; leave it away",
                f"优化器 {names_zh([optimizer.name])} 的 epsilon=None，2.11 以后的版本无法用它做加法：训练会报 None values not "
                "supported；请去掉这个参数",
            ),
            confirms=(ARGUMENTS,),
            fault=keras_3,
        )


def _memories(optimizer: Optimizer) -> Iterator[Evidence]:
    for key in _MEMORIES:
        value = optimizer.config.get(key)
        if _is_number(value) and not 0 <= value < 1:
            yield Evidence(
                Text(
                    f"{key} of the optimizer {names_en([optimizer.name])} must be at least 0 and below 1: with any other number the "
                    "steps become NaN or never change direction",
                    f"优化器 {names_zh([optimizer.name])} 的 {key} 必须不小于 0 且小于 1，否则更新量会变成 NaN 或方向永远不变",
                ),
                confirms=(NAN, NOT_LEARNING, ARGUMENTS),
                fault=True,
            )


def _rate(name: str, rate: float) -> Iterator[Evidence]:
    who_en, who_zh = names_en([name]), names_zh([name])
    highest = _HIGHEST.get(name, math.inf)
    if not math.isfinite(rate) or rate > highest * _FLOAT32:
        limit_en = f"; it is used with at most {highest:g}" if math.isfinite(highest) else ""
        limit_zh = f"；通常不超过 {highest:g}" if math.isfinite(highest) else ""
        yield Evidence(
            Text(
                f"the learning rate of {who_en} is {rate:g}{limit_en}: the loss jumps or becomes NaN; begin with the default",
                f"{who_zh} 的学习率是 {rate:g}{limit_zh}：loss 会乱跳或变成 NaN；请先用默认值",
            ),
            confirms=(NOT_LEARNING, NAN),
            fault=True,
        )
    elif rate < _LOWEST:
        yield Evidence(
            Text(
                f"the learning rate of {who_en} is {rate:g} in this file: training on from here changes nothing for the better; "
                "set it anew (a callback may have lowered it)",
                f"文件里 {who_zh} 的学习率是 {rate:g}：从这里继续训练不会有任何进步；请重新设置（可能是被回调函数降下来的）",
            ),
            confirms=(NOT_LEARNING,),
            fault=rate < 0,  # near zero it may be where a schedule or a callback ended: no fault of the file
        )
