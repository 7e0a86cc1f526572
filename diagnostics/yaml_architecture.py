"""Architectures in YAML, as Keras wrote them up to 2.6: plain values only, and no more of them than a model has.

`to_yaml` was removed because loading YAML may run code; here no tag makes an object, and an alias that multiplies itself is
counted each time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ..errors import SubjectError

MAX_BYTES = 1024 * 1024
MAX_VALUES = 200_000
MAX_DEPTH = 100


def yaml_architecture(path: Path) -> dict[str, Any]:
    """The architecture in a YAML file.

    Raises:
        SubjectError: the file is no YAML of plain values, or larger than an architecture.
    """
    import yaml  # noqa: PLC0415 - only this format needs it

    class Plain(yaml.SafeLoader):
        """Plain values, and tuples as lists: Keras wrote shapes as Python tuples."""

    def as_list(loader: yaml.SafeLoader, node: yaml.SequenceNode) -> list[Any]:
        return loader.construct_sequence(node, deep=True)

    Plain.add_constructor("tag:yaml.org,2002:python/tuple", as_list)
    if path.stat().st_size > MAX_BYTES:
        raise SubjectError(
            f"{path.name} has over {MAX_BYTES:,} bytes, more than an architecture in YAML",
            f"{path.name} 超过 {MAX_BYTES:,} 字节，不像 YAML 模型结构",
        )
    try:
        read = yaml.load(path.read_bytes(), Loader=Plain)  # noqa: S506 - the loader above makes plain values only
        read = _copied(read, [0], 0)
    except (yaml.YAMLError, ValueError, RecursionError, TypeError) as error:
        kind = type(error).__name__
        raise SubjectError(
            f"{path.name} is not YAML of plain values ({kind})", f"{path.name} 不是只含普通值的 YAML（{kind}）"
        ) from error
    if not isinstance(read, dict):
        raise SubjectError(f"{path.name} is no architecture", f"{path.name} 不是模型结构")
    return read


def _copied(value: Any, count: list[int], depth: int) -> Any:  # noqa: ANN401 - YAML of any shape
    """The value without aliases, as JSON would have it; every value is counted where it stands."""
    count[0] += 1
    if count[0] > MAX_VALUES or depth > MAX_DEPTH:
        raise ValueError("more values than a model has")
    if isinstance(value, dict):
        return {str(key): _copied(part, count, depth + 1) for key, part in value.items()}
    if isinstance(value, list | tuple):
        return [_copied(part, count, depth + 1) for part in value]
    return value if isinstance(value, str | int | float | bool | None) else str(value)
