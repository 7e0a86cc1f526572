"""Chores of the knowledge base: `python -m kerasdoctor.knowledge CHORE`.

try [TOPIC...]      run the blocks of entries (default: all) in every laboratory that is built, and tell what came out
record [TOPIC...]   the same, and write what the broken blocks printed to traces/LABORATORY/TOPIC.txt
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from .entry import Entry, load_entry, topic_ids
from .laboratory import PLACES, Laboratory, Place, judge, proves, unproven
from .recorded import write_release

TRACES = Path(__file__).parent / "traces"


def main() -> int:
    """Run the chore that the command line names; 0 when everything held."""
    parser = argparse.ArgumentParser(prog="python -m kerasdoctor.knowledge", description="Run the entries' code.")
    parser.add_argument("chore", choices=["try", "record"])
    parser.add_argument("topics", nargs="*", help="ids of entries; default: all")
    parser.add_argument("--lab", choices=[place.name for place in PLACES], help="only this laboratory")
    parser.add_argument("--show", action="store_true", help="print the output of every block")
    options = parser.parse_intermixed_args()
    entries = [load_entry(topic) for topic in options.topics or topic_ids()]
    failures = 0
    printed: dict[str, list[str]] = {entry.id: [] for entry in entries}
    for place in PLACES:
        if options.lab in (None, place.name) and place.python.exists():
            record = options.chore == "record"
            failures += run_place(place, entries, printed, record=record, show=options.show)
    if options.lab is None:
        failures += report_unproven(entries, printed)
    return 1 if failures else 0


def report_unproven(entries: list[Entry], printed: dict[str, list[str]]) -> int:
    """Tell which signatures no broken block printed and no described message contains; returns their number."""
    number = 0
    for entry in entries:
        for signature in unproven(entry, printed[entry.id]):
            _say(f"FAIL {entry.id}: signature '{signature}' was neither printed nor described")
            number += 1
    return number


def run_place(place: Place, entries: list[Entry], printed: dict[str, list[str]], *, record: bool, show: bool) -> int:
    """Run all blocks that name the place's line, collect in `printed` what the broken ones print.

    Returns how many did not do what they promise.
    """
    failures = 0
    with Laboratory(place) as laboratory:
        for entry in entries:
            traces: list[str] = []
            for block in entry.blocks:
                if block.language != "python" or place.line not in block.lines:
                    continue
                run = laboratory.run(block.code)
                wrong = judge(entry, block, run)
                failures += wrong is not None
                _say(
                    f"{'FAIL' if wrong else 'ok  '} {place.name} {entry.id} block {block.number} {block.role}: {wrong}"
                )
                if show or wrong:
                    _say(run.output[-4000:])
                if block.role == "broken" and not wrong and proves(entry, run):
                    traces.append(run.output)
            printed[entry.id] += traces
            if record:
                _write(place, entry, traces)
        if record:
            write_release(place.name, place.line, laboratory.versions)
    return failures


def _write(place: Place, entry: Entry, traces: list[str]) -> None:
    path = TRACES / place.name / f"{entry.id}.txt"
    if not traces:
        path.unlink(missing_ok=True)
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\f\n".join(traces), encoding="utf-8")


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
