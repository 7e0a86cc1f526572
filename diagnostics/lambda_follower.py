"""Follows the instructions of a lambda symbolically, on a stack of expressions.

Only the handful of instructions that short lambdas are made of is known. Sources: Python/marshal.c and Lib/opcode.py of CPython
2.7 and 3.5 to 3.13.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from .lambda_expression import Apply, Argument, Constant, Expression, Name
from .lambda_opcodes import Dialect, instructions
from .marshalled import Code, UnknownCodeError, texts_of

_ARITHMETIC: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b, "-": lambda a, b: a - b, "*": lambda a, b: a * b, "/": lambda a, b: a / b,
}  # fmt: skip


def followed(code: Code, dialect: Dialect) -> Expression:
    """What a code object returns.

    Raises:
        UnknownCodeError: it does anything beyond arithmetic and calls with constants.
    """
    follower = _Follower(code, dialect)
    for operation, argument in instructions(code.code, dialect):
        follower.step(operation, argument)
    if follower.result is None:
        raise UnknownCodeError
    return follower.result


class _Follower:
    """Follows instructions on a stack of expressions. `None` on it is the empty place that calls leave for `self`."""

    def __init__(self, code: Code, dialect: Dialect) -> None:
        self._code, self._dialect = code, dialect
        self._stack: list[Expression | None] = []
        self._keywords: tuple[str, ...] = ()
        self._announced = not dialect.announces_calls
        self.result: Expression | None = None

    def step(self, operation: str, argument: int) -> None:
        known = getattr(self, f"_{operation.lower()}", None)
        if self.result is not None or known is None:
            raise UnknownCodeError
        known(argument)

    def _pop(self) -> Expression:
        value = self._stack.pop() if self._stack else None
        if value is None:
            raise UnknownCodeError
        return value

    def _several(self, count: int) -> tuple[Expression, ...]:
        if count > len(self._stack):
            raise UnknownCodeError
        return tuple(reversed([self._pop() for _ in range(count)]))

    def _load_fast(self, argument: int) -> None:
        if argument >= len(self._code.arguments):
            raise UnknownCodeError
        self._stack.append(Argument(argument))

    _load_fast_check = _load_fast

    def _load_fast_load_fast(self, argument: int) -> None:
        self._load_fast(argument >> 4)
        self._load_fast(argument & 15)

    def _load_const(self, argument: int) -> None:
        value = _at(self._code.constants, argument)
        simple = (bool, int, float, str, type(None))
        flat = isinstance(value, tuple) and all(isinstance(each, simple) for each in value)
        if not flat and not isinstance(value, simple):
            raise UnknownCodeError
        self._stack.append(Constant(value))

    def _named(self, argument: int) -> str:
        name = _at(self._code.names, argument)
        if not isinstance(name, str) or not name.isidentifier():
            raise UnknownCodeError
        return name

    def _load_global(self, argument: int) -> None:
        if self._dialect.marked_global:
            self._stack += [None] if argument & 1 else []
            argument >>= 1
        name = self._named(argument)
        known = {"True": True, "False": False, "None": None}  # names like others in Python 2
        self._stack.append(Constant(known[name]) if name in known else Name(name))

    def _attribute(self, argument: int) -> None:
        owner = self._pop()
        if not isinstance(owner, Name):
            raise UnknownCodeError
        self._stack.append(Name(f"{owner.dotted}.{self._named(argument)}"))

    def _load_attr(self, argument: int) -> None:
        self._attribute(argument >> 1 if self._dialect.marked_attribute else argument)
        if self._dialect.marked_attribute and argument & 1:
            self._stack.append(None)

    def _load_method(self, argument: int) -> None:
        self._attribute(argument)
        self._stack.append(None)

    def _push_null(self, _: int) -> None:
        self._stack.append(None)

    def _nop(self, _: int) -> None:
        """Also RESUME and CACHE."""

    _resume = _cache = _nop

    def _kw_names(self, argument: int) -> None:
        self._keywords = texts_of(_at(self._code.constants, argument))

    def _precall(self, _: int) -> None:
        self._announced = True

    def _call_function(self, argument: int) -> None:
        """Up to 3.5 the argument counts positions in its low byte, and pairs of a name and a value in the high one."""
        pairs = self._several(2 * (argument >> 8)) if not self._dialect.words else ()
        names = texts_of(tuple(each.value if isinstance(each, Constant) else None for each in pairs[::2]))
        given = self._several(argument & 255 if not self._dialect.words else argument)
        self._applied(self._pop(), (*given, *pairs[1::2]), names)

    def _call_function_kw(self, argument: int) -> None:
        if not self._dialect.words:  # f(**x), in Pythons before 3.6
            raise UnknownCodeError
        names = self._pop()
        given = self._several(argument)
        self._applied(self._pop(), given, texts_of(names.value if isinstance(names, Constant) else None))

    def _call(self, argument: int) -> None:
        if not self._announced:
            raise UnknownCodeError
        names, self._keywords, self._announced = self._keywords, (), not self._dialect.announces_calls
        self._method(self._several(argument), names)

    def _call_method(self, argument: int) -> None:
        self._method(self._several(argument), ())

    def _call_kw(self, argument: int) -> None:
        names = self._pop()
        given = self._several(argument)
        self._method(given, texts_of(names.value if isinstance(names, Constant) else None))

    def _method(self, given: tuple[Expression, ...], names: tuple[str, ...]) -> None:
        pair = [self._stack.pop() for _ in range(2)] if len(self._stack) > 1 else []
        functions = [each for each in pair if each is not None]
        if len(functions) != 1:
            raise UnknownCodeError
        self._applied(functions[0], given, names)

    def _applied(self, function: Expression, given: tuple[Expression, ...], names: tuple[str, ...]) -> None:
        if not isinstance(function, Name) or len(names) > len(given):
            raise UnknownCodeError
        positional = len(given) - len(names)
        keywords = tuple(zip(names, given[positional:], strict=True))
        self._stack.append(Apply(function.dotted, given[:positional], keywords))

    def _operator(self, sign: str) -> None:
        left, right = self._several(2)
        if isinstance(left, Constant) and isinstance(right, Constant):
            self._stack.append(_computed(sign, left.value, right.value, old=self._dialect.layout == "2"))
        else:
            self._stack.append(Apply(sign, (left, right)))

    def _binary_add(self, _: int) -> None:
        self._operator("+")

    def _binary_subtract(self, _: int) -> None:
        self._operator("-")

    def _binary_multiply(self, _: int) -> None:
        self._operator("*")

    def _binary_true_divide(self, _: int) -> None:
        self._operator("/")

    _binary_divide = _binary_true_divide

    def _binary_power(self, _: int) -> None:
        self._operator("**")

    def _binary_op(self, argument: int) -> None:
        sign = {0: "+", 5: "*", 8: "**", 10: "-", 11: "/"}.get(argument)
        if sign is None:
            raise UnknownCodeError
        self._operator(sign)

    def _unary_negative(self, _: int) -> None:
        value = self._pop()
        if isinstance(value, Constant):
            if type(value.value) not in (int, float):
                raise UnknownCodeError
            self._stack.append(Constant(-value.value))
        else:
            self._stack.append(Apply("-x", (value,)))

    def _build_tuple(self, argument: int) -> None:
        parts = self._several(argument)
        if all(isinstance(each, Constant) and not isinstance(each.value, tuple) for each in parts):
            self._stack.append(Constant(tuple(each.value for each in parts if isinstance(each, Constant))))
        else:
            self._stack.append(Apply("list", parts))

    _build_list = _build_tuple

    def _list_extend(self, argument: int) -> None:
        parts, owner = self._pop(), self._pop()
        if argument != 1 or owner != Constant(()) or not isinstance(parts, Constant) or type(parts.value) is not tuple:
            raise UnknownCodeError
        self._stack.append(parts)

    def _return_value(self, _: int) -> None:
        self.result = self._pop()
        if self._stack:
            raise UnknownCodeError

    def _return_const(self, argument: int) -> None:
        self._load_const(argument)
        self._return_value(0)


def _at(values: tuple[Any, ...], place: int) -> Any:  # noqa: ANN401
    if place >= len(values):
        raise UnknownCodeError
    return values[place]


def _computed(sign: str, left: Any, right: Any, *, old: bool) -> Constant:  # noqa: ANN401
    """Arithmetic on two numbers that the compiler left undone. Python 2 divides integers without a rest."""
    if type(left) not in (int, float) or type(right) not in (int, float) or sign not in _ARITHMETIC:
        raise UnknownCodeError
    if old and sign == "/" and type(left) is int and type(right) is int:
        raise UnknownCodeError
    try:
        value = _ARITHMETIC[sign](left, right)
        sound = math.isfinite(value) and abs(value) < 2**64
    except (ZeroDivisionError, OverflowError):
        raise UnknownCodeError from None
    if not sound:
        raise UnknownCodeError
    return Constant(value)
