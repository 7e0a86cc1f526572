"""On which releases the entries' code was run: written by `record`, shown with each fix."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path

from .lines import Line

RELEASES_PATH = Path(__file__).parent / "traces" / "laboratories.json"


@cache
def releases() -> dict[str, dict[str, str]]:
    """For each laboratory the Keras line (`line`) and the releases (`versions`, e.g. "keras 3.15.1 tensorflow 2.21.0")."""
    if not RELEASES_PATH.exists():
        return {}
    read: dict[str, dict[str, str]] = json.loads(RELEASES_PATH.read_text(encoding="utf-8"))
    return read


def seen_on(lines: tuple[Line, ...]) -> tuple[str, ...]:
    """The releases on which code for these Keras lines was run."""
    return tuple(lab["versions"] for lab in releases().values() if lab["line"] in lines)


def write_release(laboratory: str, line: Line, versions: str) -> None:
    """Note what a laboratory runs."""
    known = {**releases(), laboratory: {"line": line, "versions": versions}}
    RELEASES_PATH.write_text(json.dumps(known, indent=2, sort_keys=True) + "\n", encoding="utf-8")
    releases.cache_clear()
