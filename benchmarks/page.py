"""docs/examination.md: each measurement replaces its own section, between two markers."""

from __future__ import annotations

import platform
import re
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path

PAGE = Path(__file__).parents[1] / "docs" / "examination.md"
SECTIONS = ("healthy", "recall", "times")
HEAD = """\
# How well the examination works

Every section is written by the command that it names.
"""


def write(section: str, text: str) -> None:
    """Put a section into the page, in its place.

    Args:
        section: one of `SECTIONS`.
        text: Markdown, with its heading.
    """
    page = PAGE.read_text(encoding="utf-8") if PAGE.exists() else HEAD
    kept = {name: _section(page, name) for name in SECTIONS} | {section: f"\n{text.strip()}\n\n"}
    parts = [f"<!-- {name} -->{kept[name]}<!-- end of {name} -->\n" for name in SECTIONS]
    PAGE.write_text(HEAD + "\n" + "\n".join(parts), encoding="utf-8")


def _section(page: str, name: str) -> str:
    found = re.search(rf"<!-- {name} -->(.*?)<!-- end of {name} -->", page, re.DOTALL)
    return found[1] if found else "\n"


def measured_with(*distributions: str) -> str:
    """When, and with which releases."""
    releases = ", ".join(f"{name} {version(name)}" for name in distributions)
    return f"Measured on {datetime.now(UTC):%Y-%m-%d} with Python {platform.python_version()}, {releases}."


def cell(text: str) -> str:
    """A text in a table."""
    return " ".join(text.replace("|", "\\|").split())
