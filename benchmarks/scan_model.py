"""Scans a file with ModelScan in a process that stays warm: `python scan_model.py`, with the Python of .labs/scan.

Requests are paths, one a line; the answer is the seconds it took and how many issues were found.
"""

from __future__ import annotations

import json
import os
import sys
import time

from modelscan.modelscan import ModelScan


def main() -> None:
    """Answer requests until they end."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    print(json.dumps({"ready": True}), file=answers, flush=True)
    for line in sys.stdin:
        started = time.perf_counter()
        results = ModelScan().scan(line.strip())
        taken = time.perf_counter() - started
        told = {
            "seconds": taken,
            "issues": [f"{issue['severity']}: {issue['description'][:160]}" for issue in results.get("issues", [])],
            "errors": [str(each)[:200] for each in results.get("errors", [])],
            "skipped": [str(each)[:200] for each in results["summary"].get("skipped", {}).get("skipped_files", [])],
        }
        print(json.dumps(told), file=answers, flush=True)


if __name__ == "__main__":
    main()
