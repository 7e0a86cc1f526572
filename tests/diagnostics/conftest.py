"""Real model files, saved by the installed Kerases once per run."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

BUILD = Path(__file__).with_name("build_models.py")


def save_models(folder: Path, *, legacy: bool, script: Path = BUILD) -> Path:
    folder.mkdir()
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1" if legacy else "0"}
    ended = subprocess.run(
        [sys.executable, str(script), str(folder)], env=environment, capture_output=True, text=True, check=False
    )
    assert ended.returncode == 0, ended.stderr[-3000:]
    return folder


@pytest.fixture(scope="session")
def keras_3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models saved by Keras 3."""
    return save_models(tmp_path_factory.mktemp("models") / "keras3", legacy=False)


@pytest.fixture(scope="session")
def keras_2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same models saved by tf_keras."""
    return save_models(tmp_path_factory.mktemp("models") / "keras2", legacy=True)
