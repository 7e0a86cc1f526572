"""Real model files, saved by the installed Kerases once per run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from kerasdoctor.diagnostics.environment import Environment
from kerasdoctor.diagnostics.environment_facts import Import
from kerasdoctor.diagnostics.model_file import read_model
from kerasdoctor.diagnostics.probe import Finding, all_probes, examine
from kerasdoctor.diagnostics.workers import Workers

BUILD = Path(__file__).with_name("build_models.py")
ENVIRONMENTS = Path(__file__).parent / "environments"
BUILD_FORMATS = Path(__file__).with_name("build_formats.py")


PROBES = {probe.id: probe for probe in all_probes()}


def run_keras(*arguments: str, legacy: bool) -> str:
    """What a Python with Keras 3, or tf_keras as the Keras of TensorFlow, prints."""
    environment = {**os.environ, "TF_USE_LEGACY_KERAS": "1" if legacy else "0"}
    ended = subprocess.run([sys.executable, *arguments], env=environment, capture_output=True, text=True, check=False)
    assert ended.returncode == 0, ended.stderr[-3000:]
    return ended.stdout


def save_models(folder: Path, *, legacy: bool, script: Path = BUILD) -> Path:
    folder.mkdir()
    run_keras(str(script), str(folder), legacy=legacy)
    return folder


def look(probe: str, path: Path, *suspected: str) -> Finding:
    return examine(PROBES[probe], read_model(path), path.name, frozenset(suspected))


def edited(source: Path, target: Path, change: Callable[[dict[str, Any]], None]) -> Path:
    """A copy of a .keras file whose configuration was changed."""
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for name in old.namelist():
            data = old.read(name)
            if name == "config.json":
                config = json.loads(data)
                change(config)
                data = json.dumps(config).encode()
            new.writestr(name, data)
    return target


@pytest.fixture(scope="session")
def keras_3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of models saved by Keras 3."""
    return save_models(tmp_path_factory.mktemp("models") / "keras3", legacy=False)


@pytest.fixture(scope="session")
def keras_2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same models saved by tf_keras."""
    return save_models(tmp_path_factory.mktemp("models") / "keras2", legacy=True)


@pytest.fixture(scope="module", params=[False, True], ids=["keras-3", "tf_keras"])
def saved(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the models of the script that the test file names as BUILD, saved by Keras 3 and by tf_keras."""
    return save_models(tmp_path_factory.mktemp("models") / "saved", legacy=request.param, script=request.module.BUILD)


@pytest.fixture(scope="module")
def workers() -> Iterator[Workers]:
    with Workers() as running:
        yield running


@pytest.fixture(scope="session")
def formats_3(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SavedModels, honest and hostile, and other files of Keras 3 and TensorFlow."""
    return save_models(tmp_path_factory.mktemp("formats") / "keras3", legacy=False, script=BUILD_FORMATS)


@pytest.fixture(scope="session")
def formats_2(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """SavedModels of tf_keras."""
    return save_models(tmp_path_factory.mktemp("formats") / "keras2", legacy=True, script=BUILD_FORMATS)


VARIABLES = (
    "CUDA_VISIBLE_DEVICES",
    "KERAS_BACKEND",
    "KERAS_HOME",
    "TF_USE_LEGACY_KERAS",
    "LD_LIBRARY_PATH",
    "PYTHONPATH",
    "PYTHONDONTWRITEBYTECODE",
)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty current folder with an empty home folder and an empty folder of packages beside it."""
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    for name in ("work", "home", "packages"):
        (tmp_path / name).mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "packages"))
    monkeypatch.chdir(tmp_path / "work")
    return tmp_path


def package(place: Path, name: str, code: str) -> None:
    """A package on PYTHONPATH."""
    folder = place / "packages" / name
    folder.mkdir()
    (folder / "__init__.py").write_text(code, encoding="utf-8")


def installed(place: Path, name: str, version: str, *requires: str, folder: str = "packages", **fields: str) -> Path:
    """The metadata of an installed distribution, as pip leaves them; what it would install isn't there."""
    target = place / folder / f"{name}-{version}.dist-info"
    target.mkdir()
    lines = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
    lines += [f"{field.replace('_', '-')}: {value}" for field, value in fields.items()]
    lines += [f"Requires-Dist: {line}" for line in requires]
    (target / "METADATA").write_text("\n".join(lines) + "\n\nA description.\n", encoding="utf-8")
    return target


def recorded(name: str) -> Environment:
    """An environment as the script reported it."""
    return Environment.from_json(json.loads((ENVIRONMENTS / f"{name}.json").read_text(encoding="utf-8")))


def broken(message: str, output: str = "", error: str = "ImportError", missing_module: str = "") -> Import:
    """An import that raised."""
    return Import("raised", error=error, message=message, missing_module=missing_module, output=output)


@pytest.fixture(scope="session", params=[False, True], ids=["keras-3", "tf_keras"])
def logs(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of the training logs of `build_logs.py`, left by Keras 3 and by tf_keras."""
    script = Path(__file__).with_name("build_logs.py")
    return save_models(tmp_path_factory.mktemp("logs") / "kept", legacy=request.param, script=script)
