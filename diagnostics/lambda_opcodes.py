"""The instructions that short lambdas are made of, in the numbers of each Python (Lib/opcode.py of CPython)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

MAX_INSTRUCTIONS = 400
Layout = Literal["2", "3.0", "3.8", "3.11"]


@dataclass(frozen=True)
class Dialect:
    """How a range of Pythons writes code.

    `layout` is the order of a code object's parts. `words`: every instruction has two bytes (3.6 on); before, one or three.
    `numbers` maps instructions to their names, those from `with_argument` on take one. `marked_global` and
    `marked_attribute`: the lowest bit of the argument asks for an empty place on the stack. `announces_calls`: CALL comes
    behind PRECALL (3.11 only).
    """

    layout: Layout
    words: bool
    with_argument: int
    numbers: dict[int, str]
    marked_global: bool = False
    marked_attribute: bool = False
    announces_calls: bool = False


_ARITHMETIC = {
    9: "NOP", 11: "UNARY_NEGATIVE", 19: "BINARY_POWER", 20: "BINARY_MULTIPLY", 23: "BINARY_ADD", 24: "BINARY_SUBTRACT",
    27: "BINARY_TRUE_DIVIDE", 83: "RETURN_VALUE",
}  # fmt: skip
_LOADS = {
    100: "LOAD_CONST", 102: "BUILD_TUPLE", 103: "BUILD_LIST", 106: "LOAD_ATTR", 116: "LOAD_GLOBAL", 124: "LOAD_FAST",
}  # fmt: skip
_CALLS = {131: "CALL_FUNCTION", 141: "CALL_FUNCTION_KW"}
_METHODS = {160: "LOAD_METHOD", 161: "CALL_METHOD", 162: "LIST_EXTEND"}
_2 = {**_ARITHMETIC, **_LOADS, **_CALLS, 21: "BINARY_DIVIDE", 145: "EXTENDED_ARG"}
_3 = {**_ARITHMETIC, **_LOADS, **_CALLS, **_METHODS, 144: "EXTENDED_ARG"}
_3_11 = {
    **_LOADS, 0: "CACHE", 2: "PUSH_NULL", 9: "NOP", 11: "UNARY_NEGATIVE", 83: "RETURN_VALUE", 122: "BINARY_OP",
    144: "EXTENDED_ARG", 151: "RESUME", 160: "LOAD_METHOD", 162: "LIST_EXTEND", 166: "PRECALL", 171: "CALL",
    172: "KW_NAMES",
}  # fmt: skip
_3_12 = {
    **{number: name for number, name in _3_11.items() if name not in ("PRECALL", "LOAD_METHOD")},
    121: "RETURN_CONST", 127: "LOAD_FAST_CHECK",
}  # fmt: skip
_3_13 = {
    0: "CACHE", 30: "NOP", 34: "PUSH_NULL", 36: "RETURN_VALUE", 42: "UNARY_NEGATIVE", 45: "BINARY_OP", 47: "BUILD_LIST",
    52: "BUILD_TUPLE", 53: "CALL", 57: "CALL_KW", 71: "EXTENDED_ARG", 81: "LIST_EXTEND", 82: "LOAD_ATTR", 83: "LOAD_CONST",
    85: "LOAD_FAST", 87: "LOAD_FAST_CHECK", 88: "LOAD_FAST_LOAD_FAST", 91: "LOAD_GLOBAL", 103: "RETURN_CONST",
    149: "RESUME",
}  # fmt: skip
DIALECTS = (
    Dialect("2", words=False, with_argument=90, numbers=_2),
    Dialect("3.0", words=False, with_argument=90, numbers=_3),
    Dialect("3.0", words=True, with_argument=90, numbers=_3),
    Dialect("3.8", words=True, with_argument=90, numbers=_3),
    Dialect("3.11", words=True, with_argument=90, numbers=_3_11, marked_global=True, announces_calls=True),
    Dialect("3.11", words=True, with_argument=90, numbers=_3_12, marked_global=True, marked_attribute=True),
    Dialect("3.11", words=True, with_argument=44, numbers=_3_13, marked_global=True, marked_attribute=True),
)


def instructions(code: bytes, dialect: Dialect) -> Iterator[tuple[str, int]]:
    """Each instruction's name and argument; "" for one that is not in the table, or cut off."""
    at, extended = 0, 0
    for _ in range(MAX_INSTRUCTIONS):
        if at >= len(code):
            return
        width = 2 if dialect.words else 3 if code[at] >= dialect.with_argument else 1
        piece = code[at : at + width]
        name = dialect.numbers.get(piece[0], "") if len(piece) == width else ""
        argument = extended | int.from_bytes(piece[1:], "little")
        at += width
        extended = (argument << (8 if dialect.words else 16)) & 0xFFFFFF if name == "EXTENDED_ARG" else 0
        if name != "EXTENDED_ARG":
            yield name, argument
    yield "", 0
