"""A warm worker: a process that has imported what its jobs need, and runs each of them in a locked fork of itself.

    python -m kerasdoctor.diagnostics.worker_process keras-3 [ITS-FOLDER]

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
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict
from functools import partial
from io import FileIO
from pathlib import Path
from typing import Any, BinaryIO, Literal, NoReturn, get_args

from ..errors import SandboxError, SubjectError
from .decoding import decode
from .lockdown import Limits
from .progress import Watch
from .sandbox import run_locked
from .watching import remove

Kind = Literal["reader", "keras-3", "tf-keras"]
# The jobs, each a function of this package that is called with the scratch folder and the arguments by name. A new job is a
# line here; nothing else can be asked for.
_LOCKS = {"locks": "self_test:try_the_doors"}
_READING = {"look": "looking:look_at", "gate": "looking:gate_at"} | _LOCKS
_RUNNING = {"live": "live:examine_live", "mend": "mending:mend_copy"} | _LOCKS
JOBS: dict[Kind, dict[str, str]] = {"reader": _READING, "keras-3": _RUNNING, "tf-keras": _RUNNING}
MODULES: dict[Kind, tuple[str, ...]] = {
    "reader": (),
    "keras-3": ("tensorflow", "keras"),
    "tf-keras": ("tensorflow", "tf_keras"),
}
_READERS = ("safety", "weights", "training_log", "data_sample", "data_arrays", "picture_of", "plot")
HOME = "kerasdoctor-worker-"  # how the name of a worker's folder begins
CANCEL = b"cancel\n"


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
        if line != CANCEL:  # one that came when its job had ended
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
        _warm_up_keras(*MODULES[kind])
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
