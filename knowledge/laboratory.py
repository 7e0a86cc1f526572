"""Laboratories: interpreters with one Keras each, in which the entries' code is executed.

The interpreter that runs the tests has the current Keras 3 and tf_keras; older Kerases live in environments under
`.labs/`, which `make labs` builds.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from ..errors import LaboratoryError
from .entry import Block, Entry
from .lines import LABORATORIES, Line
from .parser import parse
from .signature import fold, found
from .texts import Texts

# TensorFlow prints the stack that created an operation, with the worker's own frames at its bottom.
_OUR_FRAMES = re.compile(
    r'^ *File "[^"\n]*laboratory_worker\.py", line \d+, in [\w<>]+\n(?: {4,}.*\n)*'
    r"|^ *\+ [^\n]*laboratory_worker\.py \(L\d+\).*\n.*\n",
    re.MULTILINE,
)
_GENERATED = re.compile(r"(__autograph_generated_file)\w+\.py")
SECONDS = 120
WORKER = Path(__file__).with_name("laboratory_worker.py")
LABS = Path(__file__).parent.parent / ".labs"


@dataclass(frozen=True)
class Place:
    """Where a Keras line can be run: a name for its traces, the line, and its interpreter."""

    name: str
    line: Line
    python: Path


# The interpreter that runs this is the laboratory of two Kerases; each other has an environment of its own.
_OWN = ("keras-3", "tf-keras")
PLACES = tuple(
    Place(name, line, Path(sys.executable) if name in _OWN else LABS / name / "bin" / "python")
    for name, line in LABORATORIES.items()
)


@dataclass(frozen=True)
class Run:
    """How a piece of code ended (`finished`, `raised`, `timed_out`, `crashed`) and all it printed."""

    outcome: str
    output: str


class Laboratory:
    """A running worker of one place. A context manager; `run` may be called any number of times."""

    def __init__(self, place: Place) -> None:
        """Start the worker and wait until it has imported Keras.

        Raises:
            LaboratoryError: the interpreter is missing, or can't import its Keras.
        """
        if not place.python.exists():
            raise LaboratoryError(f"{place.name}: no interpreter at {place.python}; `make labs` builds it")
        self.place = place
        self._worker = subprocess.Popen(  # noqa: S603 - our own script, under an interpreter of PLACES
            [str(place.python), str(WORKER), place.name],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            encoding="utf-8",
            env=_environment(),
        )
        self.versions = self._answer().output

    def run(self, code: str, seconds: int = SECONDS) -> Run:
        """Run `code` in a fresh fork, for at most `seconds`.

        Raises:
            LaboratoryError: the worker itself died.
        """
        assert self._worker.stdin is not None  # noqa: S101 - it is a pipe
        self._worker.stdin.write(json.dumps({"code": code, "seconds": seconds}) + "\n")
        self._worker.stdin.flush()
        answer = self._answer()
        return Run(answer.outcome, _without_paths(answer.output, self.place))

    def close(self) -> None:
        """Stop the worker."""
        for pipe in (self._worker.stdin, self._worker.stdout):
            if pipe:
                pipe.close()
        self._worker.wait()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self.close()

    def _answer(self) -> Run:
        assert self._worker.stdout is not None  # noqa: S101 - it is a pipe
        line = self._worker.stdout.readline()
        if not line:
            raise LaboratoryError(f"{self.place.name}: the worker ended (exit code {self._worker.wait()})")
        return Run(**json.loads(line))


def judge(entry: Entry, block: Block, run: Run) -> str | None:
    """What is wrong with a run of a block, or None when it did what its role promises.

    A broken block of an error must print one of the entry's signatures. A broken block of a pitfall either does so
    too, or runs to its end and proves the wrong result with an `assert`. A fixed block runs to its end without any.
    """
    signature = proves(entry, run)
    if block.role == "fixed":
        if run.outcome != "finished":
            return f"the fixed code {run.outcome}"
        return f"the fixed code still prints '{signature}'" if signature else None
    if signature:
        return None
    if entry.kind == "pitfall" and run.outcome == "finished" and "assert " in block.code:
        return None
    return f"the broken code {run.outcome} and printed none of the entry's signatures"


def proves(entry: Entry, run: Run) -> str | None:
    """The first of an entry's signatures that a run printed."""
    printed = shown(run.output)
    return next((s for s in entry.signatures if found(s, printed)), None)


def shown(output: str) -> str:
    """What signatures are looked for in when a person pastes this output, folded."""
    return fold(Texts.of(parse(output)).everything)


def unproven(entry: Entry, printed: list[str]) -> list[str]:
    """The signatures of an entry that neither a text of `printed` nor a described message contains."""
    texts = [shown(text) for text in printed] + [shown(d.message) + fold(d.message) for d in entry.described]
    return [s for s in entry.signatures if not any(found(s, text) for text in texts)]


def _environment() -> dict[str, str]:
    kept = {"PATH", "HOME", "LANG", "TMPDIR", "LD_LIBRARY_PATH", "TF_CPP_MIN_LOG_LEVEL"}
    return {name: value for name, value in os.environ.items() if name in kept} | {
        "PYTHONUNBUFFERED": "1",
        "PYTHONHASHSEED": "0",
    }


def _without_paths(output: str, place: Place) -> str:
    """Traces show packages under `/venv`, whatever the folder of this machine's environment is."""
    packages = place.python.parent.parent
    base = Path(sys.base_prefix)
    for folder in {str(packages), str(packages.resolve()), str(place.python.resolve().parent.parent), str(base)}:
        output = output.replace(folder + os.sep, "/venv/")
    return _OUR_FRAMES.sub("", _GENERATED.sub(r"\1.py", output))
