"""How names and lists are worded in evidence, in both languages."""

from __future__ import annotations

from collections.abc import Iterable

SHOWN = 5
MAX_NAME = 80


def names_en(names: Iterable[str], prefix: str = "") -> str:
    """`'a', 'b' and 3 more`, each behind the path of the model it is in."""
    shown, more = _shown(names, prefix)
    return ", ".join(shown) + (f" and {more} more" if more else "")


def names_zh(names: Iterable[str], prefix: str = "") -> str:
    """The same for a Chinese reader."""
    shown, more = _shown(names, prefix)
    return "、".join(shown) + (f" 等共 {more + len(shown)} 个" if more else "")


def _shown(names: Iterable[str], prefix: str) -> tuple[list[str], int]:
    """Names come from files that anyone may have written: long ones are cut, unprintable characters shown as such."""
    quoted = ["'" + "".join(c if c.isprintable() else "?" for c in f"{prefix}{n}"[:MAX_NAME]) + "'" for n in names]
    return quoted[:SHOWN], max(0, len(quoted) - SHOWN)
