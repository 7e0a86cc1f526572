"""A hazard: one reason why a model file must not be loaded outside a sandbox."""

from __future__ import annotations

from dataclasses import dataclass

from ..knowledge.text import Text

LAMBDA = "lambda-unsafe-deserialization"
CORRUPT = "model-file-corrupt"


@dataclass(frozen=True)
class Hazard:
    """What stands in the file and what it would do, in both languages.

    `topics` are entries that it confirms. `code` marks the bytecode of a lambda, which honest files hold too: it runs when
    the model is loaded, so the gate refuses it, but it is no fault of the model.
    """

    text: Text
    topics: tuple[str, ...] = ()
    code: bool = False


def hazard(en: str, zh: str, *topics: str, code: bool = False) -> Hazard:
    """A hazard of two wordings."""
    return Hazard(Text(en, zh), topics, code)
