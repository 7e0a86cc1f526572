"""Where the boxes of a picture stand: ranks by longest path, few crossings, and columns side by side where it is long.

The steps are those of Sugiyama's layered drawing: ranks, an order within each by barycenters, then positions that keep
the order and put boxes that are connected below each other (least squares by pooling adjacent violators).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise, takewhile

from .picture_fold import Board, Box

MAX_WAYPOINTS = 6_000
GAP = 26.0  # between ranks
_BESIDE = 18.0  # between boxes of a rank
_WAY = 12.0  # the room of a connection that passes a rank
_TRACK = 6.0  # between connections that go to the next column
_GUTTER = 26.0
_SWEEPS = 8
_PULLS = 14
_TALL = 760.0  # from this height on columns are tried
_MOST_COLUMNS = 8
_FEW = 2  # connections from a column to the next that are followed with ease

Point = tuple[float, float]
Size = tuple[float, float]


@dataclass(frozen=True)
class Line:
    """A connection: the points that it passes, from top to bottom; `backwards` ones lead up."""

    points: tuple[Point, ...]
    backwards: bool


@dataclass(frozen=True)
class Placed:
    """A box with its left upper corner and its size, in px; `inside` is the drawing of an opened model."""

    box: Box
    x: float
    y: float
    width: float
    height: float
    inside: Drawing | None


@dataclass(frozen=True)
class Drawing:
    """Everything in its place; `left_out` counts connections that are too many to be drawn."""

    width: float
    height: float
    boxes: tuple[Placed, ...]
    lines: tuple[Line, ...]
    left_out: int


@dataclass
class _Item:
    """A box in its rank, or a point (`box` is None) where a connection passes it."""

    rank: int
    width: float
    height: float
    box: int | None = None
    x: float = 0.0
    above: list[_Item] = field(default_factory=list)
    below: list[_Item] = field(default_factory=list)
    order: float = 0.0


@dataclass(frozen=True)
class _Column:
    """Ranks that stand below each other."""

    ranks: list[list[_Item]]
    left: float
    width: float
    height: float


@dataclass(frozen=True)
class _Span:
    """Where a rank stands: from which y to which, in which column."""

    top: float
    bottom: float
    column: _Column


def lay_out(board: Board, widest: float, size: Callable[[Box, Drawing | None], Size], padding: float) -> Drawing:
    """Place the boxes of a board.

    Args:
        board: boxes and connections.
        widest: the width in px up to which columns stand side by side.
        size: the width and height of a box, given the drawing inside it.
        padding: the room that an opened model has on each side.
    """
    inner = [lay_out(b.board, widest - 2 * padding, size, padding) if b.board else None for b in board.boxes]
    sizes = [size(box, inside) for box, inside in zip(board.boxes, inner, strict=True)]
    items = [_Item(rank, w, h, i) for i, (rank, (w, h)) in enumerate(zip(_ranks(board), sizes, strict=True))]
    paths, left_out = _paths(board, items)
    ranks = _sorted_ranks([*items, *(item for path, _ in paths for item in path[1:-1])])
    columns = _columns(ranks, widest)
    spans = _spans(columns)
    left_out += sum(d.left_out for d in inner if d)
    width = max((c.left + c.width for c in columns), default=0.0)
    height = max((c.height for c in columns), default=0.0) + _margin(columns)
    placed = (
        Placed(box, item.x - item.width / 2, spans[item.rank].top, item.width, item.height, inside)
        for box, item, inside in zip(board.boxes, items, inner, strict=True)
    )
    return Drawing(width, height, tuple(placed), tuple(_lines(paths, spans)), left_out)


def _ranks(board: Board) -> list[int]:
    """The longest path to each box; what nothing leads to moves down to what it feeds."""
    forward = [(a, b) for a, b in board.edges if a < b]
    ranks = [0] * len(board.boxes)
    for a, b in sorted(forward, key=lambda edge: edge[1]):
        ranks[b] = max(ranks[b], ranks[a] + 1)
    fed = {b for _, b in forward}
    first: dict[int, int] = {}
    for a, b in forward:
        first[a] = min(first.get(a, ranks[b]), ranks[b])
    ranks = [first[i] - 1 if i not in fed and i in first else rank for i, rank in enumerate(ranks)]
    filled = {rank: place for place, rank in enumerate(sorted(set(ranks)))}
    return [filled[rank] for rank in ranks]


def _paths(board: Board, items: list[_Item]) -> tuple[list[tuple[list[_Item], bool]], int]:
    """Each connection as the items that it passes, the shortest first until there are too many."""
    paths: list[tuple[list[_Item], bool]] = []
    room, left_out = MAX_WAYPOINTS, 0
    ends = [(items[min(edge)], items[max(edge)], edge[0] > edge[1]) for edge in board.edges]
    for start, end, backwards in sorted(ends, key=lambda e: abs(e[1].rank - e[0].rank)):
        high, low = (start, end) if start.rank <= end.rank else (end, start)
        between = [_Item(rank, _WAY, 0.0) for rank in range(high.rank + 1, low.rank)]
        room -= len(between) + 1
        if room < 0 or high.rank == low.rank:
            left_out += 1
            continue
        path = [high, *between, low]
        for one, next_one in pairwise(path):
            one.below.append(next_one)
            next_one.above.append(one)
        paths.append((path, backwards != (high is not start)))
    return paths, left_out


def _sorted_ranks(items: list[_Item]) -> list[list[_Item]]:
    """The ranks, each in an order in which few connections cross."""
    ranks: list[list[_Item]] = [[] for _ in range(1 + max((item.rank for item in items), default=-1))]
    for item in items:
        item.order = float(len(ranks[item.rank]))
        ranks[item.rank].append(item)
    for sweep in range(_SWEEPS):
        down = sweep % 2 == 0
        for rank in ranks if down else reversed(ranks):
            for item in rank:
                near = item.above if down else item.below
                if near:
                    item.order = sum(n.order for n in near) / len(near)
            rank.sort(key=lambda item: item.order)
            for place, item in enumerate(rank):
                item.order = place - (len(rank) - 1) / 2
    return ranks


def _columns(ranks: list[list[_Item]], widest: float) -> list[_Column]:
    """As many columns as have room beside each other, where one would be tall."""
    tall = _height(ranks)
    most = min(_MOST_COLUMNS, 1 + int(tall / _TALL)) if tall > 1.2 * _TALL else 1
    for number in range(most, 1, -1):
        parts = _split(ranks, number)
        tangled = max(_crossing(part) for part in parts[:-1]) > _FEW and tall < 2.5 * _TALL if len(parts) > 1 else True
        if tangled or sum(_narrowest(part) for part in parts) > widest:
            continue
        columns = _side_by_side(parts)
        if columns[-1].left + columns[-1].width <= widest:
            return columns
    return _side_by_side([ranks]) if ranks else []


def _side_by_side(parts: list[list[list[_Item]]]) -> list[_Column]:
    columns, left = [], 0.0
    for part in parts:
        shift, width = _place(part)
        for rank in part:
            for item in rank:
                item.x += left - shift
        columns.append(_Column(part, left, width, _height(part)))
        left += width + _GUTTER + _TRACK * _crossing(part)
    return columns


def _narrowest(part: list[list[_Item]]) -> float:
    """The least width that a column needs."""
    return max(sum(item.width + _BESIDE for item in rank) - _BESIDE for rank in part)


def _height(ranks: Sequence[list[_Item]]) -> float:
    return sum(max(item.height for item in rank) + GAP for rank in ranks) - GAP if ranks else 0.0


def _split(ranks: list[list[_Item]], number: int) -> list[list[list[_Item]]]:
    """Parts of about the same height, cut where few connections pass."""
    heights = [max(item.height for item in rank) + GAP for rank in ranks]
    goal = sum(heights) / number
    parts: list[list[list[_Item]]] = [[]]
    done = 0.0
    for i, rank in enumerate(ranks):
        parts[-1].append(rank)
        done += heights[i]
        late = done - goal * len(parts)
        ways = sum(len(item.below) for item in rank)
        better = any(
            sum(len(item.below) for item in other) < ways and sum(heights[i + 1 : i + 2 + n]) < 0.15 * goal
            for n, other in enumerate(ranks[i + 1 : i + 4])
        )
        if len(parts) < number and i + 1 < len(ranks) and late > -0.1 * goal and (ways <= 1 or not better):
            parts.append([])
    return parts


def _crossing(part: list[list[_Item]]) -> int:
    return sum(len(item.below) for item in part[-1])


def _place(ranks: list[list[_Item]]) -> tuple[float, float]:
    """Give each item of a column its x (the middle). Returns the left edge and the width."""
    for rank in ranks:
        _settle(rank, [0.0] * len(rank))
    inside = {id(item) for rank in ranks for item in rank}
    for sweep in range(_PULLS + 1):
        for rank in ranks if sweep % 2 == 0 else reversed(ranks):
            _settle(rank, [_wished(item, inside, sweep) for item in rank])
    _straighten(ranks, inside)
    left = min(item.x - item.width / 2 for rank in ranks for item in rank)
    return left, max(item.x + item.width / 2 for rank in ranks for item in rank) - left


def _straighten(ranks: list[list[_Item]], inside: set[int]) -> None:
    """Connections that run down the right side become one straight line each, the short ones inside the long ones."""
    left_of = {id(item): before for rank in ranks for before, item in pairwise(rank)}
    outer: set[int] = set()
    for rank in ranks:
        outer.update(id(item) for item in takewhile(lambda item: item.box is None, reversed(rank)))
    runs = []
    for item in (
        item for rank in ranks for item in rank if id(item) in outer and id(item.above[0]) not in outer & inside
    ):
        run = [item]
        while id(run[-1].below[0]) in outer & inside:
            run.append(run[-1].below[0])
        runs.append(run)
    for run in sorted(runs, key=len):
        near = [left_of[id(item)] for item in run if id(item) in left_of]
        x = max([item.x for item in run] + [item.x + (item.width + _WAY) / 2 + _BESIDE for item in near])
        for item in run:
            item.x = x


def _wished(item: _Item, inside: set[int], sweep: int) -> float:
    near = (item.above, item.below, item.above + item.below)[2 if sweep >= _PULLS - 4 else sweep % 2]
    near = [n for n in near if id(n) in inside]
    boxes = [n for n in near if n.box is not None]
    near = boxes if boxes and item.box is not None else near  # a connection that passes makes way for the boxes
    return sum(n.x for n in near) / len(near) if near else item.x


def _settle(rank: list[_Item], wished: list[float]) -> None:
    """Put a rank as near to where it wishes to be as its order and widths allow."""
    offset = 0.0
    blocks: list[list[float]] = []
    offsets = []
    for i, item in enumerate(rank):
        offset += (rank[i - 1].width + item.width) / 2 + _BESIDE if i else 0.0
        offsets.append(offset)
        weight = 1.0 if item.box is not None else 0.002
        block = [(wished[i] - offset) * weight, weight, 1]
        while blocks and blocks[-1][0] / blocks[-1][1] > block[0] / block[1]:
            last = blocks.pop()
            block = [a + b for a, b in zip(last, block, strict=True)]
        blocks.append(block)
    middles = [total / weight for total, weight, count in blocks for _ in range(int(count))]
    for item, middle, start in zip(rank, middles, offsets, strict=True):
        item.x = middle + start


def _margin(columns: list[_Column]) -> float:
    """The room below (and above) that connections to the next column take."""
    return 2 * max((12 + _TRACK * _crossing(c.ranks) for c in columns[:-1]), default=0.0)


def _spans(columns: list[_Column]) -> list[_Span]:
    """Where each rank stands."""
    spans = []
    for column in columns:
        y = _margin(columns) / 2
        for rank in column.ranks:
            height = max(item.height for item in rank)
            spans.append(_Span(y, y + height, column))
            y += height + GAP
    return spans


def _lines(paths: list[tuple[list[_Item], bool]], spans: list[_Span]) -> Iterator[Line]:
    used: dict[int, int] = {}
    for path, backwards in paths:
        points: list[Point] = []
        for item in path:
            span = spans[item.rank]
            if points and spans[item.rank - 1].column is not span.column:
                used[id(span.column)] = track = used.get(id(span.column), -1) + 1
                points += _around(points[-1], (item.x, span.top), spans[item.rank - 1].column, track)
            leaves = span.top + item.height if not points else span.top
            points += [(item.x, leaves)] if item is path[-1] else [(item.x, leaves), (item.x, span.bottom)]
        yield Line(tuple(points), backwards)


def _around(start: Point, end: Point, column: _Column, track: int) -> list[Point]:
    """From the bottom of a column up to the top of the next, each connection on a track of its own."""
    away = 8 + _TRACK * track
    gutter = column.left + column.width + away
    return [(start[0], start[1] + away), (gutter, start[1] + away), (gutter, end[1] - away), (end[0], end[1] - away)]
