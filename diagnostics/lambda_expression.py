"""What a Lambda computes, as a value: arguments, constants, names and calls."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Argument:
    """An argument of the lambda, by its position."""

    position: int


@dataclass(frozen=True)
class Constant:
    """A number, text, None, or a flat tuple of numbers."""

    value: Any


@dataclass(frozen=True)
class Name:
    """A global name with its attributes: "K.l2_normalize"."""

    dotted: str


@dataclass(frozen=True)
class Apply:
    """A function by its dotted name, or an operator (+ - * / **, "-x", "list"), and what it is given."""

    function: str
    arguments: tuple[Expression, ...]
    keywords: tuple[tuple[str, Expression], ...] = ()


Expression = Argument | Constant | Name | Apply


@dataclass(frozen=True)
class Lambda:
    """What a lambda takes, by name, and what it returns."""

    arguments: tuple[str, ...]
    result: Expression
