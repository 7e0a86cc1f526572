"""Data ids: do the numbers that an Embedding looks up lie in its range."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..data_model import looks_up, wanted_inputs
from ..data_sample import Array, DataSample
from ..data_shapes import matched
from ..probe import CouldNotLook, Evidence, Probe
from ..wording import names_en, names_zh

RANGE = "embedding-index-range"


def look(sample: DataSample) -> Iterator[Evidence]:
    """The ids of each input that an Embedding takes, against the number of its rows."""
    if sample.model is None:
        raise CouldNotLook(
            Text("no model was given: which ids it has is not known", "没有给出模型：不知道它有多少个编号")
        )
    sizes = list(looks_up(sample.model))
    if not sizes:
        yield Evidence(Text("no Embedding is fed by an input", "没有 Embedding 直接接在输入上"))
        return
    fed = [(want.name, array) for want, array in matched(wanted_inputs(sample.model), sample)]
    for name, path, size in sizes:
        for array in (array for wanted, array in fed if wanted == name):
            yield from _ids(array, path, size)


def _ids(array: Array, path: str, size: int) -> Iterator[Evidence]:
    import numpy as np  # noqa: PLC0415 - an optional extra, and a tenth of a second

    values = array.values
    if values is None or values.size == 0 or values.dtype.kind not in "iuf":
        return
    low, high = float(np.nanmin(values)), float(np.nanmax(values))
    outside = int(((values < 0) | (values >= size)).sum())
    if outside:
        first = int(np.argmax(((values < 0) | (values >= size)).reshape(len(values), -1).any(axis=1)))
        yield Evidence(
            Text(
                f"{outside:,} of {values.size:,} ids in {names_en([array.name])} lie outside 0 to {size - 1:,}, the range of "
                f"{names_en([path])} (input_dim={size:,}); they run from {low:g} to {high:g}, and the first is in row "
                f"{int(array.rows[first]):,}: input_dim must be at least {high + 1:g}",
                f"{names_zh([array.name])} 的 {values.size:,} 个编号中有 {outside:,} 个超出 {names_zh([path])} 的范围 "
                f"0 到 {size - 1:,}（input_dim={size:,}）；编号从 {low:g} 到 {high:g}，第一个在第 {int(array.rows[first]):,} 行："
                f"input_dim 至少要 {high + 1:g}",
            ),
            confirms=(RANGE,),
            fault=True,
            layers=(path,),
        )
    else:
        yield Evidence(
            Text(
                f"the ids in {names_en([array.name])} run from {low:g} to {high:g}; {names_en([path])} has {size:,}",
                f"{names_zh([array.name])} 的编号从 {low:g} 到 {high:g}；{names_zh([path])} 有 {size:,} 个",
            ),
            rules_out=(RANGE,) if array.whole else (),
        )


PROBE = Probe(
    id="data-ids",
    subject="data",
    promise=Text(
        "whether the ids in the data lie in the range of the Embedding that takes them",
        "检查数据里的编号是否在接收它们的 Embedding 的范围内",
    ),
    topics=(RANGE,),
    look=look,
    remedy=Text(
        "set input_dim to the highest id plus 1, and give unknown words an id of their own",
        "把 input_dim 设为最大编号加 1，并给未知词留一个编号",
    ),
    documentation="https://keras.io/api/layers/core_layers/embedding/",
)
