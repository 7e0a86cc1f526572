"""Training setup: can anything be learned at all, and at what rate, from the layers and from what was compiled."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..flow import Flow, Place, flow_of
from ..graph import Graph, graph_of
from ..model_file import Json, ModelFile
from ..optimizers import ARGUMENTS, CLIPPING, NAN, NOT_LEARNING, optimizer_evidence, optimizer_of
from ..probe import CouldNotLook, Evidence, Probe
from ..settings import AFFINE, DROPOUTS
from ..trainable import is_known, trains
from ..wording import names_en, names_zh

FREEZE = "freeze-layers"
BATCHNORM = "batchnorm-fine-tuning"
RECOMPILE = "frozen-without-recompile"
TRAIN_LOSS = "train-loss-higher-than-test"

_HIGH_DROPOUT = 0.9
# Classes between two affine layers that leave the two one affine map when the model predicts.
_LINEAR = DROPOUTS | {
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
    if optimizer := optimizer_of(model.compiled or {}):
        yield from optimizer_evidence(optimizer, keras_3=model.line == "keras-3")
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
            layers=tuple(frozen),
        )
        if model.compiled:
            yield _when_compiled(len(frozen))
        yield from _trainable_batchnorm(graph, states)
    norms = [place for place in flow.places.values() if place.layer.class_name.startswith("BatchNorm")]
    if not norms and all(is_known(place.layer) for place in flow.places.values()):
        yield Evidence(Text("no BatchNormalization", "没有 BatchNormalization 层"), rules_out=(BATCHNORM,))


def _when_compiled(number: int) -> Evidence:
    """The file has the flags as they were when it was saved, and not what they were when the model was compiled."""
    return Evidence(
        Text(
            f"{number} layers were frozen when the model was saved, and it was compiled: the file does not tell which came first; "
            "loading compiles it anew, so that from then on the flags count",
            f"保存时有 {number} 层是冻结的，而且模型已编译：文件里看不出两者的先后；加载时会重新编译，此后以现在的 trainable 为准",
        ),
        confirms=(RECOMPILE,),
    )


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
        layers=tuple(frozen),
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
                layers=tuple(f"{prefix}{name}" for name in trainable),
            )


def _dropout_rate(place: Place) -> float:
    """The rate of a Dropout layer (`p` in Keras 1), 0 where there is none."""
    rate = place.layer.config.get("rate", place.layer.config.get("p"))
    if place.layer.class_name not in DROPOUTS or isinstance(rate, bool) or not isinstance(rate, int | float):
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
                layers=(place.path,),
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
        layers=(dropout.path, dense.path),
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
    return place.layer.class_name in AFFINE and place.layer.config.get("groups", 1) == 1


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
    topics=(FREEZE, RECOMPILE, BATCHNORM, NOT_LEARNING, NAN, ARGUMENTS, CLIPPING, TRAIN_LOSS),
    look=look,
    remedy=Text(
        "unfreeze what is to learn, go back to the default learning rate, and compile again",
        "解冻需要学习的层，学习率用回默认值，再重新 compile",
    ),
    documentation="https://keras.io/guides/transfer_learning/",
)
