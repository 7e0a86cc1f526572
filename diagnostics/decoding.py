"""Values read back from JSON, only with the types that they are declared with: what a child process tells is not trusted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, is_dataclass
from functools import cache
from types import UnionType
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

from ..errors import SubjectError

# The types of a dataclass' fields, looked up once: that costs more than all else here.
_hints: Callable[[Any], dict[str, Any]] = cache(get_type_hints)


def decode(kind: Any, value: Any, where: str) -> Any:  # noqa: ANN401, PLR0911 - any type of a field, a return for each kind
    """The value of a field, as the type that it is declared with: dataclasses, tuples, sets, dicts, literals, plain values.

    Args:
        kind: the declared type.
        value: what JSON gave; nothing of it is trusted.
        where: how a message names the field.

    Raises:
        SubjectError: it has another type.
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (UnionType, Union):  # `str | None`, and `Line | None` of a literal type
        return None if value is None else decode(arguments[0], value, where)
    if is_dataclass(kind) and isinstance(value, dict):
        hints = _hints(kind)
        known = [f for f in fields(kind) if f.name in value]
        try:
            return kind(**{f.name: decode(hints[f.name], value[f.name], f"{where}.{f.name}") for f in known})  # type: ignore[operator]
        except TypeError as error:
            raise SubjectError(f"{where}: {error}") from error
    if origin in (tuple, frozenset) and isinstance(value, list | tuple):
        return origin(decode(arguments[0], inner, f"{where}[{i}]") for i, inner in enumerate(value))
    if origin is dict and isinstance(value, dict):
        return {
            decode(str, name, where): decode(arguments[1], inner, f"{where}.{name}") for name, inner in value.items()
        }
    if origin is Literal and value in arguments:
        return value
    if kind is float and type(value) is int:
        return float(value)
    if type(value) is not kind:
        expected = getattr(kind, "__name__", str(kind))
        raise SubjectError(f"{where}: {type(value).__name__}, expected {expected}")
    if kind is str and not value.isascii():  # JSON can escape half a character, which cannot be printed or stored
        return value.encode("utf-8", "replace").decode("utf-8")
    return value
