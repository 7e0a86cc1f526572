"""A warm worker: a process that has imported TensorFlow and one Keras, and runs each job in a locked fork of itself.

    python -m kerasdoctor.diagnostics.worker keras-3

It is started with a clean environment, so that there are no secrets in the memory that a job inherits, and without GPUs: a
job runs on the CPU. It computes nothing itself, for a TensorFlow that has started its threads cannot be forked. Requests and
answers are lines of JSON: `{"job", "arguments", "readable", "limits", "insist", "output"}`, then `{"value", "applied", "missing"}` or
`{"error", "en", "zh"}`.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import select
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, NoReturn, Self, get_args

from ..errors import SandboxError, SubjectError
from .decoding import decode
from .lockdown import Limits, Lock
from .sandbox import LIVE, Answer, clean_variables, run_locked
from .watching import MAX_ANSWER

Keras = Literal["keras-3", "tf-keras"]
# The jobs, each a function of this package that is called with the scratch folder and the arguments by name. A new job is a
# line here; nothing else can be asked for.
JOBS = {
    "live": "live:examine_live",
    "mend": "mending:mend_copy",
    "locks": "self_test:try_the_doors",
}
_START = 120.0  # seconds that importing TensorFlow may take
_GRACE = 15.0  # seconds beyond a job's wall time
_TAIL = 2000


class Worker:
    """A running worker with one Keras. A context manager; one thread at a time may use it.

    After a SandboxError that says that the worker ended, start another one.
    """

    def __init__(self, keras: Keras = "keras-3") -> None:
        """Start it and wait until it has imported TensorFlow and Keras.

        Raises:
            SandboxError: TensorFlow or that Keras is not installed here, or it could not start; then the message has the last of
                what it printed.
        """
        _need("tensorflow", "tf_keras" if keras == "tf-keras" else "keras")
        self.keras = keras
        self._home = tempfile.TemporaryDirectory(prefix="kerasdoctor-worker-")
        Path(self._home.name).chmod(0o711)  # the scratch folders in it are reached by users that no one is
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._buffer = bytearray()
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", __name__, keras],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            env=_variables(keras, Path(self._home.name)),
        )
        try:
            self.versions: dict[str, str] = self._answer(_START)["versions"]
        except BaseException:
            self.close()
            raise

    @property
    def ended(self) -> bool:
        """Whether it ran to its end, by itself or because it did not answer."""
        return self._process.poll() is not None

    @property
    def pid(self) -> int:
        """Its process id."""
        return self._process.pid

    def run(
        self,
        job: str,
        arguments: Mapping[str, Any] | None = None,
        readable: tuple[Path, ...] = (),
        limits: Limits = LIVE,
        *,
        insist: bool = True,
        output: Path | None = None,
    ) -> Answer:
        """Run a job of `JOBS` in a locked fork of the worker.

        Args:
            job: its name.
            arguments: plain JSON values.
            readable: as for `run_locked`; absolute paths.
            limits: as for `run_locked`.
            insist: as for `run_locked`.
            output: as for `run_locked`.

        Raises:
            SubjectError, SandboxError: as for `run_locked`; and SandboxError where the worker itself ended.
        """
        request = {
            "job": job,
            "arguments": dict(arguments or {}),
            "readable": [str(path.absolute()) for path in readable],
            "limits": asdict(limits),
            "insist": insist,
            "output": str(output.absolute()) if output else None,
        }
        self._send(json.dumps(request).encode() + b"\n")
        told = self._answer(limits.wall + _GRACE)
        if "value" in told:
            return Answer(told["value"], Lock(tuple(told["applied"]), tuple(told["missing"])))
        kind = SandboxError if told["error"] == "SandboxError" else SubjectError
        raise kind(told["en"], told["zh"])

    def close(self) -> None:
        """End it, with what it may be running."""
        self._process.kill()  # what it runs ends with it
        self._process.wait()
        for pipe in (self._process.stdin, self._process.stdout):
            with suppress(OSError):  # a request that it did not take
                assert pipe is not None  # noqa: S101 - they are pipes
                pipe.close()
        self._printed.close()
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

    def _answer(self, seconds: float) -> dict[str, Any]:
        """The next line of the worker."""
        assert self._process.stdout is not None  # noqa: S101 - it is a pipe
        pipe, deadline = self._process.stdout.fileno(), time.monotonic() + seconds
        while b"\n" not in self._buffer:
            ready, _, _ = select.select([pipe], [], [], max(0.0, deadline - time.monotonic()))
            part = os.read(pipe, 1 << 16) if ready else b""
            if not part or len(self._buffer) > 2 * MAX_ANSWER:
                raise self._dead()
            self._buffer += part
        line, _, rest = bytes(self._buffer).partition(b"\n")
        self._buffer = bytearray(rest)
        told: dict[str, Any] = json.loads(line)
        return told

    def _dead(self) -> SandboxError:
        """It ended, or does not answer, and is ended."""
        self._process.kill()
        code = self._process.wait()
        if self._printed.closed:
            return SandboxError("the worker is closed", "工作进程已经关闭")
        size = self._printed.seek(0, os.SEEK_END)
        self._printed.seek(max(0, size - _TAIL))
        tail = self._printed.read().decode("utf-8", "replace").strip()
        return SandboxError(
            f"the worker for {self.keras} ended (exit code {code}); it printed last:\n{tail}",
            f"{self.keras} 的工作进程已结束（退出码 {code}）；最后的输出：\n{tail}",
        )


def _need(*modules: str) -> None:
    """See that modules are installed, without importing them."""
    missing = [name for name in modules if importlib.util.find_spec(name) is None]
    if missing:
        names = ", ".join(missing)
        raise SandboxError(
            f"running a model needs {names} in kerasdoctor's own Python: pip install 'kerasdoctor[live]'",
            f"运行模型需要在 kerasdoctor 自己的 Python 里安装 {names}：pip install 'kerasdoctor[live]'",
        )


def _variables(keras: Keras, home: Path) -> dict[str, str]:
    return clean_variables(home) | {
        "TF_USE_LEGACY_KERAS": "1" if keras == "tf-keras" else "0",
        "KERAS_BACKEND": "tensorflow",
        "CUDA_VISIBLE_DEVICES": "-1",
        "TF_CPP_MIN_LOG_LEVEL": "3",
    }


def main() -> NoReturn:
    """Serve jobs until the requests end."""
    requests, answers = _take_pipes()
    keras = sys.argv[1] if len(sys.argv) > 1 else ""
    if keras not in get_args(Keras):
        sys.exit(f"expected one of {', '.join(get_args(Keras))}")
    _say(answers, {"versions": _warm_up("tf_keras" if keras == "tf-keras" else "keras")})
    for line in requests:
        _say(answers, _serve(json.loads(line)))
    sys.exit(0)


def _take_pipes() -> tuple[BinaryIO, BinaryIO]:
    """The two pipes under numbers of their own: what a library prints is no answer."""
    requests, answers = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return requests, answers


def _warm_up(keras: str) -> dict[str, str]:
    """Import TensorFlow and Keras; the numbers of threads are only noted, nothing starts."""
    tensorflow, imported = importlib.import_module("tensorflow"), importlib.import_module(keras)
    threads = min(4, os.cpu_count() or 1)
    tensorflow.config.threading.set_intra_op_parallelism_threads(threads)
    tensorflow.config.threading.set_inter_op_parallelism_threads(threads)
    for job in JOBS:
        _function(job)
    return {"tensorflow": tensorflow.__version__, keras: imported.__version__}


def _function(job: str) -> Callable[..., Any] | None:
    """The function of a job; None where its name is unknown, or this release has no such module."""
    module, _, name = JOBS.get(job, "").partition(":")
    try:
        found = importlib.import_module(f".{module}", __package__) if module else None
    except ModuleNotFoundError:
        return None
    function: Callable[..., Any] | None = getattr(found, name, None)
    return function


def _serve(request: dict[str, Any]) -> dict[str, Any]:
    try:
        function = _function(request["job"])
        if function is None:
            jobs = ", ".join(JOBS)
            raise SandboxError(
                f"there is no job {request['job']!r}; there are {jobs}",
                f"没有名为 {request['job']!r} 的任务；可用的有 {jobs}",
            )
        limits = decode(Limits, request["limits"], "limits")
        readable = tuple(map(Path, request["readable"]))
        job = partial(_call, function, request["arguments"])
        output = Path(request["output"]) if request["output"] else None
        answer = run_locked(job, readable, limits, insist=request["insist"], output=output)
    except SubjectError as error:
        return {"error": type(error).__name__, "en": str(error), "zh": error.zh}
    return {"value": answer.value, "applied": answer.locks.applied, "missing": answer.locks.missing}


def _call(function: Callable[..., Any], arguments: dict[str, Any], scratch: Path) -> Any:  # noqa: ANN401 - JSON
    return function(scratch, **arguments)


def _say(pipe: BinaryIO, value: dict[str, Any]) -> None:
    pipe.write(json.dumps(value).encode() + b"\n")
    pipe.flush()


if __name__ == "__main__":
    main()
