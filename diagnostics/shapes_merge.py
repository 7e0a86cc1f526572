"""Shapes of the layers that join tensors: element by element, Concatenate, Dot, and attention, in Keras 1 to 3.

Sources: keras/src/layers/merging and attention of Keras 3.15 and tf_keras 2.21, where TensorFlow fills open sizes in.
"""

from __future__ import annotations

from .shapes_base import (
    BROADCAST,
    CONCATENATE,
    DOT,
    Operand,
    Rule,
    Shape,
    Step,
    Unfit,
    Unknown,
    axis_of,
    known,
    needs_axes,
    one,
    shown,
    size,
)

_BY_ELEMENT = (
    "Add",
    "Subtract",
    "Multiply",
    "Average",
    "Maximum",
    "Minimum",
    "CustomScaleLayer",
)  # the last one is InceptionResNetV2's


def _listed(shapes: list[Shape]) -> str:
    return ", ".join(shown(shape) for shape in shapes[:5]) + (" ..." if len(shapes) > 5 else "")  # noqa: PLR2004


def _by_element(step: Step) -> tuple[Shape]:
    shapes = step.joined
    if any(not shape for shape in shapes):
        raise Unknown
    batches = {shape[0] for shape in shapes} - {None}
    if len(batches) > 1:
        raise Unfit(
            f"the tensors have different batch sizes: {_listed(shapes)}",
            f"各张量的批次大小不同：{_listed(shapes)}",
            "batch-size-differs",
            BROADCAST,
        )
    if (
        step.line != "keras-3"
        and len({len(shape) for shape in shapes}) > 1
        and None in [n for s in shapes for n in s[1:]]
    ):
        raise Unknown
    rest = shapes[0][1:]
    for shape in shapes[1:]:
        rest = _together(rest, shape[1:], shapes, fill=step.line != "keras-3")
    return one(next(iter(batches), None), *rest)


def _together(one_shape: Shape, other: Shape, shapes: list[Shape], *, fill: bool) -> Shape:
    """Keras 3 leaves a size open that is open in one of two; TensorFlow takes the other's if that is more than 1."""
    long, short = sorted((one_shape, other), key=len, reverse=True)
    lead = long[: len(long) - len(short)]
    return (*lead, *(_size(a, b, shapes, fill=fill) for a, b in zip(long[len(lead) :], short, strict=True)))


def _size(a: int | None, b: int | None, shapes: list[Shape], *, fill: bool) -> int | None:
    if a is None or b is None:
        other = a if b is None else b
        return other if fill and other is not None and other > 1 else None
    if a == 1 or b == 1:
        return b if a == 1 else a
    if a != b:
        raise Unfit(
            f"{_listed(shapes)} cannot be joined element by element: an axis is {a} long in one and {b} in the other; bring both "
            "to one size (the same padding and strides, or a Dense or 1x1 convolution on the shortcut)",
            f"{_listed(shapes)} 无法逐元素合并：同一个轴一边是 {a}，另一边是 {b}；请让两边大小一致（相同的 padding 和 strides，"
            "或在捷径上加 Dense 或 1x1 卷积）",
            BROADCAST,
        )
    return a


def _concatenate(step: Step) -> tuple[Shape]:
    return (concatenated(step, step.config.get("axis", -1)),)


def concatenated(step: Step, axis: object) -> Shape:
    """The shape of tensors joined along an axis."""
    shapes = step.joined
    if len(ranks := {len(shape) for shape in shapes}) > 1:
        raise Unfit(
            f"{_listed(shapes)} have different numbers of axes and cannot be concatenated: flatten or reshape first",
            f"{_listed(shapes)} 的轴数不同，无法拼接：请先展平或改变形状",
            CONCATENATE,
        )
    along = axis_of(axis, ranks.pop())
    joined: list[int | None] = list(shapes[0])
    for place, column in enumerate(zip(*shapes, strict=True)):
        sizes = {part for part in column if part is not None}
        if place == along:
            joined[place] = None if None in column else sum(part or 0 for part in column)
        elif len(sizes) > 1:
            raise _sides(shapes, along, place, sizes)
        elif step.line != "keras-3":
            joined[place] = next(iter(sizes), None)
    return tuple(joined)


def _sides(shapes: list[Shape], along: int, place: int, sizes: set[int]) -> Unfit:
    told = " / ".join(str(part) for part in sorted(sizes)[:5])
    return Unfit(
        f"{_listed(shapes)} cannot be concatenated along axis {along}: axis {place} differs ({told}) and only axis {along} may; "
        "crop, pad or resize one of them, or choose another axis",
        f"{_listed(shapes)} 无法沿轴 {along} 拼接：轴 {place} 的大小不同（{told}），而只有轴 {along} 可以不同；"
        "请裁剪、填充或缩放其中一个，或换一个轴",
        CONCATENATE,
    )


def _dot(step: Step) -> tuple[Shape]:
    shapes = step.joined
    if len(shapes) != 2:  # noqa: PLR2004 - Dot takes two
        raise Unknown
    x, y = shapes
    written = step.config.get("axes")
    axes = written if isinstance(written, list | tuple) else [written, written]
    if len(axes) != 2:  # noqa: PLR2004
        raise Unknown
    a, b = axis_of(axes[0], len(x)), axis_of(axes[1], len(y))
    if not a or not b or len(x) < 2 or len(y) < 2:  # noqa: PLR2004
        raise Unknown
    if x[a] is not None and y[b] is not None and x[a] != y[b]:
        raise Unfit(
            f"the dot product of {shown(x)} and {shown(y)} sums over axis {a} of the first ({x[a]} long) and axis {b} of the second "
            f"({y[b]}): both must be of one length; choose other axes or add a Dense",
            f"{shown(x)} 与 {shown(y)} 的点积要对第一个的轴 {a}（长 {x[a]}）和第二个的轴 {b}（长 {y[b]}）求和："
            "两者长度必须相同；请换 axes，或加一个 Dense",
            DOT,
        )
    rest = [*(n for i, n in enumerate(x) if i != a), *(n for i, n in enumerate(y) if i not in (0, b))]
    return one(*rest, 1) if len(rest) == 1 else one(*rest)


def _attention(step: Step) -> tuple[Shape | None, ...]:
    shapes = step.joined
    if len(shapes) not in (2, 3) or any(len(shape) < 2 for shape in shapes):  # noqa: PLR2004
        raise Unknown
    query, value = shapes[:2]
    if step.class_name == "AdditiveAttention" and (query[:-2] != value[:-2] or query[-1] != value[-1]):
        raise Unknown  # TensorFlow broadcasts the two
    given = (*query[:-1], value[-1])
    scores = (*query[:-1], shapes[-1][-2])
    return (given, scores) if step.kwargs.get("return_attention_scores") is True else (given,)


def attended(step: Step) -> tuple[Shape, Shape, Shape]:
    """Query, value and key of a multi-head attention; the key is the value where there is none."""
    given = dict(zip(("query", "value", "key"), step.args, strict=False))
    given |= {name: value for name, value in step.kwargs.items() if name in ("query", "value", "key")}
    tensors = {name: value for name, value in given.items() if isinstance(value, Operand)}
    if "query" not in tensors or "value" not in tensors:
        raise Unknown
    query, value = known(tensors["query"]), known(tensors["value"])
    return query, value, known(tensors["key"]) if "key" in tensors else value


def _multi_head(step: Step) -> tuple[Shape | None, ...]:
    query, value, _ = attended(step)
    if step.line == "keras-2" and step.class_name == "MultiHeadAttention":
        needs_axes(query, 3, exactly=False)
    written = step.config.get("output_shape")
    if len(query) < 2 or len(value) < 2:  # noqa: PLR2004
        raise Unknown
    parts = written if isinstance(written, list | tuple) else [query[-1] if written is None else size(written)]
    given: Shape = (*query[:-1], *(None if part is None else size(part) for part in parts))
    scores = None
    if len(query) == 3 and len(value) == 3:  # noqa: PLR2004
        scores = (query[0], size(step.config.get("num_heads", step.config.get("num_query_heads"))), query[1], value[1])
    return (given, scores) if step.kwargs.get("return_attention_scores") is True else (given,)


RULES: dict[str, Rule] = {
    **dict.fromkeys(_BY_ELEMENT, _by_element),
    "Concatenate": _concatenate,
    "Dot": _dot,
    "Attention": _attention,
    "AdditiveAttention": _attention,
    "MultiHeadAttention": _multi_head,
    "GroupQueryAttention": _multi_head,
    "GroupedQueryAttention": _multi_head,
}
