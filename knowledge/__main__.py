"""Chores of the knowledge base: `python -m kerasdoctor.knowledge CHORE`.

try [TOPIC...]      run the blocks of entries (default: all) in every laboratory that is built, and tell what failed
record [TOPIC...]   the same, and keep what the broken blocks printed under traces/LABORATORY/
"""

from __future__ import annotations

import argparse
import os
import sys
from concurrent.futures import ThreadPoolExecutor

from .entry import load_entry, topic_ids
from .laboratory import PLACES, Run
from .recording import keep, run_entries, unproven_signatures


def main() -> int:
    """Run the chore that the command line names; 0 when everything held."""
    parser = argparse.ArgumentParser(prog="python -m kerasdoctor.knowledge", description="Run the entries' code.")
    parser.add_argument("chore", choices=["try", "record"])
    parser.add_argument("topics", nargs="*", help="ids of entries; default: all")
    parser.add_argument("--lab", choices=[place.name for place in PLACES], help="only this laboratory")
    parser.add_argument("--show", action="store_true", help="print the output of every block")
    options = parser.parse_intermixed_args()
    entries = [load_entry(topic) for topic in options.topics or topic_ids()]
    built = [place for place in PLACES if options.lab in (None, place.name) and place.python.exists()]

    def tell(headline: str, run: Run) -> None:
        if options.show:
            _say(f"{headline}\n{run.output[-4000:]}")

    failures: list[str] = []
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        outcomes = list(pool.map(lambda place: run_entries(place, entries, tell), built))
    for outcome in outcomes:
        failures += [failure for of_topic in outcome.failures.values() for failure in of_topic]
        _say(f"{outcome.place.name}: {outcome.versions}, {len(outcome.failures)} failures")
        if options.chore == "record":
            keep(outcome)
    if options.lab is None:
        failures += unproven_signatures(entries, outcomes)
    _say("\n".join(failures) or "everything held")
    return 1 if failures else 0


def _say(text: str) -> None:
    sys.stdout.write(text + "\n")


if __name__ == "__main__":
    sys.exit(main())
