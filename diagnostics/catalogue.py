"""The list of all probes, read from a file: importing fifty probes to name one would cost each command a tenth of a second.

`python -m kerasdoctor.diagnostics.catalogue` writes the file. It holds a digest of the probes' sources: where it is missing or
stale, the probes themselves are asked.
"""

from __future__ import annotations

import json
from dataclasses import asdict
from functools import cache
from hashlib import sha256
from importlib import import_module
from pathlib import Path

from ..errors import SubjectError
from .decoding import decode
from .probe import Listed, Probe, SubjectKind, all_probes

FILE = Path(__file__).with_name("probes.json")


@cache
def listed_probes() -> tuple[Listed, ...]:
    """Every probe, sorted by id, without importing it."""
    try:
        written = json.loads(FILE.read_text(encoding="utf-8"))
        if written["sources"] == _sources():
            return tuple(decode(Listed, each, FILE.name) for each in written["probes"])
    except (OSError, ValueError, KeyError, TypeError, SubjectError):
        pass  # never written, or by another release: ask the probes
    return all_probes()


def probe_of(ident: str) -> Probe:
    """A probe by its id, which is the name of its module."""
    module = import_module(f".probes.{ident.replace('-', '_')}", __package__)
    found: Probe = module.PROBE
    return found


def probes_of(*kinds: SubjectKind, only: frozenset[str] = frozenset()) -> list[Probe]:
    """The probes for some kinds of subject, all or those that `only` names; no others are imported."""
    listed = [each for each in listed_probes() if each.subject in kinds and (not only or each.id in only)]
    return [probe_of(each.id) for each in listed]


def write() -> None:
    """Write the list."""
    probes = [asdict(Listed(probe.id, probe.subject, probe.promise, probe.topics)) for probe in all_probes()]
    text = json.dumps({"sources": _sources(), "probes": probes}, ensure_ascii=False, indent=1)
    FILE.write_text(text, encoding="utf-8")


def _sources() -> str:
    digest = sha256()
    for path in sorted(Path(__file__).with_name("probes").glob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()


if __name__ == "__main__":
    write()
