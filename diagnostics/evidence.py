"""The three weights of evidence."""

from __future__ import annotations

from ..knowledge.text import Text
from .probe import Evidence


def fault(en: str, zh: str, *topics: str) -> Evidence:
    """Evidence of what is wrong in itself."""
    return Evidence(Text(en, zh), confirms=topics, fault=True)


def warning(en: str, zh: str, *topics: str) -> Evidence:
    """Evidence that is worth telling, though the programs may run."""
    return Evidence(Text(en, zh), confirms=topics, warning=True)


def fact(en: str, zh: str, *topics: str) -> Evidence:
    """Evidence that counts only where one of its topics is suspected."""
    return Evidence(Text(en, zh), confirms=topics)
