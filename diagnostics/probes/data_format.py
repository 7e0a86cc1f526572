"""Data format: where layers look for the channels, against each other and against the shape of the input."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..flow import Flow, Place, flow_of
from ..graph import Layer, needed_graph
from ..model_file import ModelFile
from ..probe import Evidence, Probe
from ..shapes import shapes_of
from ..shapes_base import CHANNELS, Shape, Unknown, channels_first, shown
from ..shapes_conv import RULES as _CONV
from ..shapes_pool import RULES as _POOL
from ..wording import names_en, names_zh

_WITH_FORMAT = {**_CONV, **_POOL}
KERNELS = "kernel-layout-th-tf"
_CHANNELS = (1, 3, 4)  # grey, colour, colour with transparency
_NO_FORMAT = ("ZeroPadding1D", "Cropping1D", "UpSampling1D", "SpatialDropout1D")
_FIRST_ON_GPU = ("Conv", "Pooling", "Pool", "Deconv")


def look(model: ModelFile) -> Iterator[Evidence]:
    """Which layers of the model, and of all models nested in it, have their channels where."""
    graph = needed_graph(model)
    flow = flow_of(graph)
    told = {path: _format(place.layer) for path, place in flow.places.items()}
    formats = {path: is_first for path, is_first in told.items() if is_first is not None}
    if not formats:
        yield Evidence(Text("no layers that have a data format", "没有与通道顺序有关的层"))
        return
    first = [path for path, is_first in formats.items() if is_first]
    last = [path for path, is_first in formats.items() if not is_first]
    if first and last:
        yield _mixed(first, last)
    if first:
        yield from _needs_gpu(flow, first)
        yield from _other_axis(flow, formats)
    shapes = shapes_of(graph, model.line)
    for path, is_first in formats.items():
        if _is_entry(flow, path) and (taken := shapes.inputs.get(path, (None,))[:1]) and taken[0]:
            yield from _turned(flow.places[path], taken[0], is_first=is_first)
    if any(flow.places[path].layer.config.get("dim_ordering") == "th" for path in formats):
        yield _theano(first)
    yield _summary(len(first), len(last))


def _format(layer: Layer) -> bool | None:
    """Whether a layer's channels come first; None for a layer that doesn't say."""
    if layer.class_name not in _WITH_FORMAT or layer.class_name in _NO_FORMAT:
        return None
    if not layer.config.get("data_format") and not layer.config.get("dim_ordering"):
        return None
    try:
        return channels_first(layer.config)
    except Unknown:
        return None


def _mixed(first: list[str], last: list[str]) -> Evidence:
    return Evidence(
        Text(
            f"{names_en(first)} {'has' if len(first) == 1 else 'have'} channels_first and {names_en(last)} "
            f"{'has' if len(last) == 1 else 'have'} channels_last: between them the axes must be turned with Permute",
            f"{names_zh(first)} 用 channels_first，而 {names_zh(last)} 用 channels_last：两者之间必须用 Permute 调换轴",
        ),
        confirms=(CHANNELS,),
        layers=(*first, *last),
    )


def _needs_gpu(flow: Flow, first: list[str]) -> Iterator[Evidence]:
    computing = [p for p in first if any(word in flow.places[p].layer.class_name for word in _FIRST_ON_GPU)]
    if computing:
        yield Evidence(
            Text(
                f"{names_en(computing)} computes with channels_first, which TensorFlow mostly can on a GPU only: on a CPU build the "
                "model with data_format='channels_last' and give it (height, width, channels)",
                f"{names_zh(computing)} 按 channels_first 计算，TensorFlow 多半只在 GPU 上支持：在 CPU 上请用 "
                "data_format='channels_last' 搭建模型，输入改为（高, 宽, 通道）",
            ),
            confirms=(CHANNELS,),
            layers=tuple(computing),
        )


def _other_axis(flow: Flow, formats: dict[str, bool]) -> Iterator[Evidence]:
    """A BatchNormalization of the last axis behind a layer whose channels come first."""
    for place in flow.places.values():
        source = place.takes[0][0] if len(place.takes) == 1 and place.takes[0] else None
        if place.layer.class_name != "BatchNormalization" or source is None or not formats.get(source.path):
            continue
        written = place.layer.config.get("axis", -1)
        axis = written[0] if isinstance(written, list) and len(written) == 1 else written
        axes = int(flow.places[source.path].layer.class_name.split("D")[0][-1:] or 0) + 2
        if axis in (-1, axes - 1):
            yield _last_axis(source.path, place.path)


def _last_axis(conv: str, norm: str) -> Evidence:
    return Evidence(
        Text(
            f"{names_en([norm])} normalises the last axis, but {names_en([conv])} before it has its channels first: use axis=1",
            f"{names_zh([norm])} 归一化的是最后一个轴，而它前面的 {names_zh([conv])} 通道在前：应写 axis=1",
        ),
        confirms=(CHANNELS,),
        layers=(norm,),
    )


def _is_entry(flow: Flow, path: str) -> bool:
    """Whether a layer takes an input of the model itself."""
    takes = flow.places[path].takes
    sources = [source for call in takes for source in call if source]
    return not sources or any(
        flow.places[s.path].layer.class_name == "InputLayer" for s in sources if s.path in flow.places
    )


def _turned(place: Place, shape: Shape, *, is_first: bool) -> Iterator[Evidence]:
    """The input has the number of channels of a picture on the axis where the layer doesn't look."""
    if len(shape) not in (4, 5):
        return
    there, other = (shape[1], shape[-1]) if is_first else (shape[-1], shape[1])
    if other not in _CHANNELS or there in _CHANNELS or there is None:
        return
    at, better = ("first", "channels_last") if is_first else ("last", "channels_first")
    at_zh = "第一个（批次之后）" if is_first else "最后一个"
    who_en, who_zh = (
        f"{names_en([place.path])} ({place.layer.class_name})",
        f"{names_zh([place.path])}（{place.layer.class_name}）",
    )
    yield Evidence(
        Text(
            f"{who_en} looks for channels on the {at} axis of its input {shown(shape)} and finds {there}; {other} on the other side "
            f"looks like the channels of a picture: turn the pictures round (numpy.moveaxis), or it wants {better}",
            f"{who_zh} 在输入 {shown(shape)} 的{at_zh}轴上找通道，那里是 {there}；另一侧的 {other} 更像图像的通道数："
            f"请调换图像的轴（numpy.moveaxis），或改用 {better}",
        ),
        confirms=(CHANNELS,),
        layers=(place.path,),
    )


def _theano(first: list[str]) -> Evidence:
    return Evidence(
        Text(
            f"{names_en(first)} was written by Keras 1 with dim_ordering='th': kernels that were trained on Theano are turned by 180 "
            "degrees against TensorFlow's",
            f"{names_zh(first)} 由 Keras 1 以 dim_ordering='th' 写入：在 Theano 上训练的卷积核与 TensorFlow 的相差 180 度旋转",
        ),
        confirms=(KERNELS, CHANNELS),
        layers=tuple(first),
    )


def _summary(first: int, last: int) -> Evidence:
    return Evidence(
        Text(
            f"layers with channels_last: {last}, with channels_first: {first}",
            f"channels_last 的层：{last} 个，channels_first 的层：{first} 个",
        )
    )


PROBE = Probe(
    id="data-format",
    subject="model",
    promise=Text(
        "whether the layers agree with each other and with the input about where the channels are",
        "检查各层之间、各层与输入之间对通道位置的约定是否一致",
    ),
    topics=(CHANNELS, KERNELS),
    look=look,
    remedy=Text(
        "use one data_format throughout, and turn the pictures to match it",
        "全部使用同一种 data_format，并让图像的轴与之相符",
    ),
    documentation="https://keras.io/api/layers/convolution_layers/convolution2d/",
)
