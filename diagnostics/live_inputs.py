"""Made inputs and labels for a loaded model: of the right shape, dtype and form, the same each time. Worker only."""

from __future__ import annotations

import math
from typing import Any

# Three kinds, because a trained model may expect any of them: what is wrong for all three does not depend on the data.
KINDS = ("normal", "0 to 1", "0 to 255")
# Lengths for axes that a model leaves open, by the rank of the input: images of 96 pixels satisfy the deepest of
# keras.applications (75 for InceptionV3).
_OPEN = {2: 16, 3: 16, 4: 96, 5: 32}
# A file may declare any size. Open axes are chosen so that a sample stays below this many numbers, and of samples that are
# larger by themselves there are only as many as it takes to compare them.
_LARGE = 1 << 20
_FEW = 2
_WORDS = ("a", "good", "day", "for", "reading", "old", "books", "42")
_IDS = ("Embedding", "ReversibleEmbedding", "CategoryEncoding", "TokenAndPositionEmbedding")
_THROUGH = (
    "InputLayer",
    "Masking",
    "Reshape",
    "Permute",
    "RepeatVector",
    "GetItem",
    "Identity",
    "Cast",
    "SlicingOpLambda",
)


def made_inputs(model: Any, kind: str, batch: int) -> Any:  # noqa: ANN401 - arrays in the structure that the model takes
    """Inputs for a model, by what its input tensors ask for.

    Raises:
        ValueError: the model does not say what it takes.
    """
    import numpy as np  # noqa: PLC0415 - in the worker only

    wanted = _wanted(model)
    if any(math.prod(_sample(shape)) > _LARGE for _, shape, _ in wanted):
        batch = min(batch, _FEW)
    most = _id_limits(model)
    made = [
        _made(np.random.default_rng(7 + i), shape, dtype, kind, batch, most.get(i))
        for i, (_, shape, dtype) in enumerate(wanted)
    ]
    structure = getattr(model, "_inputs_struct", getattr(model, "_nested_inputs", None))
    if isinstance(structure, dict):
        return dict(zip(sorted(structure), made, strict=True)) if len(structure) == len(made) else made
    return made[0] if len(made) == 1 and not isinstance(structure, list | tuple) else made


def has_fixed_batch(model: Any) -> bool:  # noqa: ANN401
    """Whether the model takes batches of one size only."""
    return any(shape[0] is not None for _, shape, _ in _wanted(model))


def _wanted(model: Any) -> list[tuple[str, tuple[int | None, ...], str]]:  # noqa: ANN401
    """Name, shape with the batch axis, and dtype of each input."""
    inputs = getattr(model, "inputs", None)
    if inputs:
        return [(str(t.name), tuple(t.shape), _dtype(t.dtype)) for t in inputs]
    shape = (model.get_build_config() or {}).get("input_shape") if hasattr(model, "get_build_config") else None
    if isinstance(shape, list | tuple) and all(n is None or isinstance(n, int) for n in shape):
        return [("input", tuple(shape), "float32")]
    raise ValueError("the model is subclassed and its file does not say what shape its input has")


def _size(shape: tuple[int | None, ...], batch: int) -> tuple[int, ...]:
    """The shape of a made batch. An input without axes of its own gets one for the batch."""
    return (batch if not shape or shape[0] is None else shape[0], *_sample(shape))


def _sample(shape: tuple[int | None, ...]) -> tuple[int, ...]:
    """The shape of one sample: open axes get a usual length, a shorter one where many of them multiply."""
    axes, length = shape[1:], _OPEN.get(len(shape), 8)
    given, free = math.prod(n for n in axes if n is not None), axes.count(None)
    while length > 1 and given * length**free > _LARGE and free:
        length -= 1
    return tuple(length if n is None else n for n in axes)


def _dtype(dtype: Any) -> str:  # noqa: ANN401 - a text in Keras 3, a DType in tf_keras
    return str(getattr(dtype, "name", dtype))


def _made(random: Any, shape: tuple[int | None, ...], dtype: str, kind: str, batch: int, most: int | None) -> Any:  # noqa: ANN401
    import numpy as np  # noqa: PLC0415

    size = _size(shape, batch)
    if dtype == "string":
        return np.array(random.choice(_WORDS, size), dtype=object)
    if most is not None:
        return random.integers(0, max(1, most), size).astype("int32" if dtype.startswith("float") else dtype)
    if dtype == "bool":
        return random.integers(0, 2, size).astype(bool)
    if not dtype.startswith(("float", "bfloat")):
        return random.integers(0, 2 if kind != "0 to 255" else 256, size).astype(dtype)
    values = (
        random.normal(size=size) if kind == "normal" else random.random(size) * (255.0 if kind == "0 to 255" else 1.0)
    )
    return values.astype("float32" if dtype == "bfloat16" else dtype)


def _id_limits(model: Any) -> dict[int, int]:  # noqa: ANN401
    """For each input that is looked up in a table, by its position: how many rows the smallest such table has."""
    limits: dict[int, int] = {}
    for i, tensor in enumerate(getattr(model, "inputs", None) or []):
        sizes = _tables(model, tensor, 0)
        if sizes:
            limits[i] = min(sizes)
    return limits


def _tables(model: Any, tensor: Any, depth: int) -> list[int]:  # noqa: ANN401
    """The sizes of the tables that a tensor is looked up in, seen through layers that keep ids as they are."""
    sizes: list[int] = []
    if depth > 8:  # noqa: PLR2004 - deep enough for any chain of reshapes
        return sizes
    for layer in model.layers:
        for taken, given in _calls(layer):
            if not any(part is tensor for part in taken):
                continue
            kind = type(layer).__name__
            if kind in _IDS:
                sizes.append(int(getattr(layer, "input_dim", 0) or getattr(layer, "num_tokens", 0) or 2))
            elif getattr(layer, "layers", None):
                place = next(i for i, part in enumerate(taken) if part is tensor)
                inner = layer.inputs[place] if place < len(layer.inputs or []) else None
                sizes += _tables(layer, inner, depth + 1) if inner is not None else []
            elif kind in _THROUGH:
                for part in given:
                    sizes += _tables(model, part, depth + 1) if part is not tensor else []
    return sizes


def _calls(layer: Any) -> list[tuple[list[Any], list[Any]]]:  # noqa: ANN401
    """The tensors that each call of a layer took and gave."""
    calls = []
    for node in layer._inbound_nodes:  # noqa: SLF001 - no public way in either Keras
        taken = getattr(node, "input_tensors", None)
        given = getattr(node, "output_tensors", None) if taken is not None else getattr(node, "outputs", [])
        calls.append((_flat(taken), _flat(given)))
    return calls


def _flat(value: Any) -> list[Any]:  # noqa: ANN401
    if isinstance(value, dict):
        return [part for key in sorted(value) for part in _flat(value[key])]
    if isinstance(value, list | tuple):
        return [part for each in value for part in _flat(each)]
    return [] if value is None else [value]


def made_labels(model: Any, outputs: Any) -> Any:  # noqa: ANN401
    """Labels in the form that the compiled loss takes, in the structure of the outputs; numbers for a loss that is not Keras' own."""
    import numpy as np  # noqa: PLC0415

    random = np.random.default_rng(11)
    if isinstance(outputs, dict):
        names = list(outputs)
        return {name: _labels(random, _loss_name(model.loss, i, name), outputs[name]) for i, name in enumerate(names)}
    parts = outputs if isinstance(outputs, list | tuple) else [outputs]
    names = list(getattr(model, "output_names", None) or [str(i) for i in range(len(parts))])
    made = [_labels(random, _loss_name(model.loss, i, names[i]), part) for i, part in enumerate(parts)]
    return made if isinstance(outputs, list | tuple) else made[0]


def _loss_name(loss: Any, i: int, name: str) -> str:  # noqa: ANN401 - as it was given to compile()
    if isinstance(loss, dict):
        loss = loss.get(name)
    elif isinstance(loss, list | tuple):
        loss = loss[i] if i < len(loss) else None
    if loss is None:
        return ""
    text = loss if isinstance(loss, str) else getattr(loss, "__name__", type(loss).__name__)
    return text.replace("_", "").lower()


def _labels(random: Any, loss: str, output: Any) -> Any:  # noqa: ANN401
    shape = tuple(int(n) for n in output.shape)
    if "sparsecategorical" in loss:
        return random.integers(0, max(1, shape[-1]), shape[:-1])
    if "categorical" in loss or loss in ("kullbackleiblerdivergence", "kldivergence", "kld"):
        classes = random.integers(0, max(1, shape[-1]), shape[:-1])
        return (classes[..., None] == range(shape[-1])).astype("float32")
    if "binary" in loss:
        return random.integers(0, 2, shape).astype("float32")
    if "hinge" in loss:
        return (random.integers(0, 2, shape) * 2 - 1).astype("float32")
    if "log" in loss or "poisson" in loss or "percentage" in loss:
        return random.random(shape).astype("float32") + 0.1  # labels of these are positive
    return random.normal(size=shape).astype("float32")
