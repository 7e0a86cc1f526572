"""The YAML at the head of an entry's file, read strictly."""

from __future__ import annotations

from typing import Any

import yaml

from ..errors import EntryError
from .text import LANGS, Lang, Text

LEAST_QUESTIONS = 3
_FIELDS = frozenset({
    "id", "kind", "harmless", "title", "summary", "signatures", "questions", "described", "related", "sources",
})  # fmt: skip


class FrontMatter:
    """Typed access to its fields. Each raises an EntryError that names file, field and what was expected."""

    def __init__(self, file: str, source: str) -> None:
        """`file` is the name that errors give, `source` the YAML.

        Raises:
            EntryError: it is no mapping, or has a field that no entry has.
        """
        self.file = file
        try:
            front = yaml.load(source, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # noqa: S506 - both are safe
        except yaml.YAMLError as error:
            raise EntryError(file, "front matter", f"must be YAML ({error})") from error
        if not isinstance(front, dict):
            raise EntryError(file, "front matter", "must be a mapping of fields")
        for key in front:
            if key not in _FIELDS:
                raise EntryError(file, str(key), f"unknown field; the fields are {', '.join(sorted(_FIELDS))}")
        self._front: dict[str, Any] = front

    def string(self, field: str) -> str:
        """A text that is not empty."""
        value = self._front.get(field)
        if not isinstance(value, str) or not value.strip():
            raise EntryError(self.file, field, "must be a text")
        return value.strip()

    def choice(self, field: str, allowed: tuple[str, ...]) -> Any:  # noqa: ANN401 - one of the choices
        """One of the texts that are allowed."""
        if (value := self.string(field)) not in allowed:
            raise EntryError(self.file, field, f"must be one of {', '.join(allowed)}, not '{value}'")
        return value

    def flag(self, field: str) -> bool:
        """True or false; false where the field is missing."""
        if not isinstance(value := self._front.get(field, False), bool):
            raise EntryError(self.file, field, "must be true or false")
        return value

    def text(self, field: str) -> Text:
        """A text in both languages."""
        return _text(self.file, field, self._front.get(field))

    def strings(self, field: str) -> tuple[str, ...]:
        """A list of texts; empty where the field is missing."""
        return _strings(self.file, field, self._front.get(field, []))

    def questions(self) -> dict[Lang, tuple[str, ...]]:
        """How people ask, in each language."""
        value = self._front.get("questions")
        if not isinstance(value, dict) or set(value) != set(LANGS):
            raise EntryError(self.file, "questions", "must be a mapping with a list under 'en' and one under 'zh'")
        lists = {lang: _strings(self.file, f"questions.{lang}", value[lang]) for lang in LANGS}
        for lang in LANGS:
            if len(lists[lang]) < LEAST_QUESTIONS:
                raise EntryError(
                    self.file, f"questions.{lang}", f"must give at least {LEAST_QUESTIONS} ways in which people ask"
                )
        return lists

    def records(self, field: str, keys: tuple[str, ...]) -> list[dict[str, str]]:
        """A list of records with exactly these keys, each of them a text; empty where the field is missing."""
        records = self._front.get(field, [])
        if not isinstance(records, list):
            raise EntryError(self.file, field, f"must be a list of records with {', '.join(keys)}")
        for record in records:
            if not isinstance(record, dict) or set(record) != set(keys):
                raise EntryError(self.file, field, f"each record must have exactly {', '.join(keys)}")
            if not all(isinstance(value, str) and value.strip() for value in record.values()):
                raise EntryError(self.file, field, "each value must be a text")
        return [{key: value.strip() for key, value in record.items()} for record in records]

    def related(self) -> list[tuple[str, Text]]:
        """The ids of related topics, each with how to tell it apart."""
        records = self._front.get("related", [])
        if not isinstance(records, list) or any(
            not isinstance(r, dict) or set(r) != {"id", "differs"} or not isinstance(r["id"], str) for r in records
        ):
            raise EntryError(self.file, "related", "must be a list of records with id and differs (en, zh)")
        return [(r["id"], _text(self.file, "related", r["differs"])) for r in records]


def _text(file: str, field: str, value: object) -> Text:
    if (
        not isinstance(value, dict)
        or set(value) != set(LANGS)
        or not all(isinstance(t, str) and t.strip() for t in value.values())
    ):
        raise EntryError(file, field, "must have a text under 'en' and one under 'zh'")
    return Text(en=value["en"].strip(), zh=value["zh"].strip())


def _strings(file: str, field: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(s, str) and s.strip() for s in value):
        raise EntryError(file, field, "must be a list of texts")
    return tuple(s.strip() for s in value)
