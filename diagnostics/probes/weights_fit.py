"""The stored variables against the configuration: layers without any, variables without a layer, shapes that don't fit."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..flow import Flow, Place
from ..graph import Layer, graph_of
from ..probe import CouldNotLook, Evidence, Probe
from ..shapes import shapes_of
from ..trainable import HAVE_WEIGHTS, trains
from ..variables import variables_of
from ..weights import Variable, Weights
from ..weights_layers import PER_UNIT, class_of, fits_theano_only, kernel_form
from ..wording import names_en, names_zh

SHAPE = "weights-shape-mismatch"
COUNT = "weights-layer-count-mismatch"
NOT_BUILT = "layer-not-built"
_GATES = {"LSTM": 4, "GRU": 3, "SimpleRNN": 1, "CuDNNLSTM": 4, "CuDNNGRU": 3}
# Between two layers with kernels these change neither the last axis nor, behind convolutions, the channels.
_KEEP_LAST = frozenset({
    "Dropout", "Activation", "ReLU", "LeakyReLU", "ELU", "Softmax", "BatchNormalization", "LayerNormalization",
    "GaussianNoise", "GaussianDropout", "ActivityRegularization", "Identity",
})  # fmt: skip
_Misfit = tuple[Variable, str]


def look(weights: Weights) -> Iterator[Evidence]:
    """Which stored variables a model of this configuration could not take."""
    flow = weights.flow
    if weights.model is None or flow is None:
        raise CouldNotLook(
            Text(
                "there is no layer graph in the file to compare with: give the whole model",
                "文件里没有可供比较的层结构：请提供完整模型",
            )
        )
    if not weights.variables:
        yield from _none(flow)
        return
    yield from _missing(weights, flow)
    yield from _strangers(weights)
    misfits = [misfit for place in flow.places.values() for misfit in _misfits(weights, flow, place)]
    misfits += _against_shapes(weights, flow, {variable.layer for variable, _ in misfits})
    if misfits:
        yield _wrong_shapes(misfits)
    yield Evidence(
        Text(
            f"{len(weights.variables)} variables in {len(weights.layers)} layers were compared",
            f"比较了 {len(weights.layers)} 层中的 {len(weights.variables)} 个变量",
        )
    )


def _none(flow: Flow) -> Iterator[Evidence]:
    """A model saved before it was built is no fault: its weights are made when it is first called."""
    needing = [path for path, place in flow.places.items() if _needs(place.layer)]
    if needing:
        yield Evidence(
            Text(
                f"the file stores no weights at all, though {names_en(needing)} have some: the model was saved before it was built",
                f"文件里没有任何权重，而 {names_zh(needing)} 应该有：模型在构建之前就保存了",
            ),
            confirms=(NOT_BUILT, COUNT),
            layers=tuple(needing),
        )


def _needs(layer: Layer) -> bool:
    return layer.class_name in HAVE_WEIGHTS and trains(layer) is not None


def _missing(weights: Weights, flow: Flow) -> Iterator[Evidence]:
    """Layers that need weights and have none. A layer that stands in two models is stored once, under either path."""
    if weights.skipped or not all(variable.mapped for variable in weights.variables):
        return  # what has no place could be what is missing
    have = {path.rpartition("/")[2] for path in weights.layers}
    missing = [p for p, place in flow.places.items() if _needs(place.layer) and p.rpartition("/")[2] not in have]
    if missing:
        yield Evidence(
            Text(
                f"{len(missing)} layers with weights have none in the file: {names_en(missing)}",
                f"{len(missing)} 个应有权重的层在文件中没有权重：{names_zh(missing)}",
            ),
            confirms=(COUNT,),
            fault=True,
            layers=tuple(missing),
        )


def _strangers(weights: Weights) -> Iterator[Evidence]:
    """Variables whose layer isn't in the configuration; a model's own weights and custom layers have some."""
    strangers = list(dict.fromkeys(v.layer for v in weights.variables if not v.mapped))
    if strangers:
        yield Evidence(
            Text(
                f"the file stores weights that belong to no layer of the configuration: {names_en(strangers)}",
                f"文件中有不属于配置中任何层的权重：{names_zh(strangers)}",
            ),
            confirms=(COUNT,),
        )


def _misfits(weights: Weights, flow: Flow, place: Place) -> Iterator[_Misfit]:
    own = weights.layers.get(place.path, {})
    yield from _against_config(place.layer, own)
    yield from _recurrent(weights, place)
    yield from _equal_lengths(place.layer, own)
    yield from _against_feeder(weights, flow, place)


def _against_config(layer: Layer, own: dict[str, Variable]) -> Iterator[_Misfit]:
    kernel, bias = own.get("kernel"), own.get("bias")
    units = _integer(layer, "units", "filters", "output_dim", "nb_filter")
    if layer.class_name == "Embedding" and (table := own.get("embeddings")):
        shape = (_integer(layer, "input_dim"), _integer(layer, "output_dim"))
        if None not in shape and table.shape != shape:
            yield table, str(shape)
    if class_of(layer) not in PER_UNIT or units is None:
        return
    if (
        kernel
        and kernel.is_float
        and not fits_theano_only(layer, kernel.shape)
        and not _fits(layer, kernel.shape, units)
    ):
        window = ", ".join(str(n) for n in (kernel_form(layer) or ((),))[0])
        yield kernel, f"({window + ', ' if window else ''}..., {units})"
    if bias and bias.is_float and bias.shape != (units,):
        yield bias, f"({units},)"
    if kernel and not bias and set(own) == {"kernel"} and layer.config.get("use_bias") is True:
        yield kernel, "a bias beside it"
    if bias and set(own) == {"bias"}:
        yield bias, "a kernel beside it"


def _fits(layer: Layer, shape: tuple[int, ...], units: int) -> bool:
    if class_of(layer) == "Dense":
        return len(shape) == 2 and shape[-1] == units  # noqa: PLR2004
    form = kernel_form(layer)
    # A window of one axis in Keras 1 has an axis of length 1 beside it.
    return form is None or class_of(layer) == "Conv1D" or (shape[:-2], shape[-1]) == form


def _integer(layer: Layer, *names: str) -> int | None:
    """The first of these fields of the configuration, if it is an integer."""
    value: Any = next((layer.config[name] for name in names if name in layer.config), None)
    return value if type(value) is int else None


def _recurrent(weights: Weights, place: Place) -> Iterator[_Misfit]:
    class_name, layer = place.layer.class_name, place.layer
    if class_name == "Bidirectional" and isinstance(inner := layer.config.get("layer"), dict):
        class_name = str(inner.get("class_name"))
        config = inner.get("config")
        layer = Layer(layer.name, class_name, "", config if isinstance(config, dict) else {}, ())
    units, gates = _integer(layer, "units"), _GATES.get(class_name)
    if units is None or gates is None:
        return
    for variable in weights.parts.get(place.path, ()):
        if variable.name == "kernel" and variable.shape[-1:] != (gates * units,):
            yield variable, f"(..., {gates * units})"
        if variable.name == "recurrent_kernel" and variable.shape != (units, gates * units):
            yield variable, f"({units}, {gates * units})"


def _equal_lengths(layer: Layer, own: dict[str, Variable]) -> Iterator[_Misfit]:
    """The arrays of BatchNormalization have one shape, that of its axis."""
    if layer.class_name == "BatchNormalization" and len({variable.shape for variable in own.values()}) > 1:
        shape = own["moving_variance"].shape if "moving_variance" in own else ()
        yield from ((variable, str(shape)) for variable in own.values() if variable.shape != shape)


def _against_feeder(weights: Weights, flow: Flow, place: Place) -> Iterator[_Misfit]:
    """A kernel takes as many numbers as the layer before it gives."""
    kernel = weights.layers.get(place.path, {}).get("kernel")
    start = place.takes[0][0] if len(place.takes) == 1 and len(place.takes[0]) == 1 else None
    if kernel is None or class_of(place.layer) not in PER_UNIT or len(kernel.shape) < 2:  # noqa: PLR2004
        return
    for found, _ in flow.upstream(start, lambda p: p.layer.class_name in _KEEP_LAST):
        units = _integer(found.layer, "units", "filters")
        same = (class_of(found.layer) == "Dense") == (class_of(place.layer) == "Dense")
        if found.layer.class_name in _KEEP_LAST or class_of(found.layer) not in PER_UNIT or not same or units is None:
            continue
        groups = place.layer.config.get("groups", 1)
        if (
            type(groups) is int
            and groups > 0
            and not fits_theano_only(place.layer, kernel.shape)
            and kernel.shape[-2] * groups != units
        ):
            yield kernel, f"(..., {units // groups}, {kernel.shape[-1]})"


def _against_shapes(weights: Weights, flow: Flow, told: set[str]) -> Iterator[_Misfit]:
    """A kernel takes as many numbers as the shapes, walked from the inputs, bring it: behind an input, Flatten or pooling too."""
    graph = graph_of(weights.model) if weights.model else None
    shapes = shapes_of(graph, weights.model.line) if graph and weights.model else None
    if shapes is None or shapes.misfits:
        return  # what the walk says behind a misfit is a guess
    for path, place in flow.places.items():
        kernel, taken = weights.layers.get(path, {}).get("kernel"), shapes.inputs.get(path, ())
        if (
            path in told
            or kernel is None
            or not kernel.is_float
            or class_of(place.layer) not in PER_UNIT
            or len(taken) != 1
        ):
            continue
        expected = (variables_of(place.layer, taken) or {}).get("kernel")
        known = expected is not None and None not in expected and len(expected) == len(kernel.shape)
        if known and kernel.shape != expected and not fits_theano_only(place.layer, kernel.shape):
            yield kernel, str(expected)


def _wrong_shapes(misfits: list[_Misfit]) -> Evidence:
    told_en = [f"{v.path}: {v.shape}, expected {expected}" for v, expected in misfits]
    told_zh = [f"{v.path}：{v.shape}，应为 {expected}" for v, expected in misfits]
    return Evidence(
        Text(
            f"{len(misfits)} stored variables don't fit the configuration: {names_en(told_en)}",
            f"{len(misfits)} 个保存的变量与配置不符：{names_zh(told_zh)}",
        ),
        confirms=(SHAPE,),
        fault=True,
        layers=tuple(dict.fromkeys(v.layer for v, _ in misfits)),
    )


PROBE = Probe(
    id="weights-fit",
    subject="weights",
    promise=Text(
        "whether the stored variables fit the layers of the configuration", "检查保存的变量是否与配置中的各层相符"
    ),
    topics=(SHAPE, COUNT, NOT_BUILT),
    look=look,
    remedy=Text(
        "build the model that these weights were saved from, and save both again",
        "用保存这些权重时的结构重建模型，再一起重新保存",
    ),
    documentation="https://keras.io/api/models/model_saving_apis/weights_saving_and_loading/",
)
