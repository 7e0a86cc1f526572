"""The shape of every tensor of a model, walked layer by layer through its configuration, and where the shapes don't fit.

What a shape says is what Keras computes for it: an axis that is None is one that Keras itself leaves open. Where the file
doesn't tell enough (own layers, Lambda, operations without a rule) the whole shape is unknown, and nothing is claimed of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from ..knowledge.lines import Line
from .graph import Graph
from .shapes_base import Shape
from .shapes_walk import Misfit, Walk

__all__ = ["Misfit", "Shape", "Shapes", "shapes_of"]


@dataclass(frozen=True)
class Shapes:
    """The shapes of a model's layers by path ("inner/dense"), the batch first, None where unknown.

    `outputs` and `inputs` are those of a layer's first call; `misfits` are those of every call, in the order of the graph.
    """

    outputs: dict[str, tuple[Shape | None, ...]]
    inputs: dict[str, tuple[Shape | None, ...]]
    misfits: tuple[Misfit, ...]


@lru_cache(maxsize=4)
def shapes_of(graph: Graph, line: Line | None) -> Shapes:
    """Walk a model.

    Args:
        graph: the model; nested ones are walked on what they are called on.
        line: the Keras line that wrote the file; where it isn't known the form of the configuration tells.
    """
    walk = Walk(line or _written_by(graph))
    walk.model(graph, "", ())
    return Shapes(walk.outputs, walk.inputs, tuple(walk.misfits.values()))


def _written_by(graph: Graph) -> Line:
    for _, part in graph.walk():
        for layer in part.layers:
            if "batch_shape" in layer.config or any(isinstance(call.written, dict) for call in layer.calls):
                return "keras-3"
    return "keras-2"
