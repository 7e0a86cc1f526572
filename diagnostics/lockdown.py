"""Locks the present process in: what Linux lets a process take away from itself, layer upon layer.

| lock | what holds it | where it is missing |
|---|---|---|
| cpu, file-size, open-files, memory, threads | rlimits | Windows; memory on macOS |
| namespaces, disk | network, IPC and mounts of its own; a bounded scratch folder | containers; jobs that only read |
| user, capabilities | root becomes a user that no one is, an ordinary user gets a user namespace | containers |
| no-new-privileges | prctl | not Linux |
| files, tcp, devices, scopes | Landlock | Linux before 5.13 (tcp 6.7, devices 6.10, scopes 6.12), or switched off |
| system-calls | seccomp, through libseccomp | no libseccomp |
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

try:
    import resource
except ImportError:  # Windows: each limit is told as missing
    resource = None  # type: ignore[assignment]

LINUX = sys.platform == "linux"
# Without these there is a way out: to the network, to files, to other programs, or to all memory and time.
ESSENTIAL = ("cpu", "memory", "file-size", "no-new-privileges", "files", "system-calls")

_SYSTEM_LIBRARIES = (
    "/lib", "/lib32", "/lib64", "/usr/lib", "/usr/lib32", "/usr/lib64", "/usr/local/lib", "/usr/local/lib64", "/nix/store",
    "/gnu/store", "/etc/ld.so.cache", "/etc/localtime", "/usr/share/zoneinfo", "/usr/share/locale",
)  # fmt: skip
# What TensorFlow 2.21 opened while it loaded, ran and trained a model (seen with strace), and the random numbers of Python.
_MACHINE = (
    "/proc/cpuinfo", "/proc/meminfo", "/proc/stat", "/proc/self/status", "/proc/self/stat", "/proc/self/statm",
    "/proc/self/maps", "/proc/self/cmdline", "/sys/devices/system/cpu", "/dev/urandom", "/dev/random", "/dev/zero",
)  # fmt: skip


@dataclass(frozen=True)
class Limits:
    """What a locked process may use: memory and file sizes in bytes, CPU and wall time in seconds, threads.

    `memory` is what it may take beyond what it has when it is locked, `file_size` also bounds the whole scratch folder.
    `executes` says that the job runs what came in a file: it is refused where an essential lock is missing. A job that
    only reads is run with the locks that there are (on macOS, on Windows, on an old kernel).
    """

    memory: int
    cpu: int
    wall: float
    file_size: int
    threads: int
    executes: bool = True

    def __str__(self) -> str:
        """In words that fit a message."""
        return f"{self.memory >> 20} MiB, {self.cpu} s of CPU, {self.wall:g} s in all"


@dataclass(frozen=True)
class Lock:
    """Which locks hold (by name), and which are missing and why (`name: reason`)."""

    applied: tuple[str, ...]
    missing: tuple[str, ...]

    @property
    def open_doors(self) -> tuple[str, ...]:
        """The essential ones among the missing."""
        return tuple(line for line in self.missing if line.split(":")[0] in ESSENTIAL)


class _Locks:
    """Collects what holds and what is missing."""

    def __init__(self) -> None:
        self.applied: list[str] = []
        self.missing: dict[str, str] = {}

    @contextmanager
    def trying(self, *names: str) -> Iterator[None]:
        """The locks of these names hold after the block, or are missing for the reason that it raised."""
        try:
            yield
        except (OSError, ValueError, ImportError, RuntimeError, AttributeError) as error:
            reason = getattr(error, "strerror", None) or str(error) or type(error).__name__
            self.missing |= dict.fromkeys(names, reason)
        else:
            self.applied += names

    def __contains__(self, name: str) -> bool:
        return name in self.applied

    def done(self) -> Lock:
        return Lock(tuple(self.applied), tuple(f"{name}: {reason}" for name, reason in self.missing.items()))


def prepare() -> None:
    """Load what `lock` needs, in the parent: a lock that cannot be loaded is told by `lock`."""
    if LINUX:
        with _Locks().trying("system-calls"):
            from .system_calls import rules  # noqa: PLC0415 - ctypes costs milliseconds, and Linux only

            rules()
        libraries()


def lock(scratch: Path, readable: tuple[Path, ...], limits: Limits) -> Lock:
    """Lock this process, which must have one thread, in for good.

    Args:
        scratch: the one folder that it may write to.
        readable: what it may read, beside the libraries of this Python.
        limits: what it may use.
    """
    locks = _Locks()
    if LINUX:
        _lock_linux(locks, scratch, readable, limits)
    else:
        _limit(locks, limits, 0)
        why = f"there is no such lock on {sys.platform}"
        locks.missing |= dict.fromkeys(("no-new-privileges", "files", "system-calls"), why)
    return locks.done()


def _lock_linux(locks: _Locks, scratch: Path, readable: tuple[Path, ...], limits: Limits) -> None:
    from . import privileges, system_calls  # noqa: PLC0415 - Linux only
    from .landlock import Ruleset  # noqa: PLC0415

    root, parent = os.geteuid() == 0, os.getppid()
    alone = _separate(locks, scratch, limits, root=root)
    os.chdir(scratch)
    ruleset = None
    with locks.trying("files"):
        ruleset = Ruleset()
        _allow(ruleset, scratch, readable)
    needed = [p for p in (scratch, *readable, *_samples()) if ruleset and os.access(p, os.F_OK)]
    if root:
        with locks.trying("user"):
            privileges.become_nobody(scratch)
    _limit(locks, limits, 0 if alone or "user" in locks else _threads_of_user())
    with locks.trying("capabilities"):
        kept = privileges.drop_capabilities(needed)
        if kept:
            raise PermissionError(f"the one to read is kept, for {kept} is closed to other users")
    with locks.trying("no-new-privileges"):
        privileges.no_new_privileges()
        privileges.unseen()
        privileges.end_with_parent(signal.SIGKILL)
    if os.getppid() != parent:  # it ended before it was asked for
        os._exit(1)
    if ruleset:
        _enforce(locks, ruleset)
        if "files" not in locks:  # nothing watches over a capability that was kept
            privileges.drop_capabilities(())
    with locks.trying("system-calls"):
        system_calls.refuse()


def _separate(locks: _Locks, scratch: Path, limits: Limits, *, root: bool) -> bool:
    """The namespaces; whether the limit of threads counts this process only. To end them takes milliseconds."""
    from . import privileges  # noqa: PLC0415 - Linux only

    if not root:
        with locks.trying("user"):
            privileges.user_of_its_own()
    if limits.executes:
        with locks.trying("namespaces"):
            privileges.separate()
        with locks.trying("disk"):
            if "namespaces" not in locks:
                raise OSError("it needs a namespace of mounts; each file is bounded and the folder is watched")
            privileges.own_disk(scratch, limits.file_size)
    else:
        locks.missing |= dict.fromkeys(("namespaces", "disk"), "left out for speed: nothing in the file is run")
    return "user" in locks


def _allow(ruleset, scratch: Path, readable: tuple[Path, ...]) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    from .landlock import READ, READ_FILE, WRITE, WRITE_FILE  # noqa: PLC0415

    ruleset.allow((*libraries(), *_MACHINE, *readable), READ)
    ruleset.allow(("/dev/null",), READ_FILE | WRITE_FILE)
    ruleset.allow((scratch,), WRITE)


def _enforce(locks: _Locks, ruleset) -> None:  # type: ignore[no-untyped-def]  # noqa: ANN001
    lacks = ruleset.lacks()
    locks.applied.remove("files")
    with locks.trying("files", *({"tcp", "devices", "scopes"} - set(lacks))):
        ruleset.enforce()
    locks.missing |= lacks


def _limit(locks: _Locks, limits: Limits, others: int) -> None:
    """The rlimits. Python ignores the signal of a file that grew too large: writing on is an OSError.

    The address space is bounded and not the data (RLIMIT_DATA), which leaves shared memory out.
    """
    with locks.trying("cpu", "file-size", "open-files", "core"):
        resource.setrlimit(resource.RLIMIT_CPU, (limits.cpu, limits.cpu + 1))
        resource.setrlimit(resource.RLIMIT_FSIZE, (limits.file_size, limits.file_size))
        resource.setrlimit(resource.RLIMIT_NOFILE, (256, 256))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    with locks.trying("memory"):
        pages = int(Path("/proc/self/statm").read_bytes().split()[0])
        memory = pages * os.sysconf("SC_PAGE_SIZE") + limits.memory
        resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    with locks.trying("threads"):
        threads = others + limits.threads
        resource.setrlimit(resource.RLIMIT_NPROC, (threads, threads))


def _threads_of_user() -> int:
    """How many threads this user runs: without a user of its own, a process shares the limit with all of them."""
    mine, count = os.getuid(), 0
    for process in Path("/proc").glob("[0-9]*/task"):
        try:
            count += sum(1 for _ in process.iterdir()) if process.stat().st_uid == mine else 0
        except OSError:
            continue
    return count


@cache
def libraries() -> tuple[Path, ...]:
    """The folders and files that Python and what is installed for it are read from.

    The present folder is on `sys.path` of many a Python, and is no library; nor is one that holds a home in itself.
    """
    package = Path(__file__).parents[1]
    own = [package / name for name in ("__init__.py", "errors.py", "diagnostics", "knowledge")]
    here, home = Path.cwd(), Path.home()
    found = [Path(entry) for entry in (sys.prefix, sys.base_prefix, sys.exec_prefix, *sys.path) if entry]
    kept = [path for path in found if os.access(path, os.F_OK) and path != here and not home.is_relative_to(path)]
    return tuple(dict.fromkeys([*kept, *own, *map(Path, _SYSTEM_LIBRARIES)]))


def _samples() -> Iterator[Path]:
    """Files that show whether the libraries can be read: of Python, of kerasdoctor, of what is installed."""
    modules = (sys.modules.get(name) for name in ("os", __name__, "numpy", "tensorflow", "pyseccomp"))
    return (Path(module.__file__) for module in modules if module and module.__file__)
