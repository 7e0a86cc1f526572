"""Memory, disk space and limits: whether there is enough for a training to start and to save its model."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator

from ...knowledge.text import Text
from ..environment import Environment
from ..environment_facts import Disk
from ..evidence import fact, fault, warning
from ..probe import CouldNotLook, Evidence, Probe

MEMORY = "host-out-of-memory"
WRITE = "save-path-not-writable"
# In MiB. A process that has only imported TensorFlow 2.21 and Keras 3.15 takes some 600 (measured on Linux).
_IMPORT = 600
_SMALL_MEMORY = 1500
_FULL_DISK = 100
_SMALL_DISK = 1024
_SMALL_SHM = 128  # Docker's default is 64 (docs.docker.com, "docker run --shm-size")
_SMALL_SPACE = 16 * 1024  # of addresses: CUDA reserves many times what it uses
_FEW_FILES = 256
_FEW_PROCESSES = 128
_LARGE_FILE = 4096


def look(environment: Environment) -> Iterator[Evidence]:
    """Memory that is left, space where a training writes, and what the shell or a container limits."""
    if not environment.memory.total and not environment.disks:
        why = environment.missing.get("memory", "-")
        raise CouldNotLook(
            Text(f"the system tells neither memory nor disks ({why})", f"系统没有给出内存和磁盘的信息（{why}）")
        )
    if environment.memory.total:
        yield _memory(environment)
    yield from _disks(environment)
    yield from _limits(environment.limits)


def _memory(environment: Environment) -> Evidence:
    memory = environment.memory
    left = memory.total if memory.left is None else memory.left
    en = f"{left} MiB of memory left of {memory.total}"
    zh = f"内存共 {memory.total} MiB，剩余 {left} MiB"
    if memory.limit:
        en += f"; the container may take {memory.limit}"
        zh += f"；容器上限 {memory.limit} MiB"
    if memory.left is None or left >= _SMALL_MEMORY:
        return fact(f"{en}; swap {memory.swap}", f"{zh}；交换空间 {memory.swap} MiB", MEMORY)
    if left < _IMPORT:
        return fault(
            f"{en}: importing TensorFlow alone takes {_IMPORT}. End other programs, or give the container more",
            f"{zh}：光是导入 TensorFlow 就要 {_IMPORT} MiB。请结束其他程序，或调高容器的内存上限",
            MEMORY,
        )
    return warning(
        f"{en}: {_IMPORT} go to TensorFlow itself, so that a training is soon killed",
        f"{zh}：TensorFlow 本身就占 {_IMPORT} MiB，训练很容易被系统终止",
        MEMORY,
    )


def _disks(environment: Environment) -> Iterator[Evidence]:
    """Folders on one disk are told together; shared memory is a disk of its own kind."""
    together: dict[tuple[int, int], list[Disk]] = defaultdict(list)
    for disk in environment.disks:
        if disk.name == "shared memory":
            yield _shared(disk, environment)
            continue
        together[disk.free, disk.total].append(disk)
        if not disk.writable:
            yield _unwritable(disk)
    for (free, total), disks in together.items():
        if total:
            yield _space(free, ", ".join(f"{disk.name} ({disk.path})" for disk in disks))


def _space(free: int, shown: str) -> Evidence:
    en, zh = f"{free} MiB free for the folder {shown}", f"文件夹 {shown} 剩余 {free} MiB"
    if free < _FULL_DISK:
        return fault(f"{en}: a model can't be saved there. Make room", f"{zh}：那里存不下模型。请腾出空间", WRITE)
    if free < _SMALL_DISK:
        return warning(f"{en}: checkpoints and downloads soon fill that", f"{zh}：检查点和下载很快会占满", WRITE)
    return fact(en, zh, WRITE)


def _unwritable(disk: Disk) -> Evidence:
    en = f"the {disk.name} folder {disk.path} can't be written to"
    zh = f"{ {'home': '主', 'temporary': '临时', 'current': '当前'}.get(disk.name, '') }文件夹 {disk.path} 不可写"
    if disk.name == "temporary":
        return fault(f"{en}: set TMPDIR to one that can", f"{zh}：请把 TMPDIR 设为可写的文件夹", WRITE)
    if disk.name == "current":
        return warning(f"{en}: give a full path when you save", f"{zh}：保存时请给出完整路径", WRITE)
    return fact(
        f"{en}: Keras keeps its files in /tmp/.keras then, or set KERAS_HOME",
        f"{zh}：Keras 会改用 /tmp/.keras，也可以设置 KERAS_HOME",
        WRITE,
    )


def _shared(disk: Disk, environment: Environment) -> Evidence:
    """PyTorch's data loaders pass batches through it, NCCL too: a small one kills them ("bus error")."""
    en, zh = f"shared memory /dev/shm: {disk.free} MiB free", f"共享内存 /dev/shm 剩余 {disk.free} MiB"
    if disk.free < _SMALL_SHM and environment.backend_in_force == "torch":
        return warning(
            f"{en}; data loaders of PyTorch with workers end in a bus error: `docker run --shm-size=1g`",
            f"{zh}；PyTorch 的多进程数据加载会因总线错误终止：`docker run --shm-size=1g`",
            MEMORY,
        )
    return fact(en, zh, MEMORY)


def _limits(limits: dict[str, int]) -> Iterator[Evidence]:
    """What `ulimit` shows: a limit that a training meets makes it end without a word of Keras."""
    known = (
        ("address_space", _SMALL_SPACE, "ulimit -v", MEMORY),
        ("data", _SMALL_MEMORY, "ulimit -d", MEMORY),
        ("file_size", _LARGE_FILE, "ulimit -f", WRITE),
        ("open_files", _FEW_FILES, "ulimit -n", WRITE),
        ("processes", _FEW_PROCESSES, "ulimit -u", MEMORY),
    )
    for name, enough, command, topic in known:
        if limits.get(name, enough) < enough:
            yield warning(
                f"the shell limits {name.replace('_', ' ')} to {limits[name]} (`{command}`): a training soon meets that",
                f"shell 把 {name} 限制为 {limits[name]}（`{command}`）：训练很快会碰到这个上限",
                topic,
            )
    if "cpu_seconds" in limits:
        yield warning(
            f"the shell gives a program {limits['cpu_seconds']} seconds of processor time (`ulimit -t`): a longer training is killed",
            f"shell 只给程序 {limits['cpu_seconds']} 秒处理器时间（`ulimit -t`）：更长的训练会被终止",
        )


PROBE = Probe(
    id="memory-and-disk",
    subject="environment",
    promise=Text(
        "whether memory, shared memory, disk space and the limits of shell and container suffice for a training",
        "检查内存、共享内存、磁盘空间以及 shell 和容器的限制是否够训练使用",
    ),
    topics=(MEMORY, WRITE),
    look=look,
    remedy=Text(
        "make room, or raise the limit of the container or the shell",
        "腾出空间，或调高容器或 shell 的限制",
    ),
    documentation="https://docs.docker.com/engine/containers/resource_constraints/",
)
