"""Builds the healthy models of `make healthy` with the Keras that it runs under, one at a time.

    python zoo.py keras|tf_keras

Requests are lines of JSON: `{"list": true}` gives the names; `{"name", "paths"}` builds, trains for two steps and saves a
model, and answers `{"parameters"}` or `{"error"}`; `{"load": path}` loads one and answers `{"seconds"}`.
The names come from the installed package, so that nothing is left out.
"""

# ruff: noqa: ANN401, PLW0108 - Keras has no types, and is imported by the name that is asked for
from __future__ import annotations

import importlib
import inspect
import json
import os
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
NAME = sys.argv[1] if len(sys.argv) > 1 else "keras"
os.environ["TF_USE_LEGACY_KERAS"] = "1" if NAME == "tf_keras" else "0"
keras: Any = importlib.import_module(NAME)
np: Any = importlib.import_module("numpy")
tf: Any = importlib.import_module("tensorflow")
layers = keras.layers

SHAPES: dict[str, tuple[int, ...]] = {
    "vector": (8,),
    "sequence": (6, 8),
    "image": (16, 16, 3),
    "video": (8, 8, 8, 3),
    "frames": (4, 12, 12, 3),
    "volumes": (3, 6, 6, 6, 2),
    "steps": (4, 12, 3),
    "wave": (2048, 1),
    "signal": (2048,),
    "ids": (6,),
    "words": (1,),
}
CLASSES = 3
# What a small model needs to be given for a layer that does not go into one by itself: the kind of input and the arguments.
GIVEN: dict[str, tuple[str, dict[str, Any]]] = {
    "Activation": ("vector", {"activation": "relu"}),
    "CategoryEncoding": ("ids", {"num_tokens": 50, "output_mode": "multi_hot"}),
    "CenterCrop": ("image", {"height": 8, "width": 8}),
    "ConvLSTM1D": ("steps", {"filters": 2, "kernel_size": 3}),
    "ConvLSTM2D": ("frames", {"filters": 2, "kernel_size": 3}),
    "ConvLSTM3D": ("volumes", {"filters": 2, "kernel_size": 3}),
    "Discretization": ("vector", {"bin_boundaries": [-1.0, 0.0, 1.0]}),
    "EinsumDense": ("vector", {"equation": "ab,bc->ac", "output_shape": 8, "bias_axes": "c"}),
    "Embedding": ("ids", {"input_dim": 50, "output_dim": 8}),
    "GroupNormalization": ("vector", {"groups": 4}),
    "Hashing": ("words", {"num_bins": 40}),
    "IntegerLookup": ("ids", {"vocabulary": list(range(1, 40))}),
    "Lambda": ("vector", {"function": "relu"}),
    "MaxNumBoundingBoxes": ("image", {"max_number": 4}),
    "MelSpectrogram": ("signal", {"sequence_stride": 128, "fft_length": 256, "num_mel_bins": 16}),
    "Normalization": ("vector", {"mean": 0.5, "variance": 2.0}),
    "Permute": ("sequence", {"dims": (2, 1)}),
    "RandomPosterization": ("image", {"factor": 4}),
    "RepeatVector": ("vector", {"n": 3}),
    "Rescaling": ("image", {"scale": 1 / 255}),
    "Reshape": ("vector", {"target_shape": (4, 2)}),
    "Resizing": ("image", {"height": 8, "width": 8}),
    "ReversibleEmbedding": ("ids", {"input_dim": 50, "output_dim": 8}),
    "STFTSpectrogram": ("wave", {"frame_step": 128, "frame_length": 256, "fft_length": 256}),
    "StringLookup": ("words", {"vocabulary": ["a", "good", "day"]}),
    "TextVectorization": ("words", {"vocabulary": ["a", "good", "day"], "output_sequence_length": 6}),
    "UnitNormalization": ("vector", {}),
}
ARGUMENTS: tuple[dict[str, Any], ...] = (
    {}, {"units": 8}, {"filters": 8, "kernel_size": 3}, {"kernel_size": 3}, {"pool_size": 2}, {"rate": 0.2}, {"stddev": 0.1},
    {"factor": 0.1}, {"height": 8, "width": 8}, {"output_size": 2}, {"height_factor": 0.1, "width_factor": 0.1},
    {"height_factor": 0.1}, {"num_bins": 20},
)  # fmt: skip
MERGES = {"Add", "Average", "Concatenate", "Dot", "Maximum", "Minimum", "Multiply", "Subtract"}
# Not built: layers whose point is code or another file (they are refused by design), and what is no layer of a model.
LEFT_OUT = {"FlaxLayer", "InputLayer", "JaxLayer", "Lambda", "Layer", "TFSMLayer", "TorchModuleWrapper", "Wrapper",
            "AbstractRNNCell", "DenseFeatures"}  # fmt: skip
WRAPPING = {"LossScaleOptimizer", "MultiOptimizer"}  # hold other optimizers
NO_STEP = {"applications", "sizes"}
LOSSES = {
    "BinaryCrossentropy": ("sigmoid", 1), "BinaryFocalCrossentropy": ("sigmoid", 1), "Dice": ("sigmoid", 1),
    "CategoricalCrossentropy": ("softmax", 3), "CategoricalFocalCrossentropy": ("softmax", 3),
    "CategoricalGeneralizedCrossEntropy": None, "KLDivergence": ("softmax", 3),
    "SparseCategoricalCrossentropy": ("softmax", 3), "Tversky": ("sigmoid", 1), "Poisson": ("softplus", 1),
    "Hinge": ("tanh", 1), "SquaredHinge": ("tanh", 1), "CategoricalHinge": ("tanh", 3),
    "MeanSquaredLogarithmicError": ("softplus", 1), "CTC": None, "Circle": None, "Reduction": None, "Loss": None,
}  # fmt: skip


def classes(module: Any, base: Any) -> list[str]:
    """The public classes of a module that are of a kind, each once where it has several names."""
    found: dict[Any, str] = {}
    for name, value in inspect.getmembers(module, inspect.isclass):
        if issubclass(value, base) and value is not base and (value not in found or name == value.__name__):
            found[value] = name
    return sorted(found.values())


def names() -> Iterator[str]:
    """Every healthy model, the quick ones first."""
    yield from (f"layers/{name}" for name in classes(layers, layers.Layer) if name not in LEFT_OUT)
    yield from (
        f"layers/{name}" for name in ("Bidirectional merged", "LSTM stacked", "LSTM stateful", "Conv2D strided")
    )
    yield from (f"activations/{name}" for name in functions(keras.activations))
    yield from (
        f"optimizers/{name}" for name in classes(keras.optimizers, keras.optimizers.Optimizer) if name not in WRAPPING
    )
    yield from (f"losses/{name}" for name in classes(keras.losses, keras.losses.Loss) if LOSSES.get(name, ("",)))
    applications = [name for name, value in inspect.getmembers(keras.applications, inspect.isfunction)]
    yield from (f"applications/{name}" for name in applications)
    yield from (f"applications/{name} at 96" for name in applications)


def functions(module: Any) -> list[str]:
    """The activations."""
    found = {value: name for name, value in inspect.getmembers(module, inspect.isfunction)}
    return sorted(set(found.values()) - {"get", "serialize", "deserialize", "glu", "threshold"})  # these need arguments


def build(name: str) -> Any:
    """The model of a name.

    Raises:
        ValueError: the layer does not go into a small model in any of the ways that are tried.
    """
    kind, _, what = name.partition("/")
    builders: dict[str, Callable[[str], Any]] = {
        "layers": of_layer,
        "activations": of_activation,
        "optimizers": lambda each: compiled(
            mlp("relu", "softmax", CLASSES), optimizer=getattr(keras.optimizers, each)()
        ),
        "losses": of_loss,
        "applications": of_application,
        "sizes": of_size,
    }
    return builders[kind](what)


def compiled(model: Any, loss: Any = "categorical_crossentropy", optimizer: Any = "adam") -> Any:
    """Compiled with what fits it."""
    model.compile(optimizer=optimizer, loss=loss, metrics=["accuracy"] if loss == "categorical_crossentropy" else None)
    return model


def mlp(hidden: Any, last: str, units: int) -> Any:
    """A plain network."""
    return keras.Sequential(
        [keras.Input((8,)), layers.Dense(16, activation=hidden), layers.Dense(units, activation=last)]
    )


def of_activation(name: str) -> Any:
    """The activation in a hidden layer; softmax where it belongs."""
    if "softmax" in name:
        loss = "categorical_crossentropy" if name == "softmax" else "mse"
        return compiled(mlp("relu", name, CLASSES), loss)
    return compiled(mlp(name, "softmax", CLASSES))


def of_loss(name: str) -> Any:
    """The loss on a head that fits it."""
    last, units = LOSSES.get(name) or ("linear", 1)
    return compiled(mlp("relu", last, units), getattr(keras.losses, name)())


def of_application(name: str) -> Any:
    """An architecture with random weights: as it is by default, or small enough to be run."""
    make = getattr(keras.applications, name.removesuffix(" at 96"))
    if not name.endswith(" at 96"):
        return compiled(make(weights=None))
    return compiled(make(weights=None, input_shape=(96, 96, 3), include_top=not name.startswith("NASNet"), classes=10)
                    if not name.startswith("NASNet") else nasnet(make))  # fmt: skip


def of_size(name: str) -> Any:
    """A ResNet50 whose classifier brings the file to a gigabyte."""
    body = keras.applications.ResNet50(weights=None, include_top=False, input_shape=(224, 224, 3))
    hidden = layers.Dense(2300, activation="relu", name=name)(layers.Flatten()(body.output))
    return compiled(keras.Model(body.input, layers.Dense(10, activation="softmax")(hidden)))


def nasnet(make: Any) -> Any:
    """NASNet takes no other size with its own top."""
    body = make(weights=None, input_shape=(96, 96, 3), include_top=False, pooling="avg")
    return keras.Model(body.input, layers.Dense(10, activation="softmax")(body.output))


def of_layer(name: str) -> Any:
    """A small classifier with the layer in it."""
    special = SPECIAL.get(name)
    if special:
        return special()
    kind = getattr(layers, name)
    if name in MERGES:
        inputs = keras.Input(SHAPES["vector"])
        arguments = {"axes": 1} if name == "Dot" else {}
        parts = [layers.Dense(8, activation="relu")(inputs) for _ in range(2)]
        return headed(inputs, kind(**arguments)(parts))
    errors = []
    given, arguments = GIVEN.get(name, ("", None))
    for shape in [given] if given else likely(name):
        for each in ARGUMENTS if arguments is None else (arguments,):
            try:
                inputs = made_input(shape)
                return headed(inputs, kind(**each)(inputs))
            except (TypeError, ValueError, AttributeError, NotImplementedError) as error:
                errors.append(f"{shape} {each}: {type(error).__name__}: {error}")
    raise ValueError(errors[0])


def made_input(shape: str) -> Any:
    """The input of a kind."""
    dtype = {"ids": "int32", "words": "string"}.get(shape, "float32")
    return keras.Input(SHAPES[shape], dtype=dtype)


def likely(name: str) -> list[str]:
    """The kinds of input that a layer may take, the likely one first."""
    for ending, shape in (("1D", "sequence"), ("2D", "image"), ("3D", "video")):
        if name.endswith((ending, f"{ending}Transpose")):
            return [shape]
    module = getattr(layers, name).__module__
    if ".rnn" in module:
        return ["sequence"]
    if "preprocessing" in module:
        return ["image", "vector"]
    return ["vector", "sequence", "image"]


def headed(inputs: Any, outputs: Any) -> Any:
    """What follows the layer: numbers of words and bins are embedded, axes are pooled or flattened, a classifier ends it."""
    if isinstance(outputs, list | tuple):
        outputs = outputs[0]
    if "int" in str(outputs.dtype):
        outputs = layers.Embedding(64, 8)(outputs)
    if len(outputs.shape) > 2:  # noqa: PLR2004 - more than the batch and one axis
        known = all(outputs.shape[1:])
        outputs = (
            layers.Flatten()(outputs)
            if known
            else getattr(layers, f"GlobalAveragePooling{len(outputs.shape) - 2}D")()(outputs)
        )
    outputs = layers.Dense(8, activation="relu")(outputs)
    return compiled(keras.Model(inputs, layers.Dense(CLASSES, activation="softmax")(outputs)))


def sequenced(make: Callable[[Any], Any], shape: str = "sequence") -> Callable[[], Any]:
    """A model of what a function makes of an input."""

    def built() -> Any:
        inputs = made_input(shape)
        return headed(inputs, make(inputs))

    return built


def stateful() -> Any:
    """A recurrent layer that keeps its state, with the batch size that it needs."""
    inputs = keras.Input(batch_shape=(4, 6, 8))
    return headed(inputs, layers.LSTM(8, stateful=True)(inputs))


def crossed() -> Any:
    """Two categorical features, crossed."""
    inputs = [keras.Input((1,), dtype="string", name=name) for name in ("left", "right")]
    return headed(inputs, layers.HashedCrossing(num_bins=40)(tuple(inputs)))


def last_softmax() -> Any:
    """Softmax as the layer that ends a classifier."""
    inputs = keras.Input(SHAPES["vector"])
    return compiled(keras.Model(inputs, layers.Softmax()(layers.Dense(CLASSES)(inputs))))


SPECIAL: dict[str, Callable[[], Any]] = {
    "AdditiveAttention": sequenced(lambda x: layers.AdditiveAttention()([layers.Dense(8)(x), x])),
    "Attention": sequenced(lambda x: layers.Attention()([layers.Dense(8)(x), x])),
    "Bidirectional": sequenced(lambda x: layers.Bidirectional(layers.LSTM(4, return_sequences=True))(x)),
    "Bidirectional merged": sequenced(lambda x: layers.Bidirectional(layers.GRU(4), merge_mode="sum")(x)),
    "Conv2D strided": sequenced(
        lambda x: layers.Conv2D(8, 3, strides=2, padding="same", activation="relu")(x), "image"
    ),
    "GRUCell": sequenced(lambda x: layers.RNN(layers.GRUCell(4))(x)),
    "GroupQueryAttention": sequenced(
        lambda x: layers.GroupQueryAttention(head_dim=4, num_query_heads=4, num_key_value_heads=2)(x, x)
    ),
    "HashedCrossing": crossed,
    "LSTM stacked": sequenced(lambda x: layers.LSTM(4)(layers.LSTM(4, return_sequences=True, dropout=0.2)(x))),
    "LSTM stateful": stateful,
    "LSTMCell": sequenced(lambda x: layers.RNN(layers.LSTMCell(4), return_sequences=True)(x)),
    "Masking": sequenced(lambda x: layers.LSTM(4)(layers.Masking()(x))),
    "MultiHeadAttention": sequenced(lambda x: layers.MultiHeadAttention(2, 4)(x, x)),
    "Pipeline": sequenced(lambda x: layers.Pipeline([layers.RandomFlip(), layers.RandomRotation(0.1)])(x), "image"),
    "RNN": sequenced(lambda x: layers.RNN(layers.SimpleRNNCell(4))(x)),
    "SimpleRNNCell": sequenced(lambda x: layers.RNN(layers.SimpleRNNCell(4))(x)),
    "Softmax": last_softmax,
    "SpectralNormalization": sequenced(lambda x: layers.SpectralNormalization(layers.Conv2D(4, 3))(x), "image"),
    "StackedRNNCells": sequenced(lambda x: layers.RNN([layers.LSTMCell(4), layers.LSTMCell(4)])(x)),
    "TimeDistributed": sequenced(lambda x: layers.TimeDistributed(layers.Dense(4))(x)),
}


def train(model: Any) -> None:
    """Two steps on made data, so that counters and statistics are those of a model that was trained."""
    random = np.random.default_rng(0)
    for _ in range(2):
        made = [sample(random, tensor) for tensor in model.inputs]
        given = made[0] if len(made) == 1 else made
        model.train_on_batch(given, labels(random, model, len(made[0])))


def sample(random: Any, tensor: Any) -> Any:
    """A batch for an input."""
    shape = (tensor.shape[0] or 4, *tensor.shape[1:])
    dtype = str(getattr(tensor.dtype, "name", tensor.dtype))
    if dtype == "string":
        return tf.constant(random.choice(["a", "good", "day"], shape).tolist())
    return random.integers(1, 40, shape) if "int" in dtype else random.random(shape).astype("float32")


def labels(random: Any, model: Any, batch: int) -> Any:
    """Labels of the form that the loss takes."""
    loss, units = str(getattr(model.loss, "name", model.loss)), model.outputs[0].shape[-1]
    if loss.startswith("sparse"):
        return random.integers(0, units, (batch,))
    if units > 1:
        return np.eye(units, dtype="float32")[random.integers(0, units, batch)]
    return random.integers(0, 2, (batch, 1)).astype("float32")


def answer(request: dict[str, Any]) -> dict[str, Any]:
    """The answer to a request."""
    if request.get("list"):
        return {"names": list(names()), "version": keras.__version__}
    keras.backend.clear_session()
    if "load" in request:
        started = time.perf_counter()
        keras.models.load_model(request["load"])
        return {"seconds": time.perf_counter() - started}
    keras.utils.set_random_seed(0)
    model = build(request["name"])
    if request["name"].partition("/")[0] not in NO_STEP:
        train(model)
    return {"parameters": int(model.count_params()), "refused": dict(filter(None, map(save(model), request["paths"])))}


def save(model: Any) -> Callable[[str], tuple[str, str] | None]:
    """Saves a model to a path; gives the path and the reason where Keras itself cannot."""

    def saved(path: str) -> tuple[str, str] | None:
        try:
            model.save(Path(path))
        except Exception as error:  # noqa: BLE001 - not every layer can be saved in every format
            Path(path).unlink(missing_ok=True)
            return path, f"{type(error).__name__}: {error}"[:300]
        return None

    return saved


def main() -> None:
    """Answer requests until they end."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    tf.config.run_functions_eagerly(True)
    for line in sys.stdin:
        try:
            told = answer(json.loads(line))
        except Exception as error:  # noqa: BLE001 - what cannot be built is told and counted
            told = {"error": f"{type(error).__name__}: {error}"[:500]}
        print(json.dumps(told), file=answers, flush=True)


if __name__ == "__main__":
    main()
