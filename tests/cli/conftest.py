"""The command as a process, and files to give it."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
Run = Callable[..., subprocess.CompletedProcess[str]]


def command(*arguments: str | Path, text: str = "", where: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run kerasdoctor as a user does, at 80 columns."""
    return subprocess.run(
        [Path(sys.executable).with_name("kerasdoctor"), *arguments],
        input=text,
        capture_output=True,
        encoding="utf-8",
        errors="surrogateescape",  # names of files may be any bytes
        cwd=where,
        env={**_absolute(os.environ), "COLUMNS": "80"},
        check=False,
    )


def _absolute(environment: os._Environ[str]) -> dict[str, str]:
    paths = [str(Path(path).resolve()) for path in environment.get("PYTHONPATH", "").split(os.pathsep) if path]
    return {**environment, "PYTHONPATH": os.pathsep.join(paths)}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with a model that has a fault, the same without it, a log with NaN, and data for the model.

    `faulty.keras` hands bytes to a convolution of 28 × 28 pixels with ten classes.
    """
    (tmp_path / "faulty.keras").write_bytes((EXAMPLES / "digits.keras").read_bytes())
    edited(tmp_path / "faulty.keras", tmp_path / "sound.keras", b'"uint8"', b'"float32"')
    rows = ["epoch,accuracy,loss,val_loss", *(f"{n},0.{n + 3},{2 - n / 10},{2.1 - n / 10}" for n in range(5))]
    (tmp_path / "sound.csv").write_text("\n".join(rows) + "\n")
    (tmp_path / "nan.csv").write_text("\n".join([*rows, "5,0.1,nan,nan", "6,0.1,nan,nan"]) + "\n")
    random = np.random.default_rng(0)
    np.savez(tmp_path / "data.npz", x=random.random((40, 28, 28, 1), np.float32), y=random.integers(0, 10, 40))
    np.savez(tmp_path / "flat.npz", x=random.random((40, 784), np.float32), y=random.integers(0, 10, 40))
    return tmp_path


def edited(source: Path, target: Path, old: bytes, new: bytes) -> Path:
    """A copy of a .keras file in whose configuration something was replaced."""
    with zipfile.ZipFile(source) as read, zipfile.ZipFile(target, "w") as written:
        for name in read.namelist():
            data = read.read(name)
            written.writestr(name, data.replace(old, new) if name == "config.json" else data)
    return target
