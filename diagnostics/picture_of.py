"""The picture of a model: its layer graph with the layers that findings are about marked, and the shapes between them."""

from __future__ import annotations

from collections.abc import Iterable

from ..knowledge.text import Lang
from .graph import graph_of
from .model_file import ModelFile
from .picture import draw_graph
from .probe import Finding
from .shapes import Shape, shapes_of


def picture_of(model: ModelFile, findings: Iterable[Finding], lang: Lang) -> str | None:
    """An SVG of the layer graph; None for a subclassed model, whose graph is not in its file."""
    graph = graph_of(model)
    if graph is None:
        return None
    marked: dict[str, str] = {}
    for finding in findings:
        for layer in finding.layers if finding.outcome == "finding" else ():
            marked[layer] = f"{marked[layer]}, {finding.probe}" if layer in marked else finding.probe
    shapes = {path: ", ".join(map(_told, given)) for path, given in shapes_of(graph, model.line).outputs.items()}
    return draw_graph(graph, marked, shapes, lang)


def _told(shape: Shape | None) -> str:
    return "?" if shape is None else "×".join("?" if n is None else str(n) for n in shape[1:]) or "()"
