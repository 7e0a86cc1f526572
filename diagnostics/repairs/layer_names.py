"""Layer names that Keras refuses: the same name twice in a model, and a `/`, which Keras 3 keeps for paths."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ...knowledge.text import Text
from ..model_file import Json
from ..repair import Change, Draft, Repair, layers_of


def mend(draft: Draft) -> Iterator[Change]:
    """Rename, and follow the new name wherever another layer refers to it."""
    for path, model in list(layers_of(draft.config)):
        inner = model.get("config")
        listed = inner.get("layers") if isinstance(inner, dict) else None
        if isinstance(inner, dict) and isinstance(listed, list):
            prefix = f"{path}/" if path else ""
            yield from _slashes(draft, inner, listed, prefix)
            if model.get("class_name") == "Sequential":  # elsewhere a reference by name would be ambiguous
                yield from _doubles(draft, listed, prefix)


def _name(layer: Any) -> str:  # noqa: ANN401 - JSON of any shape
    config = layer.get("config") if isinstance(layer, dict) else None
    return str((layer.get("name") if isinstance(layer, dict) else "") or (config or {}).get("name") or "")


def _slashes(draft: Draft, inner: Json, listed: list[Any], prefix: str) -> Iterator[Change]:
    taken = {_name(layer) for layer in listed}
    for layer in listed:
        old = _name(layer)
        if "/" not in old or draft.target != "keras3":
            continue
        new = _free(old.replace("/", "_"), taken)
        _rename(draft, layer, new, f"{prefix}{old}", f"{prefix}{new}")
        _follow(inner, old, new)
        yield _changed(old, new, Text("Keras 3 allows no / in a name", "Keras 3 的名字里不允许有 /"), prefix)


def _doubles(draft: Draft, listed: list[Any], prefix: str) -> Iterator[Change]:
    seen: set[str] = set()
    taken = {_name(layer) for layer in listed}
    for layer in listed:
        old = _name(layer)
        if old in seen:
            new = _free(old, taken)
            _rename(draft, layer, new, None, f"{prefix}{new}")
            yield _changed(old, new, Text("a name stands for one layer only", "一个名字只能给一个层用"), prefix)
        seen.add(_name(layer))


def _free(wanted: str, taken: set[str]) -> str:
    name, number = wanted, 1
    while name in taken:
        name, number = f"{wanted}_{number}", number + 1
    taken.add(name)
    return name


def _rename(draft: Draft, layer: Json, new: str, old_path: str | None, new_path: str) -> None:
    layer["config"]["name"] = new
    if "name" in layer:
        layer["name"] = new
    if old_path in draft.weights:
        draft.weights[new_path] = draft.weights.pop(old_path)


def _follow(value: Any, old: str, new: str) -> None:  # noqa: ANN401 - JSON of any shape
    """Change references to a layer: lists that begin with its name and two numbers."""
    parts = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    if isinstance(value, list) and len(value) >= 3 and value[0] == old and type(value[1]) is int:  # noqa: PLR2004
        value[0] = new
    for part in parts:
        _follow(part, old, new)


def _changed(old: str, new: str, why: Text, prefix: str) -> Change:
    return Change(why, f"{prefix}{old}", f'{{"name": "{old}"}}', f'{{"name": "{new}"}}')


REPAIR = Repair(
    id="layer-names",
    promise=Text("layer names that stand twice in a model, or hold a /", "模型里重复的层名，或含 / 的层名"),
    topics=("layer-names",),
    mend=mend,
)
