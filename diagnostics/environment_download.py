"""The script that examines an environment, as one file: for people whose machine is not this one.

They run it under the Python that runs their programs (`python environment.py > environment.json`) and send the report, which
`formats.identify` knows. It is plain source that they can read first, and sends nothing anywhere.
"""

from __future__ import annotations

from functools import cache

from .environment import SCRIPT

NAME = "environment.py"
_FIRST = "from __future__ import annotations\n"
_PARTS = "PARTS: dict[str, str] = {}"
_HEAD = f'''"""Tells what the environment of a Python holds, for kerasdoctor: python {NAME} > environment.json

It reads versions, configuration, GPUs, processor and memory, shows the home folder as ~, takes out the names of the user and
of the machine, and sends nothing anywhere: look at the report before you give it to anyone. Standard library, Python 3.7.
"""

{_FIRST}
import os
import sys

# Files of the user's beside this one, or on PYTHONPATH, could hide the standard library.
if not sys.flags.isolated:
    _own = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    sys.path[:] = [entry for entry in sys.path[1:] if entry not in _own]
'''


@cache
def environment_script() -> str:
    """The source of the script, with the files that it takes from its folder in it."""
    source = SCRIPT.read_text(encoding="utf-8").partition(_FIRST)[2]
    parts = {name: SCRIPT.with_name(f"{name}.py").read_text(encoding="utf-8") for name in _names(source)}
    told = "".join(f"    {name!r}: r'''{part}''',\n" for name, part in parts.items())
    return _HEAD + source.replace(_PARTS, f"{_PARTS[:-1]}\n{told}}}")


def _names(source: str) -> list[str]:
    return [line.split('"')[1] for line in source.splitlines() if ' = beside("' in line]
