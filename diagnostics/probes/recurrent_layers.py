"""Recurrent layers: do their outputs have the axes that the next layer needs, their batches a size, their masks a way."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..flow import Flow, Place, Source, flow_of
from ..graph import Graph, Layer, needed_graph
from ..model_file import ModelFile
from ..probe import Evidence, Probe
from ..wording import names_en, names_zh

RANK = "layer-input-rank"
STATEFUL = "stateful-rnn"
TARGET = "target-shape"
NOT_LEARNING = "loss-not-decreasing"

# Axes (batch included) of what is left when only the last step is returned.
_LAST_STEP_AXES = {
    "LSTM": 2, "GRU": 2, "SimpleRNN": 2, "CuDNNLSTM": 2, "CuDNNGRU": 2, "ConvLSTM1D": 3, "ConvLSTM2D": 4, "ConvLSTM3D": 5,
}  # fmt: skip
# An own cell may give tensors of any rank, Keras' own give vectors.
_CELLS = frozenset({"LSTMCell", "GRUCell", "SimpleRNNCell", "StackedRNNCells"})
# The fewest axes that a class takes; measured on Keras 3.15 and tf_keras 2.21, and by a test again on the installed ones.
NEEDED_AXES = {
    "LSTM": 3, "GRU": 3, "SimpleRNN": 3, "RNN": 3, "Bidirectional": 3, "TimeDistributed": 3, "ConvLSTM1D": 4,
    "ConvLSTM2D": 5, "ConvLSTM3D": 6, "Conv1D": 3, "Conv1DTranspose": 3, "SeparableConv1D": 3, "DepthwiseConv1D": 3,
    "MaxPooling1D": 3, "AveragePooling1D": 3, "GlobalMaxPooling1D": 3, "GlobalAveragePooling1D": 3, "ZeroPadding1D": 3,
    "Cropping1D": 3, "UpSampling1D": 3, "SpatialDropout1D": 3,
}  # fmt: skip
# Attention over vectors is an error in Keras 2 and none in Keras 3.
NEEDED_AXES_KERAS_2 = NEEDED_AXES | {"MultiHeadAttention": 3}
# Classes that change neither the number of axes nor drop a mask, and those that hand no mask on (measured as above).
KEEP_AXES = frozenset({
    "Dense", "Dropout", "Activation", "BatchNormalization", "LayerNormalization", "LeakyReLU", "ReLU", "PReLU", "ELU",
    "GaussianNoise", "GaussianDropout", "ActivityRegularization",
})  # fmt: skip
DROP_MASK = frozenset({
    "Flatten", "Reshape", "Permute", "Conv1D", "SeparableConv1D", "Conv1DTranspose", "MaxPooling1D", "AveragePooling1D",
    "ZeroPadding1D", "Cropping1D", "UpSampling1D",
})  # fmt: skip


def look(model: ModelFile) -> Iterator[Evidence]:
    """What the recurrent layers of the model and of all models nested in it hand on and take."""
    graph = needed_graph(model)
    flow = flow_of(graph)
    recurrent = [place for place in flow.places.values() if _is_recurrent(place.layer)]
    if not recurrent:
        yield Evidence(Text("no recurrent layers", "没有循环层"))
        return
    yield from _too_few_axes(flow, keras_2=model.line != "keras-3")
    yield from _stateful(graph, recurrent)
    yield from _whole_sequences(flow)
    yield from _lost_masks(flow, recurrent)
    yield _summary(recurrent)


def _summary(recurrent: list[Place]) -> Evidence:
    told_en = [f"{p.path} ({p.layer.class_name}, return_sequences={_returns_sequences(p.layer)})" for p in recurrent]
    return Evidence(Text(f"recurrent layers: {names_en(told_en)}", f"循环层：{names_zh(told_en)}"))


def _is_recurrent(layer: Layer) -> bool:
    return _returns_sequences(layer) is not None


def _wrapped(layer: Layer) -> tuple[str, dict[str, Any]]:
    """The class and configuration of the layer in a Bidirectional wrapper, or of the layer itself."""
    inner = layer.config.get("layer") if layer.class_name == "Bidirectional" else None
    if isinstance(inner, dict) and isinstance(inner.get("class_name"), str) and isinstance(inner.get("config"), dict):
        return inner["class_name"], inner["config"]
    return layer.class_name, layer.config


def _returns_sequences(layer: Layer) -> bool | None:
    """Whether a recurrent layer returns all steps; None for any other layer, and where the file doesn't say."""
    class_name, config = _wrapped(layer)
    written = config.get("return_sequences")
    return written if isinstance(written, bool) and (class_name in _LAST_STEP_AXES or class_name == "RNN") else None


def _last_step_axes(layer: Layer) -> int | None:
    """How many axes the output of a recurrent layer has that returns its last step only; None for any other."""
    if _returns_sequences(layer) is not False:
        return None
    class_name, config = _wrapped(layer)
    cell = config.get("cell")
    if class_name == "RNN" and isinstance(cell, dict) and str(cell.get("class_name")) in _CELLS:
        return 2
    return _LAST_STEP_AXES.get(class_name)


def _keeps_axes(place: Place) -> bool:
    return place.layer.class_name in KEEP_AXES


def _too_few_axes(flow: Flow, *, keras_2: bool) -> Iterator[Evidence]:
    needed = NEEDED_AXES_KERAS_2 if keras_2 else NEEDED_AXES
    for place in flow.places.values():
        needs = needed.get(place.layer.class_name, 0)
        # The first tensor of a call is the sequence; an initial state, which comes behind it, has no time axis.
        firsts = dict.fromkeys(call[0] for call in place.takes if call) if needs else ()
        for first in firsts:
            feeder, axes = _feeder(flow, first)
            if feeder and axes < needs:
                yield _last_step_only(feeder, axes, place, needs)


def _feeder(flow: Flow, first: Source | None) -> tuple[Place | None, int]:
    """The recurrent layer whose last step arrives in a tensor, and the tensor's axes; None where none does."""
    for place, index in flow.upstream(first, _keeps_axes):
        axes = _last_step_axes(place.layer)
        if axes and index == 0:
            return place, axes
    return None, 0


def _last_step_only(feeder: Place, axes: int, taker: Place, needs: int) -> Evidence:
    feeder_en, taker_en = names_en([feeder.path]), names_en([taker.path])
    feeder_zh, taker_zh = names_zh([feeder.path]), names_zh([taker.path])
    return Evidence(
        Text(
            f"{feeder_en} ({feeder.layer.class_name}) returns its last step only ({axes} axes), and {taker_en} "
            f"({taker.layer.class_name}) needs {needs}: give {feeder_en} return_sequences=True",
            f"{feeder_zh}（{feeder.layer.class_name}）只返回最后一步（{axes} 个轴），而 {taker_zh}（{taker.layer.class_name}）需要 "
            f"{needs} 个轴：请给 {feeder_zh} 设置 return_sequences=True",
        ),
        confirms=(RANK,),
        fault=True,
    )


def _stateful(graph: Graph, recurrent: list[Place]) -> Iterator[Evidence]:
    stateful = [
        p.path for p in recurrent if True in (p.layer.config.get("stateful"), _wrapped(p.layer)[1].get("stateful"))
    ]
    if not stateful:
        return
    batches = list(_batch_sizes(graph))
    fixed = sorted({size for size in batches if size is not None})
    if fixed:
        sizes = ", ".join(str(size) for size in fixed[:5])
        yield Evidence(
            Text(
                f"{names_en(stateful)} is stateful and the batch size is fixed at {sizes}: each batch given to fit, evaluate "
                "and predict must have exactly that size",
                f"{names_zh(stateful)} 是有状态的，批次大小固定为 {sizes}：fit、evaluate、predict 的每一批都必须正好这么大",
            ),
            confirms=(STATEFUL,),
        )
    elif batches:
        yield Evidence(
            Text(
                f"{names_en(stateful)} is stateful, but no input has a fixed batch size: give the model "
                "Input(batch_shape=(batch size, steps, features))",
                f"{names_zh(stateful)} 是有状态的，但没有任何输入固定了批次大小：请给模型 "
                "Input(batch_shape=(批次大小, 步数, 特征数))",
            ),
            confirms=(STATEFUL,),
            fault=True,
        )


def _batch_sizes(graph: Graph) -> Iterator[int | None]:
    """The batch sizes that input shapes anywhere in the model declare, None for one that is left open."""
    for _, part in graph.walk():
        for layer in part.layers:
            shape = layer.config.get("batch_shape") or layer.config.get("batch_input_shape")
            if isinstance(shape, list) and shape and (shape[0] is None or type(shape[0]) is int):
                yield shape[0]


def _whole_sequences(flow: Flow) -> Iterator[Evidence]:
    """A sequence that reaches the last Dense gives an output per step; Flatten makes one vector of all steps."""
    outputs = {source.path for source in flow.outputs}
    for place in flow.places.values():
        if place.layer.class_name == "Flatten" or (place.layer.class_name == "Dense" and place.path in outputs):
            feeder = _sequence_before(flow, place)
            if feeder:
                yield _per_step(feeder, place)


def _sequence_before(flow: Flow, place: Place) -> Place | None:
    first = place.takes[0][0] if len(place.takes) == 1 and place.takes[0] else None
    for found, index in flow.upstream(first, _keeps_axes):
        if index == 0 and _returns_sequences(found.layer):
            return found
    return None


def _per_step(feeder: Place, place: Place) -> Evidence:
    who_en, who_zh = names_en([feeder.path]), names_zh([feeder.path])
    to_en, to_zh = names_en([place.path]), names_zh([place.path])
    if place.layer.class_name == "Flatten":
        en = f"{who_en} returns all steps and {to_en} (Flatten) joins them into one vector"
        zh = f"{who_zh} 返回所有时间步，{to_zh}（Flatten）把它们拼成一个向量"
    else:
        en = (
            f"{who_en} returns all steps, so the last layer {to_en} (Dense) predicts once per step: its output has a time axis "
            "more than one label per sequence; for one label use return_sequences=False"
        )
        zh = (
            f"{who_zh} 返回所有时间步，所以最后一层 {to_zh}（Dense）每一步输出一次，比“每条序列一个标签”多一个时间轴；"
            "若只有一个标签，请用 return_sequences=False"
        )
    return Evidence(Text(en, zh), confirms=(TARGET,))


def _lost_masks(flow: Flow, recurrent: list[Place]) -> Iterator[Evidence]:
    for place in recurrent:
        first = place.takes[0][0] if len(place.takes) == 1 and place.takes[0] else None
        dropper: Place | None = None
        for found, _ in flow.upstream(first, _hands_on):
            if found.layer.class_name in DROP_MASK:
                dropper = found
            if dropper and _makes_mask(found.layer):
                yield _mask_lost(found, dropper, place)


def _hands_on(place: Place) -> bool:
    return _keeps_axes(place) or place.layer.class_name in DROP_MASK


def _makes_mask(layer: Layer) -> bool:
    return layer.class_name == "Masking" or (layer.class_name == "Embedding" and layer.config.get("mask_zero") is True)


def _mask_lost(maker: Place, dropper: Place, taker: Place) -> Evidence:
    maker_en, dropper_en, taker_en = (names_en([place.path]) for place in (maker, dropper, taker))
    maker_zh, dropper_zh, taker_zh = (names_zh([place.path]) for place in (maker, dropper, taker))
    return Evidence(
        Text(
            f"the mask of {maker_en} ({maker.layer.class_name}) ends at {dropper_en} ({dropper.layer.class_name}), which hands "
            f"none on: {taker_en} computes over the padding too",
            f"{maker_zh}（{maker.layer.class_name}）的掩码到 {dropper_zh}（{dropper.layer.class_name}）就断了，该层不传递掩码："
            f"{taker_zh} 会把填充部分也算进去",
        ),
        confirms=(NOT_LEARNING,),
    )


PROBE = Probe(
    id="recurrent-layers",
    subject="model",
    promise=Text(
        "whether recurrent layers hand on the axes, the batch size and the mask that the next layer needs",
        "检查循环层传给下一层的轴数、批次大小和掩码是否符合要求",
    ),
    topics=(RANK, STATEFUL, TARGET, NOT_LEARNING),
    look=look,
    remedy=Text(
        "give every recurrent layer but the last return_sequences=True",
        "除最后一个循环层外，都要设 return_sequences=True",
    ),
    documentation="https://keras.io/guides/working_with_rnns/",
)
