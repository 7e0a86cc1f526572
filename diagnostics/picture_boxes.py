"""Draws the boxes of a picture: a layer, a run of layers folded into one, an opened or closed nested model."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from xml.sax.saxutils import escape

from ..knowledge.text import Lang, Text
from .graph import Layer
from .palette import EDGE, GROUND, INK, INSIDE, MARK, NESTED, SHEET, SHEET_EDGE, SOFT
from .picture_fold import Box
from .picture_layout import Drawing, Placed, Size
from .picture_style import KINDS, cut, fitted, highlights, hover, kind_of, listed, text_width, wrapped

BOX = 218.0
_LABEL = 244.0
_SQUARES = 16
_PAD = 14.0
_HEAD = 26.0
_ROW = 15.0
_TOP = 9.0
_WORTH = {"model": 0, "convolution": 0, "dense": 0, "sequence": 0, "merge": 1, "normalization": 2}


def text(x: float, y: float, words: str, size: float, colour: str, weight: int = 400) -> str:
    """A line of text; `y` is its baseline."""
    heavy = f' font-weight="{weight}"' if weight != 400 else ""  # noqa: PLR2004 - CSS' normal weight
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size:g}" fill="{colour}"{heavy}>{escape(words)}</text>'


class Painter:
    """Knows how big a box is and how it is drawn.

    Args:
        shapes: what layers give, by path.
        lang: the language of what is not taken from the model.

    Attributes:
        lines: 2 where names and shapes stand in the boxes too, 1 where they are left to the hover.
    """

    def __init__(self, shapes: dict[str, str], lang: Lang) -> None:
        self.shapes = shapes
        self.lang = lang
        self.lines = 2

    def size(self, box: Box, inside: Drawing | None) -> Size:
        """The width and height of a box, in px."""
        label = len(self._label(box)) * _ROW + 8 if box.mark else 0.0
        if inside:
            return max(inside.width + 2 * _PAD, BOX), inside.height + self.head(box) + _PAD
        rows = 2 if len(box.layers) > 1 or box.mark else self.lines
        return (_LABEL if box.mark else BOX), _TOP + rows * _ROW + 4 + label

    def head(self, box: Box) -> float:
        """The room above the inside of an opened model."""
        return _HEAD + 6 + (len(self._label(box)) * _ROW + 8 if box.mark else 0.0)

    def _label(self, box: Box) -> list[str]:
        return wrapped(box.mark or "", 12.2, _LABEL - 18, 3)

    def paint(self, placed: Placed) -> Iterator[str]:
        """The parts of a box; its details are told when the pointer rests on it."""
        box = placed.box
        yield f"<g><title>{escape(self._hover(box))}</title>"
        if placed.inside:
            yield from self._group(placed)
        elif len(box.layers) > 1:
            yield from self._run(placed)
        else:
            yield from self._layer(placed, box.layers[0])
        yield "</g>"

    def _layer(self, placed: Placed, layer: Layer) -> Iterator[str]:
        colour, box, x = KINDS[kind_of(layer)][0], placed.box, placed.x
        if layer.inner is not None:
            yield _rectangle(x + 4, placed.y + 4, placed.width, placed.height, NESTED, colour)
        yield _rectangle(x, placed.y, placed.width, placed.height, GROUND, EDGE)
        yield _stripe(x, placed.y, placed.height, colour)
        if box.mark:
            yield from self._marked(placed)
        room = placed.width - 24
        name = fitted(layer.class_name, 13, room)
        told = fitted(self._settings(layer), 11, room - text_width(name, 13.5) - 8)
        beside = f'<tspan dx="7" font-size="11" font-weight="400" fill="{SOFT}">{escape(told)}</tspan>' if told else ""
        line = text(x + 14, placed.y + 17, name, 12.5, INK, 600)
        yield line.replace("</text>", f"{beside}</text>")
        if self.lines > 1 or box.mark:
            shape = self.shapes.get(box.path, "")
            yield from self._second(x, placed.y + 17 + _ROW, room, layer.name, cut(shape, 40))

    def _second(self, x: float, y: float, room: float, name: str, shape: str) -> Iterator[str]:
        """The name, and the shape at the right where both have room."""
        wide = text_width(shape, 11) if shape else 0.0
        if shape and wide < 0.72 * room:
            yield text(x + 14 + room, y, shape, 11, SOFT).replace("<text", '<text text-anchor="end"')
            room -= wide + 8
        yield text(x + 14, y, fitted(name, 11, room), 11, SOFT)

    def _settings(self, layer: Layer) -> str:
        if layer.inner is not None:
            number = sum(len(part.layers) for _, part in layer.inner.walk())
            return Text(f"{number:,} layers", f"{number:,} 层").say(self.lang)
        calls = f", ×{len(layer.calls)}" if len(layer.calls) > 1 else ""
        return (highlights(layer) + calls).removeprefix(", ")

    def _run(self, placed: Placed) -> Iterator[str]:
        """A sheet on sheets, a square for each layer in the colour of its kind, and what they are."""
        layers, x, y = placed.box.layers, placed.x, placed.y
        for off in (5, 2.5):
            yield _rectangle(x + off, y + off, placed.width, placed.height, SHEET, SHEET_EDGE)
        yield _rectangle(x, y, placed.width, placed.height, SHEET, EDGE)
        number = Text(f"{len(layers):,} layers", f"{len(layers):,} 层").say(self.lang)
        yield text(x + 10, y + 17, number, 11.5, INK, 600)
        start = x + 18 + text_width(number, 12)
        fits = min(_SQUARES, int((x + placed.width - 8 - start) / 8.5))
        shown = layers if len(layers) <= fits else layers[: fits - 1]
        for i, layer in enumerate(shown):
            colour = KINDS[kind_of(layer)][0]
            yield f'<rect x="{start + 8.5 * i:.1f}" y="{y + 9:.1f}" width="7" height="9" rx="1.5" fill="{colour}"/>'
        if len(shown) < len(layers):
            yield text(start + 8.5 * len(shown), y + 17, "…", 11, SOFT)
        yield text(x + 10, y + 17 + _ROW, listed(_classes(layers), 10.5, placed.width - 18), 10.5, SOFT)

    def _group(self, placed: Placed) -> Iterator[str]:
        layer = placed.box.layers[0]
        colour = KINDS["model"][0]
        yield _rectangle(placed.x, placed.y, placed.width, placed.height, INSIDE, colour, dashed=True)
        if placed.box.mark:
            yield from self._marked(placed, head=True)
        told = fitted(f"{layer.name} ({layer.class_name}, {self._settings(layer)})", 12.5, placed.width - 24)
        yield text(placed.x + 12, placed.y + 19, told, 12.5, colour, 600)

    def _marked(self, placed: Placed, *, head: bool = False) -> Iterator[str]:
        """A thick border, and a field with what was found."""
        rows = self._label(placed.box)
        tall = len(rows) * _ROW + 6
        top = placed.y + _HEAD + 2 if head else placed.y + placed.height - tall
        yield (
            f'<path d="M{placed.x:.1f} {top:.1f}h{placed.width:.1f}v{tall - 5:.1f}a5 5 0 0 1 -5 5h{10 - placed.width:.1f}'
            f'a5 5 0 0 1 -5 -5z" fill="{MARK}"/>'
        )
        for i, row in enumerate(rows):
            yield text(placed.x + 10, top + 14 + i * _ROW, row, 11.5, GROUND, 600)
        yield _rectangle(placed.x, placed.y, placed.width, placed.height, "none", MARK, stroke=2.5)

    def _hover(self, box: Box) -> str:
        first = box.layers[0]
        if len(box.layers) == 1:
            lines = hover(first, box.path, self.shapes.get(box.path))
            return "\n".join([*lines, *([box.mark] if box.mark else [])])
        lines = [
            f"{cut(layer.name, 60)} ({cut(layer.class_name, 40)}) {highlights(layer)}" for layer in box.layers[:30]
        ]
        return "\n".join([*lines, *(["…"] if len(box.layers) > len(lines) else [])])


def _classes(layers: tuple[Layer, ...]) -> list[str]:
    """The classes in a run, those with weights first."""
    counts = Counter(layer.class_name for layer in layers)
    kinds = {layer.class_name: kind_of(layer) for layer in layers}
    order = sorted(counts.items(), key=lambda item: (_WORTH.get(kinds[item[0]], 3), -item[1]))
    short = [(_shortened(name), number) for name, number in order[:6]]
    return [f"{name} ×{number}" if number > 1 else name for name, number in short]


def _shortened(name: str) -> str:
    for long, brief in (("Normalization", "Norm"), ("Pooling", "Pool"), ("Average", "Avg")):
        name = name.replace(long, brief)
    return cut(name, 30)


def _rectangle(
    x: float, y: float, width: float, height: float, fill: str, line: str, *, stroke: float = 1.0, dashed: bool = False
) -> str:
    dashes = ' stroke-dasharray="6 4"' if dashed else ""
    return (
        f'<rect x="{x:.1f}" y="{y:.1f}" width="{width:.1f}" height="{height:.1f}" rx="5" fill="{fill}" stroke="{line}" '
        f'stroke-width="{stroke:g}"{dashes}/>'
    )


def _stripe(x: float, y: float, height: float, colour: str) -> str:
    return f'<path d="M{x + 5:.1f} {y:.1f}h2v{height:.1f}h-2a5 5 0 0 1 -5 -5v{10 - height:.1f}a5 5 0 0 1 5 -5z" fill="{colour}"/>'
