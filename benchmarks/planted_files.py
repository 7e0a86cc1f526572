"""Opens a sound model file, lets a mutation change its configuration or its arrays, and writes a copy."""

from __future__ import annotations

import json
import shutil
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py

Json = dict[str, Any]


@dataclass(frozen=True)
class Mutation:
    """A kind of fault: the probe that promises to find it, the topic that it should name, and how it is planted.

    `plant` changes what it is given and returns False where the fault cannot be planted in it. `subjects` is a regular
    expression of those in which it is a fault at all: a relu must be there to die. Without a topic, a finding is enough.
    """

    probe: str
    name: str
    topic: str
    plant: Callable[[Any], bool]
    subjects: str = ""


class Opened:
    """The configuration of a model file, to be changed: `config` (the model's), `compiled`, and its `layers`."""

    def __init__(self, path: Path) -> None:
        """Read it."""
        self.path = path
        if path.suffix == ".keras":
            with zipfile.ZipFile(path) as archive:
                self.members = {name: archive.read(name) for name in archive.namelist()}
            self.whole: Json = json.loads(self.members["config.json"])
            self.compiled: Json = self.whole.get("compile_config") or {}
            self.metadata: Json = json.loads(self.members["metadata.json"])
        else:
            with h5py.File(path, "r") as file:
                self.whole = json.loads(file.attrs["model_config"])
                self.compiled = json.loads(file.attrs["training_config"])
                self.metadata = {"keras_version": file.attrs["keras_version"]}
        self.config: Json = self.whole["config"]

    @property
    def keras_3(self) -> bool:
        """Whether Keras 3 wrote it."""
        return str(self.metadata["keras_version"]).startswith("3")

    @property
    def sequential(self) -> bool:
        """Whether it is a Sequential model."""
        return bool(self.whole["class_name"] == "Sequential")

    @property
    def layers(self) -> list[Json]:
        """The layers of the outer model, as dictionaries."""
        found: list[Json] = self.config["layers"]
        return found

    def every(self) -> Iterator[Json]:
        """The layers of all models in the file."""
        yield from _walk(self.layers)

    def of(self, *classes: str) -> list[Json]:
        """The layers of some classes."""
        return [layer for layer in self.every() if layer["class_name"] in classes]

    def hidden(self, *classes: str) -> list[Json]:
        """The same without those that end the model."""
        ends = self.ends()
        return [layer for layer in self.of(*classes) if layer not in ends]

    def ends(self) -> list[Json]:
        """The layers that give the outputs."""
        if self.sequential:
            return self.layers[-1:]
        names = [each[0] if isinstance(each, list) else each for each in self.config["output_layers"]]
        return [layer for layer in self.layers if layer["config"]["name"] in names]

    def write(self, path: Path) -> None:
        """Write it with its changes."""
        if path.suffix == ".keras":
            if self.compiled:
                self.whole["compile_config"] = self.compiled
            members = self.members | {
                "config.json": json.dumps(self.whole).encode(),
                "metadata.json": json.dumps(self.metadata).encode(),
            }
            with zipfile.ZipFile(path, "w") as archive:
                for name, data in members.items():
                    archive.writestr(name, data)
            return
        shutil.copyfile(self.path, path)
        with h5py.File(path, "r+") as file:
            file.attrs["model_config"] = json.dumps(self.whole)
            file.attrs["training_config"] = json.dumps(self.compiled)
            file.attrs["keras_version"] = self.metadata["keras_version"]


def _walk(layers: list[Json]) -> Iterator[Json]:
    for layer in layers:
        yield layer
        yield from _walk(layer["config"].get("layers", []))


@contextmanager
def arrays(path: Path) -> Iterator[h5py.File]:
    """The HDF5 file with the arrays of a model file, open for writing; an archive gets it back."""
    if path.suffix != ".keras":
        with h5py.File(path, "r+") as file:
            yield file
        return
    with tempfile.TemporaryDirectory() as folder:
        with zipfile.ZipFile(path) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
        inside = Path(folder) / "model.weights.h5"
        inside.write_bytes(members["model.weights.h5"])
        with h5py.File(inside, "r+") as file:
            yield file
        members["model.weights.h5"] = inside.read_bytes()
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
