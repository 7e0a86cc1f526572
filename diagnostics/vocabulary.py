"""How many different numbers a layer of Keras hands out, for the Embedding behind it, from the configuration."""

from __future__ import annotations

from dataclasses import dataclass

from .graph import Layer

_LOOKUPS = frozenset({"IntegerLookup", "StringLookup", "TextVectorization"})


@dataclass(frozen=True)
class Numbers:
    """The numbers 0 to `size` - 1 come out; `exact` is False where `size` is a limit that may not be reached."""

    size: int
    exact: bool


def numbers_of(layer: Layer) -> Numbers | None:
    """What a lookup, hashing or discretizing layer hands out; None for other layers and other output modes than int.

    `vocabulary_size` counts the mask and out-of-vocabulary tokens (keras/src/layers/preprocessing/index_lookup.py).
    """
    config = layer.config
    if config.get("output_mode", "int") != "int" or config.get("invert") is True:
        return None
    if layer.class_name in _LOOKUPS:
        known = _positive(config.get("vocabulary_size"))
        limit = known or _positive(config.get("max_tokens"))
        return Numbers(limit, exact=known is not None) if limit else None
    if layer.class_name == "Hashing":
        bins = _positive(config.get("num_bins"))
        return Numbers(bins, exact=True) if bins else None
    if layer.class_name == "Discretization":
        edges = config.get("bin_boundaries")
        return Numbers(len(edges) + 1, exact=True) if isinstance(edges, list) and edges else None
    return None


def _positive(value: object) -> int | None:
    return value if type(value) is int and value > 0 else None
