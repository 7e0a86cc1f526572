"""Reads what a Lambda computes from its bytecode, without ever running it: `x / 127.5 - 1` as an expression.

Keras stores a lambda as a marshalled code object. `marshal` itself must not be given a stranger's bytes, and code that it
returns could only be run; so the format is read here, bounded, and the handful of instructions that short lambdas are made of is
followed symbolically. Whatever else a lambda does is unknown, which is an answer.
Sources: Python/marshal.c and Lib/opcode.py of CPython 2.7 and 3.5 to 3.13.
"""

from __future__ import annotations

import base64
import binascii
from typing import Any

from .lambda_expression import Lambda
from .lambda_follower import followed
from .lambda_opcodes import DIALECTS
from .marshalled import UnknownCodeError, read_code

MAX_BYTES = 20_000  # a lambda of one line has 200 to 600


def code_bytes(text: str) -> bytes:
    """The marshalled bytes in the text that Keras wrote: base64 since Keras 2.0.9, before that the bytes as Latin-1.

    Source: `func_dump` in keras/utils/generic_utils.py of both.
    """
    try:
        return base64.b64decode("".join(text.split()), validate=True)
    except (binascii.Error, ValueError):
        return text.encode("raw_unicode_escape", "replace")


def stored_code(config: object) -> tuple[str, Any, Any] | None:
    """The bytecode of a Lambda as text, its defaults and its closure; None where the configuration holds no bytecode."""
    function = config.get("function") if isinstance(config, dict) else None
    if isinstance(function, dict) and function.get("class_name") == "__lambda__":
        inner = function.get("config")
        inner = inner if isinstance(inner, dict) else {}
        parts = [inner.get("code"), inner.get("defaults"), inner.get("closure")]
    else:
        parts = list(function) if isinstance(function, list) else []
    text = parts[0] if parts else None
    return (text, *(parts[1:3] if len(parts) > 2 else (None, None))) if isinstance(text, str) else None  # noqa: PLR2004


def holds_code(layer: object) -> bool:
    """Whether a layer as it is written is a Lambda with bytecode, or any function of bytecode in its arguments."""
    config = layer.get("config") if isinstance(layer, dict) else None
    return isinstance(layer, dict) and layer.get("class_name") == "Lambda" and stored_code(config) is not None


def expression_of(code: bytes) -> Lambda | None:
    """What a marshalled lambda computes.

    The bytes don't say which Python wrote them: every form is tried, and those that can read them must agree. None where
    nothing can, where they disagree, and for anything beyond arithmetic and calls with constants.
    """
    found: list[Lambda] = []
    for dialect in DIALECTS if len(code) <= MAX_BYTES else ():
        try:
            read = read_code(code, dialect)
            found.append(Lambda(read.arguments, followed(read, dialect)))
        except UnknownCodeError:
            continue
    return found[0] if found and all(repr(each) == repr(found[0]) for each in found) else None
