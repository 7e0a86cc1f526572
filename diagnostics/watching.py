"""Watches a child from outside: takes its answer, ends it at a limit, and names how it ended."""

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

MAX_ANSWER = 16 * 1024 * 1024
_TAIL = 4096
_LINES = 2  # the locks, then the answer
_LOOK = 0.1  # seconds between two looks at the scratch folder
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
_MEMORY_SIGNS = (b"bad_alloc", b"MemoryError", b"Cannot allocate memory", b"out of memory", b"Out of memory")


@dataclass(frozen=True)
class Watched:
    """What a child wrote (whole lines), the tail of what it printed, and how it ended.

    `ended` is the limit for which it was ended, None where it ended by itself or had answered; `code` its exit code, negative
    for a signal; `cpu` the seconds that it computed.
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


class _Watch:
    def __init__(self, answer: int, printed: int, scratch: Path, limits: Limits) -> None:
        self._answer, self._scratch, self._limits = answer, scratch, limits
        self._deadline = time.monotonic() + limits.wall
        self._look = time.monotonic() + _LOOK
        self.written, self.tail = bytearray(), bytearray()
        self._selector = selectors.DefaultSelector()
        for pipe in (answer, printed):
            self._selector.register(pipe, selectors.EVENT_READ)

    def until_the_end(self) -> str | None:
        """Read until the answer is whole or its pipe closed; the name of the limit, if one was met."""
        with self._selector:
            while True:
                now = time.monotonic()
                if now >= self._deadline:
                    return "timed out"
                if now >= self._look:
                    self._look = now + _LOOK
                    if _too_much(self._scratch, self._limits.file_size):
                        return "wrote too much"
                for key, _ in self._selector.select(min(self._deadline, self._look) - now):
                    if not self._take(key.fd):
                        return "answered too much" if len(self.written) > MAX_ANSWER else None

    def _take(self, pipe: int) -> bool:
        """Read once; False at the end of the answer."""
        part = os.read(pipe, 1 << 16)
        if pipe != self._answer:
            self.tail = (self.tail + part)[-_TAIL:]
            if not part:
                self._selector.unregister(pipe)
            return True
        self.written += part
        return (
            bool(part) and len(self.written) <= MAX_ANSWER and (b"\n" not in part or self.written.count(b"\n") < _LINES)
        )


def watch(child: int, answer: int, printed: int, scratch: Path, limits: Limits) -> Watched:
    """Follow a child to its end, which comes at the latest when the wall time of its limits is over.

    Args:
        child: its process id; it is reaped here.
        answer: the pipe on which it tells its locks and then its answer, a line of JSON each.
        printed: the pipe of all that it prints.
        scratch: the folder that it writes to.
        limits: what it may use.
    """
    followed, status, used = _Watch(answer, printed, scratch, limits), None, 0.0
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
            ended = ended or _why_killed(bytes(followed.written))
    _drain(printed, followed.tail)
    lines = tuple(bytes(followed.written).split(b"\n")[:-1][:_LINES])
    return Watched(lines, bytes(followed.tail[-_TAIL:]), ended, os.waitstatus_to_exitcode(status), used)


def _why_killed(written: bytes) -> str | None:
    """Its pipe was closed, but it lived on: with an answer that is its business."""
    return None if written.count(b"\n") >= _LINES else "no answer"


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
