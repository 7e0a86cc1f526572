"""Reads marshalled code objects of other Pythons, bounded: `marshal` itself must not be given a stranger's bytes.

Source of the format: Python/marshal.c of CPython 2.7 and 3.5 to 3.13.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any

from .lambda_opcodes import Dialect

MAX_OBJECTS = 2_000
MAX_NESTING = 12
_LONGEST_INTEGER = 5  # digits of 15 bits
_REFERENCED = 0x80
_VARIABLE_ARGUMENTS = 0x04 | 0x08 | 0x20 | 0x80  # flags: *args, **kwargs, generators, coroutines


@dataclass(frozen=True)
class Code:
    """What is read of a code object."""

    arguments: tuple[str, ...]
    code: bytes
    constants: tuple[Any, ...]
    names: tuple[Any, ...]


class UnknownCodeError(Exception):
    """It is not what short lambdas are made of, or no code at all."""


def read_code(data: bytes, dialect: Dialect) -> Code:
    """A marshalled code object of one line of Pythons.

    Raises:
        UnknownCodeError: it is none, or holds what short lambdas do not.
    """
    return _Marshalled(data, dialect).code_object()


class _Marshalled:
    """Reads marshalled bytes, one object at a time; every count is checked against what is left to read."""

    def __init__(self, data: bytes, dialect: Dialect) -> None:
        self._data, self._at, self._layout = data, 0, dialect.layout
        self._references: list[Any] = []
        self._interned: list[Any] = []
        self._objects = 0

    def code_object(self) -> Code:
        found = self._object(0)
        if not isinstance(found, Code) or self._at != len(self._data):
            raise UnknownCodeError
        return found

    def _take(self, count: int) -> bytes:
        if not 0 <= count <= len(self._data) - self._at:
            raise UnknownCodeError
        self._at += count
        return self._data[self._at - count : self._at]

    def _int(self) -> int:
        return int.from_bytes(self._take(4), "little", signed=True)

    def _object(self, depth: int) -> Any:  # noqa: ANN401 - any constant
        self._objects += 1
        if self._objects > MAX_OBJECTS or depth > MAX_NESTING:
            raise UnknownCodeError
        mark = self._take(1)[0]
        kind, place = chr(mark & ~_REFERENCED), -1
        if mark & _REFERENCED:
            place = len(self._references)
            self._references.append(UnknownCodeError)
        value = self._value(kind, depth)
        if place >= 0:
            self._references[place] = value
        return value

    def _value(self, kind: str, depth: int) -> Any:  # noqa: ANN401
        simple = {"N": None, "F": False, "T": True, ".": ...}
        if kind in simple:
            return simple[kind]
        if kind in "iIglf":
            return self._number(kind)
        if kind in "stuaAzZ":
            return self._string(kind)
        if kind in "()":
            count = self._take(1)[0] if kind == ")" else self._int()
            if not 0 <= count <= len(self._data) - self._at:
                raise UnknownCodeError
            return tuple(self._object(depth + 1) for _ in range(count))
        if kind in "rR":
            return self._referenced(self._references if kind == "r" else self._interned)
        if kind == "c" and depth == 0:
            return self._code(depth)
        raise UnknownCodeError

    def _number(self, kind: str) -> float:
        if kind == "i":
            return self._int()
        if kind == "I":
            return int.from_bytes(self._take(8), "little", signed=True)
        if kind == "g":
            return float(struct.unpack("<d", self._take(8))[0])
        if kind == "f":
            try:
                return float(self._take(self._take(1)[0]))
            except ValueError:
                raise UnknownCodeError from None
        count = self._int()
        if abs(count) > _LONGEST_INTEGER:
            raise UnknownCodeError
        digits = [int.from_bytes(self._take(2), "little") for _ in range(abs(count))]
        value = sum(digit << 15 * i for i, digit in enumerate(digits))
        return -value if count < 0 else value

    def _string(self, kind: str) -> str | bytes:
        data = self._take(self._take(1)[0] if kind in "zZ" else self._int())
        if kind == "s" and self._layout != "2":
            return data
        text = data.decode("utf-8" if kind == "u" else "latin-1", "replace")
        if kind == "t" and self._layout == "2":
            self._interned.append(text)
        return text

    def _referenced(self, known: list[Any]) -> Any:  # noqa: ANN401
        number = self._int()
        if not 0 <= number < len(known) or known[number] is UnknownCodeError:
            raise UnknownCodeError
        return known[number]

    def _code(self, depth: int) -> Code:
        counts = {"2": 3, "3.0": 4, "3.8": 5, "3.11": 4}[self._layout]
        numbers = [self._int() for _ in range(counts)]
        flags = self._int()
        code, constants, names, local = (self._object(depth + 1) for _ in range(4))
        if self._layout == "3.11":
            sound = self._object(depth + 1) == b"\x20" * len(local if isinstance(local, tuple) else ())
            self._strings(3)
            self._int()
            self._strings(2)
        else:
            sound = self._object(depth + 1) == () and self._object(depth + 1) == ()
            self._strings(2)
            self._int()
            self._strings(1)
        code = code.encode("latin-1", "replace") if isinstance(code, str) else code
        if not sound or flags & _VARIABLE_ARGUMENTS or not isinstance(code, bytes):
            raise UnknownCodeError
        if not isinstance(constants, tuple) or not isinstance(names, tuple) or not 0 < numbers[0] < MAX_NESTING:
            raise UnknownCodeError
        if any(numbers[1 : {"2": 1, "3.0": 2, "3.8": 3, "3.11": 3}[self._layout]]):
            raise UnknownCodeError  # keyword-only and positional-only arguments
        arguments = texts_of(local)[: numbers[0]]
        if len(arguments) != numbers[0]:
            raise UnknownCodeError
        return Code(arguments, code, constants, names)

    def _strings(self, count: int) -> None:
        for _ in range(count):
            if not isinstance(self._object(1), str | bytes):
                raise UnknownCodeError


def texts_of(value: Any) -> tuple[str, ...]:  # noqa: ANN401
    """A tuple of texts; anything else is no code that is known."""
    if not isinstance(value, tuple) or not all(isinstance(each, str) for each in value):
        raise UnknownCodeError
    return value
