"""A model file under the name of another format: Keras chooses the reader by the name, and calls the file missing or damaged."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..repair import Change, Draft, Repair

HDF5_SUFFIXES = frozenset({".h5", ".hdf5"})


def mend(draft: Draft) -> Iterator[Change]:
    """Tell the change; the copy is written in the format of its name."""
    if draft.container == "HDF5" and draft.suffix not in HDF5_SUFFIXES:
        what = Text(
            f"HDF5 under the name {draft.suffix or 'without an ending'}, which Keras 3 does not open as such",
            f"内容是 HDF5，文件名却是 {draft.suffix or '没有扩展名'}，Keras 3 无法按此打开",
        )
    elif draft.container == "keras zip" and draft.suffix != ".keras":
        what = Text(
            f"a .keras archive under the name {draft.suffix or 'without an ending'}, which Keras opens as another format",
            f"内容是 .keras 压缩包，文件名却是 {draft.suffix or '没有扩展名'}，Keras 会按别的格式打开",
        )
    else:
        return
    copy = "a real .keras archive" if draft.copy_suffix == ".keras" else "HDF5 named .h5"
    copy_zh = "真正的 .keras 压缩包" if draft.copy_suffix == ".keras" else "名为 .h5 的 HDF5"
    yield Change(Text(f"{what.en}: the copy is {copy}", f"{what.zh}：副本是{copy_zh}"), "file", draft.container, copy)


REPAIR = Repair(
    id="wrong-suffix",
    promise=Text("the copy's name says its format", "副本的文件名与其格式一致"),
    topics=("file-format-not-supported", "model-file-corrupt"),
    mend=mend,
    stage="write",
)
