"""The static gate for HDF5: links that leave the file, storage that is elsewhere, sizes that are only declared.

Only the structure is read, never the data of a dataset. Every link is resolved by hand: opening one by its path would
follow it wherever it leads (CVE-2026-1669).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import IO, Any

from .hazard import CORRUPT, Hazard, hazard
from .wording import names_en, names_zh

MAX_OBJECTS = 200_000
MAX_DEPTH = 200
MAX_HAZARDS = 20
# A dataset may declare this much, or 100 times what is stored of it (Keras stores weights whole and uncompressed); all
# datasets together 20 times the file.
FREE = 1024 * 1024
MAX_RATIO = 100
FREE_TOTAL = 64 * 1024 * 1024
MAX_RATIO_TOTAL = 20
# deflate, shuffle, Fletcher-32, szip, nbit, scale-offset (H5Zpublic.h) and LZF, which h5py brings: others are plugins, which
# the library would load from a folder.
_FILTERS = frozenset({1, 2, 3, 4, 5, 6, 32000})


def examine_hdf5(file: Any, size: int) -> Iterator[Hazard]:  # noqa: ANN401 - h5py has no types
    """Every hazard of an open HDF5 file.

    Args:
        file: an `h5py.File`.
        size: of the file in bytes.
    """
    import h5py  # noqa: PLC0415 - an optional extra, and a tenth of a second

    if file.userblock_size:
        yield hazard(
            f"the HDF5 file begins with {file.userblock_size:,} bytes of something else (a user block)",
            f"HDF5 文件开头有 {file.userblock_size:,} 字节的其他内容（user block）",
        )
    declared = stored = found = 0
    for kind, path, data in _objects(h5py, file):
        if kind == "hazard":
            found += 1
            yield data
        else:
            one = _Dataset(h5py, data, path)
            hazards = list(one.hazards())
            found += len(hazards)
            yield from hazards
            declared += one.declared
            stored += one.stored
        if found > MAX_HAZARDS:
            return
    if declared > FREE_TOTAL and declared > MAX_RATIO_TOTAL * size:
        yield hazard(
            f"the datasets declare {declared:,} bytes in a file of {size:,}",
            f"文件只有 {size:,} 字节，其中的数据集却声明了 {declared:,} 字节",
        )
    if stored > size:
        yield hazard(
            f"the datasets claim to store {stored:,} bytes in a file of {size:,}: they overlap",
            f"文件只有 {size:,} 字节，数据集却声称存有 {stored:,} 字节：它们互相重叠",
        )


def _objects(h5py: Any, file: Any) -> Iterator[tuple[str, str, Any]]:  # noqa: ANN401
    """Every dataset once, by its address, and a hazard for each link that is none to an object in the file.

    One walk of the library over all links, which follows hard ones only, then each object opened once: 8 ms where asking group
    by group took 19 (ResNet50, 322 datasets).
    """
    root = h5py.h5g.open(file.id, b"/")
    links: list[tuple[bytes, int, int]] = []

    def note(name: bytes, info: Any) -> bool | None:  # noqa: ANN401
        links.append((name, info.type, info.u))
        # The library's walk is recursive: anything but None stops it in time.
        return len(links) > MAX_OBJECTS or name.count(b"/") > MAX_DEPTH or None

    if root.links.visit(note, info=True):
        yield "hazard", "/", _too_many()
        return
    groups = {name.rpartition(b"/")[0] for name, _, _ in links}
    met: set[int] = set()
    for name, kind, address in links:
        if kind != h5py.h5l.TYPE_HARD:
            path = "/" + name.decode("utf-8", "replace")
            if told := _link(h5py, root, name, path, kind):
                yield "hazard", path, told
        elif name not in groups and address not in met:
            met.add(address)
            found = h5py.h5o.open(root, name)
            if isinstance(found, h5py.h5d.DatasetID):
                yield "dataset", "/" + name.decode("utf-8", "replace"), found


def _too_many() -> Hazard:
    return hazard(
        f"over {MAX_OBJECTS:,} objects, or nested over {MAX_DEPTH} deep, in the HDF5 file",
        f"HDF5 文件中的对象超过 {MAX_OBJECTS:,} 个，或嵌套超过 {MAX_DEPTH} 层",
    )


def _link(h5py: Any, root: Any, name: bytes, path: str, kind: int) -> Hazard | None:  # noqa: ANN401
    parent, _, last = name.rpartition(b"/")
    group, name = (h5py.h5g.open(root, parent), last) if parent else (root, name)
    if kind == h5py.h5l.TYPE_EXTERNAL:
        target = group.links.get_val(name)[0].decode("utf-8", "replace")
        return hazard(
            f"{names_en([path])} is a link to another file, {names_en([target])}, which loading would read",
            f"{names_zh([path])} 是指向另一个文件 {names_zh([target])} 的链接，加载时会读取它",
        )
    if kind == h5py.h5l.TYPE_SOFT:
        value = group.links.get_val(name)
        if _stays(h5py, root if value.startswith(b"/") else group, value):
            return None
        target = value.decode("utf-8", "replace")
        return hazard(
            f"{names_en([path])} is a soft link to {names_en([target])}, which is no object of this file",
            f"{names_zh([path])} 是指向 {names_zh([target])} 的软链接，而本文件中没有这个对象",
        )
    return hazard(f"{names_en([path])} is a link of an unknown kind", f"{names_zh([path])} 是未知种类的链接")


def _stays(h5py: Any, group: Any, target: bytes) -> bool:  # noqa: ANN401
    """Whether a path leads over hard links only to an object of this file."""
    parts = [part for part in target.split(b"/") if part not in (b"", b".")]
    for number, part in enumerate(parts):
        if not group.links.exists(part) or group.links.get_info(part).type != h5py.h5l.TYPE_HARD:
            return False
        last = number == len(parts) - 1
        if not last:
            if h5py.h5o.get_info(group, part).type != h5py.h5o.TYPE_GROUP:
                return False
            group = h5py.h5g.open(group, part)
    return bool(parts)


class _Dataset:
    """What a dataset declares, what is stored of it, and where."""

    def __init__(self, h5py: Any, dataset: Any, path: str) -> None:  # noqa: ANN401
        self.h5py, self.path = h5py, path
        space = dataset.get_space()
        self.declared = int(space.get_simple_extent_npoints()) * int(dataset.get_type().get_size())
        self.stored = int(dataset.get_storage_size())
        # Only contiguous storage in this file has a place of its own: weights as Keras writes them, nothing more to ask.
        self.plain = dataset.get_offset() is not None and self.stored >= self.declared
        self.dataset = dataset

    def hazards(self) -> Iterator[Hazard]:
        if self.plain:
            return
        self.made = self.dataset.get_create_plist()
        self.layout = self.made.get_layout()
        elsewhere = self.layout == self.h5py.h5d.CONTIGUOUS and self.made.get_external_count()
        hollow = self.declared > FREE and self.declared > MAX_RATIO * self.stored
        en, zh = names_en([self.path]), names_zh([self.path])
        if self.layout == self.h5py.h5d.VIRTUAL:
            yield hazard(
                f"dataset {en} is virtual: its data is in other files", f"数据集 {zh} 是虚拟的：数据在其他文件里"
            )
            return
        if elsewhere:
            target = self.made.get_external(0)[0].decode("utf-8", "replace")
            yield hazard(
                f"dataset {en} takes its data from another file, {names_en([target])}",
                f"数据集 {zh} 的数据取自另一个文件 {names_zh([target])}",
            )
            self.stored = 0
            return
        if hollow:
            yield hazard(
                f"dataset {en} declares {self.declared:,} bytes, of which {self.stored:,} are stored",
                f"数据集 {zh} 声明了 {self.declared:,} 字节，实际只存了 {self.stored:,} 字节",
            )
        if self.layout == self.h5py.h5d.CHUNKED:
            yield from self._filters(en, zh)

    def _filters(self, en: str, zh: str) -> Iterator[Hazard]:
        codes = [self.made.get_filter(number)[0] for number in range(self.made.get_nfilters())]
        if others := [str(code) for code in codes if code not in _FILTERS]:
            yield hazard(
                f"dataset {en} needs the HDF5 filter {', '.join(others)}, a plugin that the library would load",
                f"数据集 {zh} 需要 HDF5 过滤器 {', '.join(others)}，库会为此加载插件",
            )


def examine_hdf5_stream(stream: IO[bytes] | Any, size: int, name: str) -> Iterator[Hazard]:  # noqa: ANN401
    """The same for HDF5 inside an archive."""
    import h5py  # noqa: PLC0415

    try:
        with h5py.File(stream, "r") as file:
            yield from examine_hdf5(file, size)
    except Exception as error:  # noqa: BLE001 - what cannot be examined is refused, whatever the library raises
        yield hazard(f"{name} is not HDF5 that can be read: {error}", f"{name} 不是可读的 HDF5：{error}", CORRUPT)


def sound_datasets(file: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - h5py has no types
    """Every dataset of an open HDF5 file whose data are in the file and as large as declared, by its path from the root.

    What the gate would refuse comes with None in its place: a link that leaves the file, virtual or hollow data.
    """
    import h5py  # noqa: PLC0415

    for kind, path, data in _objects(h5py, file):
        sound = kind == "dataset" and not any(True for _ in _Dataset(h5py, data, path).hazards())
        yield path, h5py.Dataset(data) if sound else None
