"""Draws the layer graph of a model as an SVG in which the layers that something was found in stand out.

A short model is drawn whole. In a longer one, runs of layers that nothing was found in are folded into one box, as far
as it takes to keep the picture readable; a marked layer is always drawn, with what was found below it.
"""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice, pairwise
from xml.sax.saxutils import escape

from ..knowledge.text import Lang, Text
from .graph import Graph
from .palette import GROUND, INK, LINE, MARK, SOFT, STYLE
from .picture_boxes import BOX, Painter, text
from .picture_fold import MAX_MARKED, Board, Detail, board_of
from .picture_layout import Drawing, Line, Point, lay_out
from .picture_style import KINDS, cut, fitted, kind_of, text_width

WIDTH = 1200.0
_MARGIN = 24.0
_PAD = 14.0  # around the inside of an opened model
_TITLE = 44.0
_LEGEND = 22.0
_MAX_LABEL = 240
_WHOLE = 26  # up to so many layers nothing is folded
_MAX_HEIGHT = 1_500.0
_MAX_BOXES = 400
_LARGE = 10_000  # connections from which on only the coarse pictures are tried
_ROOMY = 36  # up to so many boxes there is room for names and shapes
_WHOLE_MODEL = Detail()
_FOLDED = (
    Detail(chain=3), Detail(chain=2, opened=6), Detail(chain=2, most=90, opened=0), Detail(chain=2, most=40, opened=0),
    Detail(chain=2, most=16, opened=0), Detail(chain=2, most=6, opened=0),
)  # fmt: skip
_FONT = "Inter,'Segoe UI','Helvetica Neue',Arial,'Noto Sans CJK SC','Microsoft YaHei',sans-serif"


def draw_graph(graph: Graph, marked: dict[str, str], shapes: dict[str, str] | None = None, lang: Lang = "en") -> str:
    """An SVG of a layer graph, at most 1200 px wide, that refers to no other file.

    Args:
        graph: the model.
        marked: what was found, in a few words, by the path of the layer ("inner/dense").
        shapes: what a layer gives, by its path, as it is to be shown ("(None, 26, 26, 8)").
        lang: the language of what is not taken from the model.
    """
    shown = {path: cut(label, _MAX_LABEL) for path, label in islice(marked.items(), MAX_MARKED)}
    total = sum(len(part.layers) for _, part in graph.walk())
    painter = Painter(shapes or {}, lang)
    drawing = _drawing(graph, shown, total, painter)
    return _page(graph, drawing, painter, total, len(marked) - len(shown))


def _drawing(graph: Graph, shown: dict[str, str], total: int, painter: Painter) -> Drawing:
    """The first drawing, from the least folded on, that is readable."""
    calls = sum(len(call.inputs) for _, part in graph.walk() for layer in part.layers for call in layer.calls)
    details = (_WHOLE_MODEL,) if total <= _WHOLE else _FOLDED if calls <= _LARGE else _FOLDED[-2:]
    drawing = Drawing(0.0, 0.0, (), (), 0)
    for detail in details:
        board = board_of(graph, shown, detail)
        number = _boxes(board)
        if number > _MAX_BOXES and detail is not details[-1]:
            continue
        painter.lines = 2 if number <= _ROOMY else 1
        drawing = lay_out(board, WIDTH - 2 * _MARGIN, painter.size, _PAD)
        if drawing.height <= _MAX_HEIGHT and drawing.width <= WIDTH - 2 * _MARGIN and not drawing.left_out:
            break
    return drawing


def _boxes(board: Board) -> int:
    return sum(1 + (_boxes(box.board) if box.board else 0) for box in board.boxes)


def _page(graph: Graph, drawing: Drawing, painter: Painter, total: int, unseen: int) -> str:
    kinds = [kind for kind in KINDS if any(kind_of(layer) == kind for _, part in graph.walk() for layer in part.layers)]
    notes = [note.say(painter.lang) for note in _notes(drawing, unseen)]
    content = max(drawing.width, 3 * BOX)
    legend, rows = _legend(kinds, painter, content, marks=_any_marked(drawing))
    width = content + 2 * _MARGIN
    height = _TITLE + drawing.height + _LEGEND * (rows + len(notes)) + 2.5 * _MARGIN
    left = _MARGIN + (content - drawing.width) / 2
    below = _TITLE + drawing.height + 2 * _MARGIN
    scale = min(1.0, WIDTH / width)
    return "\n".join([
        (f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width:.0f} {height:.0f}" width="{width * scale:.0f}" '
        f'height="{height * scale:.0f}" font-family="{_FONT}" role="img">'),
        f"<title>{escape(_called(graph, total, painter.lang))}</title>",
        STYLE,
        f'<rect width="{width:.0f}" height="{height:.0f}" fill="{GROUND}"/>',
        text(_MARGIN, 28, fitted(_called(graph, total, painter.lang), 16, content), 16, INK, weight=600),
        f'<g transform="translate({left:.1f} {_TITLE + _MARGIN / 2:.1f})">',
        *_inside(drawing, painter),
        "</g>",
        f'<g transform="translate({_MARGIN} {below:.1f})">',
        *legend,
        *(text(0, _LEGEND * (rows + i), fitted(note, 12, content), 12, SOFT) for i, note in enumerate(notes)),
        "</g>",
        "</svg>",
    ])  # fmt: skip


def _called(graph: Graph, total: int, lang: Lang) -> str:
    name = cut(graph.name, 60)
    return Text(f"{name} · {total:,} layers", f"{name} · 共 {total:,} 层").say(lang)


def _inside(drawing: Drawing, painter: Painter) -> Iterator[str]:
    """The connections, and over them the boxes, with what is inside of them."""
    for line in drawing.lines:
        yield _path(line)
    for placed in drawing.boxes:
        yield from painter.paint(placed)
        if placed.inside:
            x, y = placed.x + (placed.width - placed.inside.width) / 2, placed.y + painter.head(placed.box)
            yield f'<g transform="translate({x:.1f} {y:.1f})">'
            yield from _inside(placed.inside, painter)
            yield "</g>"


def _path(line: Line) -> str:
    """Straight along and across, curved where it changes its place from rank to rank; an arrow where it ends."""
    points = line.points
    drawn = [f"M{points[0][0]:.1f} {points[0][1]:.1f}"]
    for (x, y), (to_x, to_y) in pairwise(points):
        if abs(to_x - x) < 0.5 or abs(to_y - y) < 0.5:  # noqa: PLR2004 - half a pixel
            drawn.append(f"L{to_x:.1f} {to_y:.1f}")
        else:
            middle = (y + to_y) / 2
            drawn.append(f"C{x:.1f} {middle:.1f} {to_x:.1f} {middle:.1f} {to_x:.1f} {to_y:.1f}")
    dashes = ' stroke-dasharray="5 4"' if line.backwards else ""
    curve = f'<path d="{"".join(drawn)}" fill="none" stroke="{LINE}" stroke-width="1.4"{dashes}/>'
    return curve + (_arrow(points[0], -1) if line.backwards else _arrow(points[-1], 1))


def _arrow(tip: Point, way: int) -> str:
    x, y = tip
    return f'<path d="M{x:.1f} {y:.1f}l-3.6 {-6.5 * way}h7.2z" fill="{LINE}"/>'


def _legend(kinds: list[str], painter: Painter, width: float, *, marks: bool) -> tuple[list[str], int]:
    """A colour and a word for each kind that the model has, in as many rows as it takes."""
    entries = [(KINDS[kind][0], KINDS[kind][1].say(painter.lang)) for kind in kinds]
    if marks:
        entries.append((MARK, Text("something was found here", "此处有发现").say(painter.lang)))
    drawn, x, row = [], 0.0, 0
    for colour, word in entries:
        needs = 34 + text_width(word, 12)
        if x and x + needs > width:
            x, row = 0.0, row + 1
        y = row * _LEGEND
        drawn.append(f'<rect x="{x:.1f}" y="{y - 10:.1f}" width="12" height="12" rx="3" fill="{colour}"/>')
        drawn.append(text(x + 18, y, word, 12, SOFT))
        x += needs
    return drawn, row + 1


def _notes(drawing: Drawing, unseen: int) -> Iterator[Text]:
    if _any_folded(drawing):
        yield Text(
            "A box with a row of coloured squares stands for several layers; a square is a layer.",
            "带一排彩色小方块的方框代表若干层，每个小方块是一层。",
        )
    if any(line.backwards for line in drawing.lines):
        yield Text("Dashed: a layer that is used again, on something later.", "虚线：某层在后面又被调用了一次。")
    if unseen > 0:
        yield Text(f"{unseen:,} more layers were found and are not marked.", f"另有 {unseen:,} 层有发现，未标出。")
    if drawing.left_out:
        yield Text(
            f"{drawing.left_out:,} connections are not drawn: there are too many.",
            f"连线过多，有 {drawing.left_out:,} 条没有画出。",
        )


def _any_folded(drawing: Drawing) -> bool:
    return any(len(p.box.layers) > 1 or (p.inside and _any_folded(p.inside)) for p in drawing.boxes)


def _any_marked(drawing: Drawing) -> bool:
    return any(p.box.mark or (p.inside and _any_marked(p.inside)) for p in drawing.boxes)
