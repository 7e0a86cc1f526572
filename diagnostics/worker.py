"""A warm worker as its callers have it: a process of `worker_process`, to which a job is sent and which is ended when it must be."""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any, Self, get_args

from ..errors import SandboxError, SubjectError
from .decoding import decode
from .lockdown import Limits, Lock
from .progress import Step, Watch
from .sandbox import LIVE, Answer, clean_variables
from .watching import MAX_ANSWER, remove
from .worker_process import CANCEL, HOME, MODULES, Kind

_START = 120.0  # seconds that importing TensorFlow may take
_GRACE = 15.0  # seconds beyond a job's wall time
_HEAR = 0.02  # seconds between two looks at whether it is cancelled
_TAIL = 2000


class Worker:
    """A running worker of one kind. A context manager; one thread at a time may use it, and any may `kill` it.

    After a SandboxError that says that the worker ended, start another one.
    """

    def __init__(self, kind: Kind) -> None:
        """Start it. It goes on importing what it needs; the first job waits for that.

        Raises:
            SandboxError: what it needs is not installed here.
        """
        _need(*MODULES[kind])
        self.kind = kind
        self._home = tempfile.TemporaryDirectory(prefix=HOME)
        Path(self._home.name).chmod(0o711)  # the scratch folders in it are reached by users that no one is
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._buffer = bytearray()
        self._ready, self._closed = False, False
        self._start_by = time.monotonic() + _START
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", f"{__package__}.worker_process", kind, self._home.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            env=_variables(kind, Path(self._home.name)),
            start_new_session=True,  # Ctrl-C is for whoever started it, who then ends it
        )
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        self._answers = selectors.DefaultSelector()  # select(2) takes no file of a number above 1023
        self._answers.register(self._process.stdout, selectors.EVENT_READ)

    @property
    def ended(self) -> bool:
        """Whether it ran to its end, by itself or because it did not answer."""
        return self._process.poll() is not None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def wait(self, watch: Watch | None = None) -> None:
        """Wait until it has imported what it needs.

        Raises:
            SandboxError: it could not; the message has the last of what it printed.
            Cancelled: the watch was; it goes on importing.
        """
        if not self._ready:
            self._answer(self._start_by, watch or Watch())
            self._ready = True

    def run(
        self,
        job: str,
        arguments: Mapping[str, Any] | None = None,
        readable: tuple[Path, ...] = (),
        limits: Limits = LIVE,
        *,
        insist: bool = True,
        output: Path | None = None,
        watch: Watch | None = None,
    ) -> Answer:
        """Run a job of `worker_process.JOBS` in a locked fork of the worker.

        Args:
            job: its name.
            arguments: plain JSON values.
            readable: as for `run_locked`; absolute paths.
            limits: as for `run_locked`.
            insist: as for `run_locked`.
            output: as for `run_locked`.
            watch: as for `run_locked`.

        Raises:
            SubjectError, SandboxError, Cancelled: as for `run_locked`; and SandboxError where the worker itself ended.
        """
        watch = watch or Watch()
        self.wait(watch)
        request = {
            "job": job,
            "arguments": dict(arguments or {}),
            "readable": [str(path.absolute()) for path in readable],
            "limits": asdict(limits),
            "insist": insist,
            "output": str(output.absolute()) if output else None,
        }
        self._send(json.dumps(request).encode() + b"\n")
        try:
            told = self._answer(time.monotonic() + limits.wall + _GRACE, watch)
        except BaseException:  # cancelled, or interrupted
            self._end_job()
            raise
        watch.check()
        if "value" in told:
            return Answer(told["value"], Lock(tuple(told["applied"]), tuple(told["missing"])))
        error = SandboxError if told["error"] == "SandboxError" else SubjectError
        raise error(told["en"], told["zh"])

    def kill(self) -> None:
        """End it, with what it may be running: whoever waits for that gets a SandboxError. From any thread."""
        self._closed = True
        self._process.kill()  # what it runs ends with it

    def close(self) -> None:
        """End it, and leave nothing of it behind."""
        self.kill()
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # a request that it did not take
                assert pipe is not None  # noqa: S101 - they are pipes
                pipe.close()
        self._answers.close()
        self._printed.close()
        remove(Path(self._home.name))
        self._home.cleanup()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _send(self, line: bytes) -> None:
        assert self._process.stdin is not None  # noqa: S101 - it is a pipe
        try:
            self._process.stdin.write(line)
            self._process.stdin.flush()
        except (OSError, ValueError) as error:
            raise self._dead() from error

    def _end_job(self) -> None:
        """Have what it runs ended, and wait until that is done; a worker that does not do so is ended itself."""
        with suppress(SandboxError):
            if not self.ended:
                self._send(CANCEL)
                self._answer(time.monotonic() + _GRACE, Watch())

    def _answer(self, deadline: float, watch: Watch) -> dict[str, Any]:
        """The next line of the worker that is no step."""
        while True:
            told: dict[str, Any] = json.loads(self._line(deadline, watch))
            if "step" not in told:
                return told
            watch.tell(decode(Step, told["step"], "step"))

    def _line(self, deadline: float, watch: Watch) -> bytes:
        while b"\n" not in self._buffer:
            watch.check()
            left = max(0.0, deadline - time.monotonic())
            ready = self._answers.select(min(left, _HEAR))
            if not ready and left:
                continue
            part = os.read(ready[0][0].fd, 1 << 16) if ready else b""
            if not part or len(self._buffer) > 2 * MAX_ANSWER:
                raise self._dead()
            self._buffer += part
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer = bytearray(rest)
        return line

    def _dead(self) -> SandboxError:
        """It ended, or does not answer, and is ended."""
        self._process.kill()
        code = self._process.wait()
        if self._closed:
            return SandboxError("the worker was closed", "工作进程已被关闭")
        size = self._printed.seek(0, os.SEEK_END)
        self._printed.seek(max(0, size - _TAIL))
        tail = self._printed.read().decode("utf-8", "replace").strip()
        return SandboxError(
            f"the worker for {self.kind} ended (exit code {code}); it printed last:\n{tail}",
            f"{self.kind} 的工作进程已结束（退出码 {code}）；最后的输出：\n{tail}",
        )


def can_run() -> bool:
    """Whether models can be run here at all: TensorFlow and both Kerases are installed."""
    return all(importlib.util.find_spec(name) for kind in get_args(Kind) for name in MODULES[kind])


def _need(*modules: str) -> None:
    """See that modules are installed, without importing them."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        names = ", ".join(missing)
        raise SandboxError(
            f"running a model needs {names} in kerasdoctor's own Python: pip install 'kerasdoctor[live]'",
            f"运行模型需要在 kerasdoctor 自己的 Python 里安装 {names}：pip install 'kerasdoctor[live]'",
        )


def _variables(kind: Kind, home: Path) -> dict[str, str]:
    return clean_variables(home) | {
        "TF_USE_LEGACY_KERAS": "1" if kind == "tf-keras" else "0",
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }
