"""Repairs a model file in the sandbox: what `kerasdoctor repair` does. The original is only ever read."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from ..errors import InputError, SubjectError
from .decoding import decode
from .examination import hazards_of
from .mended import Mended
from .progress import Watch
from .repair import Target
from .worker_process import Kind
from .workers import Workers

SUFFIXES: dict[Target, tuple[str, ...]] = {"keras3": (".keras", ".h5"), "keras2": (".h5", ".keras")}


def repair_file(
    path: Path,
    output: Path | None,
    target: Target,
    only: tuple[str, ...] = (),
    *,
    allow_code: bool = False,
    insist: bool = True,
    workers: Workers | None = None,
    watch: Watch | None = None,
) -> Mended:
    """Mend a copy of a model file.

    Args:
        path: the model file.
        output: the copy to write, which must not exist yet; None for a dry run.
        target: the Keras that the copy is for.
        only: the ids of the repairs to make; empty for all that apply.
        allow_code: run the bytecode of Lambdas too, inside the sandbox, to compare with the original.
        insist: refuse where the sandbox cannot be locked.
        workers: where everything runs; by default the file is read in a fork of this process, and a worker is started to mend it.
        watch: is told the steps; where it is cancelled, what runs is ended and no copy is left.

    Returns:
        What was changed and how it was checked. `file` is the copy's name, None where none was written: on a dry run, where
        nothing applied, and where the copy gives other outputs than it should.

    Raises:
        InputError: the output exists or cannot be written.
        SubjectError: the file is refused by the gate, or the mended model cannot be built; the message says why.
        Cancelled: the watch was.
    """
    _check_output(output, target)
    # Bytecode of a Lambda is no reason to refuse: Keras is told not to run it, and a repair may take it out.
    refused = next((hazard.text for hazard in hazards_of(path, workers, watch) if not hazard.code), None)
    if refused is not None:
        raise SubjectError(f"{path.name} is not opened: {refused.en}", f"不打开 {path.name}：{refused.zh}")
    if workers is None:
        with Workers() as own:
            return _repair(path.absolute(), output, target, only, allow_code, insist, own, watch)
    return _repair(path.absolute(), output, target, only, allow_code, insist, workers, watch)


def _check_output(output: Path | None, target: Target) -> None:
    if output is None:
        return
    if output.suffix not in SUFFIXES[target]:
        raise InputError(f"{output}: expected a name that ends in {' or '.join(SUFFIXES[target])}")
    if output.exists():
        raise InputError(f"{output} is there already: give another name, or remove it first")
    if not os.access(output.absolute().parent, os.W_OK):
        raise InputError(f"{output.absolute().parent}: no such folder that can be written to")


def _repair(
    path: Path,
    output: Path | None,
    target: Target,
    only: tuple[str, ...],
    allow_code: bool,
    insist: bool,
    workers: Workers,
    watch: Watch | None,
) -> Mended:
    """The copy comes under another name first and gets its own once it is proved."""
    suffix = output.suffix if output else SUFFIXES[target][0]
    arguments = {
        "path": str(path), "target": target, "suffix": suffix, "only": list(only), "dry": output is None, "allow_code": allow_code,
    }  # fmt: skip
    kind: Kind = "keras-3" if target == "keras3" else "tf-keras"
    if output is None:
        answer = workers.run(kind, "mend", arguments, (path,), insist=insist, watch=watch)
        return decode(Mended, answer.value, path.name)  # type: ignore[no-any-return]
    with tempfile.TemporaryDirectory(dir=output.absolute().parent, prefix=".kerasdoctor-") as folder:
        copy = Path(folder) / f"copy{suffix}"
        answer = workers.run(kind, "mend", arguments, (path,), insist=insist, output=copy, watch=watch)
        mended: Mended = decode(Mended, answer.value, path.name)
        if mended.file is None or mended.proof is None or mended.proof.outcome == "differs":
            return Mended(mended.made, mended.proof, None, mended.notes)
        copy.chmod(0o644)
        copy.rename(output)
    return Mended(mended.made, mended.proof, output.name, mended.notes)
