"""Layer settings: initializers, regularizers, hidden softmaxes, and what stands before BatchNormalization."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..flow import Flow, Place, Source, flow_of
from ..graph import needed_graph
from ..model_file import ModelFile
from ..probe import Evidence, Probe
from ..settings import AFFINE, DROPOUTS, activation_name, constant_kernel, has_constant_bias, penalties
from ..trainable import trains
from ..wording import names_en, names_zh

NOT_LEARNING = "loss-not-decreasing"
PLACEMENT = "batchnorm-placement"
TRAIN_LOSS = "train-loss-higher-than-test"

_STRONG_PENALTY = 1.0
# Layers that treat each unit of a kernel's output alike, so that units that are equal stay equal.
_ALIKE = frozenset({
    "Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "BatchNormalization", "Flatten", "Reshape", "Identity", "MaxPooling1D",
    "MaxPooling2D", "AveragePooling1D", "AveragePooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D",
    "GlobalMaxPooling1D", "GlobalMaxPooling2D",
})  # fmt: skip


def look(model: ModelFile) -> Iterator[Evidence]:
    """What the settings of the layers show, in nested models too."""
    graph = needed_graph(model)
    flow = flow_of(graph)
    users = _users(flow)
    yield from _equal_units(flow, users, compiled=bool(model.compiled and model.compiled.get("loss")))
    yield from _penalties(flow)
    yield from _before_normalization(flow, users)
    yield from _hidden_softmaxes(flow, users)


def _users(flow: Flow) -> dict[str, int]:
    """How many tensors are taken from each layer, outputs of the model included."""
    users: dict[str, int] = {}
    for place in flow.places.values():
        for path in (source.path for call in place.takes for source in call if source):
            users[path] = users.get(path, 0) + 1
    for end in flow.outputs:
        users[end.path] = users.get(end.path, 0) + 1
    return users


def _source(place: Place) -> Source | None:
    """The tensor that a layer takes, where it takes one, once."""
    return place.takes[0][0] if len(place.takes) == 1 and len(place.takes[0]) == 1 else None


def _equal_units(flow: Flow, users: dict[str, int], *, compiled: bool) -> Iterator[Evidence]:
    """Two constant kernels in a row: the units between get equal numbers and equal gradients, so they stay equal.

    One constant kernel alone does no harm where the next one is random: its units get different gradients. A model that is
    there to predict may be built so because weights are loaded over it.
    """
    for place in flow.places.values():
        if place.layer.class_name not in AFFINE or constant_kernel(place.layer) is None:
            continue
        before = _kernel_before(place, flow, users)
        if before and constant_kernel(before.layer) is not None and has_constant_bias(before.layer):
            if trains(before.layer) and _units(before) > 1:
                yield _equal(before, place, compiled=compiled)
        else:
            yield _constant(place)


def _kernel_before(place: Place, flow: Flow, users: dict[str, int]) -> Place | None:
    """The layer with a kernel that a layer takes its input from, by a way that nothing else branches off from."""
    for before, _ in flow.upstream(_source(place), lambda p: p.layer.class_name in _ALIKE):
        if users.get(before.path) != 1:
            return None
        if before.layer.class_name in AFFINE:
            return before
    return None


def _units(place: Place) -> int:
    config = place.layer.config
    written = config.get("units", config.get("filters", config.get("output_dim", config.get("nb_filter"))))
    return written if type(written) is int else 0


def _equal(first: Place, second: Place, *, compiled: bool) -> Evidence:
    starts = f"{constant_kernel(first.layer):g}"
    return Evidence(
        Text(
            f"every weight of {names_en([first.path])} starts as {starts}, and {names_en([second.path])} behind it is constant too: "
            f"all {_units(first)} units compute the same and learn the same for ever; leave kernel_initializer away",
            f"{names_zh([first.path])} 的权重全部初始化为 {starts}，它后面的 {names_zh([second.path])} 也是常数初始化："
            f"{_units(first)} 个单元的计算和更新永远相同；请去掉 kernel_initializer",
        ),
        confirms=(NOT_LEARNING,),
        fault=compiled,
        warning=not compiled,
        layers=(first.path, second.path),
    )


def _constant(place: Place) -> Evidence:
    starts = f"{constant_kernel(place.layer):g}"
    return Evidence(
        Text(
            f"every weight of {names_en([place.path])} starts as {starts}; its units differ only through the layers around it",
            f"{names_zh([place.path])} 的权重全部初始化为 {starts}；各单元只能靠前后的层区分开来",
        ),
        confirms=(NOT_LEARNING,),
        layers=(place.path,),
    )


def _penalties(flow: Flow) -> Iterator[Evidence]:
    for place in flow.places.values():
        for penalty in penalties(place.layer):
            if 0 <= penalty.factor < _STRONG_PENALTY or trains(place.layer) is False:
                continue
            told = f"{penalty.argument} {penalty.kind}={penalty.factor:g}"
            yield Evidence(
                Text(
                    f"{names_en([place.path])} has {told}: below 0 it rewards large weights, from {_STRONG_PENALTY:g} on it outweighs "
                    "most losses and holds the weights near 0; 0.00001 to 0.01 is usual",
                    f"{names_zh([place.path])} 设了 {told}：小于 0 会鼓励权重变大，达到 {_STRONG_PENALTY:g} 以上会压过大多数损失，"
                    "把权重压到 0 附近；通常用 0.00001 到 0.01",
                ),
                confirms=(NOT_LEARNING, TRAIN_LOSS),
                fault=penalty.factor < 0,
                warning=penalty.factor > 0,
                layers=(place.path,),
            )


def _before_normalization(flow: Flow, users: dict[str, int]) -> Iterator[Evidence]:
    """The mean that BatchNormalization takes away contains the bias; Dropout changes the variance that it learns."""
    biases, dropouts = [], []
    for place in flow.places.values():
        source = _source(place)
        before = flow.places.get(source.path) if source else None
        if before is None or not place.layer.class_name.startswith("BatchNorm"):
            continue
        if before.layer.class_name in DROPOUTS:
            dropouts.append(before.path)
        elif _has_idle_bias(before) and users.get(before.path) == 1 and place.layer.config.get("center") is not False:
            biases.append(before.path)
    if biases:
        yield _idle_biases(biases)
    if dropouts:
        yield _dropouts(dropouts)


def _has_idle_bias(place: Place) -> bool:
    layer = place.layer
    return layer.class_name in AFFINE and layer.config.get("use_bias") is True and activation_name(layer) == "linear"


def _idle_biases(paths: list[str]) -> Evidence:
    return Evidence(
        Text(
            f"{len(paths)} layers have a bias right before BatchNormalization, which takes it away again: {names_en(paths)}; "
            "harmless, and use_bias=False saves the parameters",
            f"有 {len(paths)} 层在 BatchNormalization 之前带偏置，而 BN 会把它减掉：{names_zh(paths)}；没有害处，设 use_bias=False "
            "可以省下这些参数",
        ),
        confirms=(PLACEMENT,),
        layers=tuple(paths),
    )


def _dropouts(paths: list[str]) -> Evidence:
    return Evidence(
        Text(
            f"Dropout right before BatchNormalization: {names_en(paths)}; the variance that is learned with Dropout is too high "
            "without it, when the model predicts; put Dropout behind",
            f"Dropout 紧接在 BatchNormalization 之前：{names_zh(paths)}；训练时带 Dropout 学到的方差，在预测时（没有 Dropout）偏大；"
            "请把 Dropout 放到后面",
        ),
        confirms=(PLACEMENT, TRAIN_LOSS),
        layers=tuple(paths),
    )


def _hidden_softmaxes(flow: Flow, users: dict[str, int]) -> Iterator[Evidence]:
    """A softmax that goes into a kernel and nowhere else; in attention it goes into a product."""
    for place in flow.places.values():
        if place.layer.class_name not in AFFINE:
            continue
        for before, _ in flow.upstream(_source(place), lambda p: p.layer.class_name in DROPOUTS | {"Flatten"}):
            if _is_softmax(before) and users.get(before.path) == 1 and trains(place.layer):
                yield _hidden_softmax(before, place)


def _is_softmax(place: Place) -> bool:
    layer = place.layer
    if layer.class_name == "Softmax":
        return True
    return layer.class_name in (*AFFINE, "Activation") and activation_name(layer) == "softmax"


def _hidden_softmax(softmax: Place, behind: Place) -> Evidence:
    return Evidence(
        Text(
            f"{names_en([softmax.path])} is a softmax in the middle of the model, in front of {names_en([behind.path])}: its units "
            "share a sum of 1, so little gets through; softmax belongs at the end, use relu here",
            f"{names_zh([softmax.path])} 是模型中间的 softmax，后面是 {names_zh([behind.path])}：各单元之和恒为 1，"
            "能传过去的信息很少；softmax 应放在最后，这里请用 relu",
        ),
        confirms=(NOT_LEARNING,),
        warning=True,
        layers=(softmax.path, behind.path),
    )


PROBE = Probe(
    id="layer-settings",
    subject="model",
    promise=Text(
        "whether initializers, regularizers, biases, Dropout and softmax stand where they do what they are for",
        "检查初始化、正则化、偏置、Dropout 和 softmax 是否用在该用的地方",
    ),
    topics=(NOT_LEARNING, PLACEMENT, TRAIN_LOSS),
    look=look,
    remedy=Text(
        "leave initializers and regularizers at their defaults until the model learns",
        "在模型能学到东西之前，初始化和正则化都用默认值",
    ),
    documentation="https://keras.io/api/layers/initializers/",
)
