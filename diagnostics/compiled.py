"""What a model was compiled with: losses and metrics, by output, in the forms that Keras 1 to 3 write them.

A name or class that is not Keras' own (an own loss, a lambda) is unknown: None.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from .dtypes import policy_name
from .heads import Head
from .model_file import Json

MAX_METRICS = 200
_MAX_DEPTH = 3
BINARY = frozenset({"binary_crossentropy", "binary_focal_crossentropy"})
ONE_HOT = frozenset({"categorical_crossentropy", "categorical_focal_crossentropy"})
SPARSE = frozenset({"sparse_categorical_crossentropy"})
CROSSENTROPIES = BINARY | ONE_HOT | SPARSE
REGRESSION = frozenset({
    "mean_squared_error", "mean_absolute_error", "mean_absolute_percentage_error", "mean_squared_logarithmic_error", "huber",
    "log_cosh",
})  # fmt: skip
# Losses that are neither a crossentropy nor a distance of numbers.
_OTHERS = frozenset({"poisson", "kl_divergence", "hinge", "squared_hinge"})
_ALIASES = {
    "kld": "kl_divergence", "KLD": "kl_divergence", "KLDivergence": "kl_divergence",
    "kullback_leibler_divergence": "kl_divergence",
    "bce": "binary_crossentropy", "BCE": "binary_crossentropy", "mse": "mean_squared_error", "MSE": "mean_squared_error",
    "mae": "mean_absolute_error", "MAE": "mean_absolute_error", "mape": "mean_absolute_percentage_error",
    "MAPE": "mean_absolute_percentage_error", "msle": "mean_squared_logarithmic_error",
    "MSLE": "mean_squared_logarithmic_error", "huber_loss": "huber", "logcosh": "log_cosh", "LogCosh": "log_cosh",
}  # fmt: skip
ACCURACIES = frozenset({
    "accuracy", "acc", "binary_accuracy", "categorical_accuracy", "sparse_categorical_accuracy",
    "sparse_top_k_categorical_accuracy", "top_k_categorical_accuracy",
})  # fmt: skip
_METRIC_CLASSES = frozenset({"AUC", "Precision", "Recall", "Accuracy", "MeanIoU", "IoU", "OneHotIoU", "OneHotMeanIoU"})


def _camel(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("_"))


_LOSSES = {
    **{name: name for name in CROSSENTROPIES | REGRESSION | _OTHERS},
    **{_camel(name): name for name in CROSSENTROPIES | REGRESSION | _OTHERS},
    **_ALIASES,
}
_METRICS = {**{name: name for name in ACCURACIES}, **{_camel(name): name for name in ACCURACIES - {"acc", "accuracy"}}}


@dataclass(frozen=True)
class Loss:
    """A loss of Keras: its name in snake case, and whether it takes logits."""

    name: str
    from_logits: bool = False


@dataclass(frozen=True)
class Metric:
    """A metric of Keras: its name (snake case for the accuracies, else the class) and its settings."""

    name: str
    config: Json


def is_object(written: object) -> bool:
    """Whether a dict is one serialized object, not a dict by output."""
    return isinstance(written, dict) and isinstance(written.get("class_name"), str) and "config" in written


def by_output(written: Any, heads: Sequence[Head]) -> list[Any] | None:  # noqa: ANN401 - JSON
    """What was given for each output; None where its form does not fit the outputs."""
    if written is None or isinstance(written, str) or is_object(written):
        return [written] * len(heads)
    if isinstance(written, list):
        return written if len(written) == len(heads) else None
    if isinstance(written, dict):
        return [next((written[name] for name in head.names if name in written), None) for head in heads]
    return None


def loss_of(written: Any) -> Loss | None:  # noqa: ANN401 - JSON
    """One loss as Keras wrote it: a name, a function, an object."""
    if isinstance(written, str):
        name = _LOSSES.get(written)
        return Loss(name) if name else None
    if not is_object(written) or not _is_kerass(written):
        return None
    class_name, config = written["class_name"], written["config"]
    if class_name == "function":
        return loss_of(config) if isinstance(config, str) else None
    loss = _LOSSES.get(class_name)
    if loss is None or not isinstance(config, dict):
        return None
    if loss not in CROSSENTROPIES:
        return Loss(loss)
    logits, axis = config.get("from_logits"), config.get("axis", -1)
    return Loss(loss, logits) if isinstance(logits, bool) and axis == -1 else None


def _is_kerass(written: Json) -> bool:
    """Registered own classes have a package in `registered_name`, or in `class_name` ("Pack>Name") in HDF5."""
    module, registered = written.get("module"), written.get("registered_name")
    if isinstance(registered, str) and ">" in registered:
        return False
    return module is None or (isinstance(module, str) and module.split(".")[0] in ("keras", "builtins", "tf_keras"))


def metrics_by_output(written: Any, heads: Sequence[Head], *, keras_3: bool) -> list[list[Metric]]:  # noqa: ANN401
    """The known metrics of each output. A flat list counts for every output up to Keras 2, item by item in Keras 3."""
    number = len(heads)
    if isinstance(written, list) and (number == 1 or not (keras_3 or any(isinstance(m, list) for m in written))):
        return [list(_metrics(written)) for _ in heads]
    given = by_output(written, heads)
    return [list(_metrics(item)) for item in given] if given else [[] for _ in heads]


def metric_dtypes(compiled: Json) -> Iterator[tuple[str, str]]:
    """Names and dtypes of all metrics that were written out as objects, own ones too."""
    seen = 0
    pending: list[Any] = [compiled.get("metrics"), compiled.get("weighted_metrics")]
    while pending and seen < MAX_METRICS:
        written = pending.pop()
        if isinstance(written, list):
            pending += written[:MAX_METRICS]
        elif isinstance(written, dict) and not is_object(written):
            pending += list(written.values())[:MAX_METRICS]
        elif isinstance(written, dict) and isinstance(written["config"], dict):
            seen += 1
            dtype = policy_name(written["config"].get("dtype"))
            if dtype:
                yield str(written["config"].get("name", written["class_name"])), dtype


def _metrics(written: Any, depth: int = 0) -> Iterator[Metric]:  # noqa: ANN401 - JSON
    if isinstance(written, list) and depth < _MAX_DEPTH:
        for part in written[:MAX_METRICS]:
            yield from _metrics(part, depth + 1)
    elif metric := _metric(written):
        yield metric


def _metric(written: Any) -> Metric | None:  # noqa: ANN401 - JSON
    if isinstance(written, str):
        return Metric(_METRICS[written], {}) if written in _METRICS else None
    if not is_object(written) or not _is_kerass(written):
        return None
    class_name, config = written["class_name"], written["config"]
    if class_name == "function" and isinstance(config, str):
        return _metric(config)
    return _metric_of_class(class_name, config) if isinstance(config, dict) else None


def _metric_of_class(class_name: str, config: Json) -> Metric | None:
    if class_name == "MeanMetricWrapper":
        return _wrapped(config)
    if class_name in _METRIC_CLASSES:
        return Metric(class_name, config)
    return Metric(_METRICS[class_name], config) if class_name in _METRICS else None


def _wrapped(config: Json) -> Metric | None:
    """What tf.keras makes of a name or function.

    It resolves "accuracy" when it saves, by shapes alone, so that which accuracy it became is no choice of the user's:
    the name is what counts.
    """
    function, name = config.get("fn"), config.get("name")
    if isinstance(function, dict):
        function = function.get("config")
    if not isinstance(function, str) or function not in ACCURACIES:
        return None
    chosen = isinstance(name, str) and name.endswith(function)
    return Metric(function if chosen else "accuracy", {})
