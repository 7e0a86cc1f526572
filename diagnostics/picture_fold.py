"""Which boxes a picture of a layer graph has: one for each layer, or for a run of layers that nothing was found in.

Folding keeps the graph acyclic: chains, and stretches of the topological order, can be drawn together into one box.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from heapq import heapify, heappop, heappush

from .graph import Graph, Layer

MAX_MARKED = 60  # marked layers that get a box of their own
MAX_PINNED = 8  # inputs, and outputs, that do
MAX_GROUPS = 3  # how deep nested models are opened
_SMALL_MODEL = 12


@dataclass(frozen=True)
class Detail:
    """How much is folded.

    `chain` is the shortest run of layers without branches that is folded (None: none are); `most` is about how many boxes
    may be left of what is not marked (None: any number); `opened` is how many layers a nested model may have to be
    opened although nothing in it is marked.
    """

    chain: int | None = None
    most: int | None = None
    opened: int = _SMALL_MODEL


@dataclass(frozen=True)
class Box:
    """A layer, or several in one, below the path `prefix`; `mark` is what was found in it, `board` an opened nested model."""

    layers: tuple[Layer, ...]
    prefix: str
    mark: str | None = None
    board: Board | None = None

    @property
    def path(self) -> str:
        """The path of the layer, or of the first one."""
        return self.prefix + self.layers[0].name


@dataclass(frozen=True)
class Board:
    """Boxes in topological order, and the pairs of positions that are connected; against the order where layers loop."""

    boxes: tuple[Box, ...]
    edges: tuple[tuple[int, int], ...]


def board_of(graph: Graph, marked: dict[str, str], detail: Detail, prefix: str = "", depth: int = 0) -> Board:
    """The boxes of a graph.

    Args:
        graph: the model.
        marked: what was found, by the path of the layer; only the first `MAX_MARKED` are looked at.
        detail: how much is folded.
        prefix: the path that leads to the graph.
        depth: how many models it is nested in.
    """
    layers, edges = graph.layers, _edges(graph)
    opened = ((i, _opened(layer, marked, detail, prefix, depth)) for i, layer in enumerate(layers))
    boards = {i: board for i, board in opened if board}
    pinned = _pinned(graph, marked, prefix) | set(boards)
    parts, edges = _ordered([(i,) for i in range(len(layers))], edges)
    if detail.chain is not None:
        parts, edges = _ordered(*_contract(parts, edges, _chains(parts, edges, pinned, detail.chain)))
    if detail.most is not None:
        parts, edges = _contract(parts, edges, _stretches(parts, edges, pinned, detail.most))
    boxes = [
        Box(
            tuple(layers[i] for i in part),
            prefix,
            marked.get(prefix + layers[part[0]].name) if part[0] in pinned else None,
            boards.get(part[0]),
        )
        for part in parts
    ]
    return Board(tuple(boxes), tuple(sorted(edges)))


def _pinned(graph: Graph, marked: dict[str, str], prefix: str) -> set[int]:
    """The layers that are not folded: some inputs and outputs, and what is marked. Of equal names the last one counts."""
    place = {layer.name: i for i, layer in enumerate(graph.layers)}
    names = [layer.name for layer in graph.layers if layer.class_name == "InputLayer"][:MAX_PINNED]
    names += [tensor.layer for tensor in graph.outputs[:MAX_PINNED]]
    names += [path.removeprefix(prefix) for path in marked if path.startswith(prefix)]
    return {place[name] for name in names if name in place}


def _opened(layer: Layer, marked: dict[str, str], detail: Detail, prefix: str, depth: int) -> Board | None:
    path = f"{prefix}{layer.name}/"
    inner = layer.inner
    if inner is None or depth >= MAX_GROUPS or not inner.layers:
        return None
    if any(name.startswith(path) for name in marked) or len(inner.layers) <= detail.opened:
        return board_of(inner, marked, detail, path, depth + 1)
    return None


Part = tuple[int, ...]
Edges = set[tuple[int, int]]


def _edges(graph: Graph) -> Edges:
    """Who feeds whom, by position; a layer that is called on its own output is no edge."""
    place = {layer.name: i for i, layer in enumerate(graph.layers)}
    pairs = (
        (place.get(tensor.layer), i)
        for i, layer in enumerate(graph.layers)
        for call in layer.calls
        for tensor in call.inputs
    )
    return {(a, b) for a, b in pairs if a is not None and a != b}


def _ordered(parts: Sequence[Part], edges: Edges) -> tuple[list[Part], Edges]:
    """Parts sorted so that what feeds comes first, else as in the file; a loop is opened at its first part."""
    after: list[list[int]] = [[] for _ in parts]
    waits = [0] * len(parts)
    for a, b in edges:
        after[a].append(b)
        waits[b] += 1
    ready = [i for i, n in enumerate(waits) if n == 0]
    heapify(ready)
    place: dict[int, int] = {}
    looped = iter(range(len(parts)))
    while len(place) < len(parts):
        i = heappop(ready) if ready else next(i for i in looped if i not in place)
        if i in place:
            continue
        place[i] = len(place)
        for b in after[i]:
            waits[b] -= 1
            if waits[b] == 0 and b not in place:
                heappush(ready, b)
    return [parts[i] for i in place], {(place[a], place[b]) for a, b in edges}


def _contract(parts: Sequence[Part], edges: Edges, groups: Iterable[list[int]]) -> tuple[list[Part], Edges]:
    """Each group of parts becomes one part."""
    joined: list[Part] = []
    place: dict[int, int] = {}
    for group in groups:
        place.update(dict.fromkeys(group, len(joined)))
        joined.append(tuple(i for number in group for i in parts[number]))
    return joined, {(place[a], place[b]) for a, b in edges if place[a] != place[b]}


def _chains(parts: Sequence[Part], edges: Edges, pinned: set[int], shortest: int) -> list[list[int]]:
    """Runs in which each part feeds only the next one, and that only takes this one; what is pinned stays alone."""
    before: dict[int, list[int]] = {}
    after: dict[int, list[int]] = {}
    for a, b in edges:
        before.setdefault(b, []).append(a)
        after.setdefault(a, []).append(b)
    plain = [len(before.get(i, ())) == 1 and parts[i][0] not in pinned for i in range(len(parts))]
    follows = {i: after[i][0] for i in after if plain[i] and len(after[i]) == 1 and plain[after[i][0]]}
    groups: list[list[int]] = []
    taken: set[int] = set()
    for start in range(len(parts)):
        run = [start]
        while run[-1] in follows and follows[run[-1]] not in taken and follows[run[-1]] != start:
            run.append(follows[run[-1]])
            taken.add(run[-1])
        if start in taken:
            continue
        groups += [run] if len(run) >= shortest else [[i] for i in run]
    return groups


def _stretches(parts: Sequence[Part], edges: Edges, pinned: set[int], most: int) -> list[list[int]]:
    """Stretches of the order, cut where possible at parts that everything flows through."""
    size = -(-len(parts) // most)
    reach = [0] * (len(parts) + 1)
    for a, b in edges:
        reach[a] = max(reach[a], b)
    groups: list[list[int]] = [[]]
    furthest = 0
    for i, part in enumerate(parts):
        through, furthest = furthest <= i, max(furthest, reach[i])
        if len(part) == 1 and part[0] in pinned:
            groups += [[i], []]
            continue
        groups[-1].append(i)
        if len(groups[-1]) >= (size if through else 2 * size):
            groups.append([])
    return [group for group in groups if group]
