"""Runs a job in a child process that is locked first: what reads or runs an uploaded file meets a wall, not this process.

The child is a fork, so whatever was imported before is warm. It first tells which locks hold, before anything of the file
was touched, then its steps, then answers with one JSON value; nothing else of it is taken, and what it says is decoded as
what anyone may have written. A fork also inherits the memory of its parent: a service with secrets in it uses
`worker.Worker`, which is started anew with a clean environment.
"""

from __future__ import annotations

import gc
import io
import json
import os
import shutil
import signal
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ..errors import Cancelled, SandboxError, SubjectError
from .lockdown import Limits, Lock, lock, prepare
from .progress import OF_JOB, Step, Watch, line_of
from .watching import CANCELLED, Watched, follow, remove

STATIC = Limits(memory=2 << 30, cpu=20, wall=30, file_size=1 << 30, threads=16, executes=False)
LIVE = Limits(memory=16 << 30, cpu=300, wall=180, file_size=2 << 30, threads=256)

# Of the variables of a process, what a locked one keeps: the language, the time zone, where libraries are and how they run.
KEPT_VARIABLES = (
    "PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "LD_LIBRARY_PATH", "PYTHONPATH", "PYTHONHASHSEED", "KERAS_BACKEND",
    "TF_USE_LEGACY_KERAS", "TF_CPP_MIN_LOG_LEVEL", "TF_ENABLE_ONEDNN_OPTS", "CUDA_VISIBLE_DEVICES", "SYSTEMROOT",
)  # fmt: skip
_ANSWER, _OUTPUT = 3, 4  # the numbers of the two files that a job may write to, beside its scratch folder
_MESSAGE = 2000  # characters


@dataclass(frozen=True)
class Answer:
    """What a job returned (plain JSON values) and the locks that held while it ran."""

    value: Any
    locks: Lock


def run_locked(
    job: Callable[[Path], Any],
    readable: tuple[Path, ...] = (),
    limits: Limits = STATIC,
    *,
    insist: bool = True,
    output: Path | None = None,
    watch: Watch | None = None,
) -> Answer:
    """Run a job in a locked fork of this process.

    Args:
        job: is given its scratch folder, the only place where it may write (it is removed afterwards), and returns plain
            JSON values.
        readable: files and folders that it may read, beside the libraries of this Python.
        limits: what it may use.
        insist: refuse to run a job that executes what is in a file (`limits.executes`) where an essential lock is missing;
            otherwise it runs with the locks there are.
        output: a file that does not exist yet, which the job may fill with `hand_out`. It is opened before the door is
            locked; where no answer comes it is removed again.
        watch: is told the steps, which are about the first of `readable`, and ends the job when it is cancelled.

    Raises:
        Cancelled: it was; the child is gone, and so is its scratch folder.
        SubjectError: the job raised it; its two wordings are carried over.
        SandboxError: the door could not be locked, or how the job ended without an answer (the message begins with it):
            timed out, out of memory, CPU used up, crashed, failed, answered too much, wrote too much, no answer.
    """
    scratch = Path(tempfile.mkdtemp(prefix="kerasdoctor-"))
    try:
        if watch:
            watch.check()
        prepare()
        if not hasattr(os, "fork"):
            return _run_here(job, scratch, limits, insist=insist)
        with _opened(output) as out:
            return _answer(_run_in_fork(job, scratch, readable, limits, out, watch, insist=insist), limits)
    finally:
        remove(scratch)


@contextmanager
def _opened(output: Path | None) -> Iterator[int]:
    """The output as an open file, /dev/null where there is none; removed where no answer came."""
    flags = os.O_WRONLY if output is None else os.O_WRONLY | os.O_CREAT | os.O_EXCL
    opened = os.open(output or os.devnull, flags, 0o600)
    try:
        yield opened
    except BaseException:
        if output is not None:
            output.unlink(missing_ok=True)
        raise
    finally:
        os.close(opened)


def hand_out(file: Path) -> None:
    """Called by a job: fill the output with a file from the scratch folder."""
    with file.open("rb") as made, os.fdopen(os.dup(_OUTPUT), "wb") as out:
        shutil.copyfileobj(made, out, 1 << 20)


def clean_variables(scratch: Path) -> dict[str, str]:
    """The environment variables of a locked process: no secrets, its home and temporary folder in the scratch folder."""
    kept = {name: os.environ[name] for name in KEPT_VARIABLES if name in os.environ}
    places = dict.fromkeys(("HOME", "TMPDIR", "TEMP", "TMP", "KERAS_HOME"), str(scratch))
    return kept | places | {"OPENBLAS_NUM_THREADS": "1"}  # it reserves memory and a thread for every core


def _run_here(job: Callable[[Path], Any], scratch: Path, limits: Limits, *, insist: bool) -> Answer:
    """Where there is no fork (Windows): a job that only reads is run unlocked."""
    locks = Lock((), (f"files: {sys.platform} has no fork, nothing is locked", "system-calls: nor is that"))
    _insist(locks, limits, insist=insist)
    return Answer(job(scratch), locks)


def _run_in_fork(
    job: Callable[[Path], Any],
    scratch: Path,
    readable: tuple[Path, ...],
    limits: Limits,
    output: int,
    watch: Watch | None,
    *,
    insist: bool,
) -> Watched:
    answer, printed = os.pipe(), os.pipe()
    try:
        child = os.fork()
        if child == 0:
            _serve(job, (answer[1], printed[1], output), scratch, readable, limits, insist)
        os.close(answer[1])
        os.close(printed[1])
        subject = readable[0].name if readable else ""
        return follow(child, (answer[0], printed[0]), scratch, limits, watch, subject)
    finally:
        os.close(answer[0])
        os.close(printed[0])


def _serve(
    job: Callable[[Path], Any],
    pipes: tuple[int, int, int],
    scratch: Path,
    readable: tuple[Path, ...],
    limits: Limits,
    insist: bool,
) -> NoReturn:
    """The child's whole life: lock the door, tell the locks, do the job, answer, end without running anything of the parent's."""
    try:
        _let_go(*pipes)
        _forget_variables(scratch)
        locks = lock(scratch, readable, limits)
        _insist(locks, limits, insist=insist)
        _tell({"applied": locks.applied, "missing": locks.missing})
        OF_JOB.tell_by(_tell_step)
        told = {"value": job(scratch)}
        _tell(told)
    except SubjectError as error:
        _tell({"error": type(error).__name__, "en": str(error), "zh": error.zh})
    except MemoryError:
        _tell({"ended": "out of memory"})
    except BaseException as error:  # noqa: BLE001 - the border of the child
        _tell({"crash": _shortened(f"{type(error).__name__}: {error}")})
    finally:
        os._exit(0)


def _shortened(message: str) -> str:
    """Keras puts a configuration of any length into the middle of a message."""
    return message if len(message) <= _MESSAGE else f"{message[: _MESSAGE // 2]} ... {message[-_MESSAGE // 2 :]}"


def _tell(value: dict[str, Any]) -> None:
    _write(json.dumps(value).encode() + b"\n")


def _tell_step(step: Step) -> None:
    _write(line_of(step))


def _write(data: bytes) -> None:
    while data:
        data = data[os.write(_ANSWER, data) :]


def _let_go(answer: int, printed: int, output: int) -> None:
    """Leave the parent's terminal, signals and files: what is left is nothing to read, and places to print, answer and hand out.

    What the parent's objects would close when they are collected may be the job's by then: they are never collected.
    """
    gc.freeze()
    os.setsid()
    for sent in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGALRM, signal.SIGCHLD, signal.SIGUSR1):
        signal.signal(sent, signal.SIG_DFL)
    import fcntl  # noqa: PLC0415 - not on Windows, which has no fork either

    answer, printed, output = (fcntl.fcntl(file, fcntl.F_DUPFD, 10) for file in (answer, printed, output))
    nothing = os.open(os.devnull, os.O_RDONLY)
    for source, number in ((nothing, 0), (printed, 1), (printed, 2), (answer, _ANSWER), (output, _OUTPUT)):
        os.dup2(source, number)
    os.closerange(_OUTPUT + 1, os.sysconf("SC_OPEN_MAX"))
    sys.stdin = io.TextIOWrapper(io.FileIO(0))
    sys.stdout = sys.stderr = io.TextIOWrapper(
        io.FileIO(1, "w", closefd=False), "utf-8", "backslashreplace", line_buffering=True
    )


def _forget_variables(scratch: Path) -> None:
    """Keep the variables on the list only, and blot out where the system had put them when this program started."""
    kept = clean_variables(scratch)
    for name in list(os.environ):
        del os.environ[name]
    os.environ.update(kept)
    tempfile.tempdir = str(scratch)
    if sys.platform == "linux":
        import ctypes  # noqa: PLC0415 - milliseconds, and the locks have loaded it

        fields = Path("/proc/self/stat").read_bytes().rpartition(b")")[2].split()
        start, end = int(fields[47]), int(fields[48])  # env_start and env_end of proc_pid_stat(5)
        if start and end > start:
            ctypes.memset(start, 0, end - start)


def _insist(locks: Lock, limits: Limits, *, insist: bool) -> None:
    if insist and limits.executes and locks.open_doors:
        missing = "; ".join(locks.open_doors)
        raise SandboxError(
            f"the door could not be locked: {missing}; what is in the file is not run here",
            f"沙箱的门锁不上：{missing}；因此不在这里运行文件里的内容",
        )


def _answer(watched: Watched, limits: Limits) -> Answer:
    """The answer, or the way in which there was none."""
    if watched.ended == CANCELLED:
        raise Cancelled
    lines = [_read(line) for line in watched.lines]
    last = lines[-1] if lines else {}
    if "en" in last and watched.ended is None:
        kind = SandboxError if last.get("error") == "SandboxError" else SubjectError
        raise kind(str(last["en"]), str(last.get("zh") or last["en"]))
    if len(lines) > 1 and "value" in last and watched.ended is None:
        return Answer(last["value"], Lock(_texts(lines[0].get("applied")), _texts(lines[0].get("missing"))))
    raise watched.error(last, limits)


def _read(line: bytes) -> dict[str, Any]:
    try:
        told = json.loads(line)
    except (ValueError, RecursionError):
        return {}
    return told if isinstance(told, dict) else {}


def _texts(values: Any) -> tuple[str, ...]:  # noqa: ANN401 - what JSON gave
    return tuple(map(str, values)) if isinstance(values, list) else ()
