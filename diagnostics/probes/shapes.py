"""Shapes: does every layer take what the ones before it hand on, and what becomes of the axes at the end."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..flow import Flow, Place, flow_of
from ..graph import Graph, needed_graph
from ..model_file import ModelFile
from ..probe import Evidence, Probe
from ..shapes import Misfit, Shape, Shapes, shapes_of
from ..shapes_base import (
    BROADCAST,
    CONCATENATE,
    DOT,
    LAST_AXIS,
    NEGATIVE,
    RANK,
    RESHAPE,
    TRANSPOSE,
    shown,
)
from ..shapes_core import SAME
from ..variables import parameters_of
from ..wording import SHOWN, names_en, names_zh

TARGET = "target-shape"
BATCH = "batch-size-differs"
HEAVY = ("gpu-out-of-memory", "host-out-of-memory", "overfitting")
MANY_PARAMETERS = 10_000_000
FEW_PARAMETERS = 1_000_000
LARGE_SHARE = 0.9
_KEEP_AXES = SAME | {"BatchNormalization", "LayerNormalization"}


def look(model: ModelFile) -> Iterator[Evidence]:
    """What the shapes of the model and of all models nested in it show."""
    graph = needed_graph(model)
    shapes = shapes_of(graph, model.line)
    flow = flow_of(graph)
    yield from (_unfit(misfit) for misfit in shapes.misfits[:SHOWN])
    yield from _many_weights(flow, shapes)
    yield from _kept_places(flow, shapes)
    yield _summary(graph, flow, shapes)


def _unfit(misfit: Misfit) -> Evidence:
    return Evidence(misfit.text, confirms=misfit.confirms, fault=True, layers=(misfit.path,))


def _before(flow: Flow, place: Place) -> Iterator[Place]:
    """The layers before one that is called once, nearest first, through those that keep all axes."""
    first = place.takes[0][0] if len(place.takes) == 1 and place.takes[0] else None
    yield from (found for found, _ in flow.upstream(first, lambda p: p.layer.class_name in _KEEP_AXES))


def _many_weights(flow: Flow, shapes: Shapes) -> Iterator[Evidence]:
    """A Dense behind a Flatten of pictures that has most of the model's weights."""
    counts = {path: sum(parameters_of(p.layer, shapes.inputs.get(path, ())) or (0,)) for path, p in flow.places.items()}
    total = sum(counts.values())
    for path, place in flow.places.items():
        held = counts[path]
        if place.layer.class_name != "Dense" or held <= FEW_PARAMETERS:
            continue
        if held <= MANY_PARAMETERS and held <= LARGE_SHARE * total:
            continue
        flat = next((found for found in _before(flow, place) if found.layer.class_name == "Flatten"), None)
        taken = shapes.inputs.get(flat.path, (None,))[0] if flat else None
        if flat and taken and len(taken) > 3:  # noqa: PLR2004 - pictures: batch, two axes, channels
            yield _explodes(flat.path, path, shown(taken), held, held / total)


def _explodes(flat: str, dense: str, shape: str, held: int, share: float) -> Evidence:
    return Evidence(
        Text(
            f"{names_en([flat])} (Flatten) turns {shape} into one vector, so {names_en([dense])} (Dense) has {held:,} parameters, "
            f"{share:.0%} of those known: global pooling in its place, or more pooling before it, needs far fewer",
            f"{names_zh([flat])}（Flatten）把 {shape} 展成一个向量，使 {names_zh([dense])}（Dense）有 {held:,} 个参数，"
            f"占已知参数的 {share:.0%}：改用全局池化，或在前面多做池化，参数会少得多",
        ),
        confirms=HEAVY,
        layers=(flat, dense),
    )


def _kept_places(flow: Flow, shapes: Shapes) -> Iterator[Evidence]:
    """The last Dense of a model is called on pictures: it predicts once per place of the picture."""
    for path in dict.fromkeys(source.path for source in flow.outputs):
        place = flow.places.get(path)
        given, taken = (found.get(path, (None,))[:1] for found in (shapes.outputs, shapes.inputs))
        if place is None or place.layer.class_name not in ("Dense", "Activation", "Softmax") or not given or not taken:
            continue
        chain = [place, *_before(flow, place)]
        dense = next((found for found in chain if found.layer.class_name == "Dense"), None)
        pictures = any("Conv" in p.layer.class_name or "Pooling" in p.layer.class_name for p in _far(flow, place))
        if dense and pictures and given[0] and len(given[0]) > 2:  # noqa: PLR2004 - the batch and the classes
            yield _per_place(dense.path, shown(shapes.inputs.get(dense.path, (None,))[0]), shown(given[0]))


def _far(flow: Flow, place: Place) -> Iterator[Place]:
    first = place.takes[0][0] if len(place.takes) == 1 and place.takes[0] else None
    through = _KEEP_AXES | {"Dense"}
    yield from (found for found, _ in flow.upstream(first, lambda p: p.layer.class_name in through))


def _per_place(dense: str, taken: str, given: str) -> Evidence:
    return Evidence(
        Text(
            f"{names_en([dense])} (Dense) is called on {taken} and keeps its axes: the model returns {given}, a prediction for each "
            "place; for one label a sample put Flatten or global pooling before it",
            f"{names_zh([dense])}（Dense）的输入是 {taken}，它会保留这些轴：模型输出 {given}，每个位置一个预测；"
            "若每个样本只有一个标签，请在它之前加 Flatten 或全局池化",
        ),
        confirms=(TARGET,),
        layers=(dense,),
    )


def _summary(graph: Graph, flow: Flow, shapes: Shapes) -> Evidence:
    known = sum(bool(found) and None not in found for found in shapes.outputs.values())
    starts = [_start(flow.places, shapes, tensor.layer) for tensor in graph.inputs[:SHOWN]]
    ends = [(shapes.outputs.get(end.path, ()), end.index) for end in flow.outputs[:SHOWN]]
    taken = ", ".join(shown(shape) for shape in starts)
    given = ", ".join(shown(found[index] if 0 <= index < len(found) else None) for found, index in ends)
    return Evidence(
        Text(
            f"the shapes of {known} of {len(flow.places)} layers are known; inputs {taken or '?'}, outputs {given or '?'}",
            f"{len(flow.places)} 层中有 {known} 层的形状已知；输入 {taken or '?'}，输出 {given or '?'}",
        ),
        rules_out=(NEGATIVE, CONCATENATE) if known == len(flow.places) and _all_sized(shapes) else (),
    )


def _start(places: dict[str, Place], shapes: Shapes, path: str) -> Shape | None:
    """What goes into a model at a layer: an InputLayer, or the first layer of a Sequential model."""
    is_input = path in places and places[path].layer.class_name == "InputLayer"
    found = (shapes.outputs if is_input else shapes.inputs).get(path, ())
    return found[0] if found else None


def _all_sized(shapes: Shapes) -> bool:
    """Whether only the batch is open: data cannot bring sizes then that the file doesn't tell."""
    return not shapes.misfits and not any(
        None in shape[1:] for found in shapes.outputs.values() for shape in found if shape
    )


PROBE = Probe(
    id="shapes",
    subject="model",
    promise=Text(
        "whether the shape that each layer gets, walked from the inputs, is one that it takes",
        "从输入逐层推算形状，检查每一层得到的形状是否可用",
    ),
    topics=(
        NEGATIVE, RANK, LAST_AXIS, CONCATENATE, RESHAPE, BROADCAST, DOT, TRANSPOSE, BATCH, TARGET, *HEAVY,
    ),
    look=look,
    remedy=Text(
        "change the layer that is named, or the one before it, so that the shapes fit; model.summary() shows them",
        "修改所指出的层或它前面的层，使形状相符；model.summary() 会列出各层形状",
    ),
    documentation="https://keras.io/guides/functional_api/",
)  # fmt: skip
