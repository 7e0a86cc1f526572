"""Runs a job in a child process that is locked first: what reads or runs an uploaded file meets a wall, not this process.

The child is a fork, so whatever was imported before is warm. It answers with one JSON value over a pipe; nothing else of it
is taken, and what it says is decoded as what anyone may have written.
"""

from __future__ import annotations

import json
import os
import selectors
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from ..errors import SandboxError, SubjectError
from .lockdown import Limits, Lock, lock

MAX_ANSWER = 16 * 1024 * 1024

STATIC = Limits(memory=2 << 30, cpu=20, wall=30, file_size=1 << 30, threads=16)
LIVE = Limits(memory=16 << 30, cpu=300, wall=180, file_size=2 << 30, threads=256)


@dataclass(frozen=True)
class Answer:
    """What a job returned (plain JSON values) and the locks that held while it ran."""

    value: Any
    locks: Lock


def run_locked(
    job: Callable[[Path], Any], readable: tuple[Path, ...] = (), limits: Limits = STATIC, *, insist: bool = True
) -> Answer:
    """Run a job in a locked fork of this process.

    Args:
        job: is given its scratch folder, the only place where it may write (it is removed afterwards), and returns plain
            JSON values.
        readable: files and folders that it may read, beside the libraries of this Python.
        limits: what it may use.
        insist: refuse to run the job where the door cannot be locked; otherwise it runs with the locks there are.

    Raises:
        SubjectError: the job raised it; its two wordings are carried over.
        SandboxError: the door could not be locked, or the job was ended (time, memory, a crash of a library).
    """
    scratch = Path(tempfile.mkdtemp(prefix="kerasdoctor-"))
    reading, writing = os.pipe()
    try:
        child = os.fork()
        if child == 0:
            os.close(reading)
            _serve(job, writing, scratch, readable, limits, insist)
        os.close(writing)
        printed, status = _collect(child, reading, limits.wall)
    finally:
        os.close(reading)
        shutil.rmtree(scratch, ignore_errors=True)
    return _answer(printed, status, limits)


def _serve(
    job: Callable[[Path], Any], writing: int, scratch: Path, readable: tuple[Path, ...], limits: Limits, insist: bool
) -> NoReturn:
    """The child's whole life: lock the door, do the job, answer, end without running anything of the parent's."""
    status = 1
    try:
        os.chdir(scratch)
        locks = lock(scratch, readable, limits)
        if insist:
            _insist(locks)
        told = {"value": job(scratch), "applied": locks.applied, "missing": locks.missing}
        status = 0
    except SubjectError as error:
        told = {"error": type(error).__name__, "en": str(error), "zh": error.zh}
        status = 0
    except BaseException as error:  # noqa: BLE001 - the border of the child
        told = {"crash": f"{type(error).__name__}: {error}"[:2000]}
    try:
        with os.fdopen(writing, "wb") as pipe:
            pipe.write(json.dumps(told).encode())
    finally:
        os._exit(status)


def _insist(locks: Lock) -> None:
    if locks.missing:
        missing = "; ".join(locks.missing)
        raise SandboxError(f"the sandbox cannot be locked here: {missing}", f"这里无法锁住沙箱：{missing}")


def _collect(child: int, reading: int, wall: float) -> tuple[bytes, int]:
    """What the child printed and how it ended; at the end of its time it is killed."""
    deadline, printed = time.monotonic() + wall, bytearray()
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        while len(printed) <= MAX_ANSWER and selector.select(max(0.0, deadline - time.monotonic())):
            part = os.read(reading, 1 << 16)
            if not part:
                break
            printed += part
        else:
            os.kill(child, signal.SIGKILL)
    return bytes(printed), os.waitpid(child, 0)[1]


def _answer(printed: bytes, status: int, limits: Limits) -> Answer:
    try:
        told = json.loads(printed)
    except ValueError:
        told = None
    if isinstance(told, dict) and "value" in told:
        return Answer(told["value"], Lock(tuple(map(str, told["applied"])), tuple(map(str, told["missing"]))))
    if isinstance(told, dict) and "en" in told:
        kind = SandboxError if told.get("error") == "SandboxError" else SubjectError
        raise kind(str(told["en"]), str(told["zh"]))
    raise _ended(told, status, limits)


def _ended(told: Any, status: int, limits: Limits) -> SandboxError:  # noqa: ANN401 - what a child wrote
    """Why there is no answer: the limit that was met, or the crash."""
    code = os.waitstatus_to_exitcode(status)
    if isinstance(told, dict) and "crash" in told:
        crash = str(told["crash"])
        return SandboxError(f"the examination ended with {crash}", f"检查中途出错：{crash}")
    if code < 0:
        name = signal.Signals(-code).name
        return SandboxError(
            f"the examination was ended by {name} (limits: {limits})", f"检查被 {name} 终止（限制：{limits}）"
        )
    return SandboxError("the examination ended without an answer", "检查没有给出结果就结束了")
