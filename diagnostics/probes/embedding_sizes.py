"""Embedding sizes: do the numbers that come in fit the table, and is the table in proportion."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..flow import Flow, Place, flow_of
from ..graph import needed_graph
from ..model_file import ModelFile
from ..probe import Evidence, Probe
from ..vocabulary import Numbers, numbers_of
from ..wording import names_en, names_zh

INDEX_RANGE = "embedding-index-range"
OVERFITTING = "overfitting"
_SMALL_VOCABULARY = 50
_KEEP_NUMBERS = frozenset({"Flatten", "Reshape", "Permute", "RepeatVector", "Identity"})


def look(model: ModelFile) -> Iterator[Evidence]:
    """The Embedding layers of the model and of all models nested in it, and the lookups before them."""
    graph = needed_graph(model)
    flow = flow_of(graph)
    for place in flow.places.values():
        rows, columns = (_positive(place.layer.config.get(key)) for key in ("input_dim", "output_dim"))
        if place.layer.class_name == "Embedding" and rows:
            yield from _too_small(flow, place, rows)
            if columns:
                yield _size(place, rows, columns)


def _positive(value: object) -> int:
    return value if type(value) is int and value > 0 else 0


def _too_small(flow: Flow, embedding: Place, rows: int) -> Iterator[Evidence]:
    for taken in dict.fromkeys(call[0] for call in embedding.takes if call):
        for before, index in flow.upstream(taken, lambda p: p.layer.class_name in _KEEP_NUMBERS):
            numbers = numbers_of(before.layer)
            if numbers and index == 0 and numbers.size > rows:
                yield _out_of_range(before, numbers, embedding, rows)


def _out_of_range(before: Place, numbers: Numbers, embedding: Place, rows: int) -> Evidence:
    """Only a limit that was never reached leaves the model sound."""
    may_en, may_zh = ("", "会") if numbers.exact else ("may ", "可能会")
    return Evidence(
        Text(
            f"{names_en([before.path])} ({before.layer.class_name}) {may_en}hand{'s' if numbers.exact else ''} out numbers up to "
            f"{numbers.size - 1}, and {names_en([embedding.path])} has rows for 0 to {rows - 1}: set input_dim={numbers.size}",
            f"{names_zh([before.path])}（{before.layer.class_name}）{may_zh}输出最大为 {numbers.size - 1} 的编号，而 "
            f"{names_zh([embedding.path])} 只有 0 到 {rows - 1} 的行：请设 input_dim={numbers.size}",
        ),
        confirms=(INDEX_RANGE,),
        fault=numbers.exact,
        layers=(before.path, embedding.path),
    )


def _size(embedding: Place, rows: int, columns: int) -> Evidence:
    """A vector per word as long as the vocabulary is no denser than a one-hot vector."""
    wide = columns >= rows > _SMALL_VOCABULARY
    more_en = ": as long as there are rows, so no denser than one-hot; 8 to 300 numbers are usual" if wide else ""
    more_zh = "：长度不小于行数，并不比 one-hot 更紧凑；通常用 8 到 300" if wide else ""
    return Evidence(
        Text(
            f"{names_en([embedding.path])} holds numbers 0 to {rows - 1}, {columns} values each{more_en}; any number of {rows} or "
            "more in the data is out of range",
            f"{names_zh([embedding.path])} 能查编号 0 到 {rows - 1}，每个 {columns} 维{more_zh}；数据里出现 {rows} 或更大的编号就越界",
        ),
        confirms=(INDEX_RANGE, OVERFITTING) if wide else (INDEX_RANGE,),
        layers=(embedding.path,),
    )


PROBE = Probe(
    id="embedding-sizes",
    subject="model",
    promise=Text(
        "whether each Embedding has a row for every number that the layers before it hand out",
        "检查每个 Embedding 的行数是否够前面的层输出的编号使用",
    ),
    topics=(INDEX_RANGE, OVERFITTING),
    look=look,
    remedy=Text(
        "set input_dim to the largest number plus 1 (for a lookup layer: vocabulary_size())",
        "input_dim 设为最大编号加 1（查找层用 vocabulary_size()）",
    ),
    documentation="https://keras.io/api/layers/core_layers/embedding/",
)
