"""The kinds of what people say to the doctor beside their problem.

Their patterns are in `sayings_en.py` and `sayings_zh.py` (about the problem and its answer) and `sayings_beside.py` (anything else).
"""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal[
    "anew", "done", "upset", "no_error", "withheld", "elsewhere", "link", "who", "privacy", "name", "simple", "where",
    "ruled_out", "severity", "evidence", "sources", "others", "fix", "write", "why", "not_helped", "helped", "no", "yes",
    "unsure", "ordinal", "live", "english", "chinese", "here", "thanks", "help", "greeting", "version", "was",
]  # fmt: skip
KINDS: tuple[Kind, ...] = get_args(Kind)


def words(text: str) -> frozenset[str]:
    """A set of words, written as one text."""
    return frozenset(text.split())
