"""Runs pieces of Python under one Keras: started as a script by `laboratory.py`, in that laboratory's interpreter.

Reads one JSON object a line from standard input, `{"code": ..., "seconds": ...}`; answers each with one line,
`{"outcome": "finished" | "raised" | "timed_out" | "crashed", "output": ...}`. Keras is imported once; each piece then
runs in a process forked from this one, in an empty folder of its own, so that a piece costs no import and leaves
nothing behind. Standard library only and Python 3.7 syntax: the oldest laboratory runs on that.
"""

import contextlib
import importlib
import io
import json
import os
import shutil
import signal
import sys
import tempfile
import traceback
from types import ModuleType
from typing import Any

SCRIPT = "train.py"
MAX_OUTPUT = 200_000


def main() -> None:
    """Answer requests until standard input ends."""
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what Keras prints while it is imported must not stand among the answers
    versions = prepare(sys.argv[1])
    print(json.dumps({"outcome": "ready", "output": versions}), file=answers, flush=True)
    for request in sys.stdin:
        print(json.dumps(run(json.loads(request))), file=answers, flush=True)


def prepare(laboratory: str) -> str:
    """Import the laboratory's Keras under the name `keras`, without starting TensorFlow's threads. Returns versions."""
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["CUDA_VISIBLE_DEVICES"] = "-1"
    if laboratory == "tf-keras":
        os.environ["TF_USE_LEGACY_KERAS"] = "1"
        sys.modules["keras"] = importlib.import_module("tf_keras")
    keras = importlib.import_module("keras")
    tensorflow = importlib.import_module("tensorflow")
    if laboratory == "keras-2.12":
        complete(keras, tensorflow.keras)
    return "{} {} with tensorflow {}".format(keras.__name__.split(".")[0], keras.__version__, tensorflow.__version__)


def complete(package: ModuleType, documented: ModuleType) -> None:
    """Give a package the names that it lacks of the documented way in: Keras 2.12 alone shows less than tf.keras."""
    for name in dir(documented):
        named = getattr(documented, name)
        if not hasattr(package, name):
            setattr(package, name, named)
        elif isinstance(named, ModuleType) and named.__name__.startswith(documented.__name__):
            complete(getattr(package, name), named)


def run(request: "dict[str, Any]") -> "dict[str, str]":
    """Run one piece in a fork and tell how it ended and what it printed."""
    base = tempfile.mkdtemp(prefix="laboratory-")
    folder, output = os.path.join(base, "work"), os.path.join(base, "output")
    try:
        os.mkdir(folder)
        pid = os.fork()
        if pid == 0:
            tempfile.tempdir = os.environ["TMPDIR"] = base  # TensorFlow removes its files at an exit that never comes
            child(request, folder, output)
        status = os.waitpid(pid, 0)[1]
        with open(output, encoding="utf-8", errors="replace") as printed:
            text = printed.read(MAX_OUTPUT)
        text = text.replace(folder + os.sep, "").replace(base, tempfile.gettempdir())
        return {"outcome": outcome(status), "output": text}
    finally:
        shutil.rmtree(base, ignore_errors=True)


def outcome(status: int) -> str:
    """Name how a child ended."""
    if os.WIFSIGNALED(status):
        return "timed_out" if os.WTERMSIG(status) in (signal.SIGALRM, signal.SIGXCPU) else "crashed"
    return {0: "finished", 1: "raised"}.get(os.WEXITSTATUS(status), "crashed")


def child(request: "dict[str, Any]", folder: str, output: str) -> None:
    """Never returns: runs the code as `python train.py` would and exits with 0, or 1 after printing the traceback."""
    os.setsid()
    written = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
    os.dup2(written, 1)
    os.dup2(written, 2)
    sys.stdin = io.StringIO()
    os.chdir(folder)
    sys.path.insert(0, folder)
    sys.argv = [SCRIPT]
    signal.alarm(int(request["seconds"]))
    with open(SCRIPT, "w", encoding="utf-8") as script:
        script.write(request["code"] + "\n")
    status = 0
    try:
        exec(compile(request["code"], SCRIPT, "exec"), {"__name__": "__main__", "__file__": SCRIPT})
    except SystemExit as error:
        status = 1 if error.code else 0
    except BaseException:  # noqa: BLE001 - whatever the code raises is what it is run for
        kind, value, trace = sys.exc_info()
        traceback.print_exception(kind, value, trace and trace.tb_next)
        status = 1
    finally:
        with contextlib.suppress(Exception):
            sys.stdout.flush()
            sys.stderr.flush()
        os._exit(status)


if __name__ == "__main__":
    main()
