"""Arrays as Keras 1 stored them, in the form that Keras has had since 2.0: one kernel for all gates, window before channels."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..model_file import Json
from ..repair import Change, Draft, Repair, layers_of

# Source: preprocess_weights_for_loading in tf_keras/src/saving/legacy/hdf5_format.py.
_GATES = {"LSTM": (0, 6, 3, 9), "ConvLSTM2D": (0, 6, 3, 9), "GRU": (0, 3, 6)}
_WINDOWS = {"Conv1D": 1, "Conv2D": 2, "Conv3D": 3, "Conv2DTranspose": 2, "ConvLSTM2D": 2}


def mend(draft: Draft) -> Iterator[Change]:
    """Put together the gates' arrays, and turn the kernels' axes."""
    for path, layer in layers_of(draft.config):
        stored = draft.weights.get(path)
        config = layer.get("config")
        if not stored or not isinstance(config, dict):
            continue
        made = _converted(layer["class_name"], config, stored)
        if made is not None:
            draft.weights[path] = made
            yield Change(
                Text("arrays of Keras 1 in the form of Keras 2 and 3", "把 Keras 1 的权重数组改成 Keras 2 和 3 的形式"),
                path,
                _shapes(stored),
                _shapes(made),
            )


def _converted(class_name: str, config: Json, stored: list[Any]) -> list[Any] | None:
    """The arrays in today's form; None where they are in it."""
    inner = config.get("layer")
    if class_name in ("Bidirectional", "TimeDistributed") and isinstance(inner, dict):
        parts = 2 if class_name == "Bidirectional" else 1
        size, kind = len(stored) // parts, str(inner.get("class_name"))
        options = inner["config"] if isinstance(inner.get("config"), dict) else {}
        halves = [_converted(kind, options, stored[i * size : (i + 1) * size]) for i in range(parts)]
        return [each for half in halves for each in half or ()] if all(halves) else None
    gates = _GATES.get(class_name, ())
    if gates and len(stored) == 3 * len(gates):
        stored = _joined(gates, stored, axis=0 if _theano_gates(class_name, config, stored[0].shape) else -1)
        return _turned(class_name, config, stored) or stored
    return _turned(class_name, config, stored)


def _theano_gates(class_name: str, config: Json, shape: tuple[int, ...]) -> bool:
    window = _window(config, 2)
    return class_name == "ConvLSTM2D" and window is not None and tuple(shape[2:]) == window and shape[:2] != window


def _joined(gates: tuple[int, ...], stored: list[Any], axis: int) -> list[Any]:
    import numpy as np  # noqa: PLC0415 - in the worker only

    kernels = [np.concatenate([stored[gate + part] for gate in gates], axis=axis) for part in (0, 1)]
    return [*kernels, np.concatenate([stored[gate + 2] for gate in gates])]


def _window(config: Json, rank: int) -> tuple[int, ...] | None:
    size = config.get("kernel_size")
    size = [size] * rank if type(size) is int else size
    sound = isinstance(size, list | tuple) and len(size) == rank and all(type(n) is int for n in size)
    return tuple(size) if sound else None  # type: ignore[arg-type]


def _turned(class_name: str, config: Json, stored: list[Any]) -> list[Any] | None:
    """Kernels with the axes (filters, channels, window), and those of Conv1D, which had a window of two axes."""
    rank = _WINDOWS.get(class_name, 0)
    window, filters = _window(config, rank), config.get("filters")
    if not rank or window is None or type(filters) is not int:
        return None
    kernels = stored[: 2 if class_name == "ConvLSTM2D" else 1]
    if class_name == "ConvLSTM2D":
        filters *= 4
    made = [_kernel(class_name, each, window, filters) for each in kernels]
    return [*made, *stored[len(made) :]] if all(each is not None for each in made) else None


def _kernel(class_name: str, kernel: Any, window: tuple[int, ...], filters: int) -> Any | None:  # noqa: ANN401
    shape, rank = tuple(kernel.shape), len(window)
    if class_name == "Conv1D" and len(shape) == 4:  # noqa: PLR2004
        if shape[:2] == (*window, 1) and shape[3] == filters:
            return kernel[:, 0]
        return kernel.transpose(2, 3, 1, 0)[:, 0] if shape[0] == filters and shape[2:] == (*window, 1) else None
    if len(shape) != rank + 2:
        return None
    axes = tuple(range(2, rank + 2))
    if class_name == "Conv2DTranspose":
        if shape[:rank] == window:  # (window, channels, filters), now (window, filters, channels)
            return kernel.transpose(0, 1, 3, 2) if shape[2] != filters and shape[3] == filters else None
        return kernel.transpose(*axes, 0, 1) if shape[2:] == window and shape[0] == filters else None
    fits = shape[:rank] == window and shape[-1] == filters
    return kernel.transpose(*axes, 1, 0) if not fits and shape[2:] == window and shape[0] == filters else None


def _shapes(arrays: list[Any]) -> str:
    return ", ".join(str(tuple(each.shape)) for each in arrays)


REPAIR = Repair(
    id="keras1-weights",
    promise=Text(
        "weights of Keras 1: gates in arrays of their own, kernels in Theano's order of axes",
        "Keras 1 的权重：每个门各有数组、卷积核按 Theano 的轴顺序",
    ),
    topics=("kernel-layout-th-tf", "weights-shape-mismatch", "weights-layer-count-mismatch"),
    mend=mend,
    stage="read",
)
