"""Walks protocol buffers by their wire format, without their classes: what stands in field N of a message.

Source: "Encoding", https://protobuf.dev/programming-guides/encoding/. Nothing is copied but what is asked for.
"""

from __future__ import annotations

from collections.abc import Iterator

MAX_FIELDS = 5_000_000
MAX_STRING = 4096
_VARINT, _FIXED_64, _BYTES, _FIXED_32 = 0, 1, 2, 5


class WireError(ValueError):
    """The bytes are no protocol buffer."""


def fields(data: memoryview) -> Iterator[tuple[int, memoryview | int]]:
    """Each field of a message in order: its number, and its bytes (strings, messages) or its number value.

    Raises:
        WireError: the bytes are no message.
    """
    at, end, seen = 0, len(data), 0
    while at < end:
        seen += 1
        if seen > MAX_FIELDS:
            raise WireError("too many fields")
        key, at = _varint(data, at)
        number, kind = key >> 3, key & 7
        if number == 0:
            raise WireError("a field has the number 0")
        if kind == _VARINT:
            value, at = _varint(data, at)
            yield number, value
            continue
        if kind == _BYTES:
            length, at = _varint(data, at)
        elif kind in (_FIXED_64, _FIXED_32):
            length = 8 if kind == _FIXED_64 else 4
        else:
            raise WireError(f"wire type {kind}")
        if length > end - at:
            raise WireError("a field is longer than its message")
        yield number, data[at : at + length]
        at += length


def _varint(data: memoryview, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:  # noqa: PLR2004 - ten bytes hold 64 bits
            raise WireError("a number is cut off")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the bit that says that more follows
            return value, at
        shift += 7


def parts(data: memoryview, number: int) -> Iterator[memoryview]:
    """The bytes of every field with a number."""
    for found, value in fields(data):
        if found == number and isinstance(value, memoryview):
            yield value


def text(data: memoryview, number: int) -> str:
    """The string in a field, "" where there is none; where it stands twice the last one counts, as for every reader."""
    found = memoryview(b"")
    for found in parts(data, number):  # noqa: B007 - the last one is what is wanted
        pass
    return bytes(found[:MAX_STRING]).decode("utf-8", "replace")
