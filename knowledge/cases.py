"""Cases: real pastes with the topics that would be a right answer, one JSON object a line.

Fields: `id`, `kind` (traceback, question, negative), `lang`, `text`, `expect` (topics, any of which is right; empty for a
negative, whose right answer is "not known"). Further fields are ignored.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

from ..errors import InputError


@dataclass(frozen=True)
class Case:
    """A paste and the topics that answer it."""

    id: str
    kind: str
    lang: str
    text: str
    expect: frozenset[str]


def load_cases(path: Path) -> list[Case]:
    """Read a file of cases.

    Raises:
        InputError: the file cannot be read, or a line is not a case (line number and what was expected).
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 text ({error})") from error
    cases = [_case(path, number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    if not cases:
        raise InputError(f"{path}: holds no case; expected one JSON object a line")
    return cases


def _case(path: Path, number: int, line: str) -> Case:
    try:
        read = json.loads(line)
        case = Case(read["id"], read["kind"], read["lang"], read["text"], frozenset(read["expect"]))
    except (ValueError, TypeError, KeyError) as error:
        wanted = "an object with id, kind, lang, text and expect"
        raise InputError(f"{path}: line {number}: expected {wanted} ({error!r})") from error
    if not all(isinstance(value, str) for value in (case.id, case.kind, case.lang, case.text, *case.expect)):
        raise InputError(f"{path}: line {number}: id, kind, lang, text and the topics in expect must be texts")
    if (case.kind == "negative") != (not case.expect):
        raise InputError(f"{path}: line {number}: expect must be empty for a negative, and only there")
    return case
