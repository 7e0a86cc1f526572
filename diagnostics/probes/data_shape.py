"""Data shape: can the model take the arrays: number of axes, their sizes, their type."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..data_csv import FEATURES
from ..data_model import Wanted, wanted_inputs
from ..data_sample import Array, DataSample
from ..data_shapes import difference, matched
from ..graph import graph_of
from ..model_file import ModelFile
from ..probe import CouldNotLook, Evidence, Probe
from ..wording import names_en, names_zh

INPUT = "model-input-shape"
RANK = "layer-input-rank"
LAST = "layer-input-last-axis"
CHANNELS = "channels-first-last"
BATCH = "batch-size-differs"
DTYPE = "dtype-not-allowed"
SEVERAL = "multi-input-output-model"

_HINTS = {
    "no batch axis": Text(
        "the batch axis is missing: use x[None] for a single sample", "缺少批次轴：单个样本请用 x[None]"
    ),
    "channels moved": Text(
        "the channels stand at the other end: np.moveaxis puts them right", "通道轴在另一端：用 np.moveaxis 调换"
    ),
    "channels missing": Text("the channels axis is missing", "缺少通道轴"),
    "other rank": Text("the number of axes differs", "轴数不同"),
    "not flat": Text(
        "reshape each sample to one axis: x.reshape(len(x), -1)", "请把每个样本展平：x.reshape(len(x), -1)"
    ),
    "features": Text("the last axis (features or channels) differs", "最后一个轴（特征或通道）不同"),
    "sizes": Text("the sizes differ", "大小不同"),
}
_TOPICS = {
    "channels moved": (CHANNELS, INPUT),
    "features": (INPUT, LAST),
    "sizes": (INPUT,),
    "not flat": (INPUT, RANK),
}
# With these a model of Keras 2 can't take another size than it was built for (Keras 3 never does).
_FIXED = frozenset({"Flatten", "Reshape", "Permute", "Dot"})


def look(sample: DataSample) -> Iterator[Evidence]:
    """Each array that is fed against the input of the model that it is for."""
    if sample.model is None:
        raise CouldNotLook(Text("no model was given to compare the shapes with", "没有给出模型，无法比较形状"))
    wanted = wanted_inputs(sample.model)
    if not wanted:
        raise CouldNotLook(Text("the model file does not tell the shapes of its inputs", "模型文件里没有输入形状"))
    pairs = matched(wanted, sample)
    if not pairs:
        yield _unmatched(wanted, sample)
    for want, array in pairs:
        yield from _shape(want, array, sample)
        yield from _type(want, array)
        yield from _batch(want, array)


def _unmatched(wanted: tuple[Wanted, ...], sample: DataSample) -> Evidence:
    told = [f"{want.name} {want}" for want in wanted]
    return Evidence(
        Text(
            f"the model has {len(wanted)} inputs ({names_en(told)}), and {len(sample.inputs)} arrays of the sample are taken for "
            "inputs",
            f"模型有 {len(wanted)} 个输入（{names_zh(told)}），样本里当作输入的数组有 {len(sample.inputs)} 个",
        ),
        confirms=(SEVERAL, INPUT),
    )


def _shape(want: Wanted, array: Array, sample: DataSample) -> Iterator[Evidence]:
    kind = difference(want, array.shape)
    en, zh = f"{names_en([array.name])} has the shape {array.shape}", f"{names_zh([array.name])} 的形状是 {array.shape}"
    wants_en, wants_zh = f"the input {names_en([want.name])} takes {want}", f"输入 {names_zh([want.name])} 要求 {want}"
    if kind in ("none", "adapted"):
        adds = kind == "adapted"
        yield Evidence(
            Text(
                f"{en}, and {wants_en}" + (": Keras adds or drops the last axis of size 1 by itself" if adds else ""),
                f"{zh}，{wants_zh}" + ("：Keras 会自动补上或去掉大小为 1 的最后一个轴" if adds else ""),
            ),
            rules_out=() if want.shape is None else (INPUT,),
        )
        return
    hint = _HINTS[kind]
    yield Evidence(
        Text(f"{en}, but {wants_en}: {hint.en}{_table_en(array)}", f"{zh}，而 {wants_zh}：{hint.zh}{_table_zh(array)}"),
        confirms=_TOPICS.get(kind, (INPUT, RANK)),
        fault=_refused(kind, array, sample.model),
        layers=(want.name,),
    )


def _refused(kind: str, array: Array, model: ModelFile | None) -> bool:
    """Columns of a table are chosen by a program, and Keras 2 takes other sizes where no layer depends on them."""
    if array.name == FEATURES and array.columns:
        return False
    if kind != "sizes" or model is None or model.line == "keras-3":
        return True
    graph = graph_of(model)
    return graph is not None and any(layer.class_name in _FIXED for _, part in graph.walk() for layer in part.layers)


def _table_en(array: Array) -> str:
    return f" (columns: {names_en(array.columns)})" if array.columns else ""


def _table_zh(array: Array) -> str:
    return f"（列：{names_zh(array.columns)}）" if array.columns else ""


def _type(want: Wanted, array: Array) -> Iterator[Evidence]:
    text = array.dtype == "text"
    if (text and want.dtype != "string") or array.dtype.startswith("complex"):
        yield Evidence(
            Text(
                f"{names_en([array.name])} holds {'text' if text else array.dtype}, and the input {names_en([want.name])} takes "
                f"{want.dtype or 'numbers'}: encode it as numbers first",
                f"{names_zh([array.name])} 存的是{'文字' if text else ' ' + array.dtype}，而输入 {names_zh([want.name])} 要 "
                f"{want.dtype or '数值'}：请先编码成数",
            ),
            confirms=(DTYPE,),
            fault=True,
            layers=(want.name,),
        )


def _batch(want: Wanted, array: Array) -> Iterator[Evidence]:
    if want.batch and array.samples % want.batch and not array.estimated:
        rest = array.samples % want.batch
        yield Evidence(
            Text(
                f"the batch size of {names_en([want.name])} is fixed at {want.batch}, and {array.samples:,} samples leave a last "
                f"batch of {rest}",
                f"{names_zh([want.name])} 的批大小固定为 {want.batch}，而 {array.samples:,} 个样本的最后一批只有 {rest} 个",
            ),
            confirms=(BATCH,),
            layers=(want.name,),
        )


PROBE = Probe(
    id="data-shape",
    subject="data",
    promise=Text(
        "whether the model can take the arrays: their axes, sizes and types",
        "检查模型能否接收这些数组：轴数、大小和类型",
    ),
    topics=(INPUT, RANK, LAST, CHANNELS, BATCH, DTYPE, SEVERAL),
    look=look,
    remedy=Text(
        "bring the data into the shape that the model was built for, or build the model for the data's shape",
        "把数据变成建模时的形状，或按数据的形状重新建模",
    ),
    documentation="https://keras.io/guides/functional_api/",
)
