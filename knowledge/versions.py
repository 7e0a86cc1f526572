"""Version numbers and Keras lines that a pasted text gives away."""

from __future__ import annotations

import re
from collections.abc import Iterable

from .lines import Line
from .symptoms import Versions

_NUMBER = (
    r"v?(\d{1,2}\.\d{1,2}(?:\.\d{1,3})?(?:(?:rc|a|b|\.dev|\.post)\d{1,3})?)"
    r"(?![\d.]*[xX%]|\s+(?:or|and) (?:higher|newer|later|above|greater))"
)
_BETWEEN = (
    r"(?:[ _-]?(?:gpu|cpu|nightly|intel|macos))?\s{0,3}(?:version|versions|版本)?\s{0,3}(?:number|is|are|was|号|为|是)?"
)
_SIGN = r"\s{0,3}(?:==|=|:|：|\(|-|>|->)?\s{0,3}[\"'(]?"
_ATTRIBUTE = r"\.(?:__version__|version\.VERSION)\)?[^\d\n]{0,12}\n?(?:>>> )?[^\d\n]{0,6}[\"']"
_KERAS = re.compile(rf"(?<![A-Za-z0-9_/.-])keras(?:{_BETWEEN}{_SIGN}|{_ATTRIBUTE}){_NUMBER}", re.IGNORECASE)
_TENSORFLOW = re.compile(
    rf"(?<![A-Za-z0-9_/.-])(?:tensor[ -]?flow|tf)(?:{_BETWEEN}{_SIGN}|{_ATTRIBUTE}){_NUMBER}", re.IGNORECASE
)
_PYTHON = re.compile(rf"(?<![A-Za-z0-9_/.-])python(?:{_BETWEEN}{_SIGN}){_NUMBER}", re.IGNORECASE)
_EGG = re.compile(r"(keras|tensorflow)-(\d+\.\d+(?:\.\d+)?)-py(\d\.\d+)", re.IGNORECASE)
_PYTHON_PATH = re.compile(
    r"python(\d\.\d{1,2})/(?:site|dist)-packages|[Pp]ython(3)(\d{1,2})(?:-\d\d)?[/\\]", re.IGNORECASE
)
_BARE_KERAS_3 = re.compile(r"(?<![A-Za-z0-9_/.-])keras[ -]{0,2}3(?![\w.]*\d)", re.IGNORECASE)


def versions_in(text: str) -> Versions:
    """The versions that a text names, in words, in `__version__` output or in paths; of several, the last."""
    keras = _last(_KERAS, text) or ("3" if _BARE_KERAS_3.search(text) else None)
    tensorflow = _last(_TENSORFLOW, text)
    python = _last(_PYTHON, text)
    for package, number, interpreter in _EGG.findall(text):
        keras = keras or (number if package.lower() == "keras" else None)
        tensorflow = tensorflow or (number if package.lower() == "tensorflow" else None)
        python = python or interpreter
    if python is None and (path := _PYTHON_PATH.search(text)):
        python = path[1] or f"{path[2]}.{path[3]}"
    return Versions(keras=keras, tensorflow=tensorflow, python=python)


def _last(pattern: re.Pattern[str], text: str) -> str | None:
    found = None
    for match in pattern.finditer(text):
        found = match[1]
    return found


# Which folders exist in which line, from the packages' own file lists (Keras 1.2.2 to 3.15, TensorFlow 1.15 to 2.21).
_HINTS: tuple[tuple[str, Line], ...] = (
    ("/keras/_tf_keras/", "keras-3"),
    ("/keras/src/engine/", "keras-2"),
    ("/keras/src/backend/", "keras-3"),
    ("/keras/src/trainers/", "keras-3"),
    ("/keras/src/ops/", "keras-3"),
    ("/keras/src/models/", "keras-3"),
    ("/keras/src/layers/layer.py", "keras-3"),
    ("/keras/src/layers/input_spec.py", "keras-3"),
    ("/keras/src/saving/serialization_lib.py", "keras-3"),
    ("/tf_keras/", "keras-2"),
    ("/keras/legacy/interfaces.py", "keras-2.2"),
    ("/keras/engine/topology.py", "keras-2.2"),
    ("/keras/engine/saving.py", "keras-2.2"),
    ("/keras/backend/tensorflow_backend.py", "keras-2.2"),
    ("/keras/backend/load_backend.py", "keras-2.2"),
    ("/keras/engine/data_adapter.py", "keras-2"),
    ("/keras/engine/functional.py", "keras-2"),
    ("/keras/engine/keras_tensor.py", "keras-2"),
    ("/keras/saving/hdf5_format.py", "keras-2"),
    ("/tensorflow/python/client/session.py", "keras-2.2"),
    ("/tensorflow/python/keras/", "keras-2"),
)


# How the two lines tell that a layer failed (utils/traceback_utils.py of Keras 2.12 and 3.0).
_WORDINGS: tuple[tuple[re.Pattern[str], Line], ...] = (
    (
        re.compile(r"Exception encountered when calling \w{1,80}\.call\(\)|Arguments received by \w{1,80}\.call\(\)"),
        "keras-3",
    ),
    (re.compile(r"Exception encountered when calling layer ['\"]|Call arguments received by layer"), "keras-2"),
    (re.compile(r"KerasTensor\(type_spec=|keras\.engine\.\w"), "keras-2"),
    (re.compile(r"<KerasTensor shape=|DTypePolicy"), "keras-3"),
)


def hint_of(paths: Iterable[str], messages: Iterable[str]) -> Line | None:
    """The Keras line that files of a call stack, or else the wording of messages, belong to; None when none is telling."""
    files = [path.replace("\\", "/") for path in paths]
    for folder, line in _HINTS:
        if any(folder in path for path in files):
            return line
    text = "\n".join(messages)
    return next((line for pattern, line in _WORDINGS if pattern.search(text)), None)
