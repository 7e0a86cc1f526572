"""Hostile model files, each made of a sound one, for `make examination-bench`: who refuses which."""

from __future__ import annotations

import copy
import pickle
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
from planted_files import Json, Opened
from planted_models import lambda_in, module


class _Runs:
    def __reduce__(self) -> tuple[object, tuple[str]]:
        import os  # noqa: PLC0415

        return os.system, ("true",)


def inner_lambda(model: Opened) -> bool:
    """The Lambda is a layer of a model in the model."""
    lambda_in(model)
    layers = model.layers
    inner = {"module": "keras", "class_name": "Sequential", "registered_name": None}
    layers[1] = inner | {
        "config": {"name": "inner", "trainable": True, "layers": [copy.deepcopy(layers[0]), layers[1]]}
    }
    return True


def wrapped_lambda(model: Opened) -> bool:
    """The Lambda is in a wrapper."""
    lambda_in(model)
    written: Json = {"name": "each", "trainable": True, "layer": model.layers[1]}
    model.layers[1] = {
        "module": "keras.layers",
        "class_name": "TimeDistributed",
        "config": written,
        "registered_name": None,
    }
    return True


def saved_model(model: Opened) -> bool:
    """A layer that loads and runs another SavedModel."""
    config = {"name": "other", "filepath": "/tmp/other", "call_endpoint": "serve"}  # noqa: S108 - never opened
    model.layers.insert(
        1, {"module": "keras.layers", "class_name": "TFSMLayer", "config": config, "registered_name": None}
    )
    return True


def torch_pickle(model: Opened) -> bool:
    """A layer whose configuration holds a pickle."""
    config = {"name": "torch", "module": {"class_name": "__torch__", "config": {"bytes": "gASV"}}}
    written = {"module": "keras.layers", "class_name": "TorchModuleWrapper", "config": config, "registered_name": None}
    model.layers.insert(1, written)
    return True


CONFIGURATIONS: dict[str, Callable[[Opened], bool]] = {
    "a Lambda with bytecode": lambda_in,
    "a Lambda in a nested model": inner_lambda,
    "a Lambda in a wrapper": wrapped_lambda,
    "an activation that is os.system": module("os", "system"),
    "an activation that is builtins.exec": module("builtins", "exec"),
    "a function of keras.utils (get_file)": module("keras.utils", "get_file"),
    "a layer that runs another SavedModel": saved_model,
    "a layer with a torch pickle": torch_pickle,
}


def added(name: str, data: bytes) -> Callable[[Path], None]:
    """An archive with a member more."""

    def change(path: Path) -> None:
        with zipfile.ZipFile(path, "a") as archive:
            archive.writestr(name, data)

    return change


def linked(path: Path) -> None:
    """An array that is read from another file."""
    with h5py.File(path, "r+") as file:
        group = file["model_weights"]
        name = next(iter(group))
        del group[name]
        group[name] = h5py.ExternalLink("/etc/hostname", "/")


def bomb(path: Path) -> None:
    """A member that unpacks to 200 MB."""
    with zipfile.ZipFile(path, "a", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("assets/zeros.txt", b"\0" * (200 << 20))


ARCHIVES: dict[str, tuple[str, Callable[[Path], None]]] = {
    "a member outside of the archive (../)": (".keras", added("../../.bashrc", b"true\n")),
    "a pickle among the members": (".keras", added("assets/state.pkl", pickle.dumps(_Runs()))),
    "a bomb among the members": (".keras", bomb),
    "an HDF5 link to another file": (".h5", linked),
}


def made(sound: dict[str, Path], folder: Path) -> list[tuple[str, Path]]:
    """All of them: what each is, and the file.

    Args:
        sound: a sound model as .keras and as .h5, by suffix.
        folder: where they are written.
    """
    files = []
    for name, change in CONFIGURATIONS.items():
        for suffix, source in sound.items():
            opened = Opened(source)
            change(opened)
            path = folder / f"{len(files)}{suffix}"
            opened.write(path)
            files.append((f"{name}, {suffix}", path))
    for name, (suffix, spoil) in ARCHIVES.items():
        path = folder / f"{len(files)}{suffix}"
        path.write_bytes(sound[suffix].read_bytes())
        spoil(path)
        files.append((f"{name}, {suffix}", path))
    return files
