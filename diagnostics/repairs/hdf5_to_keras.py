"""HDF5, which Keras calls legacy, becomes a .keras archive."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..repair import Change, Draft, Repair
from .wrong_suffix import HDF5_SUFFIXES


def mend(draft: Draft) -> Iterator[Change]:
    """Tell the change; the copy is written in the format of its name."""
    if draft.container == "HDF5" and draft.suffix in HDF5_SUFFIXES and draft.copy_suffix == ".keras":
        yield Change(
            Text("HDF5 to .keras, the format that Keras saves in today", "HDF5 转为 Keras 现在使用的 .keras 格式"),
            "file",
            draft.suffix,
            ".keras",
        )


REPAIR = Repair(
    id="hdf5-to-keras",
    promise=Text("HDF5 becomes a .keras archive", "把 HDF5 转成 .keras 文件"),
    topics=("file-format-not-supported", "save-model"),
    mend=mend,
    stage="write",
)
