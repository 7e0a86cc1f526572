"""What is installed for an interpreter, and what hides it. A part of `environment_script`.

Standard library and Python 3.7 syntax only, like the script. The metadata are read as files: Python 3.7 has no
importlib.metadata, which moreover hides the second of two installations of the same package.
"""

from __future__ import annotations

import os
import re
import site
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

DISTRIBUTIONS = re.compile(
    r"(tensorflow(-cpu|-gpu|-intel|-macos|-metal|-rocm|-directml-plugin|-cpu-aws|-aarch64|-estimator)?|"
    r"tf-nightly(-cpu|-gpu)?|keras(-nightly|-applications|-preprocessing|-core|-cv|-hub|-nlp)?|tf-keras(-nightly)?|"
    r"numpy|protobuf|h5py|ml-dtypes|jax|jaxlib|torch|jax-cuda.*|nvidia-.*)$",
)
TOPS = ("tensorflow", "keras", "tf_keras", "numpy", "h5py", "protobuf", "google", "ml_dtypes", "jax", "jaxlib", "torch")
# Packages that people name their example after. A folder of packages may lie on PYTHONPATH, a file among them is no package.
NAMED_AFTER = frozenset((*TOPS, "scipy", "pandas", "sklearn", "matplotlib", "cv2", "PIL", "tensorboard"))
FOLDER = re.compile(r"(?P<name>[^-]+)(-(?P<version>[^-]+)(-py[\d.]+.*)?)?\.(dist|egg)-info$")
SUFFIXES = (".py", ".pyc", ".so", ".pyd")
MAX_METADATA = 300_000
MAX_LINES = 150
MAX_LINE = 300


def listing(folder: Path) -> list[str]:
    """The names in a folder, none if it is missing or not ours to read."""
    try:
        return sorted(entry.name for entry in folder.iterdir())
    except OSError:
        return []


def canonical(name: str) -> str:
    """The name of a distribution as it is compared (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def installations(path: list[str]) -> Iterator[tuple[str, str, Path]]:
    """The name, version and folder of metadata of each installation on `path`, in the order in which they count."""
    for folder in dict.fromkeys(path):
        for entry in listing(Path(folder)):
            match = FOLDER.match(entry)
            if match:
                yield canonical(match.group("name")), match.group("version") or "", Path(folder, entry)


def packages(path: list[str]) -> list[dict[str, Any]]:
    """The installed distributions that matter, with what they say of themselves; each installation, also a second one."""
    wanted = [place for name, _, place in installations(path) if DISTRIBUTIONS.match(name)]
    return [found for place in wanted for found in metadata(place)]


def metadata(place: Path) -> Iterator[dict[str, Any]]:
    """What a folder of metadata says; nothing where an interrupted installation left it empty."""
    from email.parser import HeaderParser  # noqa: PLC0415 - slow, and the doctor's own process never gets here

    file = next((f for f in (place / "METADATA", place / "PKG-INFO", place) if f.is_file()), None)
    if file is None:
        return
    with file.open(encoding="utf-8", errors="replace") as opened:
        fields = HeaderParser().parsestr(opened.read(MAX_METADATA))
    if not fields["Name"] or not fields["Version"]:
        return
    requires = [str(line)[:MAX_LINE] for line in fields.get_all("Requires-Dist", [])]
    kinds = re.findall(r"Python :: (3\.\d+)\s*$", "\n".join(map(str, fields.get_all("Classifier", []))), re.MULTILINE)
    yield {
        "name": canonical(str(fields["Name"])),
        "version": str(fields["Version"])[:80],
        "folder": str(place.parent),
        "requires": requires[:MAX_LINES],
        "requires_python": str(fields["Requires-Python"] or "")[:MAX_LINE],
        "pythons": kinds[:MAX_LINES],
    }


def required(path: list[str], known: list[dict[str, Any]]) -> dict[str, str]:
    """The versions of what the known distributions require, where it is installed: of nobody's other packages."""
    lines = [line for package in known for line in package["requires"]]
    matches = [re.match(r"[A-Za-z0-9][\w.-]*", line) for line in lines]
    wanted = {canonical(match.group()) for match in matches if match}
    found: dict[str, str] = {}
    for name, version, place in installations(path):
        told = next(metadata(place), {}) if name in wanted and name not in found else {}
        if told:
            found[name] = told["version"] or version
    return found


def leftovers(path: list[str]) -> list[str]:
    """What interrupted installations left: packages renamed by pip ("~ensorflow"), metadata without content."""
    found = []
    for folder in dict.fromkeys(path):
        for entry in listing(Path(folder)) if folder else ():
            cut = re.match(r"[~-]+(\w{2,})", entry)
            if cut and any(top.endswith(cut.group(1).lower()) for top in TOPS):
                found.append(str(Path(folder, entry)))
    empty = [place for name, _, place in installations(path) if DISTRIBUTIONS.match(name) and not list(metadata(place))]
    return (found + [str(place) for place in empty])[:MAX_LINES]


def user_site(path: list[str]) -> str:
    """The user's own folder of packages, if it is on the path: it comes before that of the interpreter."""
    folder = site.getusersitepackages()
    return folder if folder in path else ""


def own_folders(path: list[str], library: str) -> list[str]:
    """The folders that come before the standard library: the current one and those of PYTHONPATH."""
    ends = [i for i, entry in enumerate(path) if entry == library or entry.endswith(".zip")]
    return list(dict.fromkeys(path[: min(ends, default=0)]))


def shadows(path: list[str], library: str) -> list[dict[str, str]]:
    """Files and packages of the user's own folders that Python imports instead of what their name stands for."""
    standard = frozenset(getattr(sys, "stdlib_module_names", ())) or frozenset(
        re.sub(r"\.py$", "", entry) for entry in listing(Path(library))
    )
    return [
        found
        for folder in own_folders(path, library)
        for entry in listing(Path(folder))
        for found in shadow(folder, entry, standard - {"site-packages", "__pycache__"})
    ][:MAX_LINES]


def shadow(folder: str, entry: str, standard: frozenset[str]) -> Iterator[dict[str, str]]:
    """One entry of a folder of the user's, if it hides a module."""
    module = entry.partition(".")[0]
    place = Path(folder, entry)
    is_file = entry.endswith(SUFFIXES) and place.is_file()
    is_package = not is_file and entry == module and (place / "__init__.py").is_file()
    kind = "standard library" if module in standard else "package" if module in NAMED_AFTER else ""
    if kind == "package" and is_package and folder and Path(folder).resolve() != Path.cwd():
        kind = ""
    if kind and (is_file or is_package):
        file = os.path.realpath(str(place / "__init__.py" if is_package else place))
        yield {"name": entry, "folder": folder or ".", "hides": module, "kind": kind, "file": file}
