"""A warm worker: a process that has imported what its jobs need, and runs each of them in a locked fork of itself.

    python -m kerasdoctor.diagnostics.worker keras-3 [ITS-FOLDER]

There is one kind for reading files, which needs no TensorFlow, and one for running models in each Keras. It is started with a
clean environment, so that there are no secrets in the memory that a job inherits, and without GPUs: a job runs on the CPU. It
computes nothing itself, for a TensorFlow that has started its threads cannot be forked. Requests and answers are lines of
JSON: `{"job", "arguments", "readable", "limits", "insist", "output"}`, then `{"step"}` for each step, and last `{"value",
"applied", "missing"}` or `{"error", "en", "zh"}`. A line that comes while a job runs, or the end of the requests, ends that job.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import os
import select
import selectors
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from io import FileIO
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Literal, NoReturn, Self, get_args

from ..errors import SandboxError, SubjectError
from .decoding import decode
from .lockdown import Limits, Lock
from .progress import Step, Watch
from .sandbox import LIVE, Answer, clean_variables, run_locked
from .watching import MAX_ANSWER, remove

Kind = Literal["reader", "keras-3", "tf-keras"]
# The jobs, each a function of this package that is called with the scratch folder and the arguments by name. A new job is a
# line here; nothing else can be asked for.
_LOCKS = {"locks": "self_test:try_the_doors"}
_READING = {"look": "looking:look_at", "gate": "looking:gate_at"} | _LOCKS
_RUNNING = {"live": "live:examine_live", "mend": "mending:mend_copy"} | _LOCKS
JOBS: dict[Kind, dict[str, str]] = {"reader": _READING, "keras-3": _RUNNING, "tf-keras": _RUNNING}
_MODULES: dict[Kind, tuple[str, ...]] = {
    "reader": (),
    "keras-3": ("tensorflow", "keras"),
    "tf-keras": ("tensorflow", "tf_keras"),
}
_READERS = ("safety", "weights", "training_log", "data_sample", "data_arrays", "picture_of", "plot")
HOME = "kerasdoctor-worker-"  # how the name of a worker's folder begins
_START = 120.0  # seconds that importing TensorFlow may take
_GRACE = 15.0  # seconds beyond a job's wall time
_HEAR = 0.02  # seconds between two looks at whether it is cancelled
_CANCEL = b"cancel\n"
_TAIL = 2000


class Worker:
    """A running worker of one kind. A context manager; one thread at a time may use it, and any may `kill` it.

    After a SandboxError that says that the worker ended, start another one.
    """

    def __init__(self, kind: Kind = "keras-3") -> None:
        """Start it. It goes on importing what it needs; the first job waits for that.

        Raises:
            SandboxError: what it needs is not installed here.
        """
        _need(*_MODULES[kind])
        self.kind = kind
        self._home = tempfile.TemporaryDirectory(prefix=HOME)
        Path(self._home.name).chmod(0o711)  # the scratch folders in it are reached by users that no one is
        self._printed = tempfile.TemporaryFile()  # noqa: SIM115 - closed by `close`
        self._buffer = bytearray()
        self._ready, self._closed = False, False
        self._start_by = time.monotonic() + _START
        self._process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-P", "-m", __name__, kind, self._home.name],
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
        """Run a job of `JOBS` in a locked fork of the worker.

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
                self._send(_CANCEL)
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
    return all(importlib.util.find_spec(name) for kind in get_args(Kind) for name in _MODULES[kind])


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


class _FromCaller(Watch):
    """The caller's watch as the worker has it: steps are sent there, and whatever comes from there means that it is cancelled."""

    def __init__(self, requests: FileIO, answers: BinaryIO) -> None:
        super().__init__(lambda step: _say(answers, {"step": asdict(step)}))
        self._requests = requests

    @property
    def cancelled(self) -> bool:
        """Whether a line came, or the requests ended."""
        return bool(select.select([self._requests], [], [], 0)[0])


def main() -> NoReturn:
    """Serve jobs until the requests end, however they do."""
    kind: Any = sys.argv[1] if len(sys.argv) > 1 else ""
    if kind not in get_args(Kind):
        sys.exit(f"expected one of {', '.join(get_args(Kind))}")
    try:
        _serve_all(kind)
    finally:
        _leave(Path(sys.argv[2]) if len(sys.argv) > 2 else None)  # noqa: PLR2004 - see above
    sys.exit(0)


def _serve_all(kind: Kind) -> None:
    requests, answers = _take_pipes()
    _warm_up(kind)
    _say(answers, {"ready": True})
    watch = _FromCaller(requests, answers)
    while line := requests.readline():  # which takes no more than the line: what follows is for the watch
        if line != _CANCEL:  # one that came when its job had ended
            _say(answers, _serve(kind, json.loads(line), watch))


def _leave(home: Path | None) -> None:
    """Take the worker's folder away where its caller was killed, which else would."""
    if home is not None and home.name.startswith(HOME):
        remove(home)


def _take_pipes() -> tuple[FileIO, BinaryIO]:
    """The two pipes under numbers of their own: what a library prints is no answer."""
    requests, answers = FileIO(os.dup(0)), os.fdopen(os.dup(1), "wb")
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.dup2(2, 1)
    return requests, answers


def _warm_up(kind: Kind) -> None:
    """Import what the jobs need."""
    if kind == "reader":
        _warm_up_reader()
    else:
        _warm_up_keras(*_MODULES[kind])
    for job in JOBS[kind]:
        _function(kind, job)


def _warm_up_keras(tensorflow: str, keras: str) -> None:
    """The numbers of threads are only noted, nothing starts."""
    threading, threads = importlib.import_module(tensorflow).config.threading, min(4, os.cpu_count() or 1)
    threading.set_intra_op_parallelism_threads(threads)
    threading.set_inter_op_parallelism_threads(threads)
    importlib.import_module(keras)


def _warm_up_reader() -> None:
    """All that reading imports when it is first needed. Where an extra is not installed, each file that needs it says so."""
    from .catalogue import probes_of  # noqa: PLC0415 - this kind of worker only

    probes_of("model", "weights", "log", "data", "environment")
    for name in ("h5py", "numpy.ma", *(f"{__package__}.{module}" for module in _READERS)):
        with suppress(ImportError):
            importlib.import_module(name)


def _function(kind: Kind, job: str) -> Callable[..., Any] | None:
    """The function of a job; None where its name is unknown."""
    module, _, name = JOBS[kind].get(job, "").partition(":")
    function: Callable[..., Any] | None = (
        getattr(importlib.import_module(f".{module}", __package__), name) if module else None
    )
    return function


def _serve(kind: Kind, request: dict[str, Any], watch: Watch) -> dict[str, Any]:
    try:
        function = _function(kind, request["job"])
        if function is None:
            jobs = ", ".join(JOBS[kind])
            raise SandboxError(
                f"there is no job {request['job']!r}; there are {jobs}",
                f"没有名为 {request['job']!r} 的任务；可用的有 {jobs}",
            )
        limits = decode(Limits, request["limits"], "limits")
        readable = tuple(map(Path, request["readable"]))
        job = partial(_call, function, request["arguments"])
        output = Path(request["output"]) if request["output"] else None
        answer = run_locked(job, readable, limits, insist=request["insist"], output=output, watch=watch)
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
