"""What the machine has for a training: processor, memory, disk space, limits. A part of `environment_script`.

Standard library and Python 3.7 syntax only, like the script. `root` is where the system's files stand: `/`, or in a test
a folder that holds the same files.
"""

from __future__ import annotations

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path("/")
MIB = 1 << 20
NO_LIMIT = 1 << 50  # bytes; version 1 of the control groups writes a huge number where there is no limit
# What decides whether a TensorFlow wheel runs, and how fast: tensorflow.org/install/pip ("AVX"), its own start-up line.
FEATURES = ("sse4_1", "sse4_2", "avx", "avx2", "fma", "avx512f", "avx_vnni", "amx_tile", "asimd", "sve")
LIMITS = {"RLIMIT_AS": "address_space", "RLIMIT_DATA": "data", "RLIMIT_FSIZE": "file_size"}  # in bytes
COUNTS = {"RLIMIT_NOFILE": "open_files", "RLIMIT_NPROC": "processes", "RLIMIT_CPU": "cpu_seconds"}


def text_of(path: Path) -> str:
    """A small file of the system's, empty where there is none or where it may not be read."""
    try:
        return path.read_text("utf-8", "replace")
    except OSError:
        return ""


def listing(folder: Path) -> list[str]:
    """The names in a folder, none if it is missing or not ours to read."""
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


def home() -> Path:
    """The home folder, or the root for a user without one (a container's numeric user)."""
    try:
        return Path.home()
    except (RuntimeError, KeyError):
        return ROOT


def cpu(root: Path = ROOT) -> dict[str, Any]:
    """The processor: its name, which of `FEATURES` it has (unknown: None), its cores, and what imitates it.

    `emulated` is "rosetta" or "qemu" where the programs are of another architecture than the machine.
    """
    told = text_of(root / "proc/cpuinfo") or sysctl()
    name = re.search(r"^(?:model name|Hardware|machdep\.cpu\.brand_string)\s*: *(.*)$", told, re.MULTILINE)
    words: Any = re.search(r"^(?:flags|Features|machdep\.cpu\.features)\s*:(.*)$", told, re.MULTILINE)
    more = re.search(r"^machdep\.cpu\.leaf7_features\s*:(.*)$", told, re.MULTILINE)
    has = set(
        f"{words.group(1) if words else ''} {more.group(1) if more else ''}".lower().replace("avx1.0", "avx").split()
    )
    has |= {word.replace(".", "_") for word in has}
    if sys.platform == "win32":
        words, has = True, windows_features()
    usable = getattr(os, "sched_getaffinity", None)
    return {
        "name": name.group(1)[:100] if name else "",
        "features": [feature for feature in FEATURES if feature in has] if words else None,
        "emulated": emulated(told, platform.machine()),
        "cores": os.cpu_count() or 0,
        "usable": len(usable(0)) if usable else 0,
    }


def windows_features() -> set[str]:
    """The features that Windows tells of, by their numbers (PF_AVX_INSTRUCTIONS_AVAILABLE and the like, winnt.h)."""
    import ctypes  # noqa: PLC0415 - may be missing in a damaged Python

    numbers = {37: "sse4_1", 38: "sse4_2", 39: "avx", 40: "avx2", 41: "avx512f"}
    present = ctypes.windll.kernel32.IsProcessorFeaturePresent  # type: ignore[attr-defined, unused-ignore]
    return {name for number, name in numbers.items() if present(number)}


def sysctl() -> str:
    """What macOS tells of the processor, a line for each name; nothing elsewhere."""
    if sys.platform != "darwin":
        return ""
    names = ["brand_string", "features", "leaf7_features"]
    command = ["/usr/sbin/sysctl", *(f"machdep.cpu.{name}" for name in names), "sysctl.proc_translated"]
    ended = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=5)  # noqa: PLW1510, S603
    return ended.stdout.decode("utf-8", "replace")


def emulated(told: str, machine: str) -> str:
    """What imitates the processor: an x86 program on an ARM machine runs in Rosetta or in QEMU."""
    if "VirtualApple" in told or re.search(r"sysctl\.proc_translated\s*: *1", told):
        return "rosetta"
    foreign = machine in ("x86_64", "i686") and re.search(r"^(CPU implementer|Features)\s*:", told, re.MULTILINE)
    return "qemu" if foreign or "QEMU TCG" in told or "QEMU Virtual CPU" in told else ""


def memory(root: Path = ROOT) -> dict[str, Any]:
    """Memory in MiB: what the machine has and has left, its swap, and the limit of a container (0: no limit).

    `left` counts what a container may still take; None where the system doesn't tell.
    """
    if sys.platform == "win32":
        total, available = windows_memory()
        return {"total": total, "left": available, "swap": 0, "limit": 0}
    lines = re.findall(r"^(\w+): +(\d+) kB$", text_of(root / "proc/meminfo"), re.MULTILINE)
    told = {name: int(kib) >> 10 for name, kib in lines}
    total = told.get("MemTotal") or (os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")) // MIB
    limit, taken = container_memory(root)
    left = told.get("MemAvailable")
    if limit:
        left = min(max(0, limit - taken), total if left is None else left)
    return {"total": total, "left": left, "swap": told.get("SwapTotal", 0), "limit": limit}


def container_memory(root: Path) -> tuple[int, int]:
    """The memory limit of the control groups of this process, in MiB, and what counts against it; 0 for no limit.

    Version 2 has one tree, version 1 one for memory (kernel documentation, admin-guide/cgroup-v2 and cgroup-v1/memory);
    the files of a container stand at the root of the tree, elsewhere the tightest group on the way up counts.
    """
    groups = text_of(root / "proc/self/cgroup")
    found = []
    for name, tree, files in (
        ("", "sys/fs/cgroup", ("memory.max", "memory.current", "inactive_file")),
        ("memory", "sys/fs/cgroup/memory", ("memory.limit_in_bytes", "memory.usage_in_bytes", "total_inactive_file")),
    ):
        own = re.search(rf"^\d+:{name}:/(.*)$", groups, re.MULTILINE)
        place = Path(own.group(1)) if own else Path()
        for folder in (place, *place.parents):
            limit, used, cached = group_memory(root / tree / folder, files)
            if 0 < limit < NO_LIMIT:
                found.append((limit // MIB, max(0, used - cached) // MIB))
    return min(found, default=(0, 0))


def group_memory(folder: Path, files: tuple[str, str, str]) -> tuple[int, int, int]:
    """Limit, use and cache (which is given back when it is needed) of one control group, in bytes."""
    limit, used = (text_of(folder / name).strip() for name in files[:2])
    cached = re.search(rf"^{files[2]} (\d+)$", text_of(folder / "memory.stat"), re.MULTILINE)
    numbers = [int(text) if text.isdigit() else 0 for text in (limit, used)]
    return numbers[0], numbers[1], int(cached.group(1)) if cached else 0


def windows_memory() -> tuple[int, int]:
    """Total and available memory in MiB, by GlobalMemoryStatusEx (its structure: length, load, then 64-bit counts)."""
    import ctypes  # noqa: PLC0415 - may be missing in a damaged Python

    status = (ctypes.c_uint64 * 8)()
    ctypes.cast(status, ctypes.POINTER(ctypes.c_uint32))[0] = 64
    ctypes.windll.kernel32.GlobalMemoryStatusEx(status)  # type: ignore[attr-defined, unused-ignore]
    return status[1] // MIB, status[2] // MIB


def disks() -> list[dict[str, Any]]:
    """Free space in MiB where a training writes, and whether it may: home, temporary and current folder, shared memory."""
    import tempfile  # noqa: PLC0415 - slow, and the doctor's own process never gets here

    try:
        temporary = tempfile.gettempdir()
    except OSError:  # no folder that could be written to
        temporary = os.environ.get("TMPDIR", "/tmp")  # noqa: S108 - it is only looked at
    places = {"home": str(home()), "temporary": temporary, "current": str(Path.cwd()), "shared memory": "/dev/shm"}  # noqa: S108
    return [disk(name, place) for name, place in places.items() if name != "shared memory" or Path(place).is_dir()]


def disk(name: str, place: str) -> dict[str, Any]:
    """One folder: free and total space in MiB (both 0 if it isn't there), and whether it may be written to."""
    try:
        usage = shutil.disk_usage(place)
    except OSError:
        return {"name": name, "path": place, "free": 0, "total": 0, "writable": False}
    found = {"name": name, "path": place, "free": usage.free // MIB, "total": usage.total // MIB}
    return {**found, "writable": os.access(place, os.W_OK)}


def limits() -> dict[str, int]:
    """The limits that the shell gave (ulimit), where there are any: sizes in MiB, counts as they are."""
    import resource  # noqa: PLC0415 - Windows has none

    sizes = {shown: resource.getrlimit(getattr(resource, name))[0] for name, shown in LIMITS.items()}
    counts = {shown: resource.getrlimit(getattr(resource, name))[0] for name, shown in COUNTS.items()}
    found = {**{name: size // MIB if size > 0 else size for name, size in sizes.items()}, **counts}
    return {name: value for name, value in found.items() if 0 <= value < NO_LIMIT // MIB}
