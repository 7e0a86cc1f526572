"""Training setup: can anything be learned at all, and at what rate, from the layers and from what was compiled."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..flow import Flow, Place, flow_of
from ..graph import Graph, graph_of
from ..model_file import Json, ModelFile
from ..probe import CouldNotLook, Evidence, Probe
from ..trainable import is_known, trains
from ..wording import names_en, names_zh

FREEZE = "freeze-layers"
BATCHNORM = "batchnorm-fine-tuning"
NOT_LEARNING = "loss-not-decreasing"
NAN = "nan-loss"
ARGUMENTS = "optimizer-arguments"
TRAIN_LOSS = "train-loss-higher-than-test"

# The highest rate with which each is used. The defaults are 0.001 to 0.01 (https://keras.io/api/optimizers/); Adam moves each
# weight by about the rate in each step, so 0.1 is far above any use. Adadelta, Adagrad and Ftrl have no such limit.
_HIGHEST = {"Adam": 0.1, "AdamW": 0.1, "Adamax": 0.1, "Nadam": 0.1, "RMSprop": 0.1, "Lion": 0.1, "SGD": 10.0}
_LOWEST = 1e-9
_FLOAT32 = 1.0001  # 0.1 is stored as 0.10000000149
_HIGH_DROPOUT = 0.9
_DROPOUTS = frozenset({
    "Dropout", "AlphaDropout", "GaussianDropout", "SpatialDropout1D", "SpatialDropout2D", "SpatialDropout3D",
})  # fmt: skip
_AFFINE = frozenset({
    "Dense", "Conv1D", "Conv2D", "Conv3D", "Conv1DTranspose", "Conv2DTranspose", "Conv3DTranspose",
})  # fmt: skip
# Classes between two affine layers that leave the two one affine map when the model predicts.
_LINEAR = _DROPOUTS | {
    "Flatten", "Reshape", "Permute", "Identity", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D",
    "GlobalAveragePooling1D", "GlobalAveragePooling2D", "GlobalAveragePooling3D", "ZeroPadding1D", "ZeroPadding2D",
    "ZeroPadding3D", "GaussianNoise",
}  # fmt: skip
_RESHAPING = frozenset({"Activation", "Softmax", "Flatten", "Reshape"})


def look(model: ModelFile) -> Iterator[Evidence]:
    """What the optimizer, the frozen layers, Dropout and activations of the model show."""
    graph = graph_of(model)
    if graph is None and model.compiled is None:
        raise CouldNotLook(
            Text(
                "the model is subclassed and not compiled: neither layers nor an optimizer are in the file",
                "这是未编译的子类化模型：文件里既没有各层，也没有优化器的信息",
            )
        )
    yield from _optimizer(model.compiled or {})
    if graph is None:
        return
    flow = flow_of(graph)
    yield from _frozen(model, graph, flow)
    yield from _high_dropout(flow)
    if _has_loss(model.compiled):
        yield from _dropout_at_the_end(flow)
    yield from _linear_stacks(flow)


def _has_loss(compiled: Json | None) -> bool:
    return bool(compiled and compiled.get("loss"))


def _written_optimizer(compiled: Json) -> tuple[str, Json] | None:
    """Class and arguments of the optimizer: `optimizer` in .keras files, `optimizer_config` in HDF5.

    A LossScaleOptimizer holds the real one. Own and registered classes are written `package>Name`.
    """
    written: Any = compiled.get("optimizer") or compiled.get("optimizer_config")
    for _ in range(4):
        if not isinstance(written, dict) or not isinstance(written.get("config"), dict):
            return None
        config: Json = written["config"]
        inner = config.get("inner_optimizer") or config.get("optimizer")
        if not isinstance(inner, dict):
            return str(written.get("class_name")).rpartition(">")[2], config
        written = inner
    return None


def _optimizer(compiled: Json) -> Iterator[Evidence]:
    optimizer = _written_optimizer(compiled)
    if optimizer is None:
        return
    name, config = optimizer
    rate = config.get("learning_rate", config.get("lr"))
    if isinstance(rate, int | float) and not isinstance(rate, bool):
        yield from _rate(name, float(rate) if abs(rate) < 1e300 else math.inf)  # noqa: PLR2004 - an int may have any size
    old = [key for key in ("lr", "decay") if isinstance(config.get(key), int | float)]
    if old:
        told = ", ".join(f"{key}={config[key]:g}" if abs(config[key]) < 1e300 else key for key in old)  # noqa: PLR2004
        yield Evidence(
            Text(
                f"the optimizer {names_en([name])} was saved with arguments of old releases: {told}; newer ones take "
                "learning_rate, and a schedule in place of decay",
                f"优化器 {names_zh([name])} 保存时用的是旧版参数：{told}；新版用 learning_rate，decay 则换成学习率调度",
            ),
            confirms=(ARGUMENTS,),
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


def _frozen(model: ModelFile, graph: Graph, flow: Flow) -> Iterator[Evidence]:
    states = {path: trains(place.layer) for path, place in flow.places.items()}
    weighted = [path for path, state in states.items() if state is not None]
    if _whole_model_frozen(model):
        states = {path: False if state else state for path, state in states.items()}
    frozen = [path for path in weighted if states[path] is False]
    if frozen and len(frozen) == len(weighted):
        yield _all_frozen(frozen, model)
    elif frozen:
        yield Evidence(
            Text(
                f"{len(frozen)} of {len(weighted)} layers with weights are frozen: {names_en(frozen)}",
                f"{len(weighted)} 个有权重的层中有 {len(frozen)} 个被冻结：{names_zh(frozen)}",
            ),
            confirms=(FREEZE,),
        )
        yield from _trainable_batchnorm(graph, states)
    norms = [place for place in flow.places.values() if place.layer.class_name.startswith("BatchNorm")]
    if not norms and all(is_known(place.layer) for place in flow.places.values()):
        yield Evidence(Text("no BatchNormalization", "没有 BatchNormalization 层"), rules_out=(BATCHNORM,))


def _whole_model_frozen(model: ModelFile) -> bool:
    """Keras 3 gives a functional model its own flag back on loading; a nested model's flag counts for nothing there."""
    config = (model.config or {}).get("config")
    functional = (model.config or {}).get("class_name") == "Functional"
    return model.line == "keras-3" and functional and isinstance(config, dict) and config.get("trainable") is False


def _all_frozen(frozen: list[str], model: ModelFile) -> Evidence:
    """A frozen model that is compiled for training learns nothing; one that isn't compiled may be there to predict."""
    number = len(frozen)
    return Evidence(
        Text(
            f"every layer with weights ({number}) has trainable=False: {names_en(frozen)}; training changes nothing. Set "
            "trainable = True on the layers to train, then compile",
            f"所有有权重的层（{number} 个）都是 trainable=False：{names_zh(frozen)}；训练不会改变任何权重。请把要训练的层设为 "
            "trainable = True，再 compile",
        ),
        confirms=(FREEZE, NOT_LEARNING),
        fault=_has_loss(model.compiled),
    )


def _trainable_batchnorm(graph: Graph, states: dict[str, bool | None]) -> Iterator[Evidence]:
    """In one model, frozen layers beside BatchNormalization that is not."""
    for prefix, part in graph.walk():
        norms = {layer.name for layer in part.layers if layer.class_name.startswith("BatchNorm")}
        trainable = [layer.name for layer in part.layers if layer.name in norms and states.get(f"{prefix}{layer.name}")]
        others = [layer.name for layer in part.layers if layer.name not in norms]
        frozen = [name for name in others if states.get(f"{prefix}{name}") is False]
        if trainable and frozen:
            yield Evidence(
                Text(
                    f"BatchNormalization beside frozen layers ({names_en(frozen, prefix)}) is trainable and overwrites its mean "
                    f"and variance: {names_en(trainable, prefix)}",
                    f"其他层已冻结（{names_zh(frozen, prefix)}），BatchNormalization 却仍可训练，会改写均值和方差："
                    f"{names_zh(trainable, prefix)}",
                ),
                confirms=(BATCHNORM,),
            )


def _dropout_rate(place: Place) -> float:
    """The rate of a Dropout layer (`p` in Keras 1), 0 where there is none."""
    rate = place.layer.config.get("rate", place.layer.config.get("p"))
    if place.layer.class_name not in _DROPOUTS or isinstance(rate, bool) or not isinstance(rate, int | float):
        return 0.0
    return float(rate) if 0 <= rate <= 1 else 0.0


def _high_dropout(flow: Flow) -> Iterator[Evidence]:
    for place in flow.places.values():
        if (rate := _dropout_rate(place)) >= _HIGH_DROPOUT:
            yield Evidence(
                Text(
                    f"{names_en([place.path])} ({place.layer.class_name}) drops {rate:.0%} of its input in training: the rate is "
                    "what is dropped, not what is kept; 0.2 to 0.5 is usual",
                    f"{names_zh([place.path])}（{place.layer.class_name}）训练时丢弃 {rate:.0%} 的输入：rate 是丢弃的比例，"
                    "不是保留的比例；通常用 0.2 到 0.5",
                ),
                confirms=(NOT_LEARNING, TRAIN_LOSS),
                fault=True,
            )


def _dropout_at_the_end(flow: Flow) -> Iterator[Evidence]:
    """Dropout between the last Dense and the loss: it sets predictions themselves to zero while training."""
    for output in flow.outputs:
        dropout: Place | None = None
        for place, _ in flow.upstream(output, lambda p: p.layer.class_name in _RESHAPING or _dropout_rate(p) > 0):
            if _dropout_rate(place) > 0:
                dropout = place
            elif dropout and place.layer.class_name == "Dense":
                yield _last_dropout(dropout, place)


def _last_dropout(dropout: Place, dense: Place) -> Evidence:
    return Evidence(
        Text(
            f"{names_en([dropout.path])} ({dropout.layer.class_name}) comes behind the last Dense {names_en([dense.path])}: in "
            "training it sets predictions to zero before the loss sees them; put it before that layer",
            f"{names_zh([dropout.path])}（{dropout.layer.class_name}）放在最后一个 Dense {names_zh([dense.path])} 之后：训练时会在"
            "计算 loss 之前把预测值置零；请把它移到该层之前",
        ),
        confirms=(NOT_LEARNING, TRAIN_LOSS),
        fault=True,
    )


def _linear_stacks(flow: Flow) -> Iterator[Evidence]:
    pairs = []
    for place in flow.places.values():
        if _is_affine(place) and len(place.takes) == 1 and place.takes[0]:
            before = [p for p, _ in flow.upstream(place.takes[0][0], _stays_linear)]
            if before and _is_affine(before[-1]) and before[-1].layer.config.get("activation") in (None, "linear"):
                pairs.append(f"{before[-1].path} -> {place.path}")
    if pairs:
        yield Evidence(
            Text(
                f"no activation stands between {names_en(pairs)}: each such pair computes no more than one layer could",
                f"{names_zh(pairs)} 之间没有激活函数：这样的两层合起来不比一层强",
            ),
            confirms=(NOT_LEARNING,),
        )


def _is_affine(place: Place) -> bool:
    """Convolutions in groups are left out: a wide one is taken apart like that on purpose (ConvNeXt)."""
    return place.layer.class_name in _AFFINE and place.layer.config.get("groups", 1) == 1


def _stays_linear(place: Place) -> bool:
    is_identity = place.layer.class_name == "Activation" and place.layer.config.get("activation") == "linear"
    return place.layer.class_name in _LINEAR or is_identity


PROBE = Probe(
    id="training-setup",
    subject="model",
    promise=Text(
        "whether anything can be learned: frozen layers, the learning rate, Dropout and missing activations",
        "检查能否学到东西：冻结的层、学习率、Dropout，以及缺少的激活函数",
    ),
    topics=(FREEZE, BATCHNORM, NOT_LEARNING, NAN, ARGUMENTS, TRAIN_LOSS),
    look=look,
    remedy=Text(
        "unfreeze what is to learn, go back to the default learning rate, and compile again",
        "解冻需要学习的层，学习率用回默认值，再重新 compile",
    ),
    documentation="https://keras.io/guides/transfer_learning/",
)
