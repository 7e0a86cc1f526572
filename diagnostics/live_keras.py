"""The one place that speaks to Keras: loading, calling and differentiating a model, in Keras 3 and tf_keras. Worker only."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

_HDF5 = b"\x89HDF\r\n\x1a\n"
OWN_LOSS = "mean square of the outputs"
SEED = 20_240


class Runner:
    """A Keras: `keras` or `tf_keras`, both on TensorFlow."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.tf: Any = import_module("tensorflow")
        self.keras: Any = import_module(name)
        self.version = str(self.keras.__version__)

    def suffix(self, path: Path) -> str:
        """The ending under which this Keras reads a file of that content; none for the folder of a SavedModel."""
        if path.is_dir():
            return ""
        with path.open("rb") as file:
            return ".h5" if file.read(8) == _HDF5 else ".keras"

    def load(self, path: Path, *, compiled: bool, allow_code: bool) -> Any:  # noqa: ANN401 - a Keras model
        """Load a model; the seed is set before, so that what follows is repeatable."""
        self.keras.utils.set_random_seed(SEED)
        with self._safe_mode(on=not allow_code):
            return self.keras.models.load_model(path, compile=compiled, safe_mode=not allow_code)

    def build(self, config: dict[str, Any], *, allow_code: bool) -> Any:  # noqa: ANN401
        """A model of an architecture, with fresh weights."""
        self.keras.utils.set_random_seed(SEED)
        with self._safe_mode(on=not allow_code):
            if (
                self.name == "keras" and "module" not in config
            ):  # what Keras 2 wrote, for which from_config has a way of its own
                kind = self.keras.Sequential if config.get("class_name") == "Sequential" else self.keras.Model
                return kind.from_config(config["config"])
            return self.keras.models.model_from_json(json.dumps(config))

    def _safe_mode(self, *, on: bool) -> Any:  # noqa: ANN401 - a context manager
        """tf_keras minds `safe_mode` in .keras archives only; within this scope it refuses bytecode in HDF5 and JSON too."""
        return import_module(f"{self.name}.src.saving.serialization_lib").SafeModeScope(on)

    def has_class(self, layer: dict[str, Any]) -> bool:
        """Whether a layer as it is written is of a class of this Keras, or an operation of its ops."""
        name = str(layer.get("class_name")).rpartition(">")[2]
        operation = str(layer.get("module")).startswith("keras.src.ops") or (
            "module" not in layer and hasattr(self.keras, "ops") and hasattr(import_module("keras.src.ops.numpy"), name)
        )
        if operation or name.endswith("OpLambda"):
            return (self.name == "keras") == operation
        return name in ("Functional", "Model") or hasattr(self.keras.layers, name) or hasattr(self.keras.models, name)

    def compile(self, model: Any, compiled: dict[str, Any]) -> None:  # noqa: ANN401
        """Compile a model with what a file has: `compile_config` of .keras archives, `training_config` of HDF5."""
        if "optimizer_config" not in compiled:
            written = compiled.get("optimizer")
            if isinstance(written, dict):  # as an object of Keras, whoever shortened it
                compiled = {**compiled, "optimizer": {"module": "keras.optimizers", "registered_name": None, **written}}
            model.compile_from_config(compiled)
            return
        optimizer = self.keras.optimizers.get(compiled["optimizer_config"])
        kept = {key: compiled[key] for key in ("loss", "loss_weights") if compiled.get(key)}
        model.compile(optimizer=optimizer, **kept, metrics=_plain(compiled.get("metrics")))

    def is_compiled(self, model: Any) -> bool:  # noqa: ANN401
        """Whether the model has a loss to be trained with."""
        if self.name == "keras":
            return bool(getattr(model, "compiled", False) and getattr(model, "_compile_loss", None) is not None)
        return getattr(model, "compiled_loss", None) is not None and bool(model.loss)

    def call(self, model: Any, inputs: Any, *, training: bool = False) -> Any:  # noqa: ANN401
        """The outputs for made inputs; the state of recurrent layers is set back first."""
        for layer in model.layers:
            if getattr(layer, "stateful", False) and hasattr(
                layer, "reset_states" if self.name != "keras" else "reset_state"
            ):
                layer.reset_state() if self.name == "keras" else layer.reset_states()
        return model(inputs, training=training)

    def arrays(self, outputs: Any) -> list[Any]:  # noqa: ANN401
        """All outputs as NumPy arrays."""
        return [self._array(part) for part in self.tf.nest.flatten(outputs)]

    def named_outputs(self, model: Any, outputs: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401
        """All outputs with their names."""
        arrays = self.arrays(outputs)
        names = list(getattr(getattr(model, "_functional", None) or model, "output_names", None) or [])
        for i, array in enumerate(arrays):
            yield (str(names[i]) if i < len(names) else f"output {i}"), array

    def gradients(
        self,
        model: Any,  # noqa: ANN401
        inputs: Any,  # noqa: ANN401
        labels: Any,  # noqa: ANN401
    ) -> tuple[str, float, list[tuple[str, str, float | None, int]]]:
        """The gradients of the compiled loss, or of the mean square of the outputs where there are no labels.

        Returns:
            Which loss, its value, and for each trainable weight: layer, weight, norm (None: no gradient), values not finite.
        """
        tf, weights = self.tf, model.trainable_variables
        with tf.GradientTape() as tape:
            outputs = model(inputs, training=True)
            if labels is None:
                loss, kind = self._mean_square(outputs), OWN_LOSS
            else:
                labels = tf.nest.map_structure(tf.convert_to_tensor, labels)
                loss, kind = model.compute_loss(x=inputs, y=labels, y_pred=outputs), "compiled"
        found = tape.gradient(loss, [getattr(w, "value", w) if self.name == "keras" else w for w in weights])
        owners = _owners(model)
        told = [self._gradient(*owners.get(id(w), ("", str(w.name))), g) for w, g in zip(weights, found, strict=True)]
        return kind, float(loss), told

    def _gradient(self, layer: str, weight: str, gradient: Any) -> tuple[str, str, float | None, int]:  # noqa: ANN401
        if gradient is None:
            return layer, weight, None, 0
        value = self.tf.cast(self.tf.convert_to_tensor(gradient), "float64")
        bad = int(self.tf.reduce_sum(self.tf.cast(~self.tf.math.is_finite(value), "int64")))
        return layer, weight, float(self.tf.norm(self.tf.where(self.tf.math.is_finite(value), value, 0.0))), bad

    def _mean_square(self, outputs: Any) -> Any:  # noqa: ANN401
        parts = self.tf.nest.flatten(outputs, expand_composites=True)  # of sparse and ragged ones, their values
        parts = [self.tf.cast(part, "float32") for part in parts if part.dtype.is_floating]
        return self.tf.add_n([self.tf.reduce_mean(self.tf.square(part)) for part in parts])

    def _array(self, tensor: Any) -> Any:  # noqa: ANN401
        if isinstance(tensor, self.tf.RaggedTensor):
            tensor = tensor.to_tensor()
        elif isinstance(tensor, self.tf.SparseTensor):
            tensor = self.tf.sparse.to_dense(tensor)
        value = tensor.numpy()
        return value.astype("float32") if value.dtype.name == "bfloat16" else value


@cache
def runner(name: str) -> Runner:
    """The Keras of that name, imported once."""
    return Runner(name)


def _plain(metrics: Any) -> list[str] | None:  # noqa: ANN401 - as any release wrote it
    """The metrics that are given by a name; own ones need the code of their author."""
    listed = metrics if isinstance(metrics, list) else []
    listed = [inner for each in listed for inner in (each if isinstance(each, list) else [each])]
    names = [each.get("config", {}).get("name", "") if isinstance(each, dict) else each for each in listed]
    return [name for name in names if isinstance(name, str) and name] or None


def leaves(model: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:  # noqa: ANN401
    """The layers of a model that are no models, by path ("inner/dense")."""
    for layer in model.layers:
        if getattr(layer, "layers", None):
            yield from leaves(layer, f"{prefix}{layer.name}/")
        else:
            yield f"{prefix}{layer.name}", layer


def _owners(model: Any, prefix: str = "") -> dict[int, tuple[str, str]]:  # noqa: ANN401
    """The layer path and the name of each weight, by identity: the outermost path that leads to it."""
    owners: dict[int, tuple[str, str]] = {}
    for layer in model.layers:
        path = f"{prefix}{layer.name}"
        if getattr(layer, "layers", None):
            owners |= _owners(layer, f"{path}/")
        for weight in layer.weights:
            owners.setdefault(id(weight), (path, str(weight.name).split("/")[-1].partition(":")[0]))
    return owners
