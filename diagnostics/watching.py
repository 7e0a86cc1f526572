"""Watches a child from outside: takes its steps and its answer, ends it at a limit or when told to, names how it ended."""

from __future__ import annotations

import os
import selectors
import shutil
import signal
import subprocess
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..errors import SandboxError
from ..knowledge.text import Text
from .lockdown import Limits
from .progress import LINE, MAX_STEPS, Watch, step_of

MAX_ANSWER = 16 * 1024 * 1024
_TAIL = 4096
_LINES = 2  # the locks, then the answer; steps come between them
_LOOK = 0.1  # seconds between two looks at the scratch folder
_HEAR = 0.02  # seconds between two looks at whether it is cancelled
_GRACE = 0.2  # seconds from the end of the answer to the end of the process
_MAX_ENTRIES = 20_000

# How a job ended without an answer.
_ENDS = {
    "timed out": Text("timed out", "超时"),
    "out of memory": Text("out of memory", "内存不足"),
    "CPU used up": Text("CPU time used up", "CPU 时间用完"),
    "crashed": Text("crashed", "崩溃"),
    "failed": Text("failed", "出错"),
    "answered too much": Text("answered too much", "返回内容过多"),
    "wrote too much": Text("wrote too much", "写入内容过多"),
    "no answer": Text("ended without an answer", "没有给出结果就结束"),
}
CANCELLED = "cancelled"
_MEMORY_SIGNS = (b"bad_alloc", b"MemoryError", b"Cannot allocate memory", b"out of memory", b"Out of memory")


@dataclass(frozen=True)
class Watched:
    """What a child wrote (its locks and its answer, where they came), the tail of what it printed, and how it ended.

    `ended` is the limit for which it was ended, or `CANCELLED`; None where it ended by itself or had answered. `code` is its
    exit code, negative for a signal; `cpu` the seconds that it computed.
    """

    lines: tuple[bytes, ...]
    printed: bytes
    ended: str | None
    code: int
    cpu: float

    def error(self, told: dict[str, Any], limits: Limits) -> SandboxError:
        """Why there is no answer: the name of the end, what is known of it, and the last that was printed."""
        end, more = self._end(told, limits)
        tail = "".join(
            c if c.isprintable() or c == "\n" else "?" for c in self.printed.decode("utf-8", "replace")
        ).strip()
        en = (
            f"the examination {_ENDS[end].en}{more} (limits: {limits})"
            if end != "failed"
            else f"the examination failed: {more}"
        )
        zh = f"检查{_ENDS[end].zh}{more}（限制：{limits}）" if end != "failed" else f"检查出错：{more}"
        printed = (f"; it printed last:\n{tail}", f"；最后的输出：\n{tail}") if tail else ("", "")
        return SandboxError(en + printed[0], zh + printed[1])

    def _end(self, told: dict[str, Any], limits: Limits) -> tuple[str, str]:  # noqa: PLR0911 - a return for each end
        if self.ended and not (self.ended == "timed out" and self.cpu >= limits.cpu):
            return self.ended, ""
        if told.get("ended") == "out of memory":
            return "out of memory", ""
        if "crash" in told:
            return "failed", str(told["crash"])[:3000]
        if self.ended or (self.code < 0 and (-self.code == signal.SIGXCPU or self.cpu >= limits.cpu)):
            return "CPU used up", ""
        if self.code < 0 and (any(sign in self.printed for sign in _MEMORY_SIGNS) or -self.code == signal.SIGKILL):
            return "out of memory", ""
        if self.code < 0:
            return "crashed", f" ({signal.Signals(-self.code).name})"
        return "no answer", ""


class _Follower:
    """Reads what a child writes, and stops at its answer."""

    def __init__(
        self, pipes: tuple[int, int], scratch: Path, limits: Limits, watch: Watch | None, subject: str
    ) -> None:
        self._answer, self._scratch, self._limits = pipes[0], scratch, limits
        self._watch, self._subject = watch, subject
        self._deadline = time.monotonic() + limits.wall
        self._look = time.monotonic() + _LOOK
        self._written, self._size, self._steps = bytearray(), 0, 0
        self.lines: list[bytes] = []
        self.tail = bytearray()
        self._selector = selectors.DefaultSelector()
        for pipe in pipes:
            self._selector.register(pipe, selectors.EVENT_READ)

    def until_the_end(self) -> str | None:
        """Read until the answer is whole or its pipe closed; the name of the limit, if one was met."""
        with self._selector:
            while True:
                now = time.monotonic()
                if now >= self._deadline:
                    return "timed out"
                if self._watch and self._watch.cancelled:
                    return CANCELLED
                if now >= self._look:
                    self._look = now + _LOOK
                    if _too_much(self._scratch, self._limits.file_size):
                        return "wrote too much"
                until = min(self._deadline, self._look, now + _HEAR if self._watch else self._look)
                for key, _ in self._selector.select(until - now):
                    if not self._take(key.fd):
                        return "answered too much" if self._size > MAX_ANSWER else None

    def _take(self, pipe: int) -> bool:
        """Read once; False at the end of the answer."""
        part = os.read(pipe, 1 << 16)
        if pipe != self._answer:
            self.tail = (self.tail + part)[-_TAIL:]
            if not part:
                self._selector.unregister(pipe)
            return True
        self._size += len(part)
        self._written += part
        if b"\n" in part:
            self._take_lines()
        return bool(part) and self._size <= MAX_ANSWER and len(self.lines) < _LINES

    def _take_lines(self) -> None:
        *lines, rest = self._written.split(b"\n")
        self._written = rest
        for line in lines:
            if line.startswith(LINE):
                self._tell(bytes(line))
            elif len(self.lines) < _LINES:
                self.lines.append(bytes(line))

    def _tell(self, line: bytes) -> None:
        """Pass a step on, if it is one; a hostile child may write any number of anything."""
        self._steps += 1
        if self._watch and self._steps <= MAX_STEPS and (step := step_of(line, self._subject)):
            self._watch.tell(step)


def follow(
    child: int,
    pipes: tuple[int, int],
    scratch: Path,
    limits: Limits,
    watch: Watch | None = None,
    subject: str = "",
) -> Watched:
    """Follow a child to its end, which comes at the latest when the wall time of its limits is over.

    Args:
        child: its process id; it is reaped here.
        pipes: that on which it tells its locks, its steps and then its answer, a line of JSON each; and that of all that it prints.
        scratch: the folder that it writes to.
        limits: what it may use.
        watch: is told the steps, and says whether to end it.
        subject: the name of the file that the steps are about.
    """
    followed, status, used = _Follower(pipes, scratch, limits, watch, subject), None, 0.0
    ended: str | None = "timed out"  # or interrupted
    try:
        ended = followed.until_the_end()
        if ended is None:
            status, used = _reaped(child, _GRACE)
    finally:
        if status is None:
            os.kill(child, signal.SIGKILL)
            _, status, usage = os.wait4(child, 0)
            used = usage.ru_utime + usage.ru_stime
            # Its pipe was closed, but it lived on: with an answer that is its business.
            ended = ended or (None if len(followed.lines) == _LINES else "no answer")
    _drain(pipes[1], followed.tail)
    code = os.waitstatus_to_exitcode(status)
    return Watched(tuple(followed.lines), bytes(followed.tail[-_TAIL:]), ended, code, used)


def _reaped(child: int, seconds: float) -> tuple[int | None, float]:
    """The status and the CPU seconds of a child that is about to end; None where it lives on."""
    deadline, pause = time.monotonic() + seconds, 0.0002
    while True:
        pid, status, usage = os.wait4(child, os.WNOHANG)
        if pid:
            return status, usage.ru_utime + usage.ru_stime
        if time.monotonic() > deadline:
            return None, 0.0
        time.sleep(pause)
        pause = min(pause * 2, 0.01)


def _drain(pipe: int, tail: bytearray) -> None:
    """The last words of a child that is dead: what the pipe still holds."""
    os.set_blocking(pipe, False)
    with suppress(BlockingIOError):
        tail += os.read(pipe, 1 << 20)


def _too_much(scratch: Path, size: int) -> bool:
    """Whether the files of a folder together are larger than that, or beyond counting."""
    total = entries = 0
    for folder, folders, files in os.walk(scratch):
        entries += len(folders) + len(files)
        for name in files:
            with suppress(OSError):
                total += os.lstat(os.path.join(folder, name)).st_blocks * 512  # noqa: PTH118 - a hot loop
        if total > size or entries > _MAX_ENTRIES:
            return True
    return False


def remove(scratch: Path) -> None:
    """Remove a folder whatever was done to it: closed folders, and nested too deep for Python, are left to `rm`."""
    with suppress(RecursionError):
        shutil.rmtree(scratch, ignore_errors=True)
    if scratch.exists() and os.name == "posix":
        for command in (["chmod", "-R", "u+rwX"], ["rm", "-rf"]):
            subprocess.run([*command, "--", str(scratch)], check=False, stderr=subprocess.DEVNULL)  # noqa: S603
