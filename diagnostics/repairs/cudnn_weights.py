"""CuDNNLSTM and CuDNNGRU, which ran on GPUs only, as LSTM and GRU, which use cuDNN by themselves."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..repair import Change, Draft, Repair, layers_of, shown

_CLASSES = {"CuDNNLSTM": ("LSTM", 4), "CuDNNGRU": ("GRU", 3)}
_ARRAYS = 3


def mend(draft: Draft) -> Iterator[Change]:
    """Exchange the class, and turn its arrays as `_convert_rnn_weights` of tf_keras' hdf5_format.py does."""
    for path, layer in list(layers_of(draft.config)):
        config = layer.get("config")
        inner = config.get("layer") if isinstance(config, dict) else None
        both = layer["class_name"] == "Bidirectional"
        cell = inner if both and isinstance(inner, dict) else layer
        old = cell.get("class_name")
        if old not in _CLASSES or not isinstance(cell.get("config"), dict):
            continue
        name, gates = _CLASSES[old]
        cell["class_name"] = name
        cell["config"].update({"activation": "tanh", "recurrent_activation": "sigmoid"})
        cell["config"].update({"reset_after": True} if name == "GRU" else {})
        stored = draft.weights.get(path, [])
        count = 2 if both else 1
        if len(stored) == _ARRAYS * count:
            halves = [stored[i * _ARRAYS : (i + 1) * _ARRAYS] for i in range(count)]
            draft.weights[path] = [each for half in halves for each in _plain(half, gates)]
        yield Change(
            Text(f"{old} becomes {name}, which runs on any device", f"{old} 换成任何设备都能运行的 {name}"),
            path,
            shown({"class_name": old}),
            shown({"class_name": name, "recurrent_activation": "sigmoid"}),
        )


def _plain(stored: list[Any], gates: int) -> list[Any]:
    """Arrays of LSTM or GRU: cuDNN keeps each gate's kernel transposed, and two biases."""
    import numpy as np  # noqa: PLC0415 - in the worker only

    kernel, recurrent, bias = stored
    if bias.ndim != 1 or bias.size != 2 * gates * recurrent.shape[0]:
        return stored
    kernel = np.hstack([part.T.reshape(part.shape, order="F") for part in np.hsplit(kernel, gates)])
    recurrent = np.hstack([part.T for part in np.hsplit(recurrent, gates)])
    bias = bias.reshape(2, -1)
    return [kernel, recurrent, bias.sum(axis=0) if gates == 4 else bias]  # noqa: PLR2004 - LSTM adds them up


REPAIR = Repair(
    id="cudnn-layers",
    promise=Text("CuDNNLSTM and CuDNNGRU become LSTM and GRU", "把 CuDNNLSTM 和 CuDNNGRU 换成 LSTM 和 GRU"),
    topics=("saved-in-keras2-loaded-in-keras3", "weights-shape-mismatch"),
    mend=mend,
    stage="read",
)
