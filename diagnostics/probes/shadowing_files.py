"""Files of the user's own that Python imports in place of the packages and modules that they are named like."""

from __future__ import annotations

from collections.abc import Iterator

from ...knowledge.text import Text
from ..environment import Environment
from ..environment_facts import Import, Shadow
from ..evidence import fact, fault, warning
from ..probe import CouldNotLook, Evidence, Probe

TOPIC = "local-file-shadows-package"
_SHOWN = 8


def look(environment: Environment) -> Iterator[Evidence]:
    """Each such file, with what was measured: whether importing TensorFlow or Keras took it."""
    if "shadows" in environment.missing:
        why = environment.missing["shadows"]
        raise CouldNotLook(Text(f"the folders could not be read: {why}", f"无法读取文件夹：{why}"))
    found = [_evidence(shadow, environment) for shadow in environment.shadows]
    found.sort(key=lambda evidence: (not evidence.fault, not evidence.warning))
    yield from found[:_SHOWN]
    if not found:
        yield fact(
            "no file in the current folder or on PYTHONPATH is named like a package or a standard module",
            "当前文件夹和 PYTHONPATH 里没有与包或标准库模块同名的文件",
        )


def _evidence(shadow: Shadow, environment: Environment) -> Evidence:
    by = _taken_by(shadow, environment)
    en, zh = _named(shadow)
    if by and not by[1].imported:
        return fault(
            f"{en}, and `import {by[0]}` takes it and fails: rename it, and delete a {shadow.hides}.pyc beside it",
            f"{zh}，`import {by[0]}` 用了它，因而失败：请改名，并删除旁边的 {shadow.hides}.pyc",
            TOPIC,
        )
    if by:
        return warning(
            f"{en}, and `import {by[0]}` takes it: it works so far, but not once something is called that it doesn't have",
            f"{zh}，`import {by[0]}` 用的就是它：目前还能用，但一旦调用它没有的东西就会出错",
            TOPIC,
        )
    if shadow.kind == "package":
        return fault(
            f"{en}: a program in this folder that says `import {shadow.hides}` gets this file. Rename it",
            f"{zh}：在这个文件夹里运行的程序写 `import {shadow.hides}` 时得到的是这个文件。请改名",
            TOPIC,
        )
    return fact(
        f"{en}; TensorFlow and Keras did not import it here",
        f"{zh}；这里 TensorFlow 和 Keras 没有导入它",
        TOPIC,
    )


def _taken_by(shadow: Shadow, environment: Environment) -> tuple[str, Import] | None:
    """The module whose import took the file: one that failed, before one that worked."""
    asked = [("tensorflow", environment.tensorflow), ("keras", environment.keras)]
    taking = [(name, seen) for name, seen in asked if shadow.file in seen.taken or shadow.file == seen.file]
    return min(taking, key=lambda pair: pair[1].imported, default=None)


def _named(shadow: Shadow) -> tuple[str, str]:
    place = ("the current folder", "当前文件夹") if shadow.folder == "." else (shadow.folder, shadow.folder)
    what = (f"the package {shadow.hides}", f"包 {shadow.hides}")
    if shadow.kind != "package":
        what = (f"the standard library's {shadow.hides}", f"标准库的 {shadow.hides}")
    return f"{shadow.name} in {place[0]} hides {what[0]}", f"{place[1]}里的 {shadow.name} 遮住了{what[1]}"


PROBE = Probe(
    id="shadowing-files",
    subject="environment",
    promise=Text(
        "whether files in the current folder or on PYTHONPATH are imported instead of packages or standard modules",
        "检查当前文件夹和 PYTHONPATH 里是否有文件冒充了包或标准库模块",
    ),
    topics=(TOPIC,),
    look=look,
    remedy=Text(
        "give your own files names that no package and no standard module has",
        "自己的文件不要与任何包或标准库模块同名",
    ),
    documentation="https://docs.python.org/3/library/sys_path_init.html",
)
