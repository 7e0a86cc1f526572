"""Convolution kernels in the order of Theano: axes in another place, or values that Theano turned round."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..flow import Place
from ..probe import CouldNotLook, Evidence, Probe
from ..weights import Weights
from ..weights_layers import fits_theano_only, kernel_form
from ..wording import names_en, names_zh

LAYOUT = "kernel-layout-th-tf"
FORMAT = "channels-first-last"


def look(weights: Weights) -> Iterator[Evidence]:
    """What shapes, dim_ordering and the backend say of the kernels' order."""
    if weights.flow is None:
        raise CouldNotLook(
            Text(
                "the file doesn't say how large kernels are: give the whole model",
                "文件没有说明卷积核的大小：请提供完整模型",
            )
        )
    convolutions = [
        (place, weights.layers.get(path, {}).get("kernel"))
        for path, place in weights.flow.places.items()
        if kernel_form(place.layer)
    ]
    if not convolutions:
        yield Evidence(Text("no convolution with a kernel", "没有带卷积核的卷积层"), rules_out=(LAYOUT,))
        return
    turned = [place for place, kernel in convolutions if kernel and fits_theano_only(place.layer, kernel.shape)]
    keras_1 = weights.model is not None and (weights.model.keras_version or "").startswith("1.")
    yield from _axes(turned, keras_1=keras_1)
    yield from _ordering([place for place, _ in convolutions if place.layer.config.get("dim_ordering") == "th"])
    if weights.backend == "theano":
        yield _flipped([place.path for place, kernel in convolutions if kernel])


def _axes(turned: list[Place], *, keras_1: bool) -> Iterator[Evidence]:
    """Keras 1 stored kernels of dim_ordering "th" so, and Keras 2 turns them on loading; in a later file it is a fault."""
    if turned:
        paths = [place.path for place in turned]
        yield Evidence(
            Text(
                f"kernels of {names_en(paths)} have the axes (filters, channels, window) of Theano; Keras 2 and 3 need (window, "
                "channels, filters): transpose them",
                f"{names_zh(paths)} 的卷积核轴顺序是 Theano 的（filters、通道、窗口），而 "
                "Keras 2 和 3 需要（窗口、通道、filters）：请转置",
            ),
            confirms=(LAYOUT,),
            fault=not keras_1,
            layers=tuple(paths),
        )


def _ordering(places: list[Place]) -> Iterator[Evidence]:
    if places:
        paths = [place.path for place in places]
        yield Evidence(
            Text(
                f"{names_en(paths)} have dim_ordering='th': images with the channels first, kernels as Theano has them",
                f"{names_zh(paths)} 的 dim_ordering 为 'th'：图像通道在前，卷积核按 Theano 的顺序",
            ),
            confirms=(LAYOUT, FORMAT),
            layers=tuple(paths),
        )


def _flipped(paths: list[str]) -> Evidence:
    return Evidence(
        Text(
            f"the file was written with the Theano backend, which turns kernels by 180 degrees: only Keras 2.0 to 2.3 turns those of "
            f"{names_en(paths)} back on loading, tf.keras and Keras 3 do not",
            f"该文件由 Theano 后端写出，Theano 会把卷积核旋转 180 度：只有 Keras 2.0 到 2.3 会在加载时把 {names_zh(paths)} "
            "转回来，tf.keras 和 Keras 3 不会",
        ),
        confirms=(LAYOUT,),
        warning=True,
        layers=tuple(paths),
    )


PROBE = Probe(
    id="kernel-order",
    subject="weights",
    promise=Text("whether convolution kernels are in TensorFlow's order", "检查卷积核是否按 TensorFlow 的顺序存放"),
    topics=(LAYOUT, FORMAT),
    look=look,
    remedy=Text(
        "transpose such kernels to (window, channels, filters) and flip them along the window's axes",
        "把这些卷积核转置成（窗口、通道、filters），并沿窗口的各个轴翻转",
    ),
    documentation="https://keras.io/api/layers/convolution_layers/convolution2d/",
)
