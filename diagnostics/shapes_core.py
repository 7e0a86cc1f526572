"""Shapes of dense layers, embeddings, reshaping, normalisation and preprocessing, in Keras 1 to 3.

Sources: keras/src/layers/core, reshaping, normalization and preprocessing of Keras 3.15, their like in tf_keras 2.21.
"""

from __future__ import annotations

from .shapes_base import (
    LAST_AXIS,
    RANK,
    RESHAPE,
    TRANSPOSE,
    Rule,
    Shape,
    Step,
    Unfit,
    Unknown,
    needs_axes,
    one,
    option,
    product,
    shown,
    size,
)
from .shapes_conv import has_channels

MAX_EQUATION = 100
# These hand on what they take. LayerScale is that of keras.applications.
SAME = frozenset({
    "Activation", "ActivityRegularization", "AlphaDropout", "Dropout", "ELU", "GaussianDropout", "GaussianNoise", "Highway",
    "Identity", "LayerScale", "LeakyReLU", "Masking", "Normalization", "ParametricSoftplus", "RMSNormalization", "ReLU", "Rescaling",
    "SReLU", "Softmax", "ThresholdedReLU", "UnitNormalization", "AugMix", "AutoContrast",
    "ContrastLimitedAdaptiveHistogramEqualization", "Equalization", "RandAugment", "RandomBrightness",
    "RandomColorDegeneration", "RandomColorJitter", "RandomContrast", "RandomElasticTransform", "RandomErasing",
    "RandomFlip", "RandomGaussianBlur", "RandomGrayscale", "RandomHue", "RandomInvert", "RandomPerspective",
    "RandomPosterization", "RandomRotation", "RandomSaturation", "RandomSharpness", "RandomShear",
    "RandomTranslation", "RandomZoom", "Solarization",
})  # fmt: skip


def _same(step: Step) -> tuple[Shape]:
    return (step.first,)


def _dense(step: Step) -> tuple[Shape]:
    shape = step.first
    needs_axes(shape, 2, exactly=False)
    has_channels(shape[-1], "last")
    return one(*shape[:-1], size(option(step.config, "units", "output_dim")))


def _maxout(step: Step) -> tuple[Shape]:
    needs_axes(step.first, 2)
    return one(step.first[0], size(step.config.get("output_dim")))


def _einsum_dense(step: Step) -> tuple[Shape]:
    shape, (kernel, given) = step.first, einsum_shapes(step)
    if None in kernel:
        raise Unfit(
            "an axis that its kernel covers has no fixed size: give it in the shape of the input",
            "它的权重所覆盖的轴大小未定：请在输入形状里写明",
            LAST_AXIS,
        )
    if step.line != "keras-3":
        return (given,)
    # Keras 3 takes the output shape as it was given, and puts the axes behind an ellipsis at its front one by one.
    written = step.config.get("output_shape")
    parts = [None if part is None else size(part) for part in (written if isinstance(written, list) else [written])]
    elided = len(given) - len(parts) - 1
    if str(step.config.get("equation")).startswith("..."):
        return one(shape[0], *reversed(shape[1 : elided + 1]), *parts)
    return one(shape[0], *parts, *shape[len(shape) - elided :]) if elided else one(shape[0], *parts)


def einsum_shapes(step: Step) -> tuple[Shape, Shape]:
    """The shapes of the kernel and of the output of an EinsumDense."""
    shape, equation = step.first, str(step.config.get("equation", ""))[:MAX_EQUATION].replace(" ", "")
    taken, _, rest = equation.partition(",")
    weights, _, given = rest.partition("->")
    if not (taken and weights and given) or "..." in weights:
        raise Unknown
    lead, tail = ("...", "") if taken.startswith("...") else ("", "...") if taken.endswith("...") else ("", "")
    labels = taken.replace("...", "")
    if (lead + labels + tail) != taken or (
        len(labels) != len(shape) if "..." not in taken else len(labels) > len(shape)
    ):
        raise Unknown
    elided = len(shape) - len(labels)
    named = shape[elided:] if lead else shape[: len(labels)]
    rested = shape[:elided] if lead else shape[len(labels) :]
    sizes = dict(zip(labels, named, strict=True))
    written = step.config.get("output_shape")
    parts = list(written) if isinstance(written, list | tuple) else [written]
    outputs = given.replace("...", "")
    known = outputs if lead else outputs[1:]
    if len(parts) != len(known):
        raise Unknown
    for label, part in zip(known, parts, strict=True):
        if label not in sizes:
            sizes[label] = None if part is None else size(part)
    if not set(outputs + weights) <= set(sizes) or ("..." in given) != bool(lead or tail):
        raise Unknown
    kernel = tuple(sizes[label] for label in weights)
    found = tuple(sizes[label] for label in outputs)
    return kernel, (*rested, *found) if lead else (*found, *rested)


def _embedding(step: Step) -> tuple[Shape]:
    shape, length = step.first, step.config.get("input_length")
    if step.line in ("keras-2.2", None) and length is not None:
        if len(shape) != 2:  # noqa: PLR2004 - the batch and one axis of words
            raise Unknown
        shape = (shape[0], size(length) if shape[1] is None else shape[1])
    return one(*shape, size(step.config.get("output_dim")))


def _flatten(step: Step) -> tuple[Shape]:
    return one(step.first[0] if step.first else None, product(step.first[1:]))


def _reshape(step: Step) -> tuple[Shape]:
    target = option(step.config, "target_shape", "dims")
    if not isinstance(target, list | tuple):
        raise Unknown
    return one(step.first[0], *reshaped(step.first[1:], list(target), "target_shape"))


def reshaped(shape: Shape, target: list[object], name: str) -> Shape:
    """The sizes that a reshape leads to, without the batch where that is kept."""
    if target.count(-1) > 1:
        raise Unfit(f"{name} has more than one -1", f"{name} 里有多个 -1", RESHAPE)
    wanted = tuple(None if part == -1 else size(part) for part in target)
    total, given = product(shape), product(tuple(part for part in wanted if part is not None))
    if total is None or given is None:
        return wanted
    if None not in wanted and given == total:
        return wanted
    if None in wanted and given and total % given == 0:
        return tuple(total // given if part is None else part for part in wanted)
    told = shown(tuple(-1 if part is None else part for part in wanted))
    raise Unfit(
        f"{shown(shape)} holds {total} numbers a sample, and {name}={told} {'needs a multiple of' if None in wanted else 'holds'} "
        f"{given}: sizes must have the same product (one may be -1)",
        f"{shown(shape)} 每个样本有 {total} 个数，而 {name}={told} {'要求是下面这个数的倍数：' if None in wanted else '是'} {given}："
        "各尺寸之积必须相同（其中一个可写 -1）",
        RESHAPE,
    )


def _permute(step: Step) -> tuple[Shape]:
    dims = step.config.get("dims")
    if not isinstance(dims, list | tuple) or sorted(map(str, dims)) != sorted(str(n + 1) for n in range(len(dims))):
        raise Unknown
    if len(step.first) != len(dims) + 1:
        raise Unfit(
            f"dims={list(dims)} names {len(dims)} axes (without the batch), and the tensor has {len(step.first) - 1}",
            f"dims={list(dims)} 指定了 {len(dims)} 个轴（不含批次轴），而张量有 {len(step.first) - 1} 个",
            TRANSPOSE,
            RANK,
        )
    return one(step.first[0], *(step.first[size(axis)] for axis in dims))


def _repeat(step: Step) -> tuple[Shape]:
    needs_axes(step.first, 2)
    return one(step.first[0], size(step.config.get("n")), step.first[1])


def _reversible(step: Step) -> tuple[Shape]:
    if step.kwargs.get("reverse") is True:
        needs_axes(step.first, 1, exactly=False)
        return one(*step.first[:-1], size(step.config.get("input_dim")))
    return one(*step.first, size(step.config.get("output_dim")))


RULES: dict[str, Rule] = {
    **dict.fromkeys(SAME, _same),
    "Dense": _dense,
    "MaxoutDense": _maxout,
    "EinsumDense": _einsum_dense,
    "Embedding": _embedding,
    "ReversibleEmbedding": _reversible,
    "Flatten": _flatten,
    "Reshape": _reshape,
    "Permute": _permute,
    "RepeatVector": _repeat,
}
