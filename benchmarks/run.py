"""Measures what the design promises, each beside its alternative in the same run: `make bench`.

Times are medians of runs that alternate, so that a noisy machine hurts both sides; compare the ratios.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import h5py
import numpy as np
from kerasdoctor.diagnostics.catalogue import probes_of
from kerasdoctor.diagnostics.model_file import read_model
from kerasdoctor.diagnostics.probe import examine
from kerasdoctor.knowledge.matcher import Matcher
from kerasdoctor.knowledge.parser import parse
from kerasdoctor.knowledge.recorded import traces_of

ROOT = Path(__file__).parents[1]
KERASDOCTOR = str(Path(sys.executable).with_name("kerasdoctor"))
RUNS = 15
MEGABYTE = 1_000_000


def seconds(action: Callable[[], object]) -> float:
    """The time that one run takes."""
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


def process(*command: str) -> Callable[[], object]:
    """A whole process, its output thrown away."""
    return lambda: subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False)


def start_up() -> None:
    """`kerasdoctor explain` as a whole process against importing scikit-learn's TF-IDF alone."""
    ours = process(KERASDOCTOR, "explain", str(ROOT / "examples" / "error.txt"))
    theirs = process(sys.executable, "-c", "import sklearn.feature_extraction.text")
    pairs = [(seconds(ours), seconds(theirs)) for _ in range(RUNS + 1)][1:]
    ours_median, theirs_median = (statistics.median(times) for times in zip(*pairs, strict=True))
    print("start-up, whole process")
    print(f"  kerasdoctor explain                            {ours_median * 1000:8.0f} ms")
    print(f"  python -c 'import sklearn.feature_extraction.text' {theirs_median * 1000:4.0f} ms")
    print(f"  ratio {ours_median / theirs_median:.2f} (to reach: under 0.33)")


def matching() -> None:
    """One match in a running service."""
    matcher = Matcher.load()
    texts = [
        text
        for topic in matcher.index.topics[::3]
        for recorded in list(traces_of(topic).values())[:1]
        for text in recorded[:1]
    ]
    for text in texts[:5]:
        matcher.match(parse(text))
    times = [seconds(lambda t=text: matcher.match(parse(t))) * 1000 for text in texts]
    print(f"one match in a running process, {len(texts)} recorded traces, {len(matcher.index.topics)} topics")
    print(f"  median {statistics.median(times):.1f} ms, 90th percentile {sorted(times)[int(len(times) * 0.9)]:.1f} ms")


def hostile() -> dict[str, str]:
    """A megabyte of each kind of text that parsers choke on."""

    def fill(piece: str) -> str:
        return (piece * (MEGABYTE // len(piece) + 1))[:MEGABYTE]

    random = np.random.default_rng(0)
    return {
        "one line of letters": fill("a"),
        "only newlines": fill("\n"),
        "only spaces": fill(" "),
        "open brackets": fill("("),
        "quote marks": fill("> > >\n"),
        "escape sequences": fill("\x1b[0;"),
        "frames": fill('  File "a.py", line 1, in f\n    x()\n'),
        "headers": fill("Traceback (most recent call last):\n"),
        "exceptions": fill("ValueError: x\n"),
        "exceptions on one line": fill("ValueError: "),
        "dotted names": fill("a.b.c."),
        "notebook frames": fill("/a/b.py in f(x)\n----> 1 f(x)\n"),
        "log lines": fill("2024-01-01 00:00:00.000: E a/b.cc:1] x\n"),
        "progress bars": fill("1/2 [====>] - ETA\r"),
        "version words": fill("keras version tensorflow-gpu "),
        "Chinese": fill("训练报错"),
        "random characters": "".join(map(chr, random.integers(1, 0x3000, MEGABYTE))),
        "random printable": "".join(map(chr, random.integers(10, 127, MEGABYTE))),
    }


def parsing() -> None:
    """The parser on a megabyte of hostile text."""
    print("parsing 1 MB (to reach: under 100 ms)")
    for name, text in hostile().items():
        best = min(seconds(lambda t=text: parse(t)) for _ in range(3))
        tracemalloc.start()
        parse(text)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        print(f"  {name:24} {best * 1000:6.1f} ms  {peak / 1e6:5.1f} MB")


def examining() -> None:
    """Static examination of model files of two sizes: flat in the weights' size."""
    print("static examination, all probes of models, weights of 1 MB and of 100 MB")
    with tempfile.TemporaryDirectory() as folder:
        for megabytes in (1, 100):
            for path in big_models(Path(folder), megabytes):
                times = [seconds(lambda p=path: examine_all(p)) for _ in range(5)]
                size = path.stat().st_size / 1e6
                print(
                    f"  {path.suffix:6} {size:6.0f} MB  {statistics.median(times) * 1000:6.1f} ms (to reach: under 20 ms)"
                )


def examine_all(path: Path) -> None:
    """Read a model and look at it with every probe of models."""
    model = read_model(path)
    for probe in probes_of("model"):
        examine(probe, model, path.name, frozenset())


def big_models(folder: Path, megabytes: int) -> list[Path]:
    """The example model with weights of a given size, in both containers."""
    with zipfile.ZipFile(ROOT / "examples" / "digits.keras") as example:
        config, metadata = example.read("config.json"), example.read("metadata.json")
    weights = np.random.default_rng(0).standard_normal(megabytes * 125_000)
    hdf5 = folder / f"{megabytes}.h5"
    with h5py.File(hdf5, "w") as file:
        file.attrs["model_config"] = config.decode()
        file.attrs["keras_version"] = json.loads(metadata)["keras_version"]
        file["model_weights/dense/kernel"] = weights
    keras = folder / f"{megabytes}.keras"
    with zipfile.ZipFile(keras, "w") as archive:
        archive.writestr("config.json", config)
        archive.writestr("metadata.json", metadata)
        archive.write(hdf5, "model.weights.h5")
    return [hdf5, keras]


def main() -> None:
    """All measurements, or those named on the command line."""
    every = {f.__name__: f for f in (start_up, matching, parsing, examining)}
    os.environ.setdefault("COLUMNS", "80")
    for name in sys.argv[1:] or every:
        every[name]()


if __name__ == "__main__":
    main()
