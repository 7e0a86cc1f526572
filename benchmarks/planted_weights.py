"""Faults in the stored arrays of model files, for the probes of weights and for those that run the model."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import h5py
import numpy as np
from planted_files import Mutation, Opened
from planted_models import end_setting, first_setting, one

NORMS = 4  # the arrays of a BatchNormalization
Array = h5py.Dataset


def layers_of(file: h5py.File) -> list[list[Array]]:
    """The arrays of each layer in the order of the file, the optimizer's left out."""
    groups: dict[str, list[Array]] = {}

    def collect(name: str, found: Any) -> None:  # noqa: ANN401 - a group or a dataset
        others = ("optimizer", "metrics", "seed")
        if isinstance(found, h5py.Dataset) and found.dtype.kind == "f" and not any(other in name for other in others):
            groups.setdefault(name.rpartition("/")[0], []).append(found)

    file.visititems(collect)
    return list(groups.values())


def kernels(file: h5py.File) -> list[Array]:
    """Arrays with two axes or more."""
    return [array for group in layers_of(file) for array in group if array.ndim > 1]


def norms(file: h5py.File) -> list[list[Array]]:
    """gamma, beta, mean and variance of each BatchNormalization."""
    every = [g for g in layers_of(file) if len(g) == NORMS and all(a.ndim == 1 and a.shape == g[0].shape for a in g)]
    order = ("gamma", "beta", "moving_mean", "moving_variance")
    by_name = [{a.name.rpartition("/")[2].partition(":")[0]: a for a in group} for group in every]
    return [[n[k] for k in order] if set(order) <= set(n) else g for n, g in zip(by_name, every, strict=True)]


def slots(file: h5py.File) -> list[Array]:
    """The optimizer's arrays."""
    found: list[Array] = []

    def collect(name: str, each: Any) -> None:  # noqa: ANN401 - a group or a dataset
        if isinstance(each, h5py.Dataset) and "optimizer" in name:
            found.append(each)

    file.visititems(collect)
    return found


def fill(value: float, *, every: bool = False) -> Callable[[h5py.File], bool]:
    """The first kernel, or every one, holds one value throughout."""

    def plant(file: h5py.File) -> bool:
        for kernel in kernels(file) if every else kernels(file)[:1]:
            kernel[...] = value
        return True

    return plant


def one_value(value: float, *, every: bool = False) -> Callable[[h5py.File], bool]:
    """One number of a kernel, or of every one, is another."""

    def plant(file: h5py.File) -> bool:
        for kernel in kernels(file) if every else kernels(file)[-1:]:
            changed = kernel[...]
            changed.flat[0] = value
            kernel[...] = changed
        return True

    return plant


def grown(file: h5py.File) -> bool:
    """A kernel times a million."""
    kernel = kernels(file)[0]
    kernel[...] = kernel[...] * 1e6
    return True


def large(file: h5py.File) -> bool:
    """Every kernel times a thousand."""
    for kernel in kernels(file):
        kernel[...] = kernel[...] * 1e3
    return True


def pushed(file: h5py.File) -> bool:
    """Biases of 1000 for every second unit: what arrives no longer counts."""
    for group in (g for g in layers_of(file) if len(g) == 2):  # noqa: PLR2004 - kernel and bias
        for array in group:
            if array.ndim == 1:
                array[...] = np.where(np.arange(len(array)) % 2, -1000.0, 1000.0)
            else:
                array[...] = np.clip(array[...], -0.1, 0.1)
    return True


def negative_kernels(file: h5py.File) -> bool:
    """Kernels and biases below zero: behind a relu, or pictures, nothing can lift a unit above 0."""
    for group in (g for g in layers_of(file) if len(g) == 2):  # noqa: PLR2004 - kernel and bias
        for array in group:
            array[...] = -np.abs(array[...]) - 0.01
    return True


def steep(file: h5py.File) -> bool:
    """Every kernel and bias times 500: sigmoid, tanh and softmax answer with their limits only."""
    for group in layers_of(file):
        if len(group) != NORMS:
            for array in group:
                array[...] = array[...] * 500
    return True


def dead(file: h5py.File) -> bool:
    """Biases so low that no relu gives anything."""
    found = [g for g in layers_of(file) if len(g) == 2]  # noqa: PLR2004 - kernel and bias
    for group in found:
        for array in group:
            array[...] = -1000.0 if array.ndim == 1 else np.clip(array[...], -0.1, 0.1)
    return bool(found)


def swapped(file: h5py.File) -> bool:
    """The beta and the variance of BatchNormalization in each other's place."""
    for _, beta, _, variance in norms(file):
        was = beta[...]
        beta[...] = variance[...]
        variance[...] = was - 0.05
    return bool(norms(file))


def negative(file: h5py.File) -> bool:
    """A variance below zero."""
    for *_, variance in norms(file):
        variance[...] = -np.abs(variance[...])
    return bool(norms(file))


def never_updated(file: h5py.File) -> bool:
    """Statistics as they are at the beginning, though the model was trained."""
    for _, _, mean, variance in norms(file):
        mean[...], variance[...] = 0.0, 1.0
    return bool(norms(file))


def replaced(group: h5py.Group, name: str, value: Any) -> None:  # noqa: ANN401 - an array
    """An array of another shape in the place of one, with what was noted beside it."""
    kept = dict(group[name].attrs)
    del group[name]
    group[name] = value
    group[name].attrs.update(kept)


def turned(file: h5py.File) -> bool:
    """Convolution kernels as Theano has them: filters, channels, height, width."""
    found = [array for array in kernels(file) if array.ndim == 4]  # noqa: PLR2004
    for array in found:
        replaced(array.parent, array.name.rpartition("/")[2], np.transpose(array[...], (3, 2, 0, 1)))
    return bool(found)


def narrower(file: h5py.File) -> bool:
    """A kernel with a column less than its layer has."""
    array = kernels(file)[-1]
    name, parent = array.name.rpartition("/")[2], array.parent
    replaced(parent, name, np.concatenate([array[...], array[...]], axis=0))
    return True


def without_bias(file: h5py.File) -> bool:
    """A layer lost one of its arrays."""
    found = [g for g in layers_of(file) if len(g) == 2 and {a.ndim for a in g} > {1}]  # noqa: PLR2004 - kernel and bias
    array = next(array for array in found[-1] if array.ndim == 1)
    del array.parent[array.name.rpartition("/")[2]]
    return True


def without_kernel(file: h5py.File) -> bool:
    """A layer lost its kernel."""
    found = [g for g in layers_of(file) if len(g) == 2 and {a.ndim for a in g} > {1}]  # noqa: PLR2004 - kernel and bias
    array = next(array for array in found[-1] if array.ndim > 1)
    del array.parent[array.name.rpartition("/")[2]]
    return True


def no_gradient(file: h5py.File) -> bool:
    """Many steps were counted, and what the optimizer keeps is exactly 0; the biases are too."""
    found = slots(file)
    steps = [array for array in found if array.dtype.kind in "iu" and array.ndim == 0]
    moments = [array for array in found if array.dtype.kind == "f" and array.ndim]
    if not steps or not moments:
        return False
    for array in moments:
        array[...] = 0.0
    steps[0][()] = 20_000
    for group in layers_of(file):
        for array in group:
            if array.ndim == 1 and len(group) == 2:  # noqa: PLR2004 - kernel and bias
                array[...] = 0.0
    return True


def unknown_argument(model: Opened) -> bool:
    """An argument that this Keras does not have."""
    model.layers[-1]["config"]["of_another_release"] = 3
    return True


def unknown_class(model: Opened) -> bool:
    """A layer of the user's own."""
    layer = model.layers[-1]
    layer.update({"class_name": "MyHead", "registered_name": "custom>MyHead", "module": None})
    return True


def across_the_batch(model: Opened) -> bool:
    """A Reshape that puts the samples of a batch together."""
    found = model.of("Flatten") if model.sequential else []
    for layer in found:
        layer["class_name"] = "Softmax"
        layer["config"] = {"name": "mixed", "trainable": True, "dtype": "float32", "axis": 0}
    dense = [layer for layer in model.hidden("Dense") if model.sequential]
    if found or not dense:
        return False
    dense[0]["config"]["activation"] = "tanh"
    added = {"module": "keras.layers", "class_name": "Softmax", "registered_name": None}
    config = {"name": "mixed", "trainable": True, "dtype": "float32", "axis": 0}
    model.layers.insert(model.layers.index(dense[0]) + 1, added | {"config": config})
    return True


SLOW = "loss-not-decreasing"
NAN = "nan-loss"
RELU = "cnn|mlp|multi|nested"  # the subjects with a relu right behind a kernel
MUTATIONS = (
    Mutation("weight-values", "one NaN", NAN, one_value(np.nan)),
    Mutation("weight-values", "one infinite value", NAN, one_value(np.inf)),
    Mutation("weight-values", "a kernel of zeros", SLOW, fill(0.0)),
    Mutation("weight-values", "a kernel of one value", SLOW, fill(0.37)),
    Mutation("weight-values", "a kernel times a million", NAN, grown),
    Mutation("batchnorm-weights", "beta and variance swapped", "bn-weight-order", swapped),
    Mutation("batchnorm-weights", "a negative variance", NAN, negative),
    Mutation("batchnorm-weights", "statistics never updated", "batchnorm-fine-tuning", never_updated),
    Mutation("dead-units", "biases of -1000 before relu", SLOW, dead, RELU),
    Mutation("dead-units", "kernels and biases below zero", SLOW, negative_kernels, "cnn"),
    Mutation("kernel-order", "kernels in Theano's order", "kernel-layout-th-tf", turned),
    Mutation("nothing-learned", "20,000 steps, all slots 0", SLOW, no_gradient),
    Mutation("saturated", "kernels and biases times 500", SLOW, steep),
    Mutation("saturated", "biases of 1000 and -1000", SLOW, pushed),
    Mutation("weights-fit", "a kernel of twice the rows", "weights-shape-mismatch", narrower),
    Mutation("weights-fit", "a bias is missing", "weights-shape-mismatch", without_bias),
    Mutation("weights-fit", "a kernel is missing", "weights-shape-mismatch", without_kernel),
)
LIVE_OF_WEIGHTS = (
    Mutation("live-outputs", "a NaN in every kernel", NAN, one_value(np.nan, every=True)),
    Mutation("live-outputs", "every kernel is 0", SLOW, fill(0.0, every=True)),
    Mutation("live-gradients", "no relu gives anything", SLOW, dead, RELU),
    Mutation("live-gradients", "every kernel times a thousand", "gradient-clipping", large, RELU),
    Mutation("live-load", "a kernel of twice the rows", "weights-shape-mismatch", narrower),
)
LIVE_OF_MODELS = (
    Mutation("live-load", "an argument of another release", "argument-not-in-this-version", unknown_argument),
    Mutation("live-load", "a class of the user's own", "custom-objects-on-load", unknown_class),
    Mutation("live-outputs", "softmax on one unit", SLOW, end_setting(one, activation="softmax")),
    Mutation("live-consistency", "a softmax across the batch", "batch-size-differs", across_the_batch),
    Mutation(
        "live-consistency", "Dropout of 0.8", "train-loss-higher-than-test", first_setting("rate", 0.8, "Dropout")
    ),
)
