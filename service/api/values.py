"""What several resources of the API have in common: strict input, ids, languages, the shapes of lists."""

from __future__ import annotations

import re
from typing import Annotated, Any

from fastapi import Depends, Header, Path, Query
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, JsonValue, StringConstraints
from starlette.convertors import Convertor, register_url_convertor

from ...knowledge.text import Lang
from ..languages import accepted
from ..settings import MIB

ID_PATTERN = "^[A-Za-z0-9_-]{22}$"  # `tables.new_id`
TOPIC_PATTERN = "^[a-z0-9]+(-[a-z0-9]+)*$"
AN_ID = "Rk3nZ0qkT5mJ8uQyX2c7Vg"
MAX_TEXT = 16 * MIB  # the most that the setting `max_text_mib` can allow; what it does allow is checked later
MAX_UPLOADS = 20
MAX_TOPIC = 100
_UNSTORABLE = re.compile("[\0\ud800-\udfff]")


def _storable(text: str) -> str:
    """No database keeps a NUL in a text, and half a surrogate pair (which JSON can write) is in no UTF-8."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)


Id = Annotated[str, StringConstraints(pattern=ID_PATTERN)]
PathId = Annotated[str, Path(pattern=ID_PATTERN, description="its id", examples=[AN_ID])]
PathTopic = Annotated[str, Path(pattern=TOPIC_PATTERN, max_length=MAX_TOPIC, examples=["shape-mismatch"])]


Storable = Annotated[str, AfterValidator(_storable)]
Pasted = Annotated[Storable, StringConstraints(max_length=MAX_TEXT)]
KerasVersion = Annotated[
    str,
    Field(
        pattern=r"^[0-9]{1,2}(\.[0-9]{1,3}){0,2}$",
        description="the version of Keras that the reader has",
        examples=["3.15.0"],
    ),
]


class _IdConvertor(Convertor[str]):
    """A part of a path that is an id, so that names beside it stay free: /uploads/resumable is no upload."""

    regex = "[A-Za-z0-9_-]{22}"

    def convert(self, value: str) -> str:
        """The id."""
        return value

    def to_string(self, value: str) -> str:
        """The part of the path."""
        return value


register_url_convertor("id", _IdConvertor())


class Input(BaseModel):
    """What is sent: nothing beside the fields that are named, and nothing made fit."""

    model_config = ConfigDict(extra="forbid", strict=True)


def one_of_them(*needed: dict[str, JsonValue]) -> ConfigDict:
    """The configuration of an input that needs one of some fields, each with the schema that counts as filled in."""
    options: list[JsonValue] = [{"required": list(each), "properties": each} for each in needed]
    return ConfigDict(json_schema_extra={"anyOf": options})


class Output(BaseModel):
    """What is answered."""

    model_config = ConfigDict(extra="forbid")


def _reader(
    lang: Annotated[
        Lang | None, Query(description="the language of the texts; by default that of Accept-Language")
    ] = None,
    accept_language: Annotated[str, Header(max_length=1000)] = "",
) -> Lang | None:
    return lang or accepted(accept_language)


# What is no secret needs no key.
OPEN: dict[str, Any] = {"security": [{}]}
# The language that the request asks for, if it does.
Reader = Annotated[Lang | None, Depends(_reader)]
