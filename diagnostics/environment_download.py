"""The script that reports an environment, with its parts, as one file to be carried to another machine."""

from __future__ import annotations

from functools import cache
from pathlib import Path

PARTS = ("environment_script.py", "environment_machine.py", "environment_packages.py")
_HEAD = '''"""Tells what this Python environment holds, as one JSON object: python -I environment.py > environment.json

Standard library only, Python 3.7 or newer; nothing is installed, changed or sent. Home folder, user and machine are masked.
"""

import os
import runpy
import sys
import tempfile

FILES = {}
'''
_TAIL = """
with tempfile.TemporaryDirectory() as folder:
    for name in FILES:
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write("\\n".join(FILES[name]) + "\\n")
    sys.dont_write_bytecode = True
    runpy.run_path(os.path.join(folder, "environment_script.py"), run_name="__main__")
"""


@cache
def single_file() -> str:
    """The text of the script. It unpacks its parts into a folder of its own, which is gone afterwards."""
    return _HEAD + "".join(_packed(name) for name in PARTS) + _TAIL


def _packed(name: str) -> str:
    """A part, line by line, so that whoever runs it can read it first."""
    source = Path(__file__).with_name(name).read_text(encoding="utf-8")
    lines = "".join(f"    {line!a},\n" for line in source.splitlines())
    return f"\nFILES[{name!r}] = [\n{lines}]\n"
