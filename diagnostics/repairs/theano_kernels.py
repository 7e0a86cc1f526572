"""Kernels that were trained with the Theano backend, which convolves with the kernel turned by 180 degrees."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..repair import Change, Draft, Repair, layers_of

# conv_layers in keras/engine/saving.py of Keras 2.2.4, with how many of the arrays are kernels.
_KERNELS = {"Conv1D": 1, "Conv2D": 1, "Conv3D": 1, "Conv2DTranspose": 1, "ConvLSTM2D": 2}


def mend(draft: Draft) -> Iterator[Change]:
    """Turn every kernel back where the file says that Theano wrote it, as Keras 2.0 to 2.3 did on loading."""
    if draft.backend != "theano":
        return
    for path, layer in layers_of(draft.config):
        stored = draft.weights.get(path)
        count = _KERNELS.get(layer["class_name"], 0)
        if not stored or not count or any(each.ndim < 3 for each in stored[:count]):  # noqa: PLR2004
            continue
        draft.weights[path] = [_flipped(each) for each in stored[:count]] + stored[count:]
        yield Change(
            Text(
                "kernel turned by 180 degrees: Theano wrote it, and neither tf.keras nor Keras 3 turns it on loading",
                "卷积核旋转 180 度：它由 Theano 写出，而 tf.keras 和 Keras 3 加载时都不会转回来",
            ),
            path,
            "kernel[i, j]",
            "kernel[-1 - i, -1 - j]",
        )


def _flipped(kernel: Any) -> Any:  # noqa: ANN401 - an array
    return kernel[tuple([slice(None, None, -1)] * (kernel.ndim - 2))].copy()


REPAIR = Repair(
    id="theano-kernels",
    promise=Text(
        "convolution kernels written with the Theano backend are turned for TensorFlow",
        "把 Theano 后端写出的卷积核转成 TensorFlow 的方向",
    ),
    topics=("kernel-layout-th-tf",),
    mend=mend,
    keeps_outputs=False,
    stage="read",
)
