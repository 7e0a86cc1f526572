"""A job of the worker: loads a model file with the worker's Keras, calls it and trains it one step. Never run outside the sandbox."""

from __future__ import annotations

import importlib
import os
import time
from pathlib import Path
from typing import Any

_FREE = 4  # for a dimension that the model leaves open


def load_and_run(scratch: Path, path: str) -> dict[str, Any]:
    """Load a model as its author meant it (Lambda code runs), call it on zeros, and train it on them if it was compiled.

    Args:
        scratch: not used.
        path: the model file.

    Returns:
        `class`, `parameters`, `outputs` (a shape each), `loss` (None if it was not compiled), and the seconds it took.
    """
    del scratch
    start = time.perf_counter()
    keras = _keras()
    model = keras.models.load_model(path, safe_mode=False)
    inputs = [_zeros(tensor) for tensor in model.inputs]
    outputs = model(inputs if len(inputs) > 1 else inputs[0], training=False)
    outputs = outputs if isinstance(outputs, list | tuple) else [outputs]
    loss = None
    if getattr(model, "optimizer", None) is not None and getattr(model, "loss", None) is not None:
        targets = [_zeros(tensor) for tensor in model.outputs]
        told = model.train_on_batch(
            inputs if len(inputs) > 1 else inputs[0], targets if len(targets) > 1 else targets[0]
        )
        loss = float(told[0] if isinstance(told, list | tuple) else told)
    return {
        "class": type(model).__name__,
        "parameters": int(model.count_params()),
        "outputs": [list(map(int, output.shape)) for output in outputs],
        "loss": loss,
        "seconds": time.perf_counter() - start,
    }


def _keras() -> Any:  # noqa: ANN401 - either of two libraries
    return importlib.import_module("tf_keras" if os.environ.get("TF_USE_LEGACY_KERAS") == "1" else "keras")


def _zeros(tensor: Any) -> Any:  # noqa: ANN401 - of either Keras
    import numpy as np  # noqa: PLC0415 - only in the worker

    dtype = getattr(tensor.dtype, "name", tensor.dtype)
    return np.zeros([_FREE if size is None else int(size) for size in tensor.shape], dtype)
