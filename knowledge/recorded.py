"""What the entries' code printed when it was run: written by `record`, read by the index, the fixes and the tests.

traces/laboratories.json     which releases each laboratory runs
traces/LABORATORY/ran.json   for each topic a digest of the blocks that did there what they promise
traces/LABORATORY/TOPIC.txt  what the topic's broken blocks printed there, in their order
"""

from __future__ import annotations

import hashlib
import json
from functools import cache
from pathlib import Path

from .entry import Block, Entry
from .lines import LABORATORIES

TRACES = Path(__file__).parent / "traces"
RELEASES = TRACES / "laboratories.json"
SEPARATOR = "\f\n"


def traces_of(topic: str) -> dict[str, list[str]]:
    """What a topic's broken blocks printed, by laboratory."""
    paths = {name: TRACES / name / f"{topic}.txt" for name in LABORATORIES}
    return {n: path.read_text(encoding="utf-8").split(SEPARATOR) for n, path in paths.items() if path.is_file()}


def write_traces(laboratory: str, topic: str, printed: list[str]) -> None:
    """Keep what a topic's broken blocks printed in a laboratory."""
    path = TRACES / laboratory / f"{topic}.txt"
    if not printed:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(SEPARATOR.join(printed), encoding="utf-8")


def blocks_in(entry: Entry, laboratory: str) -> list[Block]:
    """The blocks of an entry that are executed in a laboratory."""
    return [block for block in entry.blocks if block.language == "python" and laboratory in block.laboratories]


def digest(entry: Entry, laboratory: str) -> str:
    """A digest of the code that an entry has for a laboratory: another one means that it must be run again."""
    parts = [f"{block.role}\n{block.code}" for block in blocks_in(entry, laboratory)]
    return hashlib.sha256("\f".join(parts).encode()).hexdigest()[:12] if parts else ""


def ran(laboratory: str) -> dict[str, str]:
    """For each topic the digest of the blocks that did what they promise when they were last run there."""
    path = TRACES / laboratory / "ran.json"
    read: dict[str, str] = json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}
    return read


def write_run(laboratory: str, versions: str, digests: dict[str, str]) -> None:
    """Note which releases a laboratory runs and the digests of the topics that were run ("" for one without code)."""
    _write(RELEASES, {**releases(), laboratory: versions})
    releases.cache_clear()
    _write(TRACES / laboratory / "ran.json", {t: d for t, d in {**ran(laboratory), **digests}.items() if d})


@cache
def releases() -> dict[str, str]:
    """The releases that each laboratory runs, as "keras 3.15.1 with tensorflow 2.21.0"."""
    read: dict[str, str] = json.loads(RELEASES.read_text(encoding="utf-8")) if RELEASES.is_file() else {}
    return read


def seen_on(block: Block) -> tuple[str, ...]:
    """The releases on which a block was run and did what it promises."""
    if block.language != "python":
        return ()
    return tuple(releases()[name] for name in block.laboratories if name in releases())


def _write(path: Path, value: dict[str, str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(value, indent=2, sort_keys=True) + "\n", encoding="utf-8")
